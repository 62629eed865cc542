// When a host may be called: one slot after the other, never within a silence that the host asked for, and never more often than its
// budget says. Shared by all pipelines of the process that use the same clock; a restart begins anew.
import type { Clock } from '../core/clock.ts'
import { type Budget, createBudget } from './budget.ts'

export interface RateLimit {
  readonly requests: number
  readonly per: number
  /** Calls of all pipelines count; only those whose limit names it wait for it. */
  readonly budget?: { readonly requests: number; readonly per: number }
}

/** asked: the host wants silence. budget: what may be called in a period is used up. */
export type HeldBy = 'asked' | 'budget'

export interface RateLimits {
  /**
   * Takes the next slot of the host and waits for it. `held` is told when that is more than the spacing of calls.
   * @throws the signal's reason; the slot stays taken
   */
  wait(host: string, limit: RateLimit, signal: AbortSignal, held?: (by: HeldBy, ms: number) => void): Promise<void>
  /** No slot of the host is given before `ms` have passed: the host asked for silence. */
  hold(host: string, ms: number): void
  /** The host takes one call each `ms` at most, until it says otherwise in the same place: slower limits stay as they are. */
  space(host: string, ms: number, saidIn: 'headers' | 'robots'): void
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
  const spacing = { headers: new Map<string, number>(), robots: new Map<string, number>() }
  /** Per host, by the length of the period. */
  const budgets = new Map<string, Map<number, Budget>>()

  const take = (host: string, intervalMs: number): number => {
    const now = clock.monotonic()
    const earliest = intervalMs >= slackMs ? now : now - slackMs
    const slot = Math.max(nextSlot.get(host) ?? earliest, earliest)
    nextSlot.set(host, slot + intervalMs)
    return slot
  }
  const leave = (host: string, until: number) => nextSlot.set(host, Math.max(nextSlot.get(host) ?? 0, until))
  const budgetOf = (host: string, periodMs: number): Budget => {
    let ofHost = budgets.get(host)
    if (ofHost === undefined) budgets.set(host, (ofHost = new Map()))
    let budget = ofHost.get(periodMs)
    if (budget === undefined) ofHost.set(periodMs, (budget = createBudget(periodMs)))
    return budget
  }
  const forgetPast = () => {
    const now = clock.monotonic()
    for (const moments of [nextSlot, heldUntil]) {
      if (moments.size <= maxHosts) continue
      for (const [host, at] of moments) if (at <= now) moments.delete(host)
    }
    for (const each of Object.values(spacing)) if (each.size > maxHosts) each.clear()
  }
  return {
    async wait(host, { requests, per, budget }, signal, held) {
      signal.throwIfAborted()
      const own = budget && { requests: budget.requests, used: budgetOf(host, budget.per) }
      const until = { asked: () => heldUntil.get(host) ?? 0, budget: () => own?.used.freeAt(own.requests) ?? 0 }
      for (;;) {
        for (const by of ['asked', 'budget'] as const) {
          const leftMs = until[by]() - clock.monotonic()
          if (leftMs <= 0) continue
          held?.(by, leftMs)
          leave(host, until[by]())
        }
        const spaceMs = Math.max(per / requests, spacing.headers.get(host) ?? 0, spacing.robots.get(host) ?? 0)
        const leftMs = take(host, spaceMs) - clock.monotonic()
        if (leftMs > 0) await clock.sleep(leftMs, signal)
        // What came up while the call waited makes its slot void: it takes a new one behind it.
        if (until.asked() <= clock.monotonic() && until.budget() <= clock.monotonic()) break
      }
      for (const each of budgets.get(host)?.values() ?? []) each.spend(clock.monotonic())
      forgetPast()
    },
    hold(host, ms) {
      const until = clock.monotonic() + ms
      heldUntil.set(host, Math.max(heldUntil.get(host) ?? 0, until))
      leave(host, until)
    },
    space(host, ms, saidIn) {
      spacing[saidIn].set(host, ms)
    },
  }
}
