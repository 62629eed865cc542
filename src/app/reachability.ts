// Is the cluster there? Asked every few seconds beside the work: a pipeline with nothing to write, or a broker that takes requests and
// answers none, would else show only after minutes (ready must be false within 10 s of losing the log, and true again after).
import type { Clock } from '../core/clock.ts'
import { toWeirError, WeirError } from '../core/errors.ts'
import type { Emit } from '../core/event.ts'
import { formatDuration } from '../core/units.ts'
import type { EventLog } from '../pipeline/ports.ts'

export interface ReachabilityOptions {
  readonly log: EventLog
  readonly pipeline: string
  /** A topic the pipeline needs. */
  readonly topic: string
  /** True: the producer goes on into its spool meanwhile. */
  readonly spools: boolean
  readonly emit: Emit
  readonly clock: Clock
}

/** Question and answer together take less than the 10 s in which readiness must follow. */
const everyMs = 3_000
const answerMs = 5_000

/** Tells when the log stops answering and when it answers again, until `signal` aborts. One question is on its way at a time. */
export async function watchReachability(options: ReachabilityOptions, signal: AbortSignal): Promise<void> {
  const { log, pipeline, topic, spools, emit, clock } = options
  let lost = false
  const note = (failure: WeirError | null): void => {
    if (signal.aborted || (failure !== null) === lost) return
    lost = failure !== null
    if (failure === null) emit({ type: 'log_reachable', pipeline })
    else emit({ type: 'log_unreachable', pipeline, code: failure.code, message: failure.message, spools })
  }
  while (!signal.aborted) {
    const late = new AbortController()
    clock
      .sleep(answerMs, AbortSignal.any([late.signal, signal]))
      .then(() => note(new WeirError('log.unavailable', `no answer within ${formatDuration(answerMs)}`)))
      .catch(() => {})
    note(await failureOf(log.topic(topic), signal))
    late.abort()
    await clock.sleep(everyMs, signal).catch(() => {})
  }
}

/** Why the question could not be answered; null when it was, or when it is refused: who refuses is there. */
async function failureOf(question: Promise<unknown>, signal: AbortSignal): Promise<WeirError | null> {
  const over = Promise.withResolvers<null>()
  const end = () => over.resolve(null)
  signal.addEventListener('abort', end, { once: true })
  try {
    await Promise.race([question, over.promise])
    return null
  } catch (thrown) {
    const error = toWeirError(thrown)
    return error.retry ? error : null
  } finally {
    signal.removeEventListener('abort', end)
  }
}
