// Writes the primitive types of the Kafka protocol (big-endian; https://kafka.apache.org/protocol, "Protocol Primitive Types").

/** Writes one request body. Flexible requests have compact lengths and tagged fields; the same calls write both. */
export class Writer {
  readonly #flexible: boolean
  #bytes: Buffer
  #at = 0

  /** `size`: bytes expected, so that a large body is not copied while it grows. */
  constructor(flexible = false, size = 256) {
    this.#flexible = flexible
    this.#bytes = Buffer.allocUnsafe(size)
  }

  /** What is written so far; a view. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0)
  }

  int8(value: number): this {
    this.#room(1)
    this.#at = this.#bytes.writeInt8(value, this.#at)
    return this
  }

  int16(value: number): this {
    this.#room(2)
    this.#at = this.#bytes.writeInt16BE(value, this.#at)
    return this
  }

  int32(value: number): this {
    this.#room(4)
    this.#at = this.#bytes.writeInt32BE(value, this.#at)
    return this
  }

  int64(value: bigint): this {
    this.#room(8)
    this.#at = this.#bytes.writeBigInt64BE(value, this.#at)
    return this
  }

  uvarint(value: number): this {
    this.#room(5)
    let left = value
    for (; left > 0x7f; left = Math.floor(left / 128)) this.#bytes[this.#at++] = (left % 128) | 0x80
    this.#bytes[this.#at++] = left
    return this
  }

  string(value: string | null): this {
    const length = value === null ? -1 : Buffer.byteLength(value)
    if (this.#flexible) this.uvarint(length + 1)
    else this.int16(length)
    if (value === null) return this
    this.#room(length)
    this.#at += this.#bytes.write(value, this.#at)
    return this
  }

  bytes(value: Uint8Array): this {
    if (this.#flexible) this.uvarint(value.length + 1)
    else this.int32(value.length)
    this.#room(value.length)
    this.#bytes.set(value, this.#at)
    this.#at += value.length
    return this
  }

  array<T>(items: readonly T[] | null, write: (item: T) => unknown): this {
    const count = items === null ? -1 : items.length
    if (this.#flexible) this.uvarint(count + 1)
    else this.int32(count)
    for (const item of items ?? []) write(item)
    return this
  }

  /** No tagged fields: the end of each struct of a flexible request. */
  tags(): this {
    return this.#flexible ? this.uvarint(0) : this
  }

  #room(length: number): void {
    if (this.#at + length <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + length))
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}
