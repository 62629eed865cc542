// Producer, between source and log: batches of one split mapped and encoded as they come, gathered into one transaction while the source has more
// at once (I1, I3). Only what will be stored is held until then, so that items live no longer than their batch (I10).

import { toWeirError } from '../core/errors.ts'
import type { Drops, OutRecord, SourceBatch, Split } from '../core/record.ts'
import { rawOf } from '../core/record.ts'
import { Slabs } from '../schema/slabs.ts'
import { commitUntilDurable } from './append.ts'
import { type DeadLetter, errorFields } from './dead-letter.ts'
import { identityOf, identityPrefix } from './identity.ts'
import { type ItemFailure, mapItems } from './map.ts'
import type { ProduceOptions } from './poll.ts'
import type { Append, Bucket } from './ports.ts'

/** A transaction is closed at the first of these: large enough to make its cost small, small enough to hold. */
const maxRecords = 1_000
const maxBytes = 1024 * 1024

export class Gathered {
  readonly #bucket: Bucket
  readonly #split: Split
  readonly #options: ProduceOptions
  readonly #stored: (cursor: string) => void
  readonly #prefix: string
  readonly #slabs = new Slabs()
  #records: OutRecord[] = []
  #letters: DeadLetter[] = []
  #bytes = 0
  /** The originals of dead letters included. */
  #heldBytes = 0
  #items = 0
  #drops = new Map<keyof Drops, number>()
  #cursor: string | null = null
  #startedMs = 0

  /** `stored` is told each cursor once it is durable. */
  constructor(bucket: Bucket, split: Split, options: ProduceOptions, stored: (cursor: string) => void) {
    this.#bucket = bucket
    this.#split = split
    this.#options = options
    this.#stored = stored
    this.#prefix = identityPrefix(options.pipeline, split.id)
  }

  /** Maps and encodes a batch; commits unless the source has more at once and there is room. @throws log.*, dead_letter.flood */
  async add(batch: SourceBatch, signal: AbortSignal): Promise<void> {
    const { mapping, encode, clock } = this.#options
    if (this.#cursor === null) this.#startedMs = clock.monotonic()
    const now = clock.now()
    const { mapped, failures } = mapItems(mapping, batch.items, this.#split.vars, now)
    const encoded = encode(mapped, this.#split.vars, this.#prefix, now, [], this.#slabs)
    const letters = [...failures, ...encoded.failures].map(failure => this.#letterOf(failure, now))
    await this.#admit(letters.length, signal)
    this.#records = this.#records.length === 0 ? [...encoded.records] : this.#records.concat(encoded.records)
    this.#letters.push(...letters)
    this.#bytes += encoded.bytes
    this.#heldBytes += encoded.bytes + letters.reduce((sum, letter) => sum + letter.original.length, 0)
    this.#items += batch.items.length
    for (const [reason, count] of Object.entries(batch.drops ?? {}) as [keyof Drops, number][])
      this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + count)
    this.#cursor = batch.cursor
    if (!batch.more || this.#items >= maxRecords || this.#heldBytes >= maxBytes) await this.commit(signal)
  }

  /** Stores what is gathered, and tells about it only once it is durable, so that the counts are of what is stored (I2). @throws log.* */
  async commit(signal: AbortSignal): Promise<void> {
    const cursor = this.#cursor
    if (cursor === null) return
    const { office, flood, clock, emit, pipeline, topic } = this.#options
    const records = this.#records
    const letters = this.#letters
    const appends: Append[] = []
    if (records.length > 0) appends.push({ topic, records })
    if (letters.length > 0)
      appends.push({
        topic: office.topic,
        records: letters.map(letter => office.write(letter, identityOf(this.#prefix, letter.source_position!))),
      })
    await commitUntilDurable(
      () => this.#bucket.transact({ appends, cursors: [{ split: this.#split.id, value: cursor }] }),
      this.#options,
      signal,
    )
    this.#stored(cursor)
    flood.count(letters.length)
    office.tell(letters)
    const drops = [...this.#drops].filter(([, count]) => count > 0)
    emit({ type: 'records_fetched', pipeline, count: this.#items + drops.reduce((sum, [, count]) => sum + count, 0) })
    for (const [reason, count] of drops) emit({ type: 'records_dropped', pipeline, reason, count })
    emit({
      type: 'batch_appended',
      pipeline,
      topic,
      records: records.length,
      deadLetters: letters.length,
      bytes: this.#bytes,
      ms: Math.round(clock.monotonic() - this.#startedMs),
    })
    this.#clear()
  }

  #clear(): void {
    this.#slabs.reuse()
    this.#records = []
    this.#letters = []
    this.#bytes = 0
    this.#heldBytes = 0
    this.#items = 0
    this.#drops = new Map()
    this.#cursor = null
  }

  /** A batch that would pass the limit is not stored; those before it are. @throws dead_letter.flood */
  async #admit(count: number, signal: AbortSignal): Promise<void> {
    const { flood, emit, pipeline } = this.#options
    try {
      flood.admit(this.#letters.length + count)
    } catch (error) {
      await this.commit(signal)
      emit({ type: 'flood_stopped', pipeline, records: count, message: toWeirError(error).message })
      throw error
    }
  }

  #letterOf({ item, stage, error }: ItemFailure, now: number): DeadLetter {
    const { pipeline, topic, version } = this.#options
    return {
      ...errorFields(error),
      stage,
      pipeline,
      split: this.#split.id,
      source_position: item.position,
      source_place: item.place ?? null,
      context: item.context ?? null,
      topic,
      original_topic: null,
      original_partition: null,
      original_offset: null,
      consumer_group: null,
      original_key: null,
      original: rawOf(item),
      original_headers: [],
      schema_id: null,
      attempts: 1,
      first_failed_at: now,
      last_failed_at: now,
      weir_version: version,
    }
  }
}
