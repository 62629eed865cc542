// Scenes for the alerts on the source: each fires where it should, and stays quiet where things only look alike.
import type { Event } from '../../../src/core/event.ts'
import { batch, type Case, calm, e, from10, once10, p, passed, start } from './night.ts'

export const sourceCases: Readonly<Record<string, readonly Case[]>> = {
  WeirFetchFailed: [
    {
      name: 'I4: one fetch that was given up, the first of its kind',
      scene: { minutes: 40, play: once10({ ...e.fetch_failed, code: 'fetch.status', split: 's' }) },
      quiet: [9, 30],
      fires: { at: 12, labels: { ...p, code: 'fetch.status' } },
    },
    {
      name: 'I4: attempts that were tried again',
      scene: { minutes: 20, play: once10(e.fetch_retry) },
      quiet: [11, 15],
    },
  ],
  WeirFetchFailing: [
    {
      name: 'I4: a split that fails at every pass, while another one works',
      scene: {
        minutes: 20,
        play: from10({ ...e.fetch_failed, split: 'bad' }, ...calm.filter(event => event.type !== 'pass_finished')),
      },
      quiet: [9, 14],
      fires: { at: 16, labels: p },
    },
    {
      name: 'I4: the next pass succeeds',
      scene: {
        minutes: 20,
        play: (minute, tell) => {
          tell(...(minute === 0 ? start : []), ...calm)
          if (minute === 10) tell({ ...e.fetch_failed, split: 's' })
        },
      },
      quiet: [10, 14, 16],
    },
  ],
  WeirBreakerOpen: [
    {
      name: 'I4: open, with a probe that fails each minute',
      scene: {
        minutes: 20,
        play: from10({ ...e.breaker_changed, to: 'half_open' }, { ...e.breaker_changed, to: 'open' }),
      },
      quiet: [9, 14],
      fires: { at: 16, labels: { ...p, host: 'g' } },
    },
    {
      name: 'I4: open, with probes that take a minute',
      scene: {
        minutes: 20,
        play: (minute, tell) => {
          tell(...(minute === 0 ? start : []), ...(minute < 10 ? calm : []))
          if (minute >= 10) tell({ ...e.breaker_changed, to: minute % 2 === 0 ? 'open' : 'half_open' })
        },
      },
      quiet: [9, 14],
      fires: { at: 18, labels: { ...p, host: 'g' } },
    },
    {
      name: 'I4: closed again after a minute',
      scene: {
        minutes: 20,
        play: (minute, tell) => {
          tell(...(minute === 0 ? start : []), ...calm)
          if (minute === 10) tell(e.breaker_changed)
          if (minute === 11) tell({ ...e.breaker_changed, to: 'half_open' }, { ...e.breaker_changed, to: 'closed' })
        },
      },
      quiet: [11, 14, 19],
    },
  ],
  WeirSourceStale: [
    {
      name: 'a bucket whose passes fail',
      scene: { minutes: 50, play: from10({ ...passed, failures: 1 }, ...batch(10)) },
      quiet: [9, 20, 25],
      fires: { at: 29, labels: p },
    },
    {
      name: 'a pass that hangs from the start, in one of two processes',
      scene: {
        minutes: 30,
        instances: ['a:8080', 'b:8080'],
        play: (minute, tell, instance) =>
          tell(...(minute === 0 ? start : instance === 'a:8080' ? calm : [{ ...e.lag, lag: 0 }])),
      },
      quiet: [10, 16],
      fires: { at: 19, labels: p },
    },
    {
      name: 'polled once a day, six hours ago',
      scene: {
        minutes: 360,
        stepSeconds: 120,
        play: (minute, tell) =>
          minute === 0 && tell({ ...start[0], passEveryMs: 86_400_000 } as Event, start[1]!, ...calm),
      },
      quiet: [60, 359],
    },
    {
      name: 'read once, without a schedule',
      scene: {
        minutes: 60,
        play: (minute, tell) => {
          const { passEveryMs: _none, ...unscheduled } = e.pipeline_started
          if (minute === 0) tell({ ...unscheduled, stages: ['producer'] }, start[1]!, ...calm)
        },
      },
      quiet: [30, 59],
    },
    {
      name: 'the bucket went to another process',
      scene: { minutes: 40, play: once10({ ...e.bucket_released, bucket: 0, why: 'rebalance' }) },
      quiet: [9, 30],
    },
  ],
  WeirNoNewRecords: [
    {
      name: 'polled for a day without anything new',
      scene: {
        minutes: 1470,
        stepSeconds: 240,
        play: (minute, tell) => tell(...(minute === 0 ? [...start, ...calm] : [passed, ...batch(0)])),
      },
      quiet: [60, 1436],
      fires: { at: 1464, labels: p },
    },
    {
      name: 'a file that was read once',
      scene: {
        minutes: 1470,
        stepSeconds: 240,
        play: (minute, tell) => {
          const { passEveryMs: _none, ...unscheduled } = e.pipeline_started
          if (minute === 0) tell({ ...unscheduled, stages: ['producer'] }, start[1]!, ...calm)
        },
      },
      quiet: [1464],
    },
    {
      name: 'new records each hour',
      scene: {
        minutes: 1470,
        stepSeconds: 240,
        play: (minute, tell) => tell(...(minute === 0 ? start : []), ...(minute % 60 === 0 ? calm : [passed])),
      },
      quiet: [1464],
    },
  ],
  WeirDrift: [
    {
      name: 'a field that is gone, the first to be so',
      scene: { minutes: 90, stepSeconds: 60, play: once10({ ...e.drift, change: 'vanished' }) },
      quiet: [9, 80],
      fires: { at: 15, labels: { ...p, change: 'vanished' } },
    },
    {
      name: 'fields that are new',
      scene: { minutes: 30, play: once10({ ...e.drift, change: 'appeared' }) },
      quiet: [11, 29],
    },
  ],
}
