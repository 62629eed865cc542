// The offsets of a group in one topic: read back, and stored under a member's generation, alone or in one transaction with records (I1, L2).
// A commit alone is a request that may arrive late: after a doubt the caller takes a new generation, under which the broker refuses it.
import { toWeirError, WeirError } from '../../core/errors.ts'
import { failpoint } from '../../core/failpoint.ts'
import type { Append } from '../../pipeline/ports.ts'
import type { GroupMember, KafkaClient, PartitionOffset } from './client.ts'
import { endsOf, keyOf, patiently } from './ends.ts'
import { toLogError } from './log-errors.ts'
import type { LogParts } from './parts.ts'
import { BrokerRefusal, refusalIn } from './refusal.ts'
import type { TransactionalProducer } from './transaction.ts'

/** What stands in the log for a partition when it is taken. `start`: where a group begins that has no offset. */
export interface Standing {
  readonly committed: bigint | null
  readonly start: bigint
}

export interface GroupOffsetsOptions {
  readonly group: string
  readonly topic: string
  readonly start: 'earliest' | 'latest'
  /** Of this member alone: nobody else writes under it. */
  readonly transactionalId: string
  /** Partitions of the topic when this member joined: one added since is read from its beginning, or records would be missed. */
  readonly partitionsAtJoin: number
}

const commitPoints = { before: 'consume.before_commit', after: 'consume.after_commit' } as const
/** How long a transaction over the offsets is waited for at a time. */
const unstableMs = 5_000

export class GroupOffsets implements AsyncDisposable {
  readonly #parts: LogParts
  readonly #options: GroupOffsetsOptions
  readonly #lane: KafkaClient
  #producer: TransactionalProducer | null = null
  /** The broker has put an end to the producer's epoch; since the id is this member's alone, it may take another. */
  #ended = false

  constructor(parts: LogParts, options: GroupOffsetsOptions) {
    this.#parts = parts
    this.#options = options
    this.#lane = parts.lanes.open()
  }

  /** @throws log.unavailable, also while a transaction over the offsets stands open; log.denied */
  async standings(partitions: readonly number[]): Promise<ReadonlyMap<number, Standing>> {
    const { client, clock } = this.#parts
    const { group, topic, start, partitionsAtJoin } = this.#options
    const places = partitions.map(partition => ({ topic, partition }))
    const stored = await patiently(clock, `group ${group}`, () => this.#lane.groupOffsets(group, places, unstableMs))
    const committed = new Map(stored.map(({ partition, offset }) => [partition, offset]))
    const ends = await endsOf(client, clock, places)
    return new Map(
      places.map(place => {
        const from = place.partition < partitionsAtJoin ? start : 'earliest'
        return [
          place.partition,
          { committed: committed.get(place.partition) ?? null, start: ends.get(keyOf(place))![from] },
        ]
      }),
    )
  }

  /** All of it or nothing. @throws as Consumer.commit */
  async commit(member: GroupMember, positions: readonly PartitionOffset[], appends: readonly Append[]): Promise<void> {
    if (appends.length > 0) return this.#transact(member, positions, appends)
    failpoint(commitPoints.before)
    await this.store(member, positions)
    failpoint(commitPoints.after)
  }

  /** The offsets alone. @throws log.outcome_unknown when no answer came, log.fenced and others when it was refused */
  async store(member: GroupMember, positions: readonly PartitionOffset[]): Promise<void> {
    if (positions.length === 0) return
    try {
      await this.#lane.commitOffsets(member, positions)
    } catch (thrown) {
      if (thrown instanceof BrokerRefusal) throw toLogError(thrown, `group ${this.#options.group}`)
      throw unproven(toWeirError(thrown), this.#options.group)
    }
  }

  /** Gives up what is on its way, and begins a new epoch. @throws log.unavailable, log.denied */
  async renew(): Promise<void> {
    this.#lane.drop()
    if (this.#producer === null) return
    try {
      await this.#producer.renew()
    } catch (thrown) {
      if (toWeirError(thrown).code !== 'log.fenced') throw thrown
      await this.#producer.takeOver()
    }
    this.#ended = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer?.[Symbol.asyncDispose]()
    await this.#lane[Symbol.asyncDispose]()
  }

  async #transact(
    member: GroupMember,
    positions: readonly PartitionOffset[],
    appends: readonly Append[],
  ): Promise<void> {
    this.#producer ??= this.#parts.lanes.producer(this.#options.transactionalId)
    if (this.#ended) {
      await this.#producer.takeOver()
      this.#ended = false
    }
    try {
      await this.#producer.commit(appends, positions.length === 0 ? null : { member, positions }, commitPoints)
    } catch (thrown) {
      this.#ended ||= refusalIn(thrown)?.is('INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED') ?? false
      // What stands open would keep readers of the topics from what others write behind it; the next commit may be long in coming.
      if (!this.#ended && toWeirError(thrown).code !== 'log.outcome_unknown')
        await this.#producer.renew().catch(() => {})
      throw thrown
    }
  }
}

/** True when a commit was refused only because the group has shared out anew since: under the newer generation it may be made again. */
export function isOfOldGeneration(thrown: unknown): boolean {
  return refusalIn(thrown)?.is('ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS') ?? false
}

function unproven(cause: WeirError, group: string): WeirError {
  if (cause.code !== 'log.unavailable') return cause
  return new WeirError(
    'log.outcome_unknown',
    `Whether the offsets of group ${group} were stored is not proven: ${cause.message}`,
    {
      cause,
      hint: 'weir takes a new generation, reads the offsets back and goes on from there.',
    },
  )
}
