// The consumer side: partitions of a topic read as a member of a group, offsets committed under the member's generation, together with what
// is appended (I1). Whose batches may be given out and committed is decided in share.ts.
import { toWeirError, WeirError } from '../../core/errors.ts'
import type { Position } from '../../core/record.ts'
import type { Append, Consumer, ConsumerOptions, Fetched } from '../../pipeline/ports.ts'
import { checkName, checkPartition, checkTopicName, toOffset } from '../log-names.ts'
import { keyOf, writtenEndsOf } from './ends.ts'
import { GroupOffsets, isOfOldGeneration, type Standing } from './group-offsets.ts'
import { LastingMembership } from './lasting-membership.ts'
import type { LogParts } from './parts.ts'
import { Reader } from './reader.ts'
import { type Assigned, Share } from './share.ts'

type Owned = { readonly state: Assigned; readonly offset: bigint }

/** Held ready ahead of the work, over all partitions. */
const aheadBytes = 4 * 1024 * 1024
const maxPollRecords = 100_000
const placeWithinMs = 15_000
/** Renewing gives up after this long, so that a process that is told to stop can. */
const renewWithinMs = 5_000
const firstWaitMs = 50
const longestWaitMs = 2_000

/** Joins a group. @throws log.topic_unknown, log.invalid, log.unavailable, log.denied */
export async function joinConsumers(parts: LogParts, options: ConsumerOptions): Promise<Consumer> {
  const { group, topic, exclusive = false } = options
  checkName('group', group)
  checkTopicName(topic)
  const told: { consumer?: GroupConsumer } = {}
  const membership = await LastingMembership.of(parts, {
    group,
    topic,
    exclusive,
    assigned: partitions => told.consumer!.assign(partitions),
    revoked: partitions => told.consumer!.share.revoke(partitions),
    lost: partitions => told.consumer!.share.lose(partitions),
    failed: error => told.consumer!.fail(error),
  })
  const consumer = new GroupConsumer(parts, options, membership)
  told.consumer = consumer
  try {
    await consumer.join()
  } catch (error) {
    await consumer[Symbol.asyncDispose]()
    throw error
  }
  return consumer
}

class GroupConsumer implements Consumer {
  readonly share: Share
  readonly #parts: LogParts
  readonly #options: ConsumerOptions
  readonly #membership: LastingMembership
  readonly #reader: Reader
  readonly #offsets: GroupOffsets
  readonly #stop = new AbortController()
  #turn = 0
  #failure: WeirError | null = null
  #placing: Promise<void> | null = null
  /** After a doubt: nothing is given out before the offsets have been read back under a new generation. */
  #renewing = false

  constructor(parts: LogParts, options: ConsumerOptions, membership: LastingMembership) {
    const { clock, random, client, lanes } = parts
    const { group, topic, start } = options
    this.#parts = parts
    this.#options = options
    this.#membership = membership
    this.#reader = new Reader({ client: lanes.open(), ask: client, clock, random, topic, maxBytes: aheadBytes })
    this.share = new Share({
      revoked: async partition => options.revoked?.(partition),
      dropped: partition => this.#reader.drop(partition),
      changed: () => this.#reader.notify(),
    })
    this.#offsets = new GroupOffsets(parts, {
      group,
      topic,
      start,
      transactionalId: `weir.${group}.${topic}.${Math.floor(random() * 2 ** 48).toString(36)}`,
      partitionsAtJoin: membership.partitions,
    })
  }

  async join(): Promise<void> {
    await this.#membership.join()
    await this.#place(placeWithinMs)
  }

  async poll({ maxRecords, maxBytes, maxWaitMs, signal }: Parameters<Consumer['poll']>[0]): Promise<Fetched | null> {
    const { clock } = this.#parts
    const endMs = clock.monotonic() + maxWaitMs
    const limits = { maxRecords: Math.max(1, Math.min(maxRecords, maxPollRecords)), maxBytes }
    for (;;) {
      signal.throwIfAborted()
      if (this.#failure) throw this.#failure
      if (this.#stop.signal.aborted) throw new WeirError('log.unavailable', 'The consumer is closed.')
      const { trouble } = this.#reader
      if (trouble && !trouble.error.retry) throw trouble.error
      await this.#mendRanges()
      const fetched = this.#next(limits)
      const leftMs = endMs - clock.monotonic()
      this.#reader.pump(fetched === null && leftMs > 0)
      if (fetched) return fetched
      if (leftMs <= 0) return null
      await this.#reader.changed(leftMs, signal)
    }
  }

  async commit(next: readonly Position[], appends: readonly Append[]): Promise<void> {
    const owned = next.map(position => this.#owned(position))
    await this.#checkEnds(owned)
    try {
      await this.#store(owned, appends)
    } catch (thrown) {
      const error = toWeirError(thrown)
      if (error.code === 'log.fenced') this.#drop(owned, error)
      throw error
    }
    for (const { state, offset } of owned) {
      if (state.standing) state.standing.committed = offset
      if (this.share.holds(state)) this.#reader.consume(state.partition, offset)
      this.share.finish(state)
    }
  }

  release(partition: number): void {
    this.share.release(partition)
  }

  async renew(): Promise<void> {
    this.#renewing = true
    this.share.releaseAll()
    await this.#offsets.renew()
    await this.#membership.newGeneration(renewWithinMs)
    this.share.unplaceAll()
    await this.#place(renewWithinMs)
    this.#renewing = false
    this.#placeSoon()
    this.#reader.notify()
  }

  async settled(): Promise<boolean> {
    if (this.#renewing || this.share.unplaced.length > 0) return false
    return this.#membership.settled()
  }

  /**
   * As Kafka counts: up to the next offset to be written, so records of open transactions count until they are decided, and markers count.
   * A partition that has been read to its very end, with all that was given out committed, has none.
   * @throws log.unavailable, also while the offsets of a partition are still being read
   */
  async lag(): Promise<bigint> {
    const { client, clock } = this.#parts
    const { topic, group } = this.#options
    if (this.share.unplaced.length > 0)
      throw new WeirError('log.unavailable', `The offsets of group ${group} are not known yet.`, {
        hint: 'They are being read; the same call may be made again.',
      })
    const states = this.share.all
    const places = states.map(({ partition }) => ({ topic, partition }))
    const ends = await writtenEndsOf(client, clock, places)
    let total = 0n
    for (const state of states) {
      const { earliest, latest } = ends.get(keyOf({ topic, partition: state.partition }))!
      const done = this.#doneUpTo(state) ?? earliest
      const from = done > earliest ? done : earliest
      if (latest > from) total += latest - from
    }
    return total
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    const left = this.#membership[Symbol.asyncDispose]()
    this.share.clear()
    await Promise.all([left, this.#reader[Symbol.asyncDispose]()])
    await this.#placing
    await this.#offsets[Symbol.asyncDispose]()
  }

  assign(partitions: readonly number[]): void {
    this.share.assign(partitions)
    this.#placeSoon()
  }

  fail(error: WeirError): void {
    this.#failure = error
    this.#reader.notify()
  }

  /** Finds out where the partitions just assigned stand, however long the cluster takes to tell. */
  #placeSoon(): void {
    if (this.#renewing) return
    this.#placing ??= this.#place(Number.POSITIVE_INFINITY)
      .catch(thrown => {
        if (!this.#stop.signal.aborted) this.fail(toWeirError(thrown))
      })
      .finally(() => {
        this.#placing = null
        // One that came in the meantime.
        if (!this.#stop.signal.aborted && !this.#failure && this.share.unplaced.length > 0) this.#placeSoon()
      })
  }

  /** @throws what further tries can not mend, and anything once the time is up */
  async #place(withinMs: number): Promise<void> {
    const { clock, random } = this.#parts
    const endMs = clock.monotonic() + withinMs
    for (let waitMs = firstWaitMs; !this.#stop.signal.aborted; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      const waiting = this.share.unplaced
      if (waiting.length === 0) return
      try {
        await this.#placeOnce(waiting)
      } catch (thrown) {
        const error = toWeirError(thrown)
        if (!error.retry || clock.monotonic() > endMs) throw error
        await clock.sleep(waitMs * (0.5 + random() / 2), this.#stop.signal).catch(() => {})
      }
    }
  }

  async #placeOnce(waiting: readonly Assigned[]): Promise<void> {
    const standings = await this.#offsets.standings(waiting.map(({ partition }) => partition))
    if (this.#options.start === 'latest') await this.#keepStarts(standings)
    for (const state of waiting) {
      const { partition } = state
      if (!this.share.holds(state) || state.standing !== null) continue
      const { committed, start } = standings.get(partition)!
      const sink = this.#options.startAt?.(partition, committed) ?? null
      if (sink !== null) toOffset(sink)
      state.standing = { committed, start }
      this.#reader.seek(partition, sink ?? committed ?? start)
    }
    this.#reader.notify()
  }

  /** A group that starts at the end must not start at a later end when a partition changes hands before its first commit. */
  async #keepStarts(standings: ReadonlyMap<number, Standing>): Promise<void> {
    const { topic, group } = this.#options
    const starts = [...standings].flatMap(([partition, { committed, start }]) =>
      committed === null ? [{ topic, partition, offset: start }] : [],
    )
    if (starts.length === 0) return
    const { member } = this.#membership
    try {
      if (member === null) throw notOwner(group)
      await this.#offsets.store(member, starts)
    } catch (thrown) {
      const error = toWeirError(thrown)
      // It must not arrive after a commit of what comes next.
      if (error.code === 'log.outcome_unknown') await this.#membership.newGeneration(renewWithinMs)
      if (error.code !== 'log.outcome_unknown' && error.code !== 'log.fenced') throw error
      throw new WeirError('log.busy', `Group ${group} is being shared out anew.`, { cause: error })
    }
  }

  /** The next batch of the first partition, in turns, that has one and none in work. */
  #next(limits: { maxRecords: number; maxBytes: number }): Fetched | null {
    if (this.#renewing) return null
    const { topic } = this.#options
    const { partitions } = this.#membership
    for (let i = 0; i < partitions; i++) {
      const partition = (this.#turn + i) % partitions
      const state = this.share.ready(partition)
      const piece = state && this.#reader.peek(partition, limits)
      if (!state || !piece) continue
      this.#turn = partition + 1
      state.inWork = true
      return { topic, partition, ...piece }
    }
    return null
  }

  async #mendRanges(): Promise<void> {
    for (const { partition, inWork } of this.share.all)
      if (!inWork && this.#reader.isOutOfRange(partition))
        await this.#mendRange(partition).catch(thrown => {
          // A cluster that is away is waited for.
          if (!toWeirError(thrown).retry) throw thrown
        })
  }

  async #mendRange(partition: number): Promise<void> {
    const { client, clock } = this.#parts
    const { topic, group, outOfRange } = this.#options
    const at = keyOf({ topic, partition })
    const position = this.#reader.reached(partition)
    const { earliest, latest } = (await writtenEndsOf(client, clock, [{ topic, partition }])).get(at)!
    if (position === null || position !== this.#reader.reached(partition)) return
    if (position > latest || (position < earliest && outOfRange === 'stop'))
      throw new WeirError(
        'log.offset_out_of_range',
        `Group ${group} stands at offset ${position} of ${at}, which holds ${earliest} to ${latest}.`,
        {
          at,
          hint:
            position > latest
              ? 'The log is behind what was consumed: it was replaced or restored.'
              : 'Retention was faster than this group. Set `out_of_range: earliest` to go on with what is left.',
        },
      )
    if (position < earliest) this.#options.missed?.(partition, position, earliest)
    this.#reader.seek(partition, position < earliest ? earliest : position)
  }

  /** Null: nothing yet, and the group has no offset but an end to start at. */
  #doneUpTo({ partition, standing, inWork }: Assigned): bigint | null {
    const committed = standing === null ? null : (standing.committed ?? standing.start)
    const reached = inWork ? null : this.#reader.reached(partition)
    return reached !== null && (committed === null || reached > committed) ? reached : committed
  }

  /** Commits under the generation of now; where the group is shared out anew meanwhile and the partitions stay, under the next. */
  async #store(owned: readonly Owned[], appends: readonly Append[]): Promise<void> {
    const { topic, group } = this.#options
    const positions = owned.map(({ state, offset }) => ({ topic, partition: state.partition, offset }))
    for (;;) {
      const { member } = this.#membership
      if (member === null || owned.some(({ state }) => !this.share.holds(state))) throw notOwner(group)
      try {
        return await this.#offsets.commit(member, positions, appends)
      } catch (thrown) {
        if (!isOfOldGeneration(thrown) || !(await this.#membership.hasMovedOn(member, this.#parts.sessionTimeoutMs)))
          throw thrown
      }
    }
  }

  /** What was read may be committed unseen; only an offset beyond it is worth a question. */
  async #checkEnds(owned: readonly Owned[]): Promise<void> {
    const { topic } = this.#options
    const beyond = owned.filter(({ state, offset }) => offset > this.#reader.knownEnd(state.partition))
    if (beyond.length === 0) return
    const { client, clock } = this.#parts
    const places = beyond.map(({ state }) => ({ topic, partition: state.partition }))
    const ends = await writtenEndsOf(client, clock, places)
    for (const { state, offset } of beyond) {
      const at = keyOf({ topic, partition: state.partition })
      const { latest } = ends.get(at)!
      if (offset > latest)
        throw new WeirError('log.invalid', `Offset ${offset} lies behind the end ${latest} of ${at}.`, {
          hint: 'Commit what was read, plus one.',
        })
    }
  }

  #owned({ topic, partition, offset }: Position): Owned {
    if (topic !== this.#options.topic)
      throw new WeirError('log.invalid', `This consumer reads ${this.#options.topic}, not ${topic}.`, {
        hint: 'Commit with the consumer of the topic.',
      })
    checkPartition(topic, partition, this.#membership.partitions)
    toOffset(offset)
    const state = this.share.committing(partition)
    if (!state)
      throw new WeirError(
        'log.fenced',
        `Partition ${partition} of ${topic} is not this member's any more; nothing was written.`,
        { hint: 'Drop the batch: another member reads it again.' },
      )
    return { state, offset }
  }

  /** The caller knows by the error that its batches are dropped. */
  #drop(owned: readonly Owned[], error: WeirError): void {
    this.#membership.giveUp(
      owned.map(({ state }) => state.partition),
      error,
    )
    for (const { state } of owned) this.share.finish(state)
  }
}

function notOwner(group: string): WeirError {
  return new WeirError('log.fenced', `This process is not a member of group ${group} any more; nothing was written.`, {
    hint: 'Drop the batch: another member reads it again.',
  })
}
