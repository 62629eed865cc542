// Time while a cassette is replayed: every wait is over at once and moves the time on by its length; limits on work never run out.
import type { Clock } from '../../core/clock.ts'

export function createVirtualClock(startMs: number): Clock {
  let elapsedMs = 0
  return {
    now: () => startMs + Math.floor(elapsedMs),
    monotonic: () => elapsedMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        elapsedMs += Math.max(0, ms)
        // A turn of the event loop, so that what else is ready goes first.
        setImmediate(resolve)
      }),
    deadline: (_ms, signal) =>
      new Promise((_, reject) => {
        if (signal.aborted) return reject(signal.reason)
        signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      }),
  }
}
