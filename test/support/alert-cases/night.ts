// What a weir process tells in a minute, good or bad: the words of the alert scenes.
import type { Event } from '../../../src/core/event.ts'
import type { Scene } from '../alert-scene.ts'
import { sampleEvents } from '../sample-events.ts'

export const e = sampleEvents('g', 'p')
export const start: readonly Event[] = [
  { ...e.pipeline_started, stages: ['producer', 'consumer'], passEveryMs: 66_000 },
  { ...e.bucket_owned, bucket: 0 },
]
export const batch = (records: number, deadLetters = 0): readonly Event[] => [
  { ...e.records_fetched, count: records + deadLetters },
  { ...e.batch_appended, records, deadLetters },
]
export const consumed = (records: number, lag: number, filtered = 0): readonly Event[] => [
  { ...e.batch_consumed, records, filtered, deadLetters: 0 },
  { ...e.lag, lag },
]
export const passed = { ...e.pass_finished, bucket: 0, failures: 0 }
/** A minute in which all is well. */
export const calm: readonly Event[] = [...batch(10), { ...e.poll_finished, split: 's' }, passed, ...consumed(9, 0, 1)]

/** All is well, but that from minute 10 on each minute has these events instead. */
export const from10 =
  (...events: readonly Event[]): Scene['play'] =>
  (minute, tell) =>
    tell(...(minute === 0 ? start : []), ...(minute < 10 ? calm : events))
/** All is well, with these events in minute 10 beside the others. */
export const once10 =
  (...events: readonly Event[]): Scene['play'] =>
  (minute, tell) =>
    tell(...(minute === 0 ? start : []), ...calm, ...(minute === 10 ? events : []))
export const allCalm = once10()

export const p = { pipeline: 'p' }
export const there = { job: 'weir', instance: 'weir:8080' }

export interface Case {
  readonly name: string
  readonly scene: Scene
  /** Minutes at which the alert does not fire. */
  readonly quiet: readonly number[]
  readonly fires?: { readonly at: number; readonly labels: Readonly<Record<string, string>> }
}
