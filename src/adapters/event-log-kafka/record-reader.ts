// Records cut out of the bytes of one batch (record-batch-layout.ts). Every length and count is checked against the bytes that are there
// before anything is made of it (I10); values are views, no copies; key and headers are made by `FetchedRecord`.
import { FetchedRecord, type HeaderNames, viewOf } from './fetched-record.ts'
import { leastRecordBytes } from './record-batch-layout.ts'
import { corruptBatch, type StoredBatch } from './record-batch-walk.ts'

/** A record with more would take hundreds of megabytes of objects from a message of one. */
const maxHeaders = 65_536

export class RecordReader {
  readonly #batch: StoredBatch
  readonly #bytes: Uint8Array
  readonly #firstOffset: number
  #at = 0
  /** Where the record in work ends. */
  #end: number
  #left: number
  #lastDelta = -1
  readonly #names: HeaderNames = []

  /** `bytes`: the records, inflated. @throws log.corrupt: more records than bytes for them */
  constructor(batch: StoredBatch, bytes: Uint8Array) {
    this.#batch = batch
    this.#bytes = bytes
    this.#end = bytes.length
    this.#left = batch.count
    // Beyond 2^53 an offset is made of the base each time.
    this.#firstOffset = batch.lastOffset <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(batch.baseOffset) : Number.NaN
    if (batch.count * (leastRecordBytes + 1) > bytes.length)
      throw this.#corrupt('it counts more records than it has bytes')
  }

  /** True when every record was given; a last `next` holds that nothing follows them. */
  get isDone(): boolean {
    return this.#left === 0
  }

  /** The next record at or after `fromDelta` (an offset within the batch); undefined after the last. @throws log.corrupt */
  next(fromDelta: number): FetchedRecord | undefined {
    for (; this.#left > 0; this.#left--) {
      this.#end = this.#bytes.length
      const length = this.#varint()
      if (length < leastRecordBytes || length > this.#end - this.#at) throw this.#corrupt('a record is cut short')
      this.#end = this.#at + length
      this.#at++
      const timeDelta = this.#varlong()
      const delta = this.#varint()
      if (delta <= this.#lastDelta) throw this.#corrupt('its offsets do not rise')
      this.#lastDelta = delta
      if (delta >= fromDelta) {
        this.#left--
        return this.#rest(delta, timeDelta)
      }
      this.#at = this.#end
    }
    if (this.#at !== this.#bytes.length) throw this.#corrupt('it has bytes left over')
    return undefined
  }

  #rest(delta: number, timeDelta: number): FetchedRecord {
    const { topic, partition, baseOffset, baseTimeMs, maxTimeMs, logAppendTime, lastOffset } = this.#batch
    const first = this.#firstOffset
    const offset = Number.isNaN(first) ? baseOffset + BigInt(delta) : BigInt(first + delta)
    if (offset > lastOffset) throw this.#corrupt('an offset is beyond its end')
    const keyAt = this.#at
    this.#skip()
    const length = this.#skip()
    const value = length === -1 ? null : viewOf(this.#bytes, this.#at - length, length)
    const headerCount = this.#varint()
    const headersAt = this.#at
    this.#skipHeaders(headerCount)
    if (this.#at !== this.#end) throw this.#corrupt('a record has bytes left over')
    const timestampMs = logAppendTime ? maxTimeMs : baseTimeMs + timeDelta
    const [bytes, end, names] = [this.#bytes, this.#end, this.#names]
    return new FetchedRecord({
      topic,
      partition,
      offset,
      timestampMs,
      value,
      bytes,
      keyAt,
      headersAt,
      headerCount,
      end,
      names,
    })
  }

  #skipHeaders(count: number): void {
    if (count < 0 || count * 2 > this.#end - this.#at)
      throw this.#corrupt('a record counts more headers than it has bytes')
    if (count > maxHeaders) throw this.#corrupt(`a record has ${count} headers`)
    for (let i = 0; i < count; i++) {
      const length = this.#varint()
      if (length < 0 || length > this.#end - this.#at) throw this.#corrupt('the name of a header is cut short')
      this.#at += length
      this.#skip()
    }
  }

  /** Past bytes and their length. @returns the length, -1 for null */
  #skip(): number {
    const length = this.#varint()
    if (length === -1) return -1
    if (length < 0 || length > this.#end - this.#at) throw this.#corrupt('a length points beyond its record')
    this.#at += length
    return length
  }

  #byte(): number {
    if (this.#at >= this.#end) throw this.#corrupt('a number is cut short')
    return this.#bytes[this.#at++]!
  }

  /** At most five bytes, 32 bits. */
  #varint(): number {
    let byte = this.#byte()
    let raw = byte & 127
    for (let shift = 7; byte > 127; shift += 7) {
      byte = this.#byte()
      if (shift === 28 && byte > 15) throw this.#corrupt('a number is too long')
      raw |= (byte & 127) << shift
    }
    return (raw >>> 1) ^ -(raw & 1)
  }

  /** At most ten bytes, 64 bits; exact up to 2^53. */
  #varlong(): number {
    let byte = this.#byte()
    const odd = byte & 1
    let raw = byte & 127
    let scale = 128
    for (let bytes = 2; byte > 127; bytes++) {
      byte = this.#byte()
      if (bytes === 10 && byte > 1) throw this.#corrupt('a number is too long')
      raw += (byte & 127) * scale
      scale *= 128
    }
    return odd ? -(raw + 1) / 2 : raw / 2
  }

  #corrupt(what: string): Error {
    return corruptBatch(this.#batch, what)
  }
}
