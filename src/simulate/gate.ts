// What stands before the reviews of the vendor: credentials, the rate limit, and the faults it was told to have.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../core/clock.ts'
import { chance, pick } from './chance.ts'
import type { FaultKind, RetryAfterStyle, Settings } from './options.ts'

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** True when the call carries what it must. `key` is the query parameter of that name. */
export function authorized(
  headers: Headers,
  key: unknown,
  { token, basic }: Pick<Settings, 'token' | 'basic'>,
): boolean {
  if (token === null && basic === null) return true
  const { authorization } = headers
  if (
    token !== null &&
    (same(authorization, `Bearer ${token}`) || same(headers['x-api-key'], token) || same(key, token))
  )
    return true
  return (
    basic !== null &&
    same(authorization, `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString('base64')}`)
  )
}

/** The WWW-Authenticate of a refusal. */
export function challenge({ basic }: Pick<Settings, 'basic'>): string {
  return basic === null ? 'Bearer' : 'Basic realm="reviews", charset="UTF-8"'
}

const digest = (text: string) => createHash('sha256').update(text).digest()

/** Compares in the same time whether they are equal or not. */
export function same(given: unknown, expected: string): boolean {
  return typeof given === 'string' && timingSafeEqual(digest(given), digest(expected))
}

export interface RateGate {
  /** Milliseconds to wait, or 0 when the call may pass. */
  take(): number
}

const secondMs = 1000

/** Counts in fixed windows from the first call on, as most vendors do. */
export function createRateGate(clock: Clock, calls: number | null, windowMs = secondMs): RateGate {
  let beganMs = Number.NEGATIVE_INFINITY
  let taken = 0
  return {
    take() {
      if (calls === null) return 0
      const nowMs = clock.monotonic()
      if (nowMs - beganMs >= windowMs) {
        beganMs = nowMs
        taken = 0
      }
      return ++taken <= calls ? 0 : beganMs + windowMs - nowMs
    },
  }
}

/** The fault of this call, drawn once: the same for the same seed and number of the call. */
export function faultOf(share: number, kinds: readonly FaultKind[], seed: number, call: number): FaultKind | null {
  return chance(seed, 'fault', call) < share ? pick(kinds, chance(seed, 'fault kind', call)) : null
}

/** Retry-After as the vendor writes it: never earlier than the wait is over. */
export function retryAfter(waitMs: number, style: RetryAfterStyle, clock: Clock): string {
  if (style === 'seconds') return String(Math.ceil(waitMs / 1000))
  return new Date(Math.ceil((clock.now() + waitMs) / 1000) * 1000).toUTCString()
}

export const htmlPage =
  '<!doctype html><html><head><title>Maintenance</title></head><body><h1>We will be right back</h1></body></html>'

/** What a shop shows to a caller it takes for a robot. */
export const robotCheck =
  '<!doctype html><html><head><title>Robot Check</title></head><body><h4>Enter the characters you see below</h4>' +
  '<p>Sorry, we just need to make sure you are not a robot.</p><form action="/errors/validateCaptcha"></form></body></html>'
