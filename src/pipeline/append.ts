// Producer, last step: records, dead letters and cursor in one transaction (I1). Tries again only what is proven not to be written (L2, L8).
import type { Clock, Random } from '../core/clock.ts'
import { toWeirError } from '../core/errors.ts'
import type { Emit } from '../core/event.ts'

export interface RetryDeps {
  readonly pipeline: string
  readonly emit: Emit
  readonly clock: Clock
  readonly random: Random
}

const firstWaitMs = 50
const longestWaitMs = 5_000

/**
 * Runs a commit until it is durable. A proven rejection that may pass (busy, full, unavailable) is tried again with growing, jittered waits:
 * the pipeline waits rather than drops. Anything else is thrown. @throws log.*, or the signal's reason while waiting
 */
export async function commitUntilDurable(
  commit: () => Promise<void>,
  deps: RetryDeps,
  signal: AbortSignal,
): Promise<void> {
  const { tries } = await untilDone(commit, deps, signal)
  if (tries > 1) deps.emit({ type: 'commit_recovered', pipeline: deps.pipeline })
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
