// Scenes for the alerts on records and their consumers: each fires where it should, and stays quiet where things only look alike.
import { batch, type Case, calm, consumed, e, from10, once10, p, passed, start, there } from './night.ts'

export const recordCases: Readonly<Record<string, readonly Case[]>> = {
  WeirUnaccountedRecords: [
    {
      name: 'I2: a lost record',
      scene: { minutes: 20, play: once10({ ...e.records_fetched, count: 1 }) },
      quiet: [9, 14],
      fires: { at: 16, labels: { ...p, instance: there.instance } },
    },
    {
      name: 'I2: a doubled record',
      scene: { minutes: 20, play: once10({ ...e.batch_appended, records: 1, deadLetters: 0 }) },
      quiet: [9, 14],
      fires: { at: 16, labels: { ...p, instance: there.instance } },
    },
    {
      name: 'I2: drops and dead letters are accounted for',
      scene: {
        minutes: 20,
        play: once10(
          { ...e.records_fetched, count: 5 },
          { ...e.records_dropped, count: 2 },
          {
            ...e.batch_appended,
            records: 2,
            deadLetters: 1,
          },
        ),
      },
      quiet: [11, 16, 19],
    },
  ],
  WeirDeadLetters: [
    {
      name: 'a tenth is refused',
      scene: { minutes: 30, play: from10(...batch(18, 2), passed) },
      quiet: [9, 12],
      fires: { at: 20, labels: p },
    },
    {
      name: 'the consumer refuses what the producer stored',
      scene: {
        minutes: 30,
        play: from10(...batch(10), { ...e.batch_consumed, records: 8, filtered: 0, deadLetters: 2 }),
      },
      quiet: [9],
      fires: { at: 20, labels: p },
    },
    {
      name: 'producer and consumer refuse a few each',
      scene: {
        minutes: 30,
        play: (minute, tell) => {
          tell(...(minute === 0 ? start : []), ...calm)
          if (minute === 10) tell(...batch(1, 7), { ...e.batch_consumed, records: 0, filtered: 0, deadLetters: 7 })
        },
      },
      quiet: [9, 29],
      fires: { at: 14, labels: p },
    },
    { name: 'one in a hundred', scene: { minutes: 40, play: from10(...batch(198, 2), passed) }, quiet: [20, 39] },
    { name: 'a single one of few', scene: { minutes: 30, play: once10(...batch(1, 5)) }, quiet: [12, 29] },
  ],
  WeirConsumerLag: [
    {
      name: 'far behind in two processes together',
      scene: {
        minutes: 40,
        instances: ['a:8080', 'b:8080'],
        play: from10(...consumed(1_000, 60_000)),
      },
      quiet: [9, 24],
      fires: { at: 26, labels: { ...p, group: 'g' } },
    },
    {
      name: 'as far as is allowed',
      scene: { minutes: 40, play: from10(...consumed(1_000, 100_000)) },
      quiet: [26, 39],
    },
  ],
  WeirConsumerStuck: [
    {
      name: 'records to read, and none is read',
      scene: { minutes: 40, play: from10(...batch(10), { ...e.lag, lag: 30 }) },
      quiet: [9, 25],
      fires: { at: 32, labels: { ...p, ...there, group: 'g' } },
    },
    {
      name: 'never read any',
      scene: { minutes: 30, play: (minute, tell) => tell(...(minute === 0 ? start : []), { ...e.lag, lag: 5 }) },
      quiet: [9],
      fires: { at: 12, labels: { ...p, ...there, group: 'g' } },
    },
    {
      name: 'behind, but reading and filtering',
      scene: { minutes: 40, play: from10(...consumed(0, 5, 10)) },
      quiet: [25, 39],
    },
    { name: 'all is read', scene: { minutes: 40, play: from10({ ...e.lag, lag: 0 }) }, quiet: [25, 39] },
  ],
  WeirSinkFailing: [
    {
      name: 'deliveries fail',
      scene: { minutes: 20, play: from10(e.sink_failed) },
      quiet: [9, 14],
      fires: { at: 16, labels: p },
    },
    { name: 'delivered at the second attempt', scene: { minutes: 20, play: once10(e.sink_failed) }, quiet: [15] },
  ],
}
