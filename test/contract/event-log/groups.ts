// Groups of several members: partitions shared, handed over, fenced.
import { describe, expect, test } from 'vitest'
import type { Consumer } from '../../../src/pipeline/ports.ts'
import { eventually } from '../../support/eventually.ts'
import type { EventLogFeatures, OpenPlace } from '../event-log.ts'
import { done, joinGroup, makeTopic, nameOf, ownBucket, pollSome, readAll, record, text } from './words.ts'

export function groupContract(has: EventLogFeatures, open: OpenPlace): void {
  describe('groups', () => {
    test('a second member takes half of the partitions; together they read every record once', async () => {
      await using place = await open()
      const one = (await place.connect()).log
      const topic = await makeTopic(place, one, 'reviews', { partitions: 4 })
      const { bucket } = await ownBucket(one, nameOf(place, 'p'))
      const group = nameOf(place, 'g')
      const members = [await joinGroup(one, group, topic)]
      members.push(await joinGroup((await place.connect()).log, group, topic))
      await eventually('two members hold two partitions each', async () => {
        const holders = (await one.groups())
          .filter(each => each.group === group && each.member !== null)
          .map(each => each.member!)
        const counts = [...Map.groupBy(holders, member => member).values()].map(each => each.length)
        return counts.length === 2 && counts.every(count => count === 2)
      })
      const records = Array.from({ length: 400 }, (_, i) => record(`k${i}`, `${i}`, { partition: i % 4 }))
      await bucket.transact({ appends: [{ topic, records }], cursors: [] })
      const seen = await Promise.all(members.map(consumePartitions))
      expect(seen.map(each => each.partitions.size)).toEqual([2, 2])
      expect(seen.flatMap(each => each.values).sort((a, b) => a - b)).toEqual(Array.from({ length: 400 }, (_, i) => i))
    })

    test('a partition asked back is handed over once its batch is committed, and nothing comes twice', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews', { partitions: 2 })
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      const records = [0, 1].flatMap(partition =>
        Array.from({ length: 10 }, (_, i) => record('k', `${partition}:${i}`, { partition })),
      )
      await bucket.transact({ appends: [{ topic, records }], cursors: [] })
      const asked = Promise.withResolvers<number>()
      const group = nameOf(place, 'g')
      const one = await joinGroup(log, group, topic, {
        revoked: async partition => asked.resolve(partition),
      })
      const inWork = [(await pollSome(one, { maxRecords: 4 }))!, (await pollSome(one, { maxRecords: 4 }))!]
      const two = await joinGroup((await place.connect()).log, group, topic)
      const moving = await asked.promise
      expect(await pollSome(two, { maxWaitMs: 100 })).toBeNull()
      for (const batch of inWork) await done(one, batch)
      const first = (await pollSome(two))!
      expect([first.partition, text(first.records[0]!.value)]).toEqual([moving, `${moving}:4`])
    })

    test('I1: a commit after the partition went to another member is refused, with its records', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const target = await makeTopic(place, log, 'target')
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      await bucket.transact({ appends: [{ topic, records: [record('k', 'v')] }], cursors: [] })
      const one = await joinGroup(log, nameOf(place, 'g'), topic)
      const batch = (await pollSome(one))!
      await one[Symbol.asyncDispose]()
      const two = await joinGroup(log, nameOf(place, 'g'), topic)
      await pollSome(two)
      const late = one.commit(
        [{ topic, partition: 0, offset: batch.nextOffset }],
        [{ topic: target, records: [record('k', 'twice')] }],
      )
      await expect(late).rejects.toMatchObject({ code: 'log.fenced' })
      expect(await readAll(log, target)).toEqual([])
    })

    test.skipIf(!has.freeze)(
      'I1: a frozen member that wakes up after its partition moved commits nothing (freeze)',
      async () => {
        await using place = await open()
        const frozen = await place.connect()
        const topic = await makeTopic(place, frozen.log, 'reviews')
        const target = await makeTopic(place, frozen.log, 'target')
        const { bucket } = await ownBucket((await place.connect()).log, nameOf(place, 'p'))
        await bucket.transact({ appends: [{ topic, records: [record('k', 'v')] }], cursors: [] })
        const one = await joinGroup(frozen.log, nameOf(place, 'g'), topic)
        const batch = (await pollSome(one))!
        frozen.freeze()
        const two = await joinGroup((await place.connect()).log, nameOf(place, 'g'), topic)
        const again = (await pollSome(two))!
        expect(again.records.length).toBe(1)
        const next = [{ topic, partition: 0, offset: batch.nextOffset }]
        await expect(one.commit(next, [{ topic: target, records: [record('k', 'zombie')] }])).rejects.toMatchObject({
          code: 'log.fenced',
        })
        await two.commit(next, [{ topic: target, records: [record('k', 'once')] }])
        expect((await readAll(frozen.log, target)).map(each => text(each.value))).toEqual(['once'])
      },
    )

    test.skipIf(!has.freeze)(
      'I1: a batch of before the partition moved is refused, even where the partition has come back (freeze)',
      async () => {
        await using place = await open()
        const { log, freeze, thaw } = await place.connect()
        const topic = await makeTopic(place, log, 'reviews')
        const target = await makeTopic(place, log, 'target')
        const other = await place.connect()
        const { bucket } = await ownBucket(other.log, nameOf(place, 'p'))
        const group = nameOf(place, 'g')
        await bucket.transact({ appends: [{ topic, records: [record('k', 'a'), record('k', 'b')] }], cursors: [] })
        const one = await joinGroup(log, group, topic)
        const batch = (await pollSome(one, { maxRecords: 1 }))!
        freeze()
        const two = await joinGroup(other.log, group, topic)
        await two.commit(
          [{ topic, partition: 0, offset: (await pollSome(two))!.nextOffset }],
          [{ topic: target, records: [record('k', 'a'), record('k', 'b')] }],
        )
        const holder = async () => (await other.log.groups()).find(each => each.group === group)?.member ?? null
        const second = await holder()
        await two[Symbol.asyncDispose]()
        thaw()
        await eventually('the first member has the partition again', async () => {
          const member = await holder()
          return member !== null && member !== second
        })
        const late = one.commit(
          [{ topic, partition: 0, offset: batch.nextOffset }],
          [{ topic: target, records: [record('k', 'a again')] }],
        )
        await expect(late).rejects.toMatchObject({ code: 'log.fenced' })
        expect((await readAll(log, target)).map(each => text(each.value))).toEqual(['a', 'b'])
        await bucket.transact({ appends: [{ topic, records: [record('k', 'c')] }], cursors: [] })
        expect((await pollSome(one))!.records.map(each => text(each.value))).toEqual(['c'])
      },
    )

    test('an exclusive group has one reader; another stands by and takes over', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews', { partitions: 3 })
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      const group = nameOf(place, 'g')
      const one = await joinGroup(log, group, topic, { exclusive: true })
      const two = await joinGroup((await place.connect()).log, group, topic, { exclusive: true })
      const records = [0, 1, 2].map(partition => record('k', `${partition}`, { partition }))
      await bucket.transact({ appends: [{ topic, records }], cursors: [] })
      for (let i = 0; i < 3; i++) await done(one, (await pollSome(one))!)
      expect(await pollSome(two, { maxWaitMs: 100 })).toBeNull()
      await one[Symbol.asyncDispose]()
      await bucket.transact({ appends: [{ topic, records }], cursors: [] })
      const taken: number[] = []
      for (let i = 0; i < 3; i++) {
        const batch = (await pollSome(two))!
        taken.push(batch.partition)
        await done(two, batch)
      }
      expect(taken.sort()).toEqual([0, 1, 2])
    })

    test('groups are listed with offset, lag and member', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      await bucket.transact({ appends: [{ topic, records: [record('k', 'a'), record('k', 'b')] }], cursors: [] })
      const group = nameOf(place, 'g')
      const consumer = await joinGroup(log, group, topic)
      await done(consumer, (await pollSome(consumer, { maxRecords: 1 }))!)
      const [found] = (await log.groups()).filter(each => each.group === group)
      expect(found).toMatchObject({ group, topic, partition: 0, offset: 1n })
      expect(found!.member).not.toBeNull()
      if (has.denseOffsets) expect(found!.lag).toBe(1n)
      await consumer[Symbol.asyncDispose]()
      await eventually(
        'the group has no member',
        async () => (await log.groups()).find(each => each.group === group)?.member === null,
      )
    })
  })
}

async function consumePartitions(consumer: Consumer): Promise<{ values: number[]; partitions: Set<number> }> {
  const values: number[] = []
  const partitions = new Set<number>()
  for (;;) {
    const batch = await pollSome(consumer, { maxRecords: 30, maxWaitMs: 2_000 })
    if (batch === null) return { values, partitions }
    partitions.add(batch.partition)
    values.push(...batch.records.map(each => Number(text(each.value))))
    await done(consumer, batch)
  }
}
