// RFC 9110 section 10.2.3: Retry-After is a number of seconds or an HTTP date. Hosts also send garbage, the past and ten years.

const httpDate =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? \d{1,2}[ -](Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[ -]\d{2,4} \d{2}:\d{2}:\d{2} GMT$/

/**
 * Milliseconds that the header asks to wait; undefined when it asks for nothing usable (absent, malformed, negative,
 * or a moment that has passed), so that the ordinary backoff holds. Not capped: the caller does that.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? ''
  if (/^\d{1,15}(\.\d{1,9})?$/.test(text)) return Math.ceil(Number(text) * 1000)
  if (!httpDate.test(text)) return undefined
  const waitMs = Date.parse(text) - nowMs
  return waitMs > 0 ? waitMs : undefined
}
