// The producer stage: membership among the owners of the pipeline, and for each owned bucket a loop of passes on the schedule (I7, I11).
// A bucket here: running -> ended (revoked, fenced, shutdown); running -> renewed after an outcome in doubt -> running.
import { toWeirError, WeirError } from '../core/errors.ts'
import type { Split } from '../core/record.ts'
import { unlessAborted } from '../core/stream.ts'
import { renewUntilSure } from './append.ts'
import { noForNow } from './lag.ts'
import { type ProduceOptions, pass } from './poll.ts'
import type { Bucket, EventLog } from './ports.ts'

/** When the next pass begins (ms of the wall clock), given when the last one began; null: never, one pass is all. */
export type NextPass = (lastBeganMs: number) => number | null

export interface ProducerStageOptions extends ProduceOptions {
  readonly log: EventLog
  readonly nextPass: NextPass
  /** True: stop after one pass over every owned split. */
  readonly once: boolean
}

export interface ProducerResult {
  /** Calls given up in the last pass of each bucket. */
  readonly failures: readonly WeirError[]
}

/** A pass that failed is tried again after this time, where the schedule would not try sooner. */
const retryPassMs = 30_000
const splitListMs = 1_000
const settleCheckMs = 50

interface OwnedBucket {
  readonly stop: AbortController
  readonly loop: Promise<void>
  passed: boolean
  failures: readonly WeirError[]
}

type Why = 'rebalance' | 'fenced' | 'shutdown' | 'error'

/**
 * Runs until `signal` aborts, then drains: no new batch is taken, the one in work is committed. With `once`, until every split had its pass.
 * @throws log.fenced, log.corrupt and the like, dead_letter.flood, internal
 */
export async function runProducer(options: ProducerStageOptions, signal: AbortSignal): Promise<ProducerResult> {
  const { log, pipeline, buckets, emit, clock } = options
  const owned = new Map<number, OwnedBucket>()
  const failures = new Set<WeirError>()
  const failed = Promise.withResolvers<never>()
  failed.promise.catch(() => {})
  const stopped = new AbortController()
  const listSplits = splitLister(options, AbortSignal.any([signal, stopped.signal]))

  const begin = (bucket: Bucket): void => {
    emit({ type: 'bucket_owned', pipeline, bucket: bucket.number, epoch: String(bucket.epoch) })
    const stop = new AbortController()
    const entry: OwnedBucket = {
      stop,
      passed: false,
      failures: [],
      loop: runBucket(bucket, options, listSplits, AbortSignal.any([signal, stopped.signal, stop.signal]), found =>
        Object.assign(entry, { passed: true, failures: found }),
      ).catch(error => {
        if (!stop.signal.aborted) failed.reject(error)
      }),
    }
    owned.set(bucket.number, entry)
  }
  const end = async (number: number, why: Why): Promise<void> => {
    const entry = owned.get(number)
    if (!entry) return
    owned.delete(number)
    entry.stop.abort()
    await entry.loop
    for (const failure of entry.failures) failures.add(failure)
    emit({ type: 'bucket_released', pipeline, bucket: number, why })
  }
  const lost = (number: number, why: WeirError): void => {
    const isFenced = why.code === 'log.fenced'
    const error = isFenced ? fencedError(pipeline, number) : why
    if (isFenced) emit({ type: 'fenced', pipeline, message: error.message })
    failed.reject(error)
    void end(number, isFenced ? 'fenced' : 'error')
  }

  const membership = await log.joinProducers({
    pipeline,
    buckets,
    assigned: begin,
    revoked: number => end(number, 'rebalance'),
    lost,
  })
  const allPassed = async (): Promise<void> => {
    for (;;) {
      const passed = owned.size > 0 && [...owned.values()].every(entry => entry.passed)
      if (passed && (await noForNow(() => membership.settled()))) return
      await clock.sleep(settleCheckMs, stopped.signal)
    }
  }
  try {
    await Promise.race([failed.promise, aborted(signal), ...(options.once ? [allPassed()] : [])])
  } finally {
    stopped.abort()
    await Promise.all([...owned.keys()].map(number => end(number, 'shutdown')))
    await membership[Symbol.asyncDispose]()
  }
  return { failures: [...failures] }
}

function fencedError(pipeline: string, bucket: number): WeirError {
  return new WeirError(
    'log.fenced',
    `Another process has taken over bucket ${bucket} of ${pipeline}; nothing more is written here.`,
    {
      hint: 'This process was paused for longer than its lease. Start it again: it goes on where the other one stands.',
    },
  )
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** Passes over the bucket's splits until `signal` aborts; after an outcome in doubt, with a new epoch and the cursors read back (I1, L2). */
async function runBucket(
  first: Bucket,
  options: ProducerStageOptions,
  listSplits: () => Promise<readonly Split[]>,
  signal: AbortSignal,
  passed: (failures: readonly WeirError[]) => void,
): Promise<void> {
  const { clock, emit, pipeline, nextPass, once, random } = options
  let bucket = first
  let cursors = cursorsOf(bucket)
  while (!signal.aborted) {
    const beganMs = clock.now()
    let waitMs: number | null = null
    try {
      // A bucket that is taken away does not wait for the listing.
      const splits = await unlessAborted(listSplits(), signal)
      const startedMs = clock.monotonic()
      const { splits: read, failures } = await pass(bucket, cursors, splits, options, signal)
      if (signal.aborted) return
      const ms = Math.round(clock.monotonic() - startedMs)
      emit({ type: 'pass_finished', pipeline, bucket: bucket.number, splits: read, failures: failures.length, ms })
      passed(failures)
      if (once) return
      const nextMs = nextPass(beganMs)
      const retryMs = failures.length > 0 ? clock.now() + retryPassMs * (0.75 + random() / 2) : null
      const whenMs = nextMs === null ? retryMs : retryMs === null ? nextMs : Math.min(nextMs, retryMs)
      if (whenMs === null) return
      waitMs = Math.max(0, whenMs - clock.now())
    } catch (thrown) {
      if (signal.aborted && toWeirError(thrown).code === 'internal') return
      const error = toWeirError(thrown)
      if (error.code === 'log.outcome_unknown') {
        emit({ type: 'commit_unknown', pipeline, message: error.message })
        bucket = await renewUntilSure(() => bucket.renew(), options, signal)
        cursors = cursorsOf(bucket)
        continue
      }
      if (!isFetchError(error)) throw thrown
      passed([error])
      if (once) return
      waitMs = retryPassMs
    }
    await clock.sleep(waitMs, signal).catch(() => {})
  }
}

/** Listing splits failed, as a fetch may: no files there yet, a watch list unreadable. */
function isFetchError(error: WeirError): boolean {
  return /^(fetch|source|file)\./.test(error.code)
}

function cursorsOf(bucket: Bucket): Map<string, string> {
  return new Map([...bucket.cursors].map(([split, stored]) => [split, stored.value]))
}

/**
 * The splits there are, asked at most once a second however many buckets ask. A listing is the stage's, not that of the bucket that asked
 * first: it goes on when that bucket is taken away, and its failure is told once.
 */
function splitLister(
  { source, clock, emit, pipeline }: ProducerStageOptions,
  signal: AbortSignal,
): () => Promise<readonly Split[]> {
  let listedMs = Number.NEGATIVE_INFINITY
  let listed: Promise<readonly Split[]> | undefined
  const list = (): Promise<readonly Split[]> =>
    source.splits(signal).catch(thrown => {
      const error = toWeirError(thrown)
      if (signal.aborted || !isFetchError(error)) throw thrown
      const { code, message, at, hint } = error
      emit({
        type: 'fetch_failed',
        pipeline,
        split: '*',
        code,
        message,
        ...(at === undefined ? {} : { at }),
        ...(hint === undefined ? {} : { hint }),
      })
      throw error
    })
  return () => {
    if (listed === undefined || clock.monotonic() - listedMs > splitListMs) {
      listedMs = clock.monotonic()
      listed = list()
    }
    return listed
  }
}
