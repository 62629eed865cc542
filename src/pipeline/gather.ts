// Producer, between source and log: batches of one split mapped and encoded as they come, gathered into one transaction while the source has more
// at once (I1, I3); while one is on its way the next is gathered. Only what will be stored is held until then, so that items live no longer than
// their batch (I10). Records that the log refuses for good become dead letters with their original bytes (I5): where their items are gone by then, they are read again.

import { toWeirError } from '../core/errors.ts'
import {
  changeHeader,
  type Drops,
  type Header,
  type Item,
  type OutRecord,
  type SourceBatch,
  type Split,
} from '../core/record.ts'
import { Slabs } from '../schema/slabs.ts'
import { commitUntilDurable } from './append.ts'
import type { DeadLetter } from './dead-letter.ts'
import { type EncodedBatch, encodedBytes, headerBytes } from './encode.ts'
import { identityHeader, identityOf, identityPrefix } from './identity.ts'
import { itemLetter } from './item-letter.ts'
import { mapItems } from './map.ts'
import type { ProduceOptions } from './poll.ts'
import type { Append, Bucket } from './ports.ts'
import { type RefusedRecords, refusedRecords } from './refused.ts'

/** A transaction is closed at this many records, where the log says nothing else: large enough to make its cost small, small enough to hold. */
const usualRecords = 1_000
/** Or at so many bytes for each record it may hold. */
const bytesARecord = 1024

/** Thrown when the items of what was gathered are needed once more: read on from the last stored cursor. */
export class ReadAgain extends Error {}

/** What one transaction will hold. */
class Gathering {
  readonly slabs: Slabs
  records: OutRecord[] = []
  /** Those that are not counted yet. */
  letters: DeadLetter[] = []
  /** Pages as they came, where they are kept. */
  readonly pages: OutRecord[] = []
  bytes = 0
  /** The originals of dead letters and the pages included. */
  heldBytes = 0
  items = 0
  readonly drops = new Map<keyof Drops, number>()
  cursor: string | null = null
  /** Whoever waits to hear that the batches are durable. */
  readonly waiting: (() => void)[] = []
  startedMs = 0

  constructor(slabs: Slabs) {
    this.slabs = slabs
  }

  take(batch: SourceBatch, encoded: EncodedBatch, letters: readonly DeadLetter[], page: OutRecord | null): void {
    for (const record of encoded.records) this.records.push(record)
    this.letters.push(...letters)
    this.bytes += encoded.bytes
    this.heldBytes += encoded.bytes + letters.reduce((sum, letter) => sum + letter.original.length, 0)
    if (page) {
      this.pages.push(page)
      this.heldBytes += page.value!.length
    }
    this.items += batch.items.length
    for (const [reason, count] of Object.entries(batch.drops ?? {}) as [keyof Drops, number][])
      this.drops.set(reason, (this.drops.get(reason) ?? 0) + count)
    this.cursor = batch.cursor
    if (batch.stored) this.waiting.push(batch.stored)
  }
}

export class Gathered {
  readonly #bucket: Bucket
  readonly #split: Split
  readonly #options: ProduceOptions
  readonly #stored: (cursor: string) => void
  readonly #prefix: string
  readonly #most: number
  #now = new Gathering(new Slabs())
  #spareSlabs = new Slabs()
  /** On its way to the log while the next is gathered. Its dead letters are not counted yet. */
  #underWay: { readonly gathering: Gathering; readonly done: Promise<void> } | null = null
  /** So many items more are stored batch by batch, so that those refused are at hand. */
  #alone = 0
  #itemsStored = 0

  /** `stored` is told each cursor once it is durable. */
  constructor(bucket: Bucket, split: Split, options: ProduceOptions, stored: (cursor: string) => void) {
    this.#bucket = bucket
    this.#split = split
    this.#options = options
    this.#stored = stored
    this.#prefix = identityPrefix(options.pipeline, split.id)
    this.#most = bucket.recordsAtOnce ?? usualRecords
  }

  get itemsStored(): number {
    return this.#itemsStored
  }

  /**
   * Maps and encodes a batch. Where the source has more at once and there is room it is gathered; a full transaction is stored while the next is
   * gathered. Else all is durable when this resolves. @throws log.*, dead_letter.flood, ReadAgain
   */
  async add(batch: SourceBatch, signal: AbortSignal): Promise<void> {
    const { mapping, encode, clock, keeper } = this.#options
    const isFirst = this.#now.cursor === null
    if (isFirst) this.#now.startedMs = clock.monotonic()
    const now = batch.atMs ?? clock.now()
    const { mapped, failures } = mapItems(mapping, batch.items, this.#split.vars, now)
    const { headers = [] } = batch
    const encoded = encode(mapped, this.#split.vars, this.#prefix, now, headers, this.#now.slabs)
    const letters = [...failures, ...encoded.failures].map(failure =>
      itemLetter(failure, this.#split.id, now, headers, this.#options),
    )
    // What is stored by then has given its memory back, and the values of this batch with it.
    if (await this.#makesRoom(letters.length, signal)) return await this.add(batch, signal)
    const page = batch.raw && keeper ? keeper.write(batch.raw, this.#split) : null
    this.#now.take(batch, encoded, letters, page)
    const { items, heldBytes } = this.#now
    const isLast = !batch.more || batch.barrier === true || this.#alone > 0
    if (!isLast && items < this.#most && heldBytes < this.#most * bytesARecord) return
    await this.#send(signal, isFirst ? batch.items : null)
    if (isLast) await this.#arrived()
  }

  /** Stores what is gathered; all is durable when this resolves. @throws log.*, dead_letter.flood, ReadAgain */
  async commit(signal: AbortSignal): Promise<void> {
    await this.#send(signal, null)
    await this.#arrived()
  }

  /** Resolves when nothing is on its way to the log any more, however that ended. */
  async settled(): Promise<void> {
    await this.#underWay?.done.catch(() => {})
  }

  /** Sends what is gathered on its way, behind the transaction before it (I3). `items`: all that it was made of, where they are at hand. */
  async #send(signal: AbortSignal, items: readonly Item[] | null): Promise<void> {
    await this.#arrived()
    const gathering = this.#now
    const { cursor } = gathering
    if (cursor === null) return
    // Once more: records that the log refused since have become dead letters.
    this.#checkFlood(gathering.letters.length)
    const done = this.#complete(gathering, cursor, items, signal)
    done.catch(() => {})
    this.#underWay = { gathering, done }
    this.#beginNext()
  }

  /** What was on its way is durable. @throws as commit */
  async #arrived(): Promise<void> {
    const sent = this.#underWay
    if (sent === null) return
    try {
      await sent.done
    } catch (thrown) {
      if (thrown instanceof ReadAgain) {
        this.#alone = sent.gathering.items
        this.#beginNext()
      }
      throw thrown
    } finally {
      this.#underWay = null
    }
  }

  /** In the memory of the one before the last, which is stored. */
  #beginNext(): void {
    const slabs = this.#spareSlabs
    this.#spareSlabs = this.#now.slabs
    slabs.reuse()
    this.#now = new Gathering(slabs)
  }

  /** Stores it, and tells about it only once it is durable, so that the counts are of what is stored (I2). */
  async #complete(
    gathering: Gathering,
    cursor: string,
    items: readonly Item[] | null,
    signal: AbortSignal,
  ): Promise<void> {
    const { office, flood, clock, emit, pipeline, topic, keeper } = this.#options
    await this.#store(gathering, cursor, items, signal)
    const { records, letters, pages, bytes, startedMs } = gathering
    this.#alone = Math.max(0, this.#alone - gathering.items)
    this.#itemsStored += gathering.items
    this.#stored(cursor)
    for (const stored of gathering.waiting) stored()
    flood.count(letters.length)
    gathering.letters = []
    office.tell(letters)
    const drops = [...gathering.drops].filter(([, count]) => count > 0)
    const fetched = gathering.items + drops.reduce((sum, [, count]) => sum + count, 0)
    emit({ type: 'records_fetched', pipeline, count: fetched })
    for (const [reason, count] of drops) emit({ type: 'records_dropped', pipeline, reason, count })
    emit({
      type: 'batch_appended',
      pipeline,
      topic,
      records: records.length,
      deadLetters: letters.length,
      bytes,
      ms: Math.round(clock.monotonic() - startedMs),
    })
    if (keeper && pages.length > 0) {
      const kept = pages.reduce((sum, { value }) => sum + value!.length, 0)
      emit({ type: 'pages_kept', pipeline, topic: keeper.topic, pages: pages.length, bytes: kept })
    }
  }

  /** Commits, without those records in the end that the log will not take. */
  async #store(
    gathering: Gathering,
    cursor: string,
    items: readonly Item[] | null,
    signal: AbortSignal,
  ): Promise<void> {
    const { office, topic, keeper } = this.#options
    for (;;) {
      const { records, letters, pages } = gathering
      const appends: Append[] = []
      if (records.length > 0) appends.push({ topic, records })
      const ofRecords = appends.length
      if (letters.length > 0)
        appends.push({
          topic: office.topic,
          records: letters.map(letter => office.write(letter, identityOf(this.#prefix, letter.source_position!))),
        })
      const ofPages = pages.length === 0 ? -1 : appends.length
      if (pages.length > 0) appends.push({ topic: keeper!.topic, records: pages })
      try {
        return await commitUntilDurable(
          () => this.#bucket.transact({ appends, cursors: [{ split: this.#split.id, value: cursor }] }),
          this.#options,
          signal,
        )
      } catch (thrown) {
        const refused = refusedRecords(thrown, ofRecords, letters.length > 0 ? ofRecords : -1, ofPages)
        if (refused === null) throw thrown
        if (items === null) throw new ReadAgain()
        this.#takeOut(gathering, refused, items)
      }
    }
  }

  /** Makes dead letters of refused records. @throws dead_letter.flood */
  #takeOut(gathering: Gathering, { error, of }: RefusedRecords, items: readonly Item[]): void {
    const now = this.#options.clock.now()
    const refused = of.get(0)!
    const byIdentity = new Map(items.map(item => [identityOf(this.#prefix, item.position), item]))
    this.#checkFlood(gathering.letters.length + refused.size)
    for (const index of refused) {
      const { key, value, headers } = gathering.records[index]!
      const identity = headers[0]![1] as string
      gathering.letters.push(
        itemLetter(
          { item: byIdentity.get(identity)!, stage: 'encode', error },
          this.#split.id,
          now,
          ofSource(headers),
          this.#options,
        ),
      )
      gathering.bytes -= encodedBytes(value, key, identity) + headerBytes(headers.slice(1))
    }
    gathering.records = gathering.records.filter((_, index) => !refused.has(index))
  }

  /** A batch that would pass the limit is not stored; those before it are. @returns true when they were, to make room. @throws dead_letter.flood */
  async #makesRoom(count: number, signal: AbortSignal): Promise<boolean> {
    if (count === 0) return false
    const before = (this.#underWay?.gathering.letters.length ?? 0) + this.#now.letters.length
    try {
      this.#options.flood.admit(before + count)
      return false
    } catch {
      await this.commit(signal)
      this.#checkFlood(count)
      return true
    }
  }

  /** @throws dead_letter.flood when so many letters, none of them counted yet, would pass the limit */
  #checkFlood(count: number): void {
    const { flood, emit, pipeline } = this.#options
    try {
      flood.admit(count)
    } catch (error) {
      emit({ type: 'flood_stopped', pipeline, records: count, message: toWeirError(error).message })
      throw error
    }
  }
}

/** Without the identity and what the item itself says. */
function ofSource(headers: OutRecord['headers']): readonly Header[] {
  return headers.filter(([name]) => name !== identityHeader && name !== changeHeader)
}
