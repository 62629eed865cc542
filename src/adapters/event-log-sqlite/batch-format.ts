// The bytes of a batch of records, as they stand in batch_payload. Little-endian.
//
//   batch:  u8 version = 1 · u8[3] zero · u32 crc32 of all bytes from 8 on · u32 count · record[count]
//   record: u32 length of what follows · f64 timestamp (ms) · i32 key length or -1 · key · i32 value length or -1 · value
//           · u32 header count · header[count]
//   header: u32 name length · name (UTF-8) · u32 value length · value
//
// A record has no offset of its own: the first one has the base offset of the batch's row, the others follow.
import { crc32 } from 'node:zlib'
import type { Header, OutRecord } from '../../core/record.ts'

const formatVersion = 1
const batchHeaderBytes = 12
const recordFixedBytes = 4 + 8 + 4 + 4 + 4
const headerFixedBytes = 8
const crcFrom = 8

const initialBytes = 320 * 1024
/** Above this the buffer of one huge batch is not kept. */
const keptBytes = 2 * 1024 * 1024

/** The most bytes a record can take in a batch; strings are counted as if every unit took three bytes. */
export function boundOf({ key, value, headers }: OutRecord): number {
  let bytes = recordFixedBytes + (key === null ? 0 : key.length) + (value === null ? 0 : value.length)
  for (let i = 0; i < headers.length; i++) bytes += headerBound(headers[i]!)
  return bytes
}

function headerBound([name, value]: Header): number {
  return headerFixedBytes + name.length * 3 + (typeof value === 'string' ? value.length * 3 : value.length)
}

/** Writes records into one buffer that is used again for every batch: no object is made per record. */
export class BatchWriter {
  #bytes = Buffer.allocUnsafeSlow(initialBytes)
  #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset)
  #at = batchHeaderBytes
  count = 0
  minMs = 0
  maxMs = 0

  /** Bytes so far. */
  get size(): number {
    return this.#at
  }

  begin(): void {
    this.#at = batchHeaderBytes
    this.count = 0
    this.minMs = Number.POSITIVE_INFINITY
    this.maxMs = Number.NEGATIVE_INFINITY
    if (this.#bytes.length > keptBytes) this.#resize(initialBytes)
  }

  add(record: OutRecord): void {
    const { key, value, headers, timestampMs } = record
    const bound = this.#at + boundOf(record)
    if (bound > this.#bytes.length) this.#resize(Math.max(bound, this.#bytes.length * 2))
    const start = this.#at
    this.#view.setFloat64(start + 4, timestampMs, true)
    this.#at = start + 12
    this.#addBytes(key)
    this.#addBytes(value)
    this.#view.setUint32(this.#at, headers.length, true)
    this.#at += 4
    for (let i = 0; i < headers.length; i++) {
      const [name, content] = headers[i]!
      this.#addText(name)
      if (typeof content === 'string') this.#addText(content)
      else this.#addBytes(content)
    }
    this.#view.setUint32(start, this.#at - start - 4, true)
    this.count++
    if (timestampMs < this.minMs) this.minMs = timestampMs
    if (timestampMs > this.maxMs) this.maxMs = timestampMs
  }

  /** The finished batch; valid until the next `begin`. */
  finish(): Uint8Array {
    const view = this.#view
    view.setUint32(0, formatVersion, true)
    view.setUint32(crcFrom, this.count, true)
    view.setUint32(4, crc32(this.#bytes.subarray(crcFrom, this.#at)), true)
    return this.#bytes.subarray(0, this.#at)
  }

  #addBytes(bytes: Uint8Array | null): void {
    const at = this.#at
    if (bytes === null) {
      this.#view.setInt32(at, -1, true)
      this.#at = at + 4
      return
    }
    const length = bytes.length
    this.#view.setInt32(at, length, true)
    // Below some fifty bytes a loop is faster than the call.
    if (length < 48) for (let i = 0; i < length; i++) this.#bytes[at + 4 + i] = bytes[i]!
    else this.#bytes.set(bytes, at + 4)
    this.#at = at + 4 + length
  }

  #addText(text: string): void {
    const at = this.#at
    const written = this.#bytes.write(text, at + 4, 'utf8')
    this.#view.setUint32(at, written, true)
    this.#at = at + 4 + written
  }

  #resize(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(bytes)
    larger.set(this.#bytes.subarray(0, Math.min(this.#at, bytes)))
    this.#bytes = larger
    this.#view = new DataView(larger.buffer, larger.byteOffset)
  }
}

/** What is wrong with the bytes of a batch; the caller knows the place. */
export class BatchDamage extends Error {}

/** A record cut out of a batch: its parts share the batch's memory. */
export interface BatchRecord {
  readonly timestampMs: number
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: (readonly [name: string, value: Uint8Array])[]
  /** Bytes of key, value and headers. */
  readonly bytes: number
}

/** Reads records of one batch in order, without decoding those that are skipped. */
export class BatchReader {
  readonly count: number
  /** No Buffer: its `slice` would share memory where a Uint8Array's copies. */
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = batchHeaderBytes
  #index = 0
  #end = 0
  #lastName: Uint8Array = new Uint8Array(0)
  #lastNameText = ''

  /** Checks version, checksum and count. @throws BatchDamage */
  constructor(payload: Uint8Array, count: number) {
    if (payload.length < batchHeaderBytes) throw new BatchDamage(`the batch has ${payload.length} bytes`)
    this.#bytes = payload
    this.#view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
    const version = this.#view.getUint32(0, true)
    if (version !== formatVersion) throw new BatchDamage(`the batch has format ${version}, not ${formatVersion}`)
    if (this.#view.getUint32(4, true) !== crc32(this.#bytes.subarray(crcFrom)))
      throw new BatchDamage('the checksum of the batch does not match')
    this.count = this.#view.getUint32(crcFrom, true)
    if (this.count !== count) throw new BatchDamage(`the batch has ${this.count} records, its row says ${count}`)
  }

  /** Index of the record that `next` gives. */
  get index(): number {
    return this.#index
  }

  skipTo(index: number): void {
    for (; this.#index < index && this.#index < this.count; this.#index++)
      this.#at = this.#at + 4 + this.#length(this.#at, this.#bytes.length)
  }

  /** The timestamp of the next record, which `next` would give; undefined at the end. */
  peekTimestamp(): number | undefined {
    if (this.#index >= this.count) return undefined
    if (this.#at + 12 > this.#bytes.length) throw new BatchDamage('a record is cut short')
    return this.#view.getFloat64(this.#at + 4, true)
  }

  /** @throws BatchDamage when lengths do not add up */
  next(): BatchRecord | undefined {
    if (this.#index >= this.count) return undefined
    const start = this.#at
    this.#end = start + 4 + this.#length(start, this.#bytes.length)
    if (start + recordFixedBytes > this.#end) throw new BatchDamage('a record is cut short')
    const timestampMs = this.#view.getFloat64(start + 4, true)
    this.#at = start + 12
    const key = this.#nullable()
    const value = this.#nullable()
    const headerCount = this.#count()
    let bytes = (key === null ? 0 : key.length) + (value === null ? 0 : value.length)
    const headers: (readonly [string, Uint8Array])[] = []
    for (let i = 0; i < headerCount; i++) {
      const name = this.#some()
      const content = this.#some()
      bytes += name.length + content.length
      headers.push([this.#text(name), content])
    }
    if (this.#at !== this.#end) throw new BatchDamage('a record has bytes left over')
    this.#index++
    return { timestampMs, key, value, headers, bytes }
  }

  /** The u32 at `at`, checked to lie with what it counts before `end`. */
  #length(at: number, end: number): number {
    if (at + 4 > end) throw new BatchDamage('a length is cut short')
    const length = this.#view.getUint32(at, true)
    if (at + 4 + length > end) throw new BatchDamage('a length points beyond its end')
    return length
  }

  #count(): number {
    if (this.#at + 4 > this.#end) throw new BatchDamage('a count is cut short')
    const count = this.#view.getUint32(this.#at, true)
    this.#at += 4
    if (count * headerFixedBytes > this.#end - this.#at) throw new BatchDamage('a record has more headers than bytes')
    return count
  }

  #some(): Uint8Array {
    const length = this.#length(this.#at, this.#end)
    const from = this.#at + 4
    this.#at = from + length
    return this.#bytes.subarray(from, this.#at)
  }

  #nullable(): Uint8Array | null {
    if (this.#at + 4 <= this.#end && this.#view.getInt32(this.#at, true) === -1) {
      this.#at += 4
      return null
    }
    return this.#some()
  }

  /** Header names repeat from record to record: the last one is kept. */
  #text(name: Uint8Array): string {
    const last = this.#lastName
    let i = name.length === last.length ? 0 : -1
    while (i >= 0 && i < name.length) i = name[i] === last[i] ? i + 1 : -1
    if (i < 0) {
      this.#lastName = name
      this.#lastNameText = Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('utf8')
    }
    return this.#lastNameText
  }
}
