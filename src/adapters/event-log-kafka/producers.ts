// The producer side: buckets of a pipeline's splits shared through the group of its cursor topic, one transactional id each (I1, I7).
// A bucket here: given -> opening (fence the former owner, read its cursors) -> owned -> draining -> free; owned -> lost.
import type { Clock, Random } from '../../core/clock.ts'
import { toWeirError, WeirError } from '../../core/errors.ts'
import type { Bucket, Producer, ProducerOptions, StoredCursor, Transaction } from '../../pipeline/ports.ts'
import { checkCursorWrites, checkName, checkOwnSplits } from '../log-names.ts'
import { cursorRecord, cursorTopicOf, ensureCursorTopic, transactionalIdOf } from './cursor-topic.ts'
import { readCursors } from './cursors.ts'
import type { Lanes } from './lanes.ts'
import { asLogErrors } from './log-errors.ts'
import { Membership } from './membership.ts'
import type { TransactionalProducer } from './transaction.ts'

export interface ProducerParts {
  readonly lanes: Lanes
  readonly clock: Clock
  readonly random: Random
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly replicationFactor: number | null
}

type Cursors = ReadonlyMap<string, StoredCursor>
const maxBuckets = 4096
const firstWaitMs = 100
const longestWaitMs = 5_000
const appendPoints = { before: 'append.before_commit', after: 'append.after_commit' } as const

/** Joins the owners of a pipeline. @throws log.invalid, log.topic_conflict, log.unavailable, log.denied */
export async function joinProducers(parts: ProducerParts, options: ProducerOptions): Promise<Producer> {
  const { pipeline, buckets } = options
  checkName('pipeline', pipeline)
  if (!Number.isInteger(buckets) || buckets < 1 || buckets > maxBuckets)
    throw new WeirError('log.invalid', `A pipeline cannot have ${buckets} buckets.`, {
      hint: `Choose 1 to ${maxBuckets}.`,
    })
  const owners = new Owners(parts, options)
  try {
    await owners.join()
  } catch (error) {
    await owners[Symbol.asyncDispose]()
    throw error
  }
  return owners
}

/** A bucket that is this process's to open and to write. */
interface Held {
  readonly producer: TransactionalProducer
  readonly stop: AbortController
  readonly opening: Promise<void>
  /** What the pipeline works with now; null until it was told. */
  current: OwnedBucket | null
}

class Owners implements Producer {
  readonly #parts: ProducerParts
  readonly #options: ProducerOptions
  readonly #topic: string
  readonly #held = new Map<number, Held>()
  readonly #stack = new AsyncDisposableStack()
  #membership: Membership | null = null

  constructor(parts: ProducerParts, options: ProducerOptions) {
    this.#parts = parts
    this.#options = options
    this.#topic = cursorTopicOf(options.pipeline)
  }

  async join(): Promise<void> {
    const { lanes, clock, random, sessionTimeoutMs, rebalanceTimeoutMs, replicationFactor } = this.#parts
    const { buckets, lost, revoked } = this.#options
    const ask = this.#stack.use(lanes.open())
    await asLogErrors(this.#topic, () => ensureCursorTopic(ask, this.#topic, buckets, replicationFactor))
    this.#membership = await Membership.join({
      client: lanes.open(),
      ask,
      clock,
      random,
      group: this.#topic,
      topic: this.#topic,
      exclusive: false,
      partitions: async () => buckets,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      assigned: partitions => {
        for (const bucket of partitions) this.#hold(bucket)
      },
      revoked: async partitions => {
        await Promise.all(partitions.map(bucket => this.#release(bucket, revoked)))
      },
      lost: (partitions, error) => {
        // Who owns nothing and can not join any more is told so by the first bucket, or it would stand by for ever.
        for (const bucket of partitions.length === 0 ? [0] : partitions) {
          this.#held.get(bucket)?.producer.leave()
          lost(bucket, error)
          void this.#release(bucket, null)
        }
      },
    })
  }

  async settled(): Promise<boolean> {
    if ([...this.#held.values()].some(({ current }) => current === null)) return false
    return this.#membership!.settled()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#held.keys()].map(bucket => this.#release(bucket, null)))
    await this.#membership?.[Symbol.asyncDispose]()
    await this.#stack.disposeAsync()
  }

  #hold(bucket: number): void {
    const producer = this.#parts.lanes.producer(transactionalIdOf(this.#topic, bucket))
    const stop = new AbortController()
    const held: Held = { producer, stop, current: null, opening: this.#open(bucket, producer, stop.signal) }
    this.#held.set(bucket, held)
  }

  /** Fences the former owner, reads its cursors, and hands the bucket to the pipeline. */
  async #open(bucket: number, producer: TransactionalProducer, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#parts
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      try {
        await producer.takeOver([{ topic: this.#topic, partition: bucket }])
        const cursors = await this.#cursors(bucket)
        const held = this.#held.get(bucket)
        if (signal.aborted || held?.producer !== producer) return
        held.current = new OwnedBucket(this, bucket, producer.epoch, cursors)
        this.#options.assigned(held.current)
        return
      } catch (thrown) {
        if (signal.aborted) return
        const error = toWeirError(thrown)
        if (!error.retry) return this.lose(bucket, error)
        await clock.sleep(waitMs * (0.5 + random() / 2), signal).catch(() => {})
      }
    }
  }

  #cursors(bucket: number): Promise<Cursors> {
    const { lanes, clock, requestTimeoutMs } = this.#parts
    const { pipeline, buckets } = this.#options
    return asLogErrors(this.#topic, async () => {
      await using client = lanes.open()
      return await readCursors(
        { client, clock, deadlineMs: requestTimeoutMs },
        pipeline,
        buckets,
        [bucket],
        'uncommitted',
      )
    })
  }

  async #release(bucket: number, drained: ((bucket: number) => Promise<void>) | null): Promise<void> {
    const held = this.#held.get(bucket)
    if (held === undefined) return
    held.stop.abort()
    if (drained !== null && held.current !== null) await drained(bucket)
    if (this.#held.get(bucket) === held) this.#held.delete(bucket)
    await held.opening
    // Expelled: another member may have been given the bucket.
    if (this.#membership?.member === null) held.producer.leave()
    await held.producer[Symbol.asyncDispose]()
  }

  /** Taken away by another owner, or beyond hope. */
  lose(bucket: number, error: WeirError): void {
    this.#membership?.lose(bucket, error)
  }

  async transact(by: OwnedBucket, { appends, cursors }: Transaction): Promise<void> {
    const { pipeline, buckets } = this.#options
    checkCursorWrites(cursors)
    checkOwnSplits(cursors, by.number, buckets)
    const held = this.#owned(by)
    const records = cursors.map(write => cursorRecord(pipeline, by.number, write, this.#parts.clock.now()))
    try {
      // Whoever asks for another epoch ends the open transaction of the owner, whoever that is by now.
      if (held.producer.isSpent) await this.#membership!.check()
      await held.producer.commit([...appends, { topic: this.#topic, records }], null, appendPoints)
    } catch (thrown) {
      throw this.#reported(by, thrown)
    }
  }

  async renew(by: OwnedBucket): Promise<Bucket> {
    const held = this.#owned(by)
    try {
      await this.#membership!.check()
      await held.producer.renew()
      const cursors = await this.#cursors(by.number)
      held.current = new OwnedBucket(this, by.number, held.producer.epoch, cursors)
      return held.current
    } catch (thrown) {
      throw this.#reported(by, thrown)
    }
  }

  /** @throws log.fenced when the pipeline works with a newer epoch, or with none any more */
  #owned(by: OwnedBucket): Held {
    const held = this.#held.get(by.number)
    if (held?.current === by) return held
    throw new WeirError(
      'log.fenced',
      `Bucket ${by.number} of ${this.#options.pipeline} has another owner by now; nothing was written.`,
      {
        hint: 'Its share was given to another process, or taken anew under another epoch.',
      },
    )
  }

  #reported(by: OwnedBucket, thrown: unknown): WeirError {
    const error = toWeirError(thrown)
    if (error.code === 'log.fenced' && this.#held.get(by.number)?.current === by) this.lose(by.number, error)
    return error
  }
}

class OwnedBucket implements Bucket {
  readonly number: number
  readonly epoch: bigint
  readonly cursors: Cursors
  /** Five requests a transaction, each of which waits for a broker. */
  readonly recordsAtOnce = 2_000
  readonly #owners: Owners

  constructor(owners: Owners, number: number, epoch: bigint, cursors: Cursors) {
    this.#owners = owners
    this.number = number
    this.epoch = epoch
    this.cursors = cursors
  }

  transact(transaction: Transaction): Promise<void> {
    return this.#owners.transact(this, transaction)
  }

  renew(): Promise<Bucket> {
    return this.#owners.renew(this)
  }
}
