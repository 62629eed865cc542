// Finds one byte again and again in the same bytes without searching any stretch twice.

export class NextByte {
  readonly #byte: number
  #bytes: Buffer | undefined
  #at = -1

  constructor(byte: number) {
    this.#byte = byte
  }

  /** Index of the next such byte at or after `start`, or -1. `start` only grows for the same bytes. */
  from(bytes: Buffer, start: number): number {
    if (this.#bytes !== bytes || (this.#at >= 0 && this.#at < start)) {
      this.#at = bytes.indexOf(this.#byte, start)
      this.#bytes = bytes
    }
    return this.#at
  }
}
