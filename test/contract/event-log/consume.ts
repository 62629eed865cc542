// Reading as a group: batches, offsets, redelivery, waiting at the end.
import { describe, expect, test } from 'vitest'
import type { EventLogFeatures, OpenPlace } from '../event-log.ts'
import {
  consumeAll,
  done,
  joinGroup,
  makeTopic,
  nameOf,
  ownBucket,
  pollSome,
  readAll,
  record,
  values,
} from './words.ts'

const numbered = (count: number, key = 'k') => Array.from({ length: count }, (_, i) => record(key, `${i}`))

export function consumeContract(has: EventLogFeatures, open: OpenPlace): void {
  describe('consuming', () => {
    test('a group reads every record once, in order, and goes on where it stopped', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      await bucket.transact({ appends: [{ topic, records: numbered(250) }], cursors: [] })
      const first = await joinGroup(log, nameOf(place, 'g'), topic)
      const batch = (await pollSome(first, { maxRecords: 100 }))!
      expect(values(batch.records)).toEqual(values(batch.records).map((_, i) => `${i}`))
      expect(batch.records.length).toBeLessThanOrEqual(100)
      await done(first, batch)
      await first[Symbol.asyncDispose]()
      const second = await joinGroup((await place.connect()).log, nameOf(place, 'g'), topic)
      const rest = await consumeAll(second)
      expect(values(rest)).toEqual(
        Array.from({ length: 250 - batch.records.length }, (_, i) => `${i + batch.records.length}`),
      )
    })

    test('what was not committed is read again by the next member', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      await bucket.transact({ appends: [{ topic, records: numbered(3) }], cursors: [] })
      const first = await joinGroup(log, nameOf(place, 'g'), topic)
      expect(values((await pollSome(first))!.records)).toEqual(['0', '1', '2'])
      await first[Symbol.asyncDispose]()
      const second = await joinGroup(log, nameOf(place, 'g'), topic)
      expect(values((await pollSome(second))!.records)).toEqual(['0', '1', '2'])
    })

    test('one batch of a partition is in work; release gives it again', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      await bucket.transact({ appends: [{ topic, records: numbered(4) }], cursors: [] })
      const consumer = await joinGroup(log, nameOf(place, 'g'), topic)
      const batch = (await pollSome(consumer, { maxRecords: 2 }))!
      expect(values(batch.records)).toEqual(['0', '1'])
      expect(await pollSome(consumer, { maxWaitMs: 50 })).toBeNull()
      consumer.release(batch.partition)
      const again = (await pollSome(consumer, { maxRecords: 2 }))!
      expect(values(again.records)).toEqual(['0', '1'])
      await done(consumer, again)
      expect(values((await pollSome(consumer))!.records)).toEqual(['2', '3'])
    })

    test('a part of a batch may be committed; the rest comes again', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      await bucket.transact({ appends: [{ topic, records: numbered(4) }], cursors: [] })
      const consumer = await joinGroup(log, nameOf(place, 'g'), topic)
      const batch = (await pollSome(consumer))!
      await consumer.commit([{ topic, partition: 0, offset: batch.records[2]!.offset }], [])
      expect(values((await pollSome(consumer))!.records)).toEqual(['2', '3'])
    })

    test('partitions take turns, and limits on records and bytes hold', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews', { partitions: 3 })
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      const records = [0, 1, 2].flatMap(partition =>
        Array.from({ length: 20 }, (_, i) => record('k', `${i}`.padStart(100), { partition })),
      )
      await bucket.transact({ appends: [{ topic, records }], cursors: [] })
      const consumer = await joinGroup(log, nameOf(place, 'g'), topic)
      const seen: number[] = []
      for (let i = 0; i < 3; i++) {
        const batch = (await pollSome(consumer, { maxRecords: 10, maxBytes: 505 }))!
        seen.push(batch.partition)
        expect(batch.records.length).toBeGreaterThan(0)
        expect(batch.records.length).toBeLessThanOrEqual(5)
        await done(consumer, batch)
      }
      expect(seen.sort()).toEqual([0, 1, 2])
    })

    test('one record is given however small the limit on bytes', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      await bucket.transact({
        appends: [{ topic, records: [record('k', 'x'.repeat(5000)), record('k', 'y')] }],
        cursors: [],
      })
      const consumer = await joinGroup(log, nameOf(place, 'g'), topic)
      expect((await pollSome(consumer, { maxBytes: 10 }))!.records.length).toBe(1)
    })

    test('a member at the end is woken by an append of this process, and of another one', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      const here = await joinGroup(log, nameOf(place, 'here'), topic)
      const there = await joinGroup((await place.connect()).log, nameOf(place, 'there'), topic)
      const waiting = [pollSome(here), pollSome(there)]
      expect(await pollSome(await joinGroup(log, nameOf(place, 'idle'), topic), { maxWaitMs: 30 })).toBeNull()
      await bucket.transact({ appends: [{ topic, records: [record('k', 'late')] }], cursors: [] })
      for (const fetched of await Promise.all(waiting)) expect(values(fetched!.records)).toEqual(['late'])
    })

    test('a wait at the end stops with its signal', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const consumer = await joinGroup(log, nameOf(place, 'g'), topic)
      const stop = new AbortController()
      const waiting = pollSome(consumer, { maxWaitMs: 60_000, signal: stop.signal })
      stop.abort(new Error('enough'))
      await expect(waiting).rejects.toThrow('enough')
    })

    test('a group that starts at the end reads only what comes later', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      await bucket.transact({ appends: [{ topic, records: [record('k', 'old')] }], cursors: [] })
      const consumer = await joinGroup(log, nameOf(place, 'g'), topic, { start: 'latest' })
      expect(await pollSome(consumer, { maxWaitMs: 50 })).toBeNull()
      await bucket.transact({ appends: [{ topic, records: [record('k', 'new')] }], cursors: [] })
      expect(values((await pollSome(consumer))!.records)).toEqual(['new'])
    })

    test('startAt wins over the offset of the group, which it is told', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews', { partitions: 2 })
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      const records = [0, 1].flatMap(partition =>
        Array.from({ length: 4 }, (_, i) => record('k', `${partition}:${i}`, { partition })),
      )
      await bucket.transact({ appends: [{ topic, records }], cursors: [] })
      const first = await joinGroup(log, nameOf(place, 'g'), topic)
      await first.commit([{ topic, partition: 0, offset: 2n }], [])
      await first[Symbol.asyncDispose]()
      const told = new Map<number, bigint | null>()
      const second = await joinGroup(log, nameOf(place, 'g'), topic, {
        startAt: (partition, committed) => {
          told.set(partition, committed)
          return partition === 0 ? 3n : null
        },
      })
      expect(values(await consumeAll(second)).sort()).toEqual(['0:3', '1:0', '1:1', '1:2', '1:3'])
      expect(told).toEqual(
        new Map<number, bigint | null>([
          [0, 2n],
          [1, null],
        ]),
      )
    })

    test('I1: offsets and appended records are one transaction', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const target = await makeTopic(place, log, 'target', { maxRecordBytes: 100 })
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      await bucket.transact({ appends: [{ topic, records: numbered(2) }], cursors: [] })
      const consumer = await joinGroup(log, nameOf(place, 'g'), topic)
      const batch = (await pollSome(consumer))!
      const next = [{ topic, partition: 0, offset: batch.nextOffset }]
      await expect(
        consumer.commit(next, [{ topic: target, records: [record('k', 'fits'), record('k', 'x'.repeat(101))] }]),
      ).rejects.toMatchObject({ code: 'log.record_too_large' })
      expect(await readAll(log, target)).toEqual([])
      consumer.release(0)
      expect(values((await pollSome(consumer))!.records)).toEqual(['0', '1'])
      await consumer.commit(next, [{ topic: target, records: [record('k', 'fits')] }])
      expect(values(await readAll(log, target))).toEqual(['fits'])
      expect(await pollSome(consumer, { maxWaitMs: 50 })).toBeNull()
    })

    test('I1: after renew, reading goes on from the stored offsets', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      await bucket.transact({ appends: [{ topic, records: numbered(4) }], cursors: [] })
      const consumer = await joinGroup(log, nameOf(place, 'g'), topic)
      await done(consumer, (await pollSome(consumer, { maxRecords: 2 }))!)
      await pollSome(consumer, { maxRecords: 1 })
      await consumer.renew()
      const batch = (await pollSome(consumer))!
      expect(values(batch.records)).toEqual(['2', '3'])
      await done(consumer, batch)
    })

    test('lag counts what the group has not committed', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews', { partitions: 2 })
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      const records = [0, 1].flatMap(partition =>
        Array.from({ length: 3 }, (_, i) => record('k', `${i}`, { partition })),
      )
      await bucket.transact({ appends: [{ topic, records }], cursors: [] })
      const consumer = await joinGroup(log, nameOf(place, 'g'), topic)
      const before = await consumer.lag()
      if (has.denseOffsets) expect(before).toBe(6n)
      const batch = (await pollSome(consumer))!
      expect(await consumer.lag()).toBe(before)
      await done(consumer, batch)
      expect(await consumer.lag()).toBeLessThanOrEqual(before - BigInt(batch.records.length))
    })

    test('joining needs a topic, and commits stay inside it', async () => {
      await using place = await open()
      const { log } = await place.connect()
      await expect(joinGroup(log, nameOf(place, 'g'), nameOf(place, 'nowhere'))).rejects.toMatchObject({
        code: 'log.topic_unknown',
      })
      const topic = await makeTopic(place, log, 'reviews')
      const consumer = await joinGroup(log, nameOf(place, 'g'), topic)
      await expect(consumer.commit([{ topic, partition: 0, offset: 5n }], [])).rejects.toMatchObject({
        code: 'log.invalid',
      })
      await expect(consumer.commit([{ topic, partition: 7, offset: 0n }], [])).rejects.toMatchObject({
        code: 'log.invalid',
      })
    })
  })
}
