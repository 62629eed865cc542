// Stops a flood of dead letters before it eats the source: the batch that would pass the limit is not committed.
import type { Clock } from '../core/clock.ts'
import { WeirError } from '../core/errors.ts'
import { formatDuration } from '../core/units.ts'

export interface FloodLimit {
  readonly records: number
  readonly perMs: number
}

export interface FloodGuard {
  /** @throws dead_letter.flood when `count` more letters would pass the limit */
  admit(count: number): void
  /** Counts letters that are committed. */
  count(count: number): void
}

/** `past` are the times (ms) of letters of before this start, so that a restart does not begin at zero. */
export function createFloodGuard(limit: FloodLimit | null, clock: Clock, past: readonly number[] = []): FloodGuard {
  if (limit === null) return { admit() {}, count() {} }
  const window: { atMs: number; count: number }[] = past.map(atMs => ({ atMs, count: 1 }))
  let total = past.length
  const expire = () => {
    const oldestMs = clock.now() - limit.perMs
    while (window.length > 0 && window[0]!.atMs < oldestMs) total -= window.shift()!.count
  }
  return {
    admit(count) {
      if (count === 0) return
      expire()
      if (total + count > limit.records)
        throw new WeirError(
          'dead_letter.flood',
          `${total + count} dead letters within ${formatDuration(limit.perMs)}, the limit is ${limit.records}; the batch was not committed and the cursor stands before it.`,
          {
            hint: 'See `weir dlq stats`; mend the mapping or the source, or raise dead_letter.stop_after, then start again.',
          },
        )
    },
    count(count) {
      if (count === 0) return
      window.push({ atMs: clock.now(), count })
      total += count
    },
  }
}
