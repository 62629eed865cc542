// One bucket while this process owns it and may spool (I6). A bucket here: direct -> spooling (the cluster refuses for too long, or a commit is
// in doubt) -> direct (all is forwarded); -> ended (drained, stays on disk) or lost. Keeps I1: a spooled transaction is forwarded as one, with a
// mark that tells later whether it is in the cluster; I3: nothing goes to the cluster past what is spooled.
import type { Clock, Random } from '../../core/clock.ts'
import { toWeirError, WeirError } from '../../core/errors.ts'
import type { Emit } from '../../core/event.ts'
import { failpoint } from '../../core/failpoint.ts'
import {
  type Bucket,
  ownSplits,
  type SpoolEntry,
  type SpoolPlace,
  type SpoolShare,
  type StoredCursor,
  type Transaction,
} from '../ports.ts'
import { readChain } from './chain.ts'
import { advance, copyOf, follows, markOf, markSplit, type Standing, standingOf } from './standing.ts'

export interface HoldingOptions {
  readonly pipeline: string
  readonly buckets: number
  readonly share: SpoolShare
  /** How long the cluster may refuse before the spool takes over, ms. */
  readonly spoolAfterMs: number
  readonly emit: Emit
  readonly clock: Clock
  readonly random: Random
  /** The backlog has changed; `now`: it began, ended or stands. */
  readonly changed: (now: boolean) => void
  /** Nothing can be written any more. */
  readonly lost: (error: WeirError) => void
}

const firstWaitMs = 50
const longestWaitMs = 5_000

/** A failure that may pass, or that can be cleared up by reading back. */
const mayPass = (error: WeirError): boolean => error.retry || error.code === 'log.outcome_unknown'

export class Holding {
  readonly #options: HoldingOptions
  readonly #markSplit: string
  readonly #stop = new AbortController()
  #cluster: Bucket
  /** How the bucket stands in the cluster, and whether that is proven: after a commit in doubt it must be read back. */
  #there: Standing
  #sure = true
  /** How it stands when all that is spooled is forwarded: what the pipeline builds on. The same object as `#there` when nothing is. */
  #head: Standing
  /** Ids of the newest entry in the spool, and of the newest that has come to an end. */
  #last = 0
  #done = 0
  #tries = 0
  #refusedMs: number | null = null
  /** Set when what the pipeline holds in memory cannot be trusted: nothing is taken before `renew`. */
  #doubt: WeirError | null = null
  #current!: HeldBucket
  #turn: Promise<unknown> = Promise.resolve()
  #forwarding: Promise<void> | null = null
  #paused = false
  #ending = false
  #wake = new AbortController()

  private constructor(cluster: Bucket, options: HoldingOptions) {
    this.#options = options
    this.#cluster = cluster
    this.#markSplit = markSplit(cluster.number, options.buckets)
    this.#there = standingOf(cluster, this.#markSplit)
    this.#head = this.#there
  }

  /** Takes a bucket over that was just given, with what an earlier process left in the spool for it. @throws as SpoolShare */
  static async open(cluster: Bucket, options: HoldingOptions): Promise<Holding> {
    const holding = new Holding(cluster, options)
    await holding.#readSpool()
    holding.#hand()
    return holding
  }

  /** What the pipeline works with. */
  get bucket(): Bucket {
    return this.#current
  }

  /** Forwards what is spooled, in the background. */
  start(): void {
    this.#forwarding ??= this.#forwardAll().finally(() => {
      this.#forwarding = null
      if (this.#behind && !this.#paused && !this.#ending && !this.#stop.signal.aborted) this.start()
    })
  }

  /** After the last transaction: forwards while that works, `withinMs` at most. What is left stays in the spool. */
  async end(withinMs: number): Promise<void> {
    this.#ending = true
    if (this.#behind) {
      this.#wake.abort()
      this.start()
      const over = new AbortController()
      await Promise.race([this.#forwarding, this.#options.clock.sleep(withinMs, over.signal).catch(() => {})])
      over.abort()
    }
    this.#stop.abort()
  }

  /** The bucket is not ours any more. */
  drop(): void {
    this.#stop.abort()
  }

  get #behind(): boolean {
    return this.#done < this.#last
  }

  transact(by: HeldBucket, transaction: Transaction): Promise<void> {
    return this.#inTurn(async () => {
      this.#check(by)
      refuseOwnSplits(transaction)
      if (this.#doubt !== null) throw this.#doubt
      const mark = markOf(this.#options.share.id, ++this.#tries)
      if (!this.#behind && this.#sure && (await this.#writeThrough(transaction, mark))) return
      await this.#spool(transaction, mark)
    })
  }

  renew(by: HeldBucket): Promise<Bucket> {
    return this.#inTurn(async () => {
      this.#check(by)
      this.#paused = true
      try {
        this.#wake.abort()
        await this.#forwarding
        await this.#readSpool()
        if (!this.#behind) await this.#readBack()
        this.#doubt = null
        return this.#hand()
      } finally {
        this.#paused = false
        if (this.#behind) this.start()
      }
    })
  }

  /** To the cluster. @returns false when it is the spool's turn */
  async #writeThrough({ appends, cursors }: Transaction, mark: string): Promise<boolean> {
    const { clock, spoolAfterMs, pipeline, emit } = this.#options
    const beganMs = clock.monotonic()
    try {
      await this.#cluster.transact({ appends, cursors: [...cursors, { split: this.#markSplit, value: mark }] })
      this.#refusedMs = null
      advance(this.#there, mark, cursors, clock.now())
      return true
    } catch (thrown) {
      const error = toWeirError(thrown)
      if (!mayPass(error)) throw thrown
      if (error.code === 'log.outcome_unknown') this.#sure = false
      else {
        this.#refusedMs ??= beganMs
        if (clock.monotonic() - this.#refusedMs < spoolAfterMs) throw thrown
      }
      if (this.#stop.signal.aborted) throw thrown
      emit({ type: 'spool_started', pipeline, bucket: this.#cluster.number, code: error.code, message: error.message })
      return false
    }
  }

  async #spool({ appends, cursors }: Transaction, mark: string): Promise<void> {
    const { share, pipeline, emit, changed } = this.#options
    const head = this.#head
    const entry: SpoolEntry = {
      before: head.mark,
      after: mark,
      cursors: cursors.map(write => ({ ...write, before: head.cursors.get(write.split)?.value ?? null })),
      appends,
    }
    const began = !this.#behind
    let place: SpoolPlace
    try {
      place = await share.append(entry)
    } catch (thrown) {
      const error = toWeirError(thrown)
      if (error.code === 'log.fenced') this.#lose(error)
      // Whether the entry is stored, or else whether the commit before it is: nobody here can tell.
      if (error.code === 'log.outcome_unknown' || (!this.#sure && !this.#behind)) throw (this.#doubt = inDoubt(error))
      throw thrown
    }
    if (this.#head === this.#there) this.#head = copyOf(this.#there)
    advance(this.#head, mark, cursors, place.storedAtMs)
    this.#last = place.id
    const { records, bytes } = place
    emit({ type: 'batch_spooled', pipeline, bucket: this.#cluster.number, records, bytes })
    changed(began)
    this.start()
  }

  /** Until nothing is left, or no more may be done. Rejects never. */
  async #forwardAll(): Promise<void> {
    const { clock, random, emit, pipeline, changed } = this.#options
    for (let waitMs = firstWaitMs; this.#behind && !this.#paused && !this.#stop.signal.aborted; ) {
      try {
        await this.#forwardOne()
        waitMs = firstWaitMs
      } catch (thrown) {
        const error = toWeirError(thrown)
        if (this.#stop.signal.aborted) return
        if (!mayPass(error)) {
          if (!this.#ending) this.#lose(error.code === 'log.fenced' ? error : refused(error))
          return
        }
        changed(true)
        if (this.#ending || this.#paused) return
        const jitteredMs = Math.round(waitMs * (0.5 + random() / 2))
        const { code, message } = error
        emit({ type: 'spool_waiting', pipeline, bucket: this.#cluster.number, code, message, waitMs: jitteredMs })
        waitMs = Math.min(waitMs * 2, longestWaitMs)
        this.#wake = new AbortController()
        await clock.sleep(jitteredMs, AbortSignal.any([this.#stop.signal, this.#wake.signal])).catch(() => {})
      }
    }
  }

  /** The oldest entry: into the cluster, unless it is there; then out of the spool. */
  async #forwardOne(): Promise<void> {
    const { share, clock, emit, pipeline, changed } = this.#options
    const beganMs = clock.monotonic()
    if (!this.#sure) await this.#readBack()
    const entry = await share.next(this.#done)
    if (entry === null)
      throw new WeirError('internal', `The spool of bucket ${this.#cluster.number} has lost an entry.`)
    const { after: mark, appends, cursors } = entry
    if (mark !== this.#there.mark) {
      if (!follows(entry, this.#there)) throw overtaken(pipeline, this.#cluster.number)
      failpoint('spool.before_forward')
      const writes = cursors.map(({ split, value }) => ({ split, value }))
      try {
        await this.#cluster.transact({ appends, cursors: [...writes, { split: this.#markSplit, value: mark }] })
      } catch (thrown) {
        if (toWeirError(thrown).code === 'log.outcome_unknown') this.#sure = false
        throw thrown
      }
      failpoint('spool.after_forward')
      advance(this.#there, mark, writes, clock.now())
    }
    failpoint('spool.before_remove')
    await share.removeThrough(entry.id)
    this.#done = entry.id
    const { records, bytes } = entry
    const ms = Math.round(clock.monotonic() - beganMs)
    emit({ type: 'spool_forwarded', pipeline, bucket: this.#cluster.number, records, bytes, ms })
    if (!this.#behind) {
      this.#head = this.#there
      this.#refusedMs = null
      emit({ type: 'spool_ended', pipeline, bucket: this.#cluster.number })
    }
    changed(!this.#behind)
  }

  /** A new epoch in the cluster, and what stands there. */
  async #readBack(): Promise<void> {
    this.#cluster = await this.#cluster.renew()
    this.#there = standingOf(this.#cluster, this.#markSplit)
    if (!this.#behind) this.#head = this.#there
    this.#sure = true
  }

  /**
   * What of the spool is in the cluster already is removed, and so is what does not follow; the rest is to be forwarded.
   * `fresh`: the cluster was read under an epoch taken after the claim, so that what does not follow is proven not to.
   */
  async #readSpool(fresh = false): Promise<void> {
    const { share, pipeline, emit, changed } = this.#options
    const bucket = this.#cluster.number
    const { head, last, landed, superseded } = await readChain(share, this.#there, this.#done)
    if (superseded !== null && !fresh) {
      await this.#readBack()
      return this.#readSpool(true)
    }
    if (landed !== null) {
      const { records, bytes } = await share.removeThrough(landed)
      emit({ type: 'spool_forwarded', pipeline, bucket, records, bytes, ms: 0 })
      this.#done = landed
    }
    if (superseded !== null) {
      const removed = await share.removeFrom(superseded)
      emit({ type: 'spool_superseded', pipeline, bucket, ...removed })
    }
    this.#last = last
    this.#head = this.#behind ? head : this.#there
    if (landed !== null || superseded !== null || this.#behind) changed(true)
  }

  #hand(): Bucket {
    this.#current = new HeldBucket(this, this.#cluster, new Map(this.#head.cursors))
    return this.#current
  }

  #check(by: HeldBucket): void {
    if (by === this.#current && !this.#stop.signal.aborted) return
    const { pipeline } = this.#options
    throw new WeirError(
      'log.fenced',
      `Bucket ${by.number} of ${pipeline} is held anew, or not any more; nothing was written.`,
      {
        hint: 'Its share was given to another process, or taken anew under another epoch.',
      },
    )
  }

  #lose(error: WeirError): void {
    if (this.#stop.signal.aborted) return
    this.#stop.abort()
    this.#options.lost(error)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work, work)
    this.#turn = done.catch(() => {})
    return done
  }
}

class HeldBucket implements Bucket {
  readonly number: number
  readonly epoch: bigint
  readonly cursors: ReadonlyMap<string, StoredCursor>
  readonly #holding: Holding

  constructor(holding: Holding, { number, epoch }: Bucket, cursors: ReadonlyMap<string, StoredCursor>) {
    this.number = number
    this.epoch = epoch
    this.cursors = cursors
    this.#holding = holding
  }

  transact(transaction: Transaction): Promise<void> {
    return this.#holding.transact(this, transaction)
  }

  renew(): Promise<Bucket> {
    return this.#holding.renew(this)
  }
}

function refuseOwnSplits({ cursors }: Transaction): void {
  const own = cursors.find(({ split }) => split.startsWith(ownSplits))
  if (own !== undefined)
    throw new WeirError('log.invalid', `A split cannot be named ${own.split}: weir keeps marks under such names.`, {
      hint: `Name the split by something that does not begin with ${ownSplits}.`,
    })
}

function inDoubt(cause: WeirError): WeirError {
  if (cause.code === 'log.outcome_unknown') return cause
  return new WeirError(
    'log.outcome_unknown',
    `A commit is in doubt and could not be spooled either: ${cause.message}`,
    { cause, hint: 'weir waits for the broker, reads back what is stored and goes on from there.' },
  )
}

function refused(cause: WeirError): WeirError {
  return new WeirError(cause.code, `What is spooled cannot be forwarded: ${cause.message}`, {
    ...(cause.at === undefined ? {} : { at: cause.at }),
    hint: `It stays in the spool, and what comes after it too. Mend what the broker refuses it for, then start again. ${cause.hint ?? ''}`.trim(),
    cause,
  })
}

function overtaken(pipeline: string, bucket: number): WeirError {
  return new WeirError(
    'log.fenced',
    `Something else has written to bucket ${bucket} of ${pipeline} past what is spooled here.`,
    {
      hint: 'Start this process again: it goes on from the cursors in the cluster, and what is spooled after them comes again from the source.',
    },
  )
}
