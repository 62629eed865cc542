// One transactional producer: an epoch, and transactions under it one after the other (I1). Keeps law L2: a transaction is ended once, by one
// request; after any doubt, and after any failure, the epoch is spent and the next transaction begins a new one.
import type { Clock } from '../../core/clock.ts'
import { toWeirError, WeirError } from '../../core/errors.ts'
import { type Failpoint, failpoint } from '../../core/failpoint.ts'
import type { OutRecord } from '../../core/record.ts'
import type { Append } from '../../pipeline/ports.ts'
import { byPartition, type Placed, Placing } from '../placing.ts'
import type { GroupMember, KafkaClient, PartitionOffset, ProducerIdentity, TopicPartition } from './client.ts'
import { HangingTransactions } from './hanging.ts'
import { toLogError } from './log-errors.ts'
import type { Compression } from './options.ts'
import { encodeBatch, isWritableTime, splitBatches } from './record-batch.ts'
import { type Care, errorOfRefused, placesOf, type RefusedBatch } from './record-refusals.ts'
import { BrokerRefusal, refusalIn } from './refusal.ts'
import { TopicAbsence } from './topic-absence.ts'
import type { TopicTable, WritableTopic } from './topic-table.ts'

export interface TransactionOptions {
  /** A lane of this producer's own. */
  readonly client: KafkaClient
  readonly topics: TopicTable
  readonly clock: Clock
  readonly transactionalId: string
  readonly compression: Compression
  readonly transactionTimeoutMs: number
  /** How long a step may wait for the coordinator to get ready. */
  readonly requestTimeoutMs: number
}

/** Records of one partition, on their way. */
interface Share extends TopicPartition {
  readonly batches: readonly (readonly OutRecord[])[]
}

/** Offsets that are stored together with the records. */
export interface GroupOffsets {
  readonly member: GroupMember
  readonly positions: readonly PartitionOffset[]
}

/** Names of the failpoints around the end of a transaction. */
export interface EndPoints {
  readonly before: Failpoint
  readonly after: Failpoint
}

/** A record batch is closed at this size before compression. */
const batchBytes = 900 * 1024
const batchOverheadBytes = 256

export class TransactionalProducer implements AsyncDisposable {
  readonly #options: TransactionOptions
  readonly #placing = new Placing()
  readonly #sequences = new Map<string, number>()
  #identity: ProducerIdentity | null = null
  /** The epoch cannot be used again: something may stand open under it. */
  #spent = false
  /** The end of a transaction was not proven: nothing is written before `renew`, whose caller reads back what is stored. */
  #inDoubt = false
  /** When the transaction began that may stand open under the spent epoch. */
  #beganMs: number | null = null
  /** It does stand open, all its requests were answered, and nobody has asked for its end. */
  #isLeftOpen = false
  readonly #hanging: HangingTransactions
  /** The end of the last transaction, on its way to all that it touched. */
  #arrival: Promise<void> | null = null
  /** The coordinator was still ending it when it was asked for the next epoch, and may have taken an epoch for that. */
  #isEnding = false
  /** Another owner is at work, or may be: what stands open is theirs to end. */
  #isOthers = false
  readonly #absence: TopicAbsence
  /** By topic: how to write what was refused as it was. */
  readonly #care = new Map<string, Care>()
  #queue: Promise<unknown> = Promise.resolve()

  constructor(options: TransactionOptions) {
    this.#options = options
    this.#hanging = new HangingTransactions(options)
    this.#absence = new TopicAbsence(options.clock)
  }

  /** Grows from owner to owner. */
  get epoch(): bigint {
    return this.#identity === null ? -1n : (this.#identity.producerId << 16n) | BigInt(this.#identity.epoch)
  }

  /**
   * Fences whoever held the transactional id, ends what it left open; `touched`: where it must have written. @throws log.unavailable, log.denied
   */
  takeOver(touched: readonly TopicPartition[] = []): Promise<void> {
    this.#hanging.touch(touched)
    return this.#inTurn(() => this.#begin(null))
  }

  /**
   * A new epoch, if nobody else has taken one since. @throws log.fenced when somebody has, log.unavailable, log.denied
   */
  renew(): Promise<void> {
    return this.#inTurn(() => this.#renew())
  }

  /** Stores it all or nothing. @throws as Bucket.transact */
  commit(appends: readonly Append[], offsets: GroupOffsets | null, points: EndPoints): Promise<void> {
    return this.#inTurn(() => this.#commit(appends, offsets, points))
  }

  /** The epoch cannot be used again: whoever goes on begins another, and had better still be the owner. */
  get isSpent(): boolean {
    return this.#spent
  }

  /** Somebody else may hold the transactional id by now: asking for an epoch, even for one after ours, would end their open transaction. */
  leave(): void {
    this.#isOthers = true
  }

  /** Ends what may stand open, so that readers need not wait for the broker to do it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue.catch(() => {})
    await this.#arrived().catch(() => {})
    if (this.#spent && this.#identity !== null && !this.#isOthers) await this.#begin(this.#identity).catch(() => {})
    await this.#options.client[Symbol.asyncDispose]()
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work, work)
    this.#queue = done.catch(() => {})
    return done
  }

  async #begin(current: ProducerIdentity | null): Promise<void> {
    const { client, transactionalId, transactionTimeoutMs, requestTimeoutMs } = this.#options
    try {
      if (current !== null) await this.#endOpen(current)
      else if (this.#hanging.ending !== null) await this.#endOpen(this.#identity!).catch(() => {})
      // What is still on its way over the old connections must not arrive among the requests of the new epoch.
      client.drop()
      await this.#hanging.beforeEpoch()
      const next = await client.initProducer(transactionalId, {
        transactionTimeoutMs,
        current,
        deadlineMs: requestTimeoutMs,
      })
      if (current !== null && !follows(next, current)) throw new BrokerRefusal(90, 'InitProducerId', transactionalId)
      this.#identity = next
      this.#sequences.clear()
      this.#beganMs = null
      this.#isLeftOpen = false
      this.#isEnding = false
      this.#isOthers = false
      this.#arrival = null
      this.#hanging.newEpoch()
      await this.#endHanging(next)
      this.#inDoubt = false
    } catch (thrown) {
      this.#isEnding ||= current !== null && thrown instanceof BrokerRefusal && thrown.is('CONCURRENT_TRANSACTIONS')
      throw this.#logError(thrown)
    }
  }

  /** Under an epoch that has not been written under yet. @throws log.unavailable, BrokerRefusal */
  async #endHanging(identity: ProducerIdentity): Promise<void> {
    this.#spent = true
    await this.#hanging.end(identity)
    this.#spent = false
  }

  /**
   * Ends what was left open, for brokers that know transactions of version 1 only: asked for the next epoch while it stands open, they take one
   * for themselves and call ours fenced. Not where a request may still be on its way: it must not arrive behind the end. @throws BrokerRefusal 47, 90
   */
  async #endOpen(identity: ProducerIdentity): Promise<void> {
    const { ending } = this.#hanging
    if (!this.#isLeftOpen && ending === null) return
    this.#isLeftOpen = false
    await this.#options.client.endTransaction(identity, ending === 'commit').catch(thrown => {
      if (isFencing(thrown)) throw thrown
    })
  }

  /** Nothing is begun behind a transaction whose end has not arrived: aborting the one would abort the other. @throws log.unavailable, BrokerRefusal */
  async #arrived(): Promise<void> {
    const arrival = this.#arrival
    this.#arrival = null
    // Under the next epoch it is ended again, where it hangs.
    this.#spent ||= arrival !== null
    await arrival
    if (arrival !== null) this.#spent = false
  }

  /**
   * The broker may have taken an epoch to end the transaction itself, which looks like being fenced: while it was asked for the next one, or
   * because it took too long. An outage counts: a broker that is back ends what stood open.
   */
  get #isPerhapsOurs(): boolean {
    const { clock, transactionTimeoutMs } = this.#options
    if (this.#isEnding) return true
    return this.#beganMs !== null && clock.monotonic() - this.#beganMs > transactionTimeoutMs
  }

  async #renew(): Promise<void> {
    const isPerhapsOurs = this.#isPerhapsOurs
    try {
      await this.#begin(this.#identity)
    } catch (thrown) {
      // The caller has checked that it is still the owner.
      if (!isPerhapsOurs || toWeirError(thrown).code !== 'log.fenced') throw thrown
      await this.#begin(null)
    }
  }

  async #commit(appends: readonly Append[], offsets: GroupOffsets | null, points: EndPoints): Promise<void> {
    failpoint('append.begin')
    if (this.#inDoubt) throw this.#doubt(new WeirError('log.outcome_unknown', 'an earlier one is not proven yet'))
    const { client, clock, requestTimeoutMs } = this.#options
    const shares = await this.#place(appends).catch(thrown => {
      throw this.#logError(thrown)
    })
    await this.#arrived().catch(thrown => {
      throw this.#unwritten(thrown)
    })
    if (this.#identity === null || this.#spent)
      await this.#begin(this.#identity).catch(thrown => {
        throw this.#unwritten(thrown)
      })
    const identity = this.#identity!
    this.#hanging.touch(shares, offsets?.member.group)
    if (this.#hanging.isUnsure)
      await this.#endHanging(identity).catch(thrown => {
        throw this.#unwritten(thrown)
      })
    this.#beganMs = clock.monotonic()
    this.#spent = true
    try {
      const rounds = this.#encode(identity, shares)
      rounds.catch(() => {})
      if (shares.length > 0) await client.addPartitions(identity, shares, requestTimeoutMs)
      if (offsets !== null) await client.addOffsets(identity, offsets.member.group, requestTimeoutMs)
      for (const [i, round] of (await rounds).entries()) {
        const refused = await client.produce(identity, round)
        if (refused.length > 0)
          throw this.#refused(
            refused.map(each => ({ ...each, batch: batchOf(each, shares, i) })),
            appends,
          )
      }
      if (offsets !== null) await client.commitOffsetsInTransaction(identity, offsets.member, offsets.positions)
    } catch (thrown) {
      const refusal = refusalIn(thrown)
      this.#isLeftOpen = refusal !== undefined && !isFencing(thrown)
      // What is known of a topic counts no more when the broker does not know it.
      if (refusal?.is('UNKNOWN_TOPIC_OR_PARTITION')) for (const { topic } of appends) this.#options.topics.forget(topic)
      throw this.#unwritten(thrown)
    }
    failpoint(points.before)
    try {
      await client.endTransaction(identity, true)
    } catch (thrown) {
      throw this.#ended(thrown)
    }
    failpoint(points.after)
    for (const { topic, partition, batches } of shares)
      this.#advance(
        topic,
        partition,
        batches.reduce((sum, batch) => sum + batch.length, 0),
      )
    this.#care.clear()
    this.#absence.ended()
    this.#spent = false
    this.#beganMs = null
    this.#arrival = this.#hanging.arrival(identity, shares, offsets?.member.group ?? null)
    this.#arrival.catch(() => {})
  }

  async #place(appends: readonly Append[]): Promise<readonly Share[]> {
    const shares: Share[] = []
    for (const [i, { topic: name, records }] of appends.entries()) {
      const topic = await this.#options.topics.get(name)
      if (records.length > 0) shares.push(...sharesOf(this.#placing.place(topic, records, i), this.#care.get(name)))
    }
    const untimely = appends.flatMap(({ records }) => records.filter(each => !isWritableTime(each.timestampMs)))
    if (untimely.length === 0) return merged(shares)
    throw new WeirError('log.timestamp_refused', `A record cannot carry the time ${untimely[0]!.timestampMs}.`, {
      hint: 'Give milliseconds since 1970.',
      records: placesOf(new Set(untimely), appends),
    })
  }

  /** One batch of each partition a round, since a request takes no more. */
  async #encode(producer: ProducerIdentity, shares: readonly Share[]) {
    const rounds: { topic: string; partition: number; batch: Uint8Array }[][] = []
    for (const { topic, partition, batches } of shares) {
      let baseSequence = this.#sequences.get(`${topic}/${partition}`) ?? 0
      for (const [round, records] of batches.entries()) {
        const batch = await encodeBatch(records, { producer, baseSequence, compression: this.#options.compression })
        baseSequence = nextSequence(baseSequence, records.length)
        ;(rounds[round] ??= []).push({ topic, partition, batch })
      }
    }
    return rounds
  }

  #advance(topic: string, partition: number, count: number): void {
    const of = `${topic}/${partition}`
    this.#sequences.set(of, nextSequence(this.#sequences.get(of) ?? 0, count))
  }

  #refused(refused: readonly RefusedBatch[], appends: readonly Append[]): unknown {
    // Its limits may have been lowered since they were asked, or the topic may be another one.
    for (const { topic } of refused) this.#options.topics.forget(topic)
    return errorOfRefused(refused, appends, this.#care)
  }

  /** A failure before the end was asked for: nothing of it can become visible, for the next epoch ends what stands open. */
  #unwritten(thrown: unknown): WeirError {
    const error = this.#logError(thrown)
    return isFencing(thrown) && this.#isPerhapsOurs ? this.#doubt(error) : error
  }

  /** What the answer to the end proves. Fenced and refused ids: the coordinator did nothing. All else is doubt. */
  #ended(thrown: unknown): WeirError {
    const proven =
      isFencing(thrown) || (thrown instanceof BrokerRefusal && thrown.is('TRANSACTIONAL_ID_AUTHORIZATION_FAILED'))
    const error = this.#logError(thrown)
    return proven && !this.#isPerhapsOurs ? error : this.#doubt(error)
  }

  #doubt(cause: WeirError): WeirError {
    this.#inDoubt = true
    return new WeirError(
      'log.outcome_unknown',
      `The end of a transaction of ${this.#options.transactionalId} is not proven: ${cause.message}`,
      {
        cause,
        hint: 'weir takes a new epoch, reads the cursor back and goes on from there.',
      },
    )
  }

  #logError(thrown: unknown): WeirError {
    if (isFencing(thrown)) this.#isOthers = true
    if (!(thrown instanceof BrokerRefusal)) return toWeirError(thrown)
    return this.#absence.judged(toLogError(thrown, this.#options.transactionalId))
  }
}

function sharesOf(placed: Placed<WritableTopic>, care: Care | undefined): Share[] {
  const { topic, records, counts } = placed
  const order = byPartition(placed)
  const maxBytes = care === 'singly' ? 0 : Math.min(batchBytes, topic.maxBatchBytes - batchOverheadBytes)
  const shares: Share[] = []
  for (let partition = 0, from = 0; partition < counts.length; partition++) {
    const to = from + counts[partition]!
    if (to > from) {
      const own = Array.from(order.subarray(from, to), i => records[i]!)
      shares.push({ topic: topic.name, partition, batches: splitBatches(own, maxBytes) })
    }
    from = to
  }
  return shares
}

/** Somebody has taken a newer epoch. */
function isFencing(thrown: unknown): boolean {
  return refusalIn(thrown)?.is('INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED') ?? false
}

/** What of a partition was written in a round. */
function batchOf({ topic, partition }: TopicPartition, shares: readonly Share[], round: number): readonly OutRecord[] {
  return shares.find(each => each.topic === topic && each.partition === partition)?.batches[round] ?? []
}

/** Two appends to one topic are one share of each partition, in their order. */
function merged(shares: readonly Share[]): readonly Share[] {
  const byName = new Map<string, Share>()
  for (const share of shares) {
    const name = `${share.topic}/${share.partition}`
    const before = byName.get(name)
    byName.set(name, before ? { ...before, batches: [...before.batches, ...share.batches] } : share)
  }
  return [...byName.values()]
}

/** Sequences are 32-bit and start again at 0. */
function nextSequence(base: number, count: number): number {
  return (base + count) % 0x8000_0000
}

/** True when nobody else took an epoch in between. */
function follows(next: ProducerIdentity, current: ProducerIdentity): boolean {
  return next.producerId !== current.producerId || next.epoch === current.epoch + 1
}
