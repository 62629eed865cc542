// One partition as a reader holds it: where it stands, what is buffered from there, where the next fetch goes on. Records are made of the
// buffered batches when they are asked for, so that they live no longer than the work on them.
import { toWeirError, type WeirError } from '../../core/errors.ts'
import type { LogRecord } from '../../core/record.ts'
import type { FetchedRecord } from './fetched-record.ts'
import { maxParts, type OpenBatch } from './record-batch.ts'
import { RecordReader } from './record-reader.ts'

/** What one fetch brought. `nextOffset`: where the next one goes on. */
export interface Chunk {
  readonly batches: readonly OpenBatch[]
  readonly nextOffset: bigint
  readonly bytes: number
}

interface Limits {
  readonly maxRecords: number
  readonly maxBytes: number
}

export class Reading {
  readonly partition: number
  /** Offset of the next fetch. */
  next: bigint
  knownEnd = -1n
  outOfRange = false
  /** Why it cannot be read any further. */
  failure: WeirError | null = null
  notBeforeMs = Number.NEGATIVE_INFINITY
  unknownSinceMs: number | null = null
  pauses = 0
  damaged = 0
  /** Everything before is done with. */
  #from: bigint
  #chunks: Chunk[] = []
  /** Of the first chunk: the records made and not done with, the batch they are made of, and how many batches of it are begun. */
  #records: FetchedRecord[] = []
  #reader: RecordReader | null = null
  #base = 0n
  #begun = 0

  constructor(partition: number, from: bigint) {
    this.partition = partition
    this.next = from
    this.#from = from
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 0
  }

  /** Bytes of the batches that are still to be given out. */
  get bytes(): number {
    let sum = 0
    for (let i = Math.max(0, this.#begun - 1); i < (this.#chunks[0]?.batches.length ?? 0); i++)
      sum += this.#chunks[0]!.batches[i]!.bytes.length
    for (let i = 1; i < this.#chunks.length; i++) sum += this.#chunks[i]!.bytes
    return sum
  }

  isWanted(nowMs: number): boolean {
    return this.failure === null && !this.outOfRange && nowMs >= this.notBeforeMs
  }

  /** Stands at `offset` from now on. @returns false when that is nowhere in what was read: it has to be read anew from there */
  moveTo(offset: bigint): boolean {
    if (offset < this.#from || offset > this.next || (this.outOfRange && offset === this.next)) return false
    this.#from = offset
    while (this.#chunks.length > 0 && this.#chunks[0]!.nextOffset <= offset) this.#dropChunk()
    let done = 0
    while (done < this.#records.length && this.#records[done]!.offset < offset) done++
    if (done > 0) this.#records = this.#records.slice(done)
    return true
  }

  /** Takes what a fetch from `from` brought, unless it has been moved since. */
  add(from: bigint, chunk: Chunk, end: bigint): void {
    if (from !== this.next) return
    this.pauses = 0
    this.damaged = 0
    this.unknownSinceMs = null
    if (end > this.knownEnd) this.knownEnd = end
    if (chunk.nextOffset > this.knownEnd) this.knownEnd = chunk.nextOffset
    this.next = chunk.nextOffset
    if (chunk.batches.length > 0) this.#chunks.push(chunk)
  }

  /** The first records of the buffer, of one fetch; one is given however large it is. What cannot be read becomes the `failure`. */
  peek({
    maxRecords,
    maxBytes,
  }: Limits): { readonly records: readonly LogRecord[]; readonly nextOffset: bigint } | null {
    while (this.#records.length === 0 && this.#chunks.length > 0) {
      this.#make(maxRecords)
      if (this.#records.length === 0) this.#dropChunk()
    }
    const all = this.#records
    if (all.length === 0) return null
    let end = 0
    let bytes = 0
    while (end < all.length && end < maxRecords) {
      bytes += all[end]!.plainBytes
      if (end > 0 && bytes > maxBytes) break
      end++
    }
    const records = end === all.length ? all : all.slice(0, end)
    const isLast = end === all.length && this.#isChunkDone && this.failure === null
    const nextOffset = !isLast
      ? records.at(-1)!.offset + 1n
      : this.#chunks.length === 1
        ? this.next
        : this.#chunks[0]!.nextOffset
    return { records, nextOffset }
  }

  get #isChunkDone(): boolean {
    return this.#reader === null && this.#begun === this.#chunks[0]!.batches.length
  }

  /** Makes records of the first chunk, `count` at most, and none once they and their headers are `maxParts`. */
  #make(count: number): void {
    const { batches } = this.#chunks[0]!
    let parts = 0
    try {
      while (!this.#isChunkDone) {
        if (this.#reader === null) {
          const { batch, bytes } = batches[this.#begun++]!
          this.#base = batch.baseOffset
          this.#reader = new RecordReader(batch, bytes)
        }
        const fromDelta = this.#from > this.#base ? Number(this.#from - this.#base) : 0
        while (!this.#reader.isDone && this.#records.length < count && parts < maxParts) {
          const record = this.#reader.next(fromDelta)
          if (record === undefined) continue
          this.#records.push(record)
          parts += 1 + record.headerCount
        }
        if (!this.#reader.isDone) return
        this.#reader.next(fromDelta)
        this.#reader = null
      }
    } catch (thrown) {
      // What was made before is given, and no offset behind it.
      this.failure = toWeirError(thrown)
      this.#chunks.splice(1)
      this.#begun = batches.length
      this.#reader = null
    }
  }

  #dropChunk(): void {
    this.#chunks.shift()
    this.#records = []
    this.#reader = null
    this.#begun = 0
  }
}
