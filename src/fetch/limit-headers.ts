// What the headers of an answer say about the limits of its host. Nobody agrees on them: the drafts of the IETF (RateLimit in its three
// forms), X-RateLimit-* with a moment, a number of seconds or a date, one set of headers for each limit by its name, and Amazon's rate.
// What is not understood asks for nothing.
import { retryAfterMs } from './retry-after.ts'

type Headers = Readonly<Record<string, string>>

/** What is waited where a host says that nothing is left, and not until when. */
const unsaidResetMs = 1000

/** Milliseconds until a host that has nothing left for us takes calls again; undefined when something is left, or nothing is said. Not capped. */
export function exhaustedForMs(headers: Headers, nowMs: number): number | undefined {
  const waits = [...policies(headers['ratelimit']), ...pairs(headers)]
    .filter(({ left }) => (numberOf(left) ?? 1) <= 0)
    .map(({ reset }) => (reset === undefined ? unsaidResetMs : resetMs(reset, nowMs)))
    .filter(ms => ms !== undefined && ms > 0) as number[]
  return waits.length === 0 ? undefined : Math.max(...waits)
}

/** `x-amzn-RateLimit-Limit` is calls a second, often less than one: milliseconds from one call to the next. Not capped. */
export function spacingMs(headers: Headers): number | undefined {
  const rate = numberOf(headers['x-amzn-ratelimit-limit'])
  return rate !== undefined && rate > 0 ? 1000 / rate : undefined
}

interface Left {
  readonly left: string | undefined
  /** Seconds, a moment or a date; undefined: not said. */
  readonly reset: string | undefined
}

/** `"default";r=0;t=30, "daily";r=9;t=600` of the newer drafts, and `limit=10, remaining=0, reset=30` of an older one. */
function policies(header: string | undefined): Left[] {
  if (header === undefined) return []
  const items = header.replace(/"[^"]*"/g, '""').split(',')
  const older = paramsOf(items)
  if (older['remaining'] !== undefined) return [{ left: older['remaining'], reset: older['reset'] }]
  return items.map(item => {
    const { r, t } = paramsOf(item.split(';'))
    return { left: r, reset: t }
  })
}

function paramsOf(parts: readonly string[]): Partial<Record<string, string>> {
  const params: Record<string, string> = Object.create(null)
  for (const part of parts) {
    const at = part.indexOf('=')
    if (at > 0) params[part.slice(0, at).trim().toLowerCase()] = part.slice(at + 1).trim()
  }
  return params
}

/** Headers that come in pairs: RateLimit-Remaining and -Reset, X-RateLimit-…, X-Rate-Limit-…, and X-RateLimit-{name}-…. */
function pairs(headers: Headers): Left[] {
  return Object.keys(headers).flatMap(name => {
    const stem = /^((?:x-)?rate-?limit-(?:[\w-]{1,64}-)?)remaining$/.exec(name)?.[1]
    if (stem === undefined) return []
    return [{ left: headers[name], reset: headers[`${stem}reset-after`] ?? headers[`${stem}reset`] }]
  })
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,15}(\.\d{1,9})?$/.test(text.trim()) ? Number(text) : undefined
}

/** A number is seconds from now when it is small, seconds since 1970 when it is a moment of our time, milliseconds when it is larger still. */
function resetMs(text: string, nowMs: number): number | undefined {
  const number = numberOf(text)
  if (number === undefined) return /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) - nowMs : retryAfterMs(text, nowMs)
  if (number < 1e9) return Math.ceil(number * 1000)
  return (number < 1e11 ? number * 1000 : number) - nowMs
}
