// An event log that goes on while its cluster is away (I6): producers' transactions wait in a spool and are forwarded when it is back.
// All else goes to the cluster as it is. Whose bucket it is, the cluster decides (I7).
import type { Clock, Random } from '../../core/clock.ts'
import { toWeirError, type WeirError } from '../../core/errors.ts'
import type { Emit } from '../../core/event.ts'
import type { Bucket, EventLog, Producer, ProducerOptions, Spool } from '../ports.ts'
import { type BacklogTeller, createBacklogTeller } from './backlog.ts'
import { Holding } from './holding.ts'

export interface SpoolingDeps {
  readonly emit: Emit
  readonly clock: Clock
  readonly random: Random
  /** How long the cluster may refuse a transaction before the spool takes over. Default 5 s. A commit in doubt is spooled at once. */
  readonly spoolAfterMs?: number
  /** How long a bucket that is given up may be forwarded for, while that works. Default 5 s. */
  readonly drainMs?: number
}

const defaultSpoolAfterMs = 5_000
const defaultDrainMs = 5_000
const openAgainMs = 100

/** The cluster's log with a spool before it. Closing it closes neither: both belong to the caller, and must outlive its producers. */
export function spoolingLog(cluster: EventLog, spool: Spool, deps: SpoolingDeps): EventLog {
  return {
    kind: cluster.kind,
    ensureTopic: spec => cluster.ensureTopic(spec),
    topics: () => cluster.topics(),
    topic: name => cluster.topic(name),
    joinProducers: options => SpoolingProducer.join(cluster, spool, options, deps),
    joinConsumers: options => cluster.joinConsumers(options),
    browse: (topic, options) => cluster.browse(topic, options),
    groups: () => cluster.groups(),
    pipelines: () => cluster.pipelines(),
    cursors: pipeline => cluster.cursors(pipeline),
    writeCursors: (pipeline, writes) => cluster.writeCursors(pipeline, writes),
    [Symbol.asyncDispose]: async () => {},
  }
}

/** A bucket that the cluster gave us; `holding` is there once what an earlier process left of it has been read. */
interface Slot {
  readonly stop: AbortController
  holding: Holding | null
  opening: Promise<void>
}

class SpoolingProducer implements Producer {
  readonly #spool: Spool
  readonly #options: ProducerOptions
  readonly #deps: SpoolingDeps
  readonly #backlog: BacklogTeller
  readonly #slots = new Map<number, Slot>()
  readonly #lost = new Set<number>()
  #cluster: Producer | null = null

  private constructor(spool: Spool, options: ProducerOptions, deps: SpoolingDeps) {
    this.#spool = spool
    this.#options = options
    this.#deps = deps
    this.#backlog = createBacklogTeller(spool, { ...deps, pipeline: options.pipeline })
  }

  static async join(cluster: EventLog, spool: Spool, options: ProducerOptions, deps: SpoolingDeps): Promise<Producer> {
    const producer = new SpoolingProducer(spool, options, deps)
    await producer.#backlog.tell()
    producer.#cluster = await cluster.joinProducers({
      pipeline: options.pipeline,
      buckets: options.buckets,
      assigned: bucket => producer.#take(bucket),
      revoked: number => producer.#release(number, true),
      lost: (number, error) => producer.#lose(number, error),
    })
    return producer
  }

  async settled(): Promise<boolean> {
    if ([...this.#slots.values()].some(({ holding }) => holding === null)) return false
    return this.#cluster!.settled()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#slots.keys()].map(number => this.#release(number, false)))
    await this.#cluster?.[Symbol.asyncDispose]()
    const records = await this.#backlog.tell()
    if (records > 0)
      this.#deps.emit({
        type: 'warning',
        pipeline: this.#options.pipeline,
        code: 'info',
        message: `${records} records wait in the spool for the broker; the next start forwards them.`,
      })
  }

  #take(bucket: Bucket): void {
    const slot: Slot = { stop: new AbortController(), holding: null, opening: Promise.resolve() }
    this.#slots.set(bucket.number, slot)
    slot.opening = this.#open(bucket, slot)
  }

  async #open(bucket: Bucket, slot: Slot): Promise<void> {
    const { pipeline, buckets, assigned } = this.#options
    const { clock, emit, random, spoolAfterMs = defaultSpoolAfterMs } = this.#deps
    const { signal } = slot.stop
    while (!signal.aborted) {
      try {
        const share = await this.#spool.claim(pipeline, bucket.number)
        if (signal.aborted) return
        const holding = await Holding.open(bucket, {
          ...{ pipeline, buckets, share, spoolAfterMs, emit, clock, random },
          changed: now => this.#backlog.changed(now),
          lost: error => this.#lose(bucket.number, error),
        })
        if (signal.aborted) return
        slot.holding = holding
        assigned(holding.bucket)
        holding.start()
        return
      } catch (thrown) {
        if (signal.aborted) return
        const error = toWeirError(thrown)
        if (!error.retry && error.code !== 'log.outcome_unknown') return this.#lose(bucket.number, error)
        await clock.sleep(openAgainMs, signal).catch(() => {})
      }
    }
  }

  async #release(number: number, asked: boolean): Promise<void> {
    const slot = this.#slots.get(number)
    if (slot === undefined) return
    slot.stop.abort()
    await slot.opening
    if (asked && slot.holding !== null) await this.#options.revoked(number)
    await slot.holding?.end(this.#deps.drainMs ?? defaultDrainMs)
    if (this.#slots.get(number) === slot) this.#slots.delete(number)
  }

  /** Told once for each bucket, also for one that was never here: a process that stands by may be shut out for good. */
  #lose(number: number, error: WeirError): void {
    const slot = this.#slots.get(number)
    if (slot === undefined && this.#lost.has(number)) return
    this.#slots.delete(number)
    this.#lost.add(number)
    slot?.stop.abort()
    slot?.holding?.drop()
    this.#options.lost(number, error)
  }
}
