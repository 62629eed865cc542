// A record of a fetched batch. Key and headers are made when they are asked for: most readers ask for neither, and their views would take
// more memory than the rest of the record.
import type { LogRecord } from '../../core/record.ts'

const nothing = new Uint8Array(0)

/** What a record is made of. Every length in `bytes` has been checked. */
export interface RecordParts {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestampMs: number
  readonly value: Uint8Array | null
  /** What its batch holds, inflated. */
  readonly bytes: Uint8Array
  /** Where in `bytes` the length of its key stands. */
  readonly keyAt: number
  /** Where its first header stands. */
  readonly headersAt: number
  readonly headerCount: number
  /** Where it ends. */
  readonly end: number
  readonly names: HeaderNames
}

/** Names of headers by their place, as last read from this batch: they repeat. */
export type HeaderNames = { readonly bytes: Uint8Array; readonly text: string }[]

const mostNames = 16

/** Key and headers are getters of the class: a copy by spread lacks them. */
export class FetchedRecord implements LogRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestampMs: number
  readonly value: Uint8Array | null
  readonly headerCount: number
  /** Of key, value and headers with their lengths. */
  readonly plainBytes: number
  readonly #bytes: Uint8Array
  readonly #keyAt: number
  readonly #headersAt: number
  readonly #names: HeaderNames
  #headers: LogRecord['headers'] | undefined

  constructor(parts: RecordParts) {
    this.topic = parts.topic
    this.partition = parts.partition
    this.offset = parts.offset
    this.timestampMs = parts.timestampMs
    this.value = parts.value
    this.headerCount = parts.headerCount
    this.plainBytes = parts.end - parts.keyAt
    this.#bytes = parts.bytes
    this.#keyAt = parts.keyAt
    this.#headersAt = parts.headersAt
    this.#names = parts.names
  }

  get key(): Uint8Array | null {
    const { length, at } = lengthAt(this.#bytes, this.#keyAt)
    return length === -1 ? null : viewOf(this.#bytes, at, length)
  }

  get headers(): LogRecord['headers'] {
    return (this.#headers ??= this.#readHeaders())
  }

  #readHeaders(): LogRecord['headers'] {
    const headers: (readonly [string, Uint8Array])[] = []
    for (let i = 0, next = this.#headersAt; i < this.headerCount; i++) {
      const name = lengthAt(this.#bytes, next)
      const value = lengthAt(this.#bytes, name.at + name.length)
      headers.push([
        this.#name(i, name.at, name.length),
        value.length === -1 ? nothing : viewOf(this.#bytes, value.at, value.length),
      ])
      next = value.at + Math.max(0, value.length)
    }
    return headers
  }

  #name(index: number, from: number, length: number): string {
    const known = this.#names[index]
    if (known !== undefined && known.bytes.length === length) {
      let i = 0
      while (i < length && known.bytes[i] === this.#bytes[from + i]) i++
      if (i === length) return known.text
    }
    const bytes = viewOf(this.#bytes, from, length)
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('utf8')
    if (index < mostNames) this.#names[index] = { bytes, text }
    return text
  }
}

/** As subarray, which is slower. */
export function viewOf(bytes: Uint8Array, from: number, length: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + from, length)
}

/** A zigzag number of at most five bytes, and what follows it. */
function lengthAt(bytes: Uint8Array, from: number): { readonly length: number; readonly at: number } {
  let at = from
  let byte = bytes[at++]!
  let raw = byte & 127
  for (let shift = 7; byte > 127; shift += 7) {
    byte = bytes[at++]!
    raw |= (byte & 127) << shift
  }
  return { length: (raw >>> 1) ^ -(raw & 1), at }
}
