// The consumer side: partitions of a topic owned by members of a group, one batch of each in work, offsets committed under the epoch (I1).
import { toWeirError, WeirError } from '../../core/errors.ts'
import type { LogRecord, Position } from '../../core/record.ts'
import type { Append, Consumer, ConsumerOptions, Fetched } from '../../pipeline/ports.ts'
import type { Sql } from '../embedded-store/store.ts'
import { checkName, checkPartition, checkTopicName, toOffset } from '../log-names.ts'
import { checkEpoch, groupScope, leasesOf } from './lease.ts'
import { Membership } from './membership.ts'
import type { LogParts } from './producers.ts'
import { readRecords } from './read.ts'
import { endsOf, type TopicRow, topicRow } from './topics.ts'

/** A partition this member works on. `position`: where `poll` reads next, which is the group's offset or the sink's. */
interface Assigned {
  readonly partition: number
  epoch: number
  position: number
  inWork: boolean
  /** Set while the partition is asked back: resolved once nothing of it is in work. */
  idle: PromiseWithResolvers<void> | null
}

/** What stands in the log for a partition when it is taken. */
interface Standing {
  readonly committed: number | null
  readonly start: number
}

const commitPoints = { before: 'consume.before_commit', after: 'consume.after_commit' } as const
const maxPollRecords = 100_000

/** Joins a group. @throws log.topic_unknown, log.invalid, log.busy and others */
export async function joinConsumers(parts: LogParts, options: ConsumerOptions): Promise<Consumer> {
  checkName('group', options.group)
  checkTopicName(options.topic)
  const topic = await parts.store.read(sql => topicRow(sql, options.topic))
  const consumer = new GroupConsumer(parts, options, topic)
  await consumer.join()
  return consumer
}

class GroupConsumer implements Consumer {
  readonly #parts: LogParts
  readonly #options: ConsumerOptions
  readonly #topic: TopicRow
  readonly #assigned = new Map<number, Assigned>()
  /** Partitions that were lost with a batch in work: until that batch is given up, nothing of them is given out or committed. */
  readonly #orphaned = new Set<number>()
  #membership: Membership<Standing> | null = null
  #turn = 0
  #failure: WeirError | null = null
  #closed = false

  constructor(parts: LogParts, options: ConsumerOptions, topic: TopicRow) {
    this.#parts = parts
    this.#options = options
    this.#topic = topic
  }

  async join(): Promise<void> {
    this.#membership = await Membership.join<Standing>({
      ...this.#parts,
      scope: this.#scope,
      slots: this.#topic.partitions,
      exclusive: this.#options.exclusive ?? false,
      read: (sql, partition) => this.#standing(sql, partition),
      assigned: (_, partition, epoch, standing) => this.#assign(partition, epoch, standing),
      revoked: partition => this.#revoke(partition),
      lost: (partition, error) => {
        const state = this.#assigned.get(partition)
        state?.idle?.resolve()
        if (state?.inWork) this.#orphaned.add(partition)
        this.#assigned.delete(partition)
        if (error.code !== 'log.fenced') this.#failure = error
      },
    })
  }

  get #scope(): string {
    return groupScope(this.#options.group, this.#topic.name)
  }

  async poll({ maxRecords, maxBytes, maxWaitMs, signal }: Parameters<Consumer['poll']>[0]): Promise<Fetched | null> {
    const { store, tail } = this.#parts
    const endMs = store.clock.monotonic() + maxWaitMs
    const limits = { maxRecords: Math.max(1, Math.min(maxRecords, maxPollRecords)), maxBytes }
    for (;;) {
      signal.throwIfAborted()
      if (this.#failure) throw this.#failure
      if (this.#closed) throw new WeirError('log.unavailable', 'The consumer is closed.')
      const mark = tail.mark()
      const fetched = await store.read(sql => this.#next(sql, limits))
      if (fetched) return fetched
      const leftMs = endMs - store.clock.monotonic()
      if (leftMs <= 0) return null
      await tail.wait(mark, leftMs, signal)
    }
  }

  /** The next batch of the first partition, in turns, that has one and none in work. */
  #next(sql: Sql, limits: { maxRecords: number; maxBytes: number }): Fetched | null {
    const { partitions } = this.#topic
    for (let i = 0; i < partitions; i++) {
      const partition = (this.#turn + i) % partitions
      const state = this.#assigned.get(partition)
      if (!state || state.inWork || state.idle || this.#orphaned.has(partition)) continue
      const records = this.#read(sql, state, limits)
      if (records.length === 0) continue
      this.#turn = partition + 1
      state.inWork = true
      return { topic: this.#topic.name, partition, records, nextOffset: records.at(-1)!.offset + 1n }
    }
    return null
  }

  #read(sql: Sql, state: Assigned, limits: { maxRecords: number; maxBytes: number }): LogRecord[] {
    const { name, firstPartition } = this.#topic
    const id = firstPartition + state.partition
    const { earliest, latest } = endsOf(sql, id)
    if (state.position > latest || (state.position < earliest && this.#options.outOfRange === 'stop'))
      throw new WeirError(
        'log.offset_out_of_range',
        `Group ${this.#options.group} stands at offset ${state.position} of ${name}/${state.partition}, which holds ${earliest} to ${latest}.`,
        {
          at: `${name}/${state.partition}`,
          hint:
            state.position > latest
              ? 'The log is behind what was consumed: it was replaced or restored.'
              : 'Retention was faster than this group. Set `out_of_range: earliest` to go on with what is left.',
        },
      )
    if (state.position < earliest) {
      this.#options.missed?.(state.partition, BigInt(state.position), BigInt(earliest))
      state.position = earliest
    }
    return readRecords(sql, { topic: name, partition: state.partition, id }, state.position, latest, limits)
  }

  async commit(next: readonly Position[], appends: readonly Append[]): Promise<void> {
    const { store, appender, tail } = this.#parts
    const owned = next.map(position => this.#owned(position))
    const placed = await store.read(sql => appender.place(sql, appends))
    try {
      await store.write(sql => {
        for (const { state, offset } of owned) {
          checkEpoch(sql, this.#scope, state.partition, this.#member.id, state.epoch)
          this.#checkEnd(sql, state.partition, offset)
          this.#putOffset(sql, state.partition, offset)
        }
        appender.write(sql, placed)
      }, commitPoints)
    } catch (error) {
      await this.#dropFenced(error, owned)
      throw error
    }
    for (const { state, offset } of owned) {
      state.position = offset
      this.#finish(state)
    }
    if (placed.length > 0) tail.notify()
  }

  release(partition: number): void {
    this.#orphaned.delete(partition)
    const state = this.#assigned.get(partition)
    if (state) this.#finish(state)
  }

  async renew(): Promise<void> {
    // A partition taken away in the meantime is dropped; the others get their new epoch.
    for (const state of [...this.#assigned.values()]) {
      try {
        const renewed = (await this.#member.renew([state.partition])).get(state.partition)!
        if (this.#assigned.get(state.partition) !== state) continue
        state.epoch = renewed.epoch
        state.position = this.#position(state.partition, renewed.read)
        this.#finish(state)
      } catch (error) {
        if (toWeirError(error).code !== 'log.fenced') throw error
        this.#member.lose(state.partition, toWeirError(error))
      }
    }
    this.#orphaned.clear()
  }

  settled(): Promise<boolean> {
    return this.#member.settled()
  }

  async lag(): Promise<bigint> {
    return this.#parts.store.read(sql => {
      let total = 0
      for (const { partition } of this.#assigned.values()) {
        const { committed, start } = this.#standing(sql, partition)
        const { earliest, latest } = endsOf(sql, this.#topic.firstPartition + partition)
        total += Math.max(0, latest - Math.max(committed ?? start, earliest))
      }
      return BigInt(total)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await this.#member[Symbol.asyncDispose]()
    for (const state of this.#assigned.values()) state.idle?.resolve()
    this.#assigned.clear()
  }

  get #member(): Membership<Standing> {
    return this.#membership!
  }

  #standing(sql: Sql, partition: number): Standing {
    const { group, topic, start } = this.#options
    const row = sql.get(
      'SELECT next FROM group_offset WHERE group_name = ? AND topic = ? AND partition = ?',
      group,
      topic,
      partition,
    )
    const { earliest, latest } = endsOf(sql, this.#topic.firstPartition + partition)
    return {
      committed: row === undefined ? null : (row['next'] as number),
      start: start === 'earliest' ? earliest : latest,
    }
  }

  #position(partition: number, { committed, start }: Standing): number {
    const sink = this.#options.startAt?.(partition, committed === null ? null : BigInt(committed)) ?? null
    return sink === null ? (committed ?? start) : toOffset(sink)
  }

  #assign(partition: number, epoch: number, standing: Standing): void {
    try {
      const position = this.#position(partition, standing)
      this.#assigned.set(partition, { partition, epoch, position, inWork: false, idle: null })
      if (standing.committed === null && this.#options.start === 'latest')
        void this.#keepStart(partition, epoch, standing.start)
    } catch (error) {
      this.#failure = toWeirError(error)
    }
  }

  /** A group that starts at the end must not start at a later end when the partition changes hands before its first commit. */
  async #keepStart(partition: number, epoch: number, start: number): Promise<void> {
    await this.#parts.store
      .write(sql => {
        checkEpoch(sql, this.#scope, partition, this.#member.id, epoch)
        if (this.#standing(sql, partition).committed === null) this.#putOffset(sql, partition, start)
      })
      .catch(() => {}) // Then the first commit stores it.
  }

  #putOffset(sql: Sql, partition: number, offset: number): void {
    const { group, topic } = this.#options
    sql.run(
      `INSERT INTO group_offset (group_name, topic, partition, next, updated_ms) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET next = excluded.next, updated_ms = excluded.updated_ms`,
      ...[group, topic, partition, offset, this.#parts.store.clock.now()],
    )
  }

  #checkEnd(sql: Sql, partition: number, offset: number): void {
    const { latest } = endsOf(sql, this.#topic.firstPartition + partition)
    if (offset > latest)
      throw new WeirError(
        'log.invalid',
        `Offset ${offset} lies behind the end ${latest} of ${this.#topic.name}/${partition}.`,
        { hint: 'Commit what was read, plus one.' },
      )
  }

  /** Resolves when no batch of the partition is in work; nothing new of it is given out meanwhile. */
  async #revoke(partition: number): Promise<void> {
    const state = this.#assigned.get(partition)
    if (!state) return
    state.idle = Promise.withResolvers<void>()
    if (!state.inWork) state.idle.resolve()
    await Promise.all([this.#options.revoked?.(partition), state.idle.promise])
    this.#assigned.delete(partition)
  }

  #finish(state: Assigned): void {
    state.inWork = false
    state.idle?.resolve()
    this.#parts.tail.notify()
  }

  #owned({ topic, partition, offset }: Position): { state: Assigned; offset: number } {
    if (topic !== this.#topic.name)
      throw new WeirError('log.invalid', `This consumer reads ${this.#topic.name}, not ${topic}.`, {
        hint: 'Commit with the consumer of the topic.',
      })
    checkPartition(topic, partition, this.#topic.partitions)
    const state = this.#assigned.get(partition)
    const isOrphan = this.#orphaned.delete(partition)
    if (isOrphan) this.#parts.tail.notify()
    if (!state || isOrphan)
      throw new WeirError(
        'log.fenced',
        `Partition ${partition} of ${topic} is not this member's any more; nothing was written.`,
        { hint: 'Drop the batch: another member reads it again.' },
      )
    return { state, offset: toOffset(offset) }
  }

  /** The caller knows by this error that the batches are dropped. What is another's is given out no more. */
  async #dropFenced(thrown: unknown, owned: readonly { state: Assigned }[]): Promise<void> {
    const error = toWeirError(thrown)
    if (error.code !== 'log.fenced') return
    // Where it cannot be read, the membership finds out at its next look.
    const leases = await this.#parts.store.read(sql => leasesOf(sql, this.#scope)).catch(() => [])
    const ours = ({ partition, epoch }: Assigned) =>
      leases.every(lease => lease.slot !== partition || (lease.member === this.#member.id && lease.epoch === epoch))
    for (const { state } of owned) {
      if (!ours(state)) this.#member.lose(state.partition, error)
      this.release(state.partition)
    }
  }
}
