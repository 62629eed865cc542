// Scenes for the alerts on the process itself: each fires where it should, and stays quiet where things only look alike.
import { allCalm, type Case, e, from10, once10, p, start, there } from './night.ts'

export const processCases: Readonly<Record<string, readonly Case[]>> = {
  WeirDown: [
    {
      name: 'the process is gone',
      scene: { minutes: 20, play: allCalm, away: minute => minute >= 10 },
      quiet: [9, 11],
      fires: { at: 13, labels: there },
    },
    {
      name: 'a restart of a minute is nothing',
      scene: { minutes: 20, play: allCalm, away: minute => minute >= 10 && minute < 11 },
      quiet: [10, 11, 12, 15],
    },
  ],
  WeirRestarting: [
    {
      name: 'started five times',
      scene: {
        minutes: 30,
        play: allCalm,
        more: {
          'process_start_time_seconds{job="weir",instance="weir:8080"}': minute => Math.floor(Math.min(minute, 25) / 5),
        },
      },
      quiet: [1, 14],
      fires: { at: 26, labels: there },
    },
  ],
  WeirNotReady: [
    {
      name: 'stopping, and never stopped',
      scene: { minutes: 20, play: once10(e.drain_started) },
      quiet: [9, 14],
      fires: { at: 16, labels: there },
    },
    {
      name: 'never started',
      scene: { minutes: 10, play: () => {} },
      quiet: [4],
      fires: { at: 6, labels: there },
    },
    {
      name: 'standing by is as it should be',
      scene: { minutes: 20, play: (minute, tell) => minute === 0 && tell(start[0]!) },
      quiet: [6, 12, 19],
    },
    {
      name: 'a broker that is away has its own alert',
      scene: { minutes: 20, play: from10({ ...e.commit_retried, code: 'log.unavailable' }) },
      quiet: [16, 19],
    },
  ],
  WeirNoOwner: [
    {
      name: 'two processes, each standing by for the other',
      scene: {
        minutes: 10,
        instances: ['a:8080', 'b:8080'],
        play: (minute, tell) => minute === 0 && tell(start[0]!),
      },
      quiet: [4],
      fires: { at: 6, labels: p },
    },
    {
      name: 'one works, one stands by',
      scene: {
        minutes: 10,
        instances: ['a:8080', 'b:8080'],
        play: (minute, tell, instance) => minute === 0 && tell(...(instance === 'a:8080' ? start : [start[0]!])),
      },
      quiet: [4, 6, 9],
    },
  ],
  WeirMemoryHigh: [
    {
      name: 'above the mark for ten minutes',
      scene: {
        minutes: 40,
        play: allCalm,
        more: {
          'process_resident_memory_bytes{job="weir",instance="weir:8080"}': minute =>
            minute > 2 && minute < 5 ? 480e6 : minute < 20 ? 200e6 : 460e6,
        },
      },
      quiet: [4, 14, 29],
      fires: { at: 31, labels: there },
    },
  ],
}
