// A clock that stands still until it is moved. Waits end in the order of their time.
import { setImmediate as macrotask } from 'node:timers/promises'
import type { Clock } from '../../src/core/clock.ts'

export interface FakeClock extends Clock {
  /** Moves the time, ending each wait at its own moment, and lets what was waiting run. */
  advance(ms: number): Promise<void>
  /** Sets the wall clock apart from the monotonic one, as an operator or NTP does. */
  setWall(ms: number): void
  /** Lengths of the waits that have not ended, in the order they were asked for. */
  readonly waits: readonly number[]
  /** Resolves once at least `count` waits are pending. */
  waiting(count?: number): Promise<void>
}

interface Wait {
  readonly ms: number
  readonly at: number
  readonly wake: () => void
}

export function createFakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  let elapsed = 0
  let wall = startMs
  let waits: Wait[] = []
  return {
    now: () => wall + elapsed,
    monotonic: () => elapsed,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        if (ms <= 0) return resolve()
        const wait: Wait = { ms, at: elapsed + ms, wake: resolve }
        waits.push(wait)
        signal?.addEventListener('abort', () => {
          waits = waits.filter(other => other !== wait)
          reject(signal.reason)
        })
      }),
    async advance(ms) {
      const until = elapsed + ms
      for (;;) {
        const next = waits.filter(wait => wait.at <= until).sort((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        waits = waits.filter(wait => wait !== next)
        elapsed = Math.max(elapsed, next.at)
        next.wake()
        await macrotask()
      }
      elapsed = until
      await macrotask()
    },
    setWall(ms) {
      wall = ms - elapsed
    },
    get waits() {
      return waits.map(wait => wait.ms)
    },
    async waiting(count = 1) {
      for (let turns = 0; waits.length < count; turns++) {
        if (turns > 5000) throw new Error(`${waits.length} waits are pending, ${count} were expected`)
        await macrotask()
      }
    },
  }
}
