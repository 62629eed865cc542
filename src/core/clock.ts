// Time and chance come in as arguments; these are the real ones.
import { setTimeout as delay } from 'node:timers/promises'

export interface Clock {
  /** Wall clock, milliseconds since the epoch: for stamps, never for measuring. */
  now(): number
  /** Milliseconds that only grow, the same for all processes of this machine: for deadlines and leases. */
  monotonic(): number
  /** Resolves after `ms`, or rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** For a limit on work that is under way, where that is not the same: a clock on which waits take no time must leave work its time. */
  deadline?(ms: number, signal: AbortSignal): Promise<void>
}

/** Resolves after `ms` as `sleep` does, unless the work that it limits ends before and aborts `signal`. */
export function deadline(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return clock.deadline ? clock.deadline(ms, signal) : clock.sleep(ms, signal)
}

/** A number in [0, 1). */
export type Random = () => number

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => Number(process.hrtime.bigint() / 1000n) / 1000,
  sleep: async (ms, signal) => {
    // Timers hold at most 2^31-1 ms; longer waits go in steps.
    for (let left = ms; left > 0; left -= 2_000_000_000) {
      try {
        await delay(Math.min(left, 2_000_000_000), undefined, signal ? { signal } : {})
      } catch (error) {
        throw signal?.aborted ? signal.reason : error
      }
    }
  },
}

export const systemRandom: Random = () => Math.random()

/** The day of a time in UTC, YYYY-MM-DD. */
export const dayOf = (timeMs: number): string => new Date(timeMs).toISOString().slice(0, 10)
