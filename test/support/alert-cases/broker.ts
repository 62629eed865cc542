// Scenes for the alerts on the broker, transactions and the spool: each fires where it should, and stays quiet where things only look alike.
import { allCalm, type Case, calm, e, from10, once10, p, start, there } from './night.ts'

export const brokerCases: Readonly<Record<string, readonly Case[]>> = {
  RedpandaDown: [
    {
      name: 'the broker cannot be scraped',
      scene: {
        minutes: 20,
        play: allCalm,
        more: { 'up{job="redpanda",instance="redpanda:9644"}': minute => (minute < 10 ? 1 : 0) },
      },
      quiet: [9, 10],
      fires: { at: 12, labels: { job: 'redpanda', instance: 'redpanda:9644' } },
    },
  ],
  WeirBrokerUnavailable: [
    {
      name: 'commits are refused',
      scene: { minutes: 20, play: from10({ ...e.commit_retried, code: 'log.unavailable' }) },
      quiet: [9, 11],
      fires: { at: 13, labels: p },
    },
    {
      name: 'the broker is back after a minute',
      scene: {
        minutes: 20,
        play: (minute, tell) => {
          tell(...(minute === 0 ? start : []), ...calm)
          if (minute === 10) tell({ ...e.commit_retried, code: 'log.unavailable' })
        },
      },
      quiet: [10, 12, 14],
    },
  ],
  WeirTransactionStuck: [
    {
      name: 'a commit that is neither taken nor refused',
      scene: { minutes: 20, play: once10({ ...e.commit_started, commit: 1 }) },
      quiet: [9, 12],
      fires: { at: 14, labels: { ...p, ...there } },
    },
    {
      name: 'commits that end',
      scene: {
        minutes: 20,
        play: (minute, tell) => {
          tell(...(minute === 0 ? start : []), ...calm, { ...e.commit_started, commit: minute })
          if (minute > 0) tell({ ...e.commit_finished, commit: minute - 1 })
        },
      },
      quiet: [5, 10, 15],
    },
    {
      name: 'a commit that is refused for minutes has its own alert',
      scene: {
        minutes: 20,
        play: (minute, tell) => {
          tell(...(minute === 0 ? start : []), ...(minute < 10 ? calm : []))
          if (minute === 10) tell({ ...e.commit_started, commit: 1 })
          if (minute >= 10) tell({ ...e.commit_retried, code: 'log.unavailable' })
        },
      },
      quiet: [14, 19],
    },
  ],
  WeirCommitsUnknown: [
    {
      name: 'five in ten minutes',
      scene: {
        minutes: 20,
        play: (minute, tell) =>
          tell(...(minute === 0 ? start : calm), ...(minute % 2 === 1 && minute < 11 ? [e.commit_unknown] : [])),
      },
      quiet: [4],
      fires: { at: 12, labels: p },
    },
    { name: 'one', scene: { minutes: 20, play: once10(e.commit_unknown) }, quiet: [10, 12, 19] },
  ],
  WeirSpoolBacklog: [
    {
      name: 'I6: records wait for the broker',
      scene: {
        minutes: 20,
        play: once10({ ...e.spool_backlog, records: 100, bytes: 9_000, oldestMs: 600_000 }),
      },
      quiet: [9, 14],
      fires: { at: 16, labels: p },
    },
    {
      name: 'I6: forwarded at once',
      scene: {
        minutes: 20,
        play: (minute, tell) => {
          tell(...(minute === 0 ? start : []), ...calm)
          if (minute === 10) tell({ ...e.spool_backlog, records: 100, bytes: 9_000, oldestMs: 600_000 })
          if (minute === 13) tell({ ...e.spool_backlog, records: 0, bytes: 0, oldestMs: null })
        },
      },
      quiet: [12, 14, 19],
    },
  ],
  WeirSpoolOld: [
    {
      name: 'I6: nothing is forwarded for an hour, and no event tells of it',
      scene: {
        minutes: 100,
        stepSeconds: 60,
        play: once10({ ...e.spool_backlog, records: 100, bytes: 9_000, oldestMs: 600_000 }),
      },
      quiet: [60, 74],
      fires: { at: 77, labels: p },
    },
  ],
}
