// Memory for encoded values, given out in order: one allocation for thousands of values instead of one each, and none once it can be reused.

const slabBytes = 1024 * 1024
/** Kept for reuse; more than one transaction needs is given back. */
const maxKept = 4

export class Slabs {
  /** Where the next value goes, from `used` on. */
  current: Buffer = Buffer.alloc(0)
  used = 0
  #full: Buffer[] = []
  #free: Buffer[] = []

  /** True when a value of this size is better off alone. */
  static isLarge(bytes: number): boolean {
    return bytes > slabBytes / 4
  }

  /** The text as UTF-8. */
  write(text: string): Uint8Array {
    const most = text.length * 3
    if (Slabs.isLarge(most)) return Buffer.from(text)
    if (this.current.length - this.used < most) this.advance()
    const start = this.used
    this.used += this.current.write(text, start)
    return this.current.subarray(start, this.used)
  }

  /** Goes on to an empty slab. */
  advance(): Buffer {
    if (this.current.length > 0) this.#full.push(this.current)
    this.current = this.#free.pop() ?? Buffer.allocUnsafeSlow(slabBytes)
    this.used = 0
    return this.current
  }

  /** Says that every value given out is done with, so that its memory may be written again. */
  reuse(): void {
    this.#free.push(...this.#full.splice(0))
    this.#free.length = Math.min(this.#free.length, maxKept)
    this.used = 0
  }

  /** Forgets what was given out, for values that may be kept for any time: their memory is not written again. */
  letGo(): void {
    this.#full = []
  }
}
