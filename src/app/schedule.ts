// When the next pass begins. With `every`, a pass begins that long after the last one began, plus up to a tenth more by chance, so that a fleet
// does not poll in step; a pass that took longer is followed at once. Missed times are not caught up. With `cron`, at the next time it names.
import { Cron } from 'croner'
import type { Schedule } from '../config/definition.ts'
import type { Clock, Random } from '../core/clock.ts'
import type { NextPass } from '../pipeline/producer.ts'

const jitterShare = 0.1

export function nextPassOf(schedule: Schedule, clock: Clock, random: Random): NextPass {
  if (schedule === null) return () => null
  if ('everyMs' in schedule)
    return lastBeganMs => Math.max(clock.now(), lastBeganMs + schedule.everyMs * (1 + random() * jitterShare))
  const cron = new Cron(schedule.cron, { paused: true, timezone: 'UTC' })
  return () => cron.nextRun(new Date(clock.now()))?.getTime() ?? null
}

/** Times of a cron schedule that are looked at for its longest gap: a working week of every ten minutes. */
const gapRuns = 400

/** The longest time there is between the starts of two passes, in milliseconds; null without a schedule. */
export function longestGapMs(schedule: Schedule, clock: Clock): number | null {
  if (schedule === null) return null
  if ('everyMs' in schedule) return schedule.everyMs * (1 + jitterShare)
  const runs = new Cron(schedule.cron, { paused: true, timezone: 'UTC' }).nextRuns(gapRuns, new Date(clock.now()))
  const gaps = runs.slice(1).map((run, i) => run.getTime() - runs[i]!.getTime())
  return gaps.length === 0 ? null : Math.max(...gaps)
}
