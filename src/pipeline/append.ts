// Producer, last step: records, dead letters and cursor in one transaction (I1). Tries again only what is proven not to be written (L2, L8).
import type { Clock, Random } from '../core/clock.ts'
import { toWeirError } from '../core/errors.ts'
import type { Emit } from '../core/event.ts'
import type { Claim } from '../core/guarantee.ts'

export interface RetryDeps {
  readonly pipeline: string
  readonly emit: Emit
  readonly clock: Clock
  readonly random: Random
}

/** What holds while the log cannot be written and the pipeline waits, for `weir lint --explain`. */
export const waiting: Claim = {
  guarantee: 'exactly_once',
  why: 'While the log cannot be written reading stops, and what was read is kept until it is stored.',
  while: 'the source still has it when the log is back',
  proof: { file: 'test/integration/stages.test.ts', test: 'L8: waits while the log is busy or full, and goes on' },
}

const firstWaitMs = 50
const longestWaitMs = 5_000

/** Numbers the transactions of this process, so that the end of each is told from that of others under way. */
let begun = 0

/**
 * Runs a commit until it is durable. A proven rejection that may pass (busy, full, unavailable) is tried again with growing, jittered waits:
 * the pipeline waits rather than drops. Anything else is thrown. @throws log.*, or the signal's reason while waiting
 */
export async function commitUntilDurable(
  commit: () => Promise<void>,
  deps: RetryDeps,
  signal: AbortSignal,
): Promise<void> {
  const { pipeline, emit, clock } = deps
  const number = ++begun
  const startedMs = clock.monotonic()
  emit({ type: 'commit_started', pipeline, commit: number })
  try {
    const { tries } = await untilDone(commit, deps, signal)
    if (tries > 1) emit({ type: 'commit_recovered', pipeline })
  } finally {
    emit({ type: 'commit_finished', pipeline, commit: number, ms: Math.round(clock.monotonic() - startedMs) })
  }
}

/** After an outcome in doubt: a new epoch, what is stored read back. @throws log.*, or the signal's reason while waiting */
export async function renewUntilSure<T>(renew: () => Promise<T>, deps: RetryDeps, signal: AbortSignal): Promise<T> {
  const { value } = await untilDone(renew, deps, signal)
  deps.emit({ type: 'commit_recovered', pipeline: deps.pipeline })
  return value
}

async function untilDone<T>(
  work: () => Promise<T>,
  { pipeline, emit, clock, random }: RetryDeps,
  signal: AbortSignal,
): Promise<{ readonly value: T; readonly tries: number }> {
  for (let waitMs = firstWaitMs, tries = 1; ; waitMs = Math.min(waitMs * 2, longestWaitMs), tries++) {
    try {
      return { value: await work(), tries }
    } catch (error) {
      const known = toWeirError(error)
      if (!known.retry) throw error
      const jitteredMs = waitMs * (0.5 + random() / 2)
      emit({
        type: 'commit_retried',
        pipeline,
        code: known.code,
        message: known.message,
        waitMs: Math.round(jitteredMs),
      })
      await clock.sleep(jitteredMs, signal)
    }
  }
}
