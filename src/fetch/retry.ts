// Repeats an attempt that failed in passing: exponential waits with full jitter, and the host's own Retry-After wins over them.
import type { Clock, Random } from '../core/clock.ts'
import { toWeirError, WeirError } from '../core/errors.ts'
import type { HttpResponse } from './guard.ts'
import type { Attempt } from './outcome.ts'
import type { FetchSettings } from './settings.ts'

export interface RetryDeps {
  readonly clock: Clock
  readonly random: Random
  /** Told before each wait. */
  readonly retrying: (attempt: number, waitMs: number, error: WeirError) => void
}

/** The answer of the first attempt that is done. @throws what the last attempt failed with, or the signal's reason */
export async function retry(
  attempt: Attempt,
  settings: FetchSettings['retry'],
  deps: RetryDeps,
  signal: AbortSignal,
): Promise<HttpResponse> {
  for (let number = 1; ; number++) {
    signal.throwIfAborted()
    const outcome = await attempt(number, signal)
    if (outcome.name === 'done') return outcome.response
    if (!outcome.again) throw outcome.error
    if (number >= settings.attempts) throw givenUp(toWeirError(outcome.error), number)
    const waitMs = outcome.waitMs ?? backoffMs(number, settings.backoff, deps.random)
    deps.retrying(number, waitMs, toWeirError(outcome.error))
    await deps.clock.sleep(waitMs, signal)
  }
}

/** A wait drawn evenly from zero to a ceiling that doubles from `min` to `max` (full jitter: callers that failed together do not return together). */
export function backoffMs(
  attempt: number,
  backoff: { readonly min: number; readonly max: number },
  random: Random,
): number {
  const ceiling = Math.min(Math.max(backoff.min, backoff.max), backoff.min * 2 ** (attempt - 1))
  return Math.round(random() * ceiling)
}

function givenUp(error: WeirError, attempts: number): WeirError {
  if (attempts === 1) return error
  return new WeirError(error.code, `${error.message} (${attempts} attempts)`, {
    ...(error.at === undefined ? {} : { at: error.at }),
    hint: error.hint ?? `The cursor has not moved; the next poll goes on from there.`,
    cause: error,
  })
}
