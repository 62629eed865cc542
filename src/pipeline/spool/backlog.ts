// Tells what waits in the spool of a pipeline, at once when it begins, ends or stands, else once a second (I6).
import type { Clock } from '../../core/clock.ts'
import type { Emit } from '../../core/event.ts'
import type { Spool } from '../ports.ts'

const everyMs = 1_000

export interface BacklogTeller {
  changed(now: boolean): void
  /** Tells a last time. @returns records that wait; 0 when the spool cannot be asked */
  tell(): Promise<number>
}

export function createBacklogTeller(
  spool: Spool,
  { pipeline, emit, clock }: { readonly pipeline: string; readonly emit: Emit; readonly clock: Clock },
): BacklogTeller {
  let toldMs = Number.NEGATIVE_INFINITY
  let turn: Promise<number> = Promise.resolve(0)
  const look = async (): Promise<number> => {
    try {
      const { records, bytes, oldestMs } = await spool.backlog(pipeline)
      emit({ type: 'spool_backlog', pipeline, records, bytes, oldestMs })
      return records
    } catch {
      // Whoever writes to the spool hears why it cannot be read.
      return 0
    }
  }
  const tell = (): Promise<number> => {
    toldMs = clock.monotonic()
    turn = turn.then(look)
    return turn
  }
  return {
    tell,
    changed(now) {
      if (now || clock.monotonic() - toldMs >= everyMs) void tell()
    },
  }
}
