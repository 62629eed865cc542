// What one attempt of a call came to, in the words that retry and breaker need: may it be tried again, and was it the host's fault.
import { type Code, WeirError, weirErrorOf } from '../core/errors.ts'
import { formatDuration } from '../core/units.ts'
import type { HttpResponse, Verdict } from './guard.ts'

/**
 * What a failure says about the host. none: it is alive and answered in its way (throttled, refused for good, our own limits);
 * failure: it failed; blocked: it wants us gone; unknown: the call was cut short by us, so nothing was learnt.
 */
export type Harm = 'none' | 'failure' | 'blocked' | 'unknown'

export type Outcome =
  | { readonly name: 'done'; readonly response: HttpResponse }
  | {
      readonly name: 'failed'
      readonly error: unknown
      readonly again: boolean
      readonly harm: Harm
      /** What the host or the caller's rule asks to wait, milliseconds. */
      readonly waitMs?: number
      /** True when the host itself named `waitMs`: all calls to it wait. */
      readonly hostAsked?: boolean
      /** True when the credentials were refused and there are others: the call is worth making once more, at once. */
      readonly renewed?: boolean
    }

/** One attempt: never rejects, so that each wrapper decides on a value and not on an exception. */
export type Attempt = (attempt: number, signal: AbortSignal) => Promise<Outcome>

const hints: Partial<Record<Verdict['class'], string>> = {
  fatal: 'Check the key, the account and its credit, and the address of the call.',
  blocked: 'The host takes us for a robot: slow down, or use a vendor.',
}

/**
 * @param at where the call went, for people: no query, no secrets
 * @param askedMs what the answer's own Retry-After asks; it wins over the verdict's wait and is capped by `maxWaitMs`
 */
export function outcomeOf(
  response: HttpResponse,
  verdict: Verdict,
  at: string,
  askedMs: number | undefined,
  maxWaitMs: number,
): Outcome {
  if (verdict.class === 'ok') return { name: 'done', response }
  const hostAsked = askedMs !== undefined
  const wantedMs = askedMs ?? ('waitMs' in verdict ? verdict.waitMs : undefined)
  const waitMs = wantedMs === undefined ? undefined : Math.min(wantedMs, maxWaitMs)
  const capped =
    wantedMs !== undefined && wantedMs > maxWaitMs ? `; asked to wait ${formatDuration(wantedMs)}, which is capped` : ''
  const hint = hints[verdict.class]
  const fail = (code: Code, again: boolean, harm: Harm): Outcome => ({
    name: 'failed',
    error: new WeirError(code, verdict.reason + (again ? capped : ''), { at, ...(hint ? { hint } : {}) }),
    again,
    harm,
    ...(waitMs === undefined ? {} : { waitMs, hostAsked }),
  })
  switch (verdict.class) {
    case 'throttled':
      return fail('fetch.throttled', true, 'none')
    case 'retry':
      return fail('fetch.status', true, 'failure')
    case 'blocked':
      return fail('fetch.blocked', false, 'blocked')
    case 'fatal':
      return fail('fetch.fatal', false, 'none')
  }
}

/** The outcome of an attempt that threw: the code says whether another try can help and whose fault it was. */
export function outcomeOfThrown(thrown: unknown, signal: AbortSignal): Outcome {
  if (signal.aborted) return { name: 'failed', error: signal.reason, again: false, harm: 'unknown' }
  const code = weirErrorOf(thrown)?.code
  switch (code) {
    case 'fetch.timeout':
    case 'fetch.network':
    case 'fetch.body_invalid':
      return { name: 'failed', error: thrown, again: true, harm: 'failure' }
    default:
      // Refused by us (egress, size), a mistake of the caller, or a defect: calling again changes nothing.
      return { name: 'failed', error: thrown, again: false, harm: 'none' }
  }
}
