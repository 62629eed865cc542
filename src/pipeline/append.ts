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
  { pipeline, emit, clock, random }: RetryDeps,
  signal: AbortSignal,
): Promise<void> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      await commit()
      return
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
