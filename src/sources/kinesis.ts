// The `kinesis` source: a stream of AWS. One split a shard, its cursor the sequence number of the last record, stored in the transaction of the
// records, so each record is here once, whatever dies (I1, I13). A shard that came out of others by resharding is begun only when the stored
// cursors say that those are read to their end: so the order of a key holds across resharding, whoever reads which shard (I3).
import type { GetRecordsCommandOutput } from '@aws-sdk/client-kinesis'
import { lintAws } from '../aws/spec.ts'
import { toWeirError, WeirError } from '../core/errors.ts'
import type { Source, SourceBatch, Split } from '../pipeline/ports.ts'
import { type Bookmark, describeBookmark, readBookmark, written } from './kinesis/bookmark.ts'
import { isSequence, itemsOf, reparsed } from './kinesis/items.ts'
import { isAllKept, surelyKeptMs } from './kinesis/kept.ts'
import { type KinesisConfig, kinesisSpec } from './kinesis/spec.ts'
import { openStream, type Shard, type Stream } from './kinesis/stream.ts'
import { defineSource, type SourceDeps } from './source.ts'

/** Five calls a second is what a shard allows, for all its readers together. */
const paceMs = 250
/** How far clocks may differ when a stream is begun at its end. */
const clockSlackMs = 5_000
/** How often a child looks whether its parents are done, and how long without their getting on before it leaves that to the next pass. */
const lookMs = 1_000
const patience = 5
/** How exactly a stored cursor says when its shard had nothing newer. */
const seenEveryMs = 60 * 60 * 1000
/** Answers in a row of a closed shard that nothing is left, without its saying that it ends. */
const idleAtEnd = 3

export const kinesis = defineSource({
  name: 'kinesis',
  summary: 'Reads a stream of AWS Kinesis, shard by shard. Tested against stand-ins, not against AWS.',
  config: kinesisSpec,
  examples: [
    { title: 'JSON, keys where the SDK finds them', config: { stream: 'reviews', region: 'eu-central-1' } },
    {
      title: 'What comes from now on, with keys of its own',
      config: {
        stream: 'reviews',
        region: 'eu-central-1',
        from: 'latest',
        credentials: { access_key_id: '${AWS_KEY}', secret_access_key: '${AWS_SECRET}' },
      },
    },
  ],
  replayable: true,
  rate: { requests: 200, per: 1000 },
  claim: () => ({
    guarantee: 'exactly_once',
    why: 'Each shard is a split whose cursor is the last sequence number, stored in the transaction of the records; a shard made by resharding waits for those it came from.',
    while: 'the stream keeps its records until they are read: where some may be gone unread, that is told',
    proof: {
      file: 'test/fault/aws-kill.test.ts',
      test: 'kinesis, killed at %s and resharded: every record is in the topic once, in order for each key',
    },
  }),
  lint: lintAws,
  open: (config, deps) => new KinesisSource(config, deps),
})

class KinesisSource implements Source {
  readonly endless = false
  readonly #config: KinesisConfig
  readonly #deps: SourceDeps
  readonly #stream: Stream
  /** Shards that were asked what they keep, and when: wall clock, milliseconds. */
  readonly #asked = new Map<string, number>()
  #shards: ReadonlyMap<string, Shard> = new Map()

  constructor(config: KinesisConfig, deps: SourceDeps) {
    this.#config = config
    this.#deps = deps
    this.#stream = openStream(config, deps.fetch)
  }

  /** Parents before their children, so that with few readers none waits for one behind it. */
  async splits(signal: AbortSignal): Promise<readonly Split[]> {
    const { stream } = this.#config
    const shards = await this.#stream.shards(signal)
    this.#shards = new Map(shards.map(shard => [shard.id, shard]))
    return shards.map(({ id }) => ({ id: this.#splitOf(id), vars: { stream, shard: id } }))
  }

  async *read(split: Split, cursor: string | null, signal: AbortSignal): AsyncGenerator<SourceBatch, void> {
    try {
      const stored = cursor === null ? null : readBookmark(cursor)
      if (stored?.done) return
      const shard = await this.#shardOf(split, signal)
      const start = stored ?? (await this.#begin(shard, signal))
      if (start === null) return
      // Where it begins is kept at once: after a crash the end would be another one.
      if (stored === null && start.began !== undefined) yield { items: [], cursor: written(start) }
      if (stored !== null) await this.#tellLost(split, shard, stored, signal)
      yield* this.#readFrom(shard, start, signal)
    } catch (thrown) {
      if (!signal.aborted) throw thrown
    }
  }

  reparse(raw: Uint8Array, context: string | undefined): readonly unknown[] {
    return [reparsed(raw, context, this.#config.format)]
  }

  describeCursor(cursor: string): string {
    return describeBookmark(cursor)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream[Symbol.dispose]()
  }

  async *#readFrom(shard: Shard, start: Bookmark, signal: AbortSignal): AsyncGenerator<SourceBatch, void> {
    const { clock } = this.#deps
    let at = start
    let iterator: string | undefined
    let calledMs = Number.NEGATIVE_INFINITY
    let renewals = 0
    let idle = 0
    while (!signal.aborted) {
      iterator ??= await this.#stream.iterator(shard.id, at, signal)
      await clock.sleep(Math.max(0, calledMs + paceMs - clock.monotonic()), signal)
      calledMs = clock.monotonic()
      const page = await this.#stream.records(iterator, signal)
      if (page === null) {
        if (++renewals > 3) throw this.#shapeError(shard, 'Each new iterator is told to be too old')
        iterator = undefined
        continue
      }
      renewals = 0
      iterator = page.NextShardIterator ?? undefined
      const { items, last } = this.#itemsOf(page, shard)
      const isCaughtUp = page.MillisBehindLatest === 0
      // A closed shard says that it ends; there are stand-ins that never do.
      idle = shard.closed && isCaughtUp && last === undefined ? idle + 1 : 0
      const isEnd = iterator === undefined || idle >= idleAtEnd
      at = { ...at, ...(last === undefined ? {} : { after: last }), ...(isEnd ? { done: true } : {}) }
      const now = Math.round(clock.now())
      const isSeen = isCaughtUp && (at.began ?? at.after) !== undefined
      const isNews = last !== undefined || isEnd || (isSeen && now - (at.seen ?? 0) >= seenEveryMs)
      if (isSeen && isNews) at = { ...at, seen: now }
      if (isNews) yield { items, cursor: written(at) }
      // A closed shard is read until it says that nothing follows; an open one until it has nothing newer for now.
      if (isEnd || (isCaughtUp && !shard.closed)) return
    }
  }

  /** Says so where records after the stored cursor may be gone, because nobody read the shard for as long as it keeps them. */
  async #tellLost(split: Split, { id }: Shard, stored: Bookmark, signal: AbortSignal): Promise<void> {
    const { clock, emit, pipeline } = this.#deps
    const now = clock.now()
    if (now - Math.max(stored.seen ?? 0, this.#asked.get(id) ?? 0) < surelyKeptMs) return
    const isKept = await isAllKept(this.#stream, id, stored, { clock, ms: paceMs }, signal)
    this.#asked.set(id, now)
    if (isKept) return
    emit({
      type: 'source_notice',
      pipeline,
      split: split.id,
      code: 'source.cursor_refused',
      message: `${describeBookmark(written(stored))}, and the shard no longer keeps that place: what came after it may be gone unread; reading goes on at the oldest record there is`,
    })
  }

  #itemsOf({ Records }: GetRecordsCommandOutput, shard: Shard) {
    if (!Array.isArray(Records)) throw this.#shapeError(shard, 'An answer without records')
    const { stream } = this.#config
    const items = Records.flatMap(record => itemsOf(record, stream, shard.id, this.#config))
    const last = Records.at(-1)?.SequenceNumber
    return { items, last: isSequence(last) ? last : undefined }
  }

  #shapeError({ id }: Shard, message: string): WeirError {
    const hint = 'See whether this is Kinesis, or a stand-in that errs.'
    return new WeirError('source.shape', message, { at: this.#splitOf(id), hint })
  }

  #splitOf(shard: string): string {
    return `${this.#config.stream}/${shard}`
  }

  async #shardOf(split: Split, signal: AbortSignal): Promise<Shard> {
    const id = split.id.slice(split.id.indexOf('/') + 1)
    if (!this.#shards.has(id)) await this.splits(signal)
    const shard = this.#shards.get(id)
    if (shard) return shard
    throw new WeirError('source.cursor_refused', 'The stream has no such shard any more', {
      at: split.id,
      hint: 'Its records are no longer kept, or the stream was made anew.',
    })
  }

  /** Where a shard without a cursor begins; null: not yet, for its parents are not read to their end. */
  async #begin(shard: Shard, signal: AbortSignal): Promise<Bookmark | null> {
    if (!(await this.#parentsDone(shard, signal))) return null
    if (this.#config.from === 'trim_horizon') return {}
    const stored = [...(await this.#cursors()).values()]
    // Where others have begun is where this one begins: what is older than that was not wanted, what is newer is.
    const began = stored.flatMap(each => each.began ?? [])
    if (stored.length > 0 && began.length < stored.length) return {}
    return { began: Math.min(...began, this.#deps.clock.now() - clockSlackMs) }
  }

  async #parentsDone({ parents }: Shard, signal: AbortSignal): Promise<boolean> {
    let before = ''
    for (let idle = 0; parents.length > 0; ) {
      const cursors = await this.#cursors()
      const there = parents.map(parent => cursors.get(this.#splitOf(parent)))
      if (there.every(bookmark => bookmark?.done)) return true
      const now = JSON.stringify(there)
      idle = now === before ? idle + 1 : 0
      before = now
      if (idle >= patience) return false
      await this.#deps.clock.sleep(lookMs, signal)
    }
    return true
  }

  /** The stored cursors of this stream. @throws fetch.network, cursor.invalid */
  async #cursors(): Promise<ReadonlyMap<string, Bookmark>> {
    const { cursors } = this.#deps
    if (!cursors) throw new WeirError('internal', 'The kinesis source was opened without the cursors of its pipeline')
    const all = await cursors().catch(thrown => {
      // Trouble of the log is told by whoever writes to it: here it is a pass that did not come about.
      throw new WeirError('fetch.network', `The stored cursors cannot be read: ${toWeirError(thrown).message}`)
    })
    const prefix = this.#splitOf('')
    return new Map(
      [...all].flatMap(([split, value]) => (split.startsWith(prefix) ? [[split, readBookmark(value)]] : [])),
    )
  }
}
