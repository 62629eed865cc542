// Reads the primitive types of the Kafka protocol (big-endian; https://kafka.apache.org/protocol, "Protocol Primitive Types").
// I10: every length is checked against the bytes that are there before anything is made of it.
import { WeirError } from '../../../core/errors.ts'

/** Reads one answer from its start. Flexible answers have compact lengths and tagged fields; the same calls read both. */
export class Reader {
  readonly #bytes: Buffer
  readonly #flexible: boolean
  #at = 0

  constructor(bytes: Buffer, flexible = false) {
    this.#bytes = bytes
    this.#flexible = flexible
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at
  }

  boolean(): boolean {
    return this.#bytes[this.#take(1)] !== 0
  }

  int8(): number {
    return this.#bytes.readInt8(this.#take(1))
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#take(2))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#take(4))
  }

  int64(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8))
  }

  /** Base 128, least significant group first: at most five bytes and 32 bits. */
  uvarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#take(1)]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) {
        if (value > 0xffffffff) break
        return value
      }
    }
    throw damaged('a variable-length number has more than 32 bits')
  }

  string(): string {
    return this.nullableString() ?? ''
  }

  nullableString(): string | null {
    const length = this.#flexible ? this.uvarint() - 1 : this.int16()
    if (length < 0) return null
    const start = this.#take(length)
    return this.#bytes.toString('utf8', start, start + length)
  }

  /** A view of the answer; empty for null. */
  bytes(): Buffer {
    const length = this.#flexible ? this.uvarint() - 1 : this.int32()
    const start = this.#take(Math.max(length, 0))
    return this.#bytes.subarray(start, start + Math.max(length, 0))
  }

  /** Empty for null. */
  array<T>(read: () => T): T[] {
    const count = this.#flexible ? this.uvarint() - 1 : this.int32()
    if (count > this.left) throw damaged(`${count} elements cannot stand in ${this.left} bytes`)
    const items: T[] = []
    for (let i = 0; i < count; i++) items.push(read())
    return items
  }

  /** Skips the tagged fields that end each struct of a flexible answer. */
  tags(): void {
    if (!this.#flexible) return
    for (let fields = this.uvarint(); fields > 0; fields--) {
      this.uvarint()
      this.#take(this.uvarint())
    }
  }

  /** Moves on by `length` and gives the position before. */
  #take(length: number): number {
    if (length > this.left) throw damaged(`${length} bytes are announced and ${this.left} are there`)
    const at = this.#at
    this.#at += length
    return at
  }
}

const damaged = (what: string) => new WeirError('log.unavailable', `the answer is cut or damaged: ${what}`)
