// The producer side: buckets of a pipeline owned under an epoch, and transactions over records and cursors (I1, I7).
import { toWeirError, WeirError } from '../../core/errors.ts'
import { failpoint } from '../../core/failpoint.ts'
import type { Bucket, Producer, ProducerOptions, StoredCursor, Transaction } from '../../pipeline/ports.ts'
import type { Store } from '../embedded-store/store.ts'
import { checkCursorWrites, checkName, checkOwnSplits } from '../log-names.ts'
import type { Appender } from './append.ts'
import { putCursors, readBucketCursors } from './cursors.ts'
import { checkEpoch, pipelineScope } from './lease.ts'
import { Membership } from './membership.ts'
import type { Tail } from './tail.ts'

export interface LogParts {
  readonly store: Store
  readonly appender: Appender
  readonly tail: Tail
  readonly leaseMs: number
}

type Cursors = ReadonlyMap<string, StoredCursor>
const maxBuckets = 4096
const appendPoints = { before: 'append.before_commit', after: 'append.after_commit' } as const

/** Joins the producers of a pipeline. @throws log.invalid, log.busy and others */
export async function joinProducers(parts: LogParts, options: ProducerOptions): Promise<Producer> {
  const { pipeline, buckets } = options
  checkName('pipeline', pipeline)
  if (!Number.isInteger(buckets) || buckets < 1 || buckets > maxBuckets)
    throw new WeirError('log.invalid', `A pipeline cannot have ${buckets} buckets.`, {
      hint: `Choose 1 to ${maxBuckets}.`,
    })
  const joined = await Membership.join<Cursors>({
    ...parts,
    scope: pipelineScope(pipeline),
    slots: buckets,
    exclusive: false,
    read: (sql, slot) => readBucketCursors(sql, pipeline, slot, buckets),
    assigned: (membership, slot, epoch, cursors) =>
      options.assigned(new OwnedBucket(parts, options, membership, slot, epoch, cursors)),
    revoked: options.revoked,
    lost: options.lost,
  })
  return { settled: () => joined.settled(), [Symbol.asyncDispose]: () => joined[Symbol.asyncDispose]() }
}

class OwnedBucket implements Bucket {
  readonly number: number
  readonly epoch: bigint
  readonly cursors: Cursors
  readonly #parts: LogParts
  readonly #options: ProducerOptions
  readonly #membership: Membership<Cursors>
  readonly #epoch: number

  constructor(
    parts: LogParts,
    options: ProducerOptions,
    membership: Membership<Cursors>,
    slot: number,
    epoch: number,
    cursors: Cursors,
  ) {
    this.number = slot
    this.epoch = BigInt(epoch)
    this.cursors = cursors
    this.#parts = parts
    this.#options = options
    this.#membership = membership
    this.#epoch = epoch
  }

  async transact({ appends, cursors }: Transaction): Promise<void> {
    const { store, appender, tail } = this.#parts
    const { pipeline, buckets } = this.#options
    checkCursorWrites(cursors)
    checkOwnSplits(cursors, this.number, buckets)
    const placed = await store.read(sql => appender.place(sql, appends))
    try {
      await store.write(sql => {
        failpoint('append.begin')
        checkEpoch(sql, pipelineScope(pipeline), this.number, this.#membership.id, this.#epoch)
        appender.write(sql, placed)
        putCursors(sql, pipeline, cursors, store.clock.now())
      }, appendPoints)
    } catch (error) {
      this.#reportLoss(error)
      throw error
    }
    if (placed.length > 0) tail.notify()
  }

  async renew(): Promise<Bucket> {
    try {
      const renewed = (await this.#membership.renew([this.number])).get(this.number)!
      return new OwnedBucket(this.#parts, this.#options, this.#membership, this.number, renewed.epoch, renewed.read)
    } catch (error) {
      this.#reportLoss(error)
      throw error
    }
  }

  /** Fenced by another member, not by a renewal of our own: the slot is lost. */
  #reportLoss(thrown: unknown): void {
    const error = toWeirError(thrown)
    if (error.code === 'log.fenced' && this.#membership.held.get(this.number) === this.#epoch)
      this.#membership.lose(this.number, error)
  }
}
