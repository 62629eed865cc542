// The stretch of a file that is in memory: filled at its end, consumed from its start. What has been handed out is never overwritten,
// so an item can point into it instead of copying; a new buffer begins when the old one is full (I10: chunk plus the largest item).
import { isUtf8 } from 'node:buffer'
import type { ByteInput } from './input.ts'

export const defaultChunkBytes = 512 * 1024
/** Reads into the same buffer go on while this much of it is free. */
const minFree = 64 * 1024

export class Window {
  /** Exactly the bytes that have been read: searching it never sees what is not there. */
  bytes: Buffer
  /** Index of the first byte that is not consumed. */
  start = 0
  /** Line number of `start`, from 1. */
  line: number
  #buffer: Buffer
  /** Place in the file of index 0. */
  #base: number
  /** Bytes before this index are valid UTF-8. */
  #validTo = 0
  readonly #chunkBytes: number

  constructor(offset: number, line: number, chunkBytes = defaultChunkBytes) {
    this.#base = offset
    this.line = line
    this.#chunkBytes = chunkBytes
    this.#buffer = Buffer.alloc(0)
    this.bytes = this.#buffer
  }

  /** Place in the file of the first byte that is not consumed. */
  get offset(): number {
    return this.#base + this.start
  }

  offsetOf(index: number): number {
    return this.#base + index
  }

  get length(): number {
    return this.bytes.length - this.start
  }

  /** Reads more from `input`; the number of bytes, 0 at its end for now. Indexes change: `start` moves, with what is kept. */
  async fill(input: ByteInput): Promise<number> {
    const end = this.bytes.length
    const minimum = Math.min(minFree, this.#chunkBytes)
    if (this.#buffer.length - end < minimum) this.#renew()
    const from = this.bytes.length
    const limit = Math.min(this.#buffer.length, from + this.#chunkBytes)
    const read = await input.read(this.#buffer.subarray(0, limit), from)
    this.bytes = this.#buffer.subarray(0, from + read)
    if (read > 0) this.#validate()
    return read
  }

  #renew(): void {
    const kept = this.bytes.subarray(this.start)
    const next = Buffer.allocUnsafeSlow(kept.length + Math.max(this.#chunkBytes, kept.length))
    kept.copy(next)
    this.#base += this.start
    this.#validTo = Math.max(0, this.#validTo - this.start)
    this.start = 0
    this.#buffer = next
    this.bytes = next.subarray(0, kept.length)
  }

  /** Checks what is new up to its last ASCII byte, so that no character is cut. */
  #validate(): void {
    const from = Math.max(this.#validTo, this.start)
    let to = this.bytes.length
    while (to > from && this.bytes[to - 1]! >= 0x80) to--
    if (isUtf8(this.bytes.subarray(from, to))) this.#validTo = to
  }

  /** True when the bytes from `start` to `end`, both at ends of characters, are valid UTF-8. */
  isValid(start: number, end: number): boolean {
    return end <= this.#validTo || isUtf8(this.bytes.subarray(start, end))
  }
}
