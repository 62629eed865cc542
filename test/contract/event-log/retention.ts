// Retention: old records go, offsets stay what they were.
import { describe, expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import type { EventLogFeatures, OpenPlace } from '../event-log.ts'
import { done, joinGroup, makeTopic, nameOf, ownBucket, pollSome, readAll, record, text } from './words.ts'

export function retentionContract(has: EventLogFeatures, open: OpenPlace): void {
  describe.skipIf(!has.quickRetention)('retention (quickRetention)', () => {
    async function fill(more: { retentionMs?: number; retentionBytes?: number }, timestampMs: (i: number) => number) {
      const place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews', more)
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      for (let i = 0; i < 10; i++) {
        const records = Array.from({ length: 10 }, (_, n) =>
          record('k', `${i * 10 + n}`.padStart(1000), { timestampMs: timestampMs(i) }),
        )
        await bucket.transact({ appends: [{ topic, records }], cursors: [] })
      }
      const earliest = async () => (await log.topic(topic))!.partitionInfo[0]!.earliest
      return { place, log, topic, bucket, earliest }
    }

    test('records older than the topic keeps them go; the offsets of the others stay', async () => {
      const { place, log, topic, earliest } = await fill({ retentionMs: 3_600_000 }, i =>
        i < 4 ? Date.now() - 7_200_000 : Date.now(),
      )
      await using _ = place
      await eventually('the old records are gone', async () => (await earliest()) === 40n)
      const left = await readAll(log, topic)
      expect(left.map(each => [each.offset, Number(text(each.value))])).toEqual(
        Array.from({ length: 60 }, (_, i) => [BigInt(i + 40), i + 40]),
      )
    })

    test('the oldest records go when the topic is too large; the newest stay', async () => {
      const { place, log, topic, bucket, earliest } = await fill({ retentionBytes: 35_000 }, i => 1_700_000_000_000 + i)
      await using _ = place
      await eventually(
        'the topic is small again',
        async () => (await earliest()) >= 60n && ((await log.topic(topic))!.bytes ?? 0) <= 35_000,
      )
      expect(text((await readAll(log, topic)).at(-1)!.value)!.trim()).toBe('99')
      await bucket.transact({ appends: [{ topic, records: [record('k', 'next')] }], cursors: [] })
      expect((await readAll(log, topic)).at(-1)!.offset).toBe(100n)
    })

    test('a group whose offset is gone stops, or goes on with what is left, as it was told', async () => {
      const { place, log, topic, earliest } = await fill({}, () => Date.now())
      await using _ = place
      const names = ['stop', 'earliest'] as const
      for (const name of names) {
        const consumer = await joinGroup(log, nameOf(place, name), topic)
        await done(consumer, (await pollSome(consumer, { maxRecords: 5 }))!)
        await consumer[Symbol.asyncDispose]()
      }
      await log.ensureTopic({
        name: topic,
        partitions: 1,
        retentionMs: null,
        retentionBytes: 20_000,
        maxRecordBytes: 1024 * 1024,
      })
      await eventually('records are gone', async () => (await earliest()) > 5n)
      const stopped = await joinGroup(log, nameOf(place, 'stop'), topic)
      await expect(pollSome(stopped)).rejects.toMatchObject({ code: 'log.offset_out_of_range' })
      const missed: [number, bigint, bigint][] = []
      const going = await joinGroup(log, nameOf(place, 'earliest'), topic, {
        outOfRange: 'earliest',
        missed: (...each) => missed.push(each),
      })
      const left = await earliest()
      const [first] = (await pollSome(going))!.records
      expect(first!.offset).toBeGreaterThanOrEqual(left)
      expect(missed).toEqual([[0, 5n, first!.offset]])
    })
  })
}
