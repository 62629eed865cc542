// Spaces the calls to a host: one slot after the other, shared by all pipelines of the process that use the same clock.
import type { Clock } from '../core/clock.ts'

export interface RateLimits {
  /** Takes the next slot of the host and waits for it. @throws the signal's reason; the slot stays taken */
  wait(host: string, limit: { readonly requests: number; readonly per: number }, signal: AbortSignal): Promise<void>
  /** No slot of the host is given before `ms` have passed: the host asked for silence. */
  hold(host: string, ms: number): void
}

/** Timers are good to about a millisecond: without this much catching up a limit of thousands a second could not be reached. */
const slackMs = 20
const maxHosts = 10_000

const byClock = new WeakMap<Clock, RateLimits>()

/** The limits that all users of this clock share. */
export function sharedRateLimits(clock: Clock): RateLimits {
  let limits = byClock.get(clock)
  if (limits === undefined) byClock.set(clock, (limits = createRateLimits(clock)))
  return limits
}

export function createRateLimits(clock: Clock): RateLimits {
  /** Per host, on the monotonic clock: the earliest moment of the next slot, and the end of the silence it asked for. */
  const nextSlot = new Map<string, number>()
  const heldUntil = new Map<string, number>()
  const take = (host: string, intervalMs: number): number => {
    const now = clock.monotonic()
    const earliest = intervalMs >= slackMs ? now : now - slackMs
    const slot = Math.max(nextSlot.get(host) ?? earliest, earliest)
    nextSlot.set(host, slot + intervalMs)
    return slot
  }
  const forgetPast = () => {
    const now = clock.monotonic()
    for (const moments of [nextSlot, heldUntil]) {
      if (moments.size <= maxHosts) continue
      for (const [host, at] of moments) if (at <= now) moments.delete(host)
    }
  }
  return {
    async wait(host, { requests, per }, signal) {
      signal.throwIfAborted()
      // A silence asked for while a call waits makes its slot void: it takes a new one behind it.
      do {
        const leftMs = take(host, per / requests) - clock.monotonic()
        if (leftMs > 0) await clock.sleep(leftMs, signal)
      } while ((heldUntil.get(host) ?? 0) > clock.monotonic())
      forgetPast()
    },
    hold(host, ms) {
      const until = clock.monotonic() + ms
      heldUntil.set(host, Math.max(heldUntil.get(host) ?? 0, until))
      nextSlot.set(host, Math.max(nextSlot.get(host) ?? 0, until))
    },
  }
}
