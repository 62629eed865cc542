// A clock whose waits can be made to stand still, as SIGSTOP does to what a process does by itself.
import { type Clock, systemClock } from '../../src/core/clock.ts'

export interface FreezableClock {
  readonly clock: Clock
  /** From now on no wait ends but by its signal. */
  freeze(): void
  thaw(): void
}

/** `callsWaitMs`: shorter waits go on, where calls wait for a cluster and background work waits longer. */
export function freezableClock(callsWaitMs = 0): FreezableClock {
  let thawed: PromiseWithResolvers<void> | null = null
  const clock: Clock = {
    ...systemClock,
    sleep: async (ms, signal) => {
      await systemClock.sleep(ms, signal)
      if (thawed === null || ms < callsWaitMs) return
      const aborted = Promise.withResolvers<never>()
      signal?.addEventListener('abort', () => aborted.reject(signal.reason), { once: true })
      await Promise.race([thawed.promise, aborted.promise])
    },
  }
  return {
    clock,
    freeze: () => {
      thawed = Promise.withResolvers<void>()
    },
    thaw: () => {
      thawed?.resolve()
      thawed = null
    },
  }
}
