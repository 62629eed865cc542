// Topics: made once, checked ever after.
import { describe, expect, test } from 'vitest'
import type { OpenPlace } from '../event-log.ts'
import { makeTopic, nameOf, ownBucket, record } from './words.ts'

const limits = { retentionMs: null, retentionBytes: null, maxRecordBytes: 1000 }

export function topicContract(open: OpenPlace): void {
  describe('topics', () => {
    test('a topic is created once; asking again says it was there', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const spec = { name: nameOf(place, 'reviews'), partitions: 3, ...limits }
      const first = await log.ensureTopic(spec)
      expect(first.created).toBe(true)
      expect(first.info.partitionInfo.map(each => [each.partition, each.earliest, each.latest])).toEqual([
        [0, 0n, 0n],
        [1, 0n, 0n],
        [2, 0n, 0n],
      ])
      expect((await log.ensureTopic(spec)).created).toBe(false)
    })

    test('limits of a topic that is there are brought up to date', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const spec = { name: nameOf(place, 'reviews'), partitions: 1, ...limits }
      await log.ensureTopic(spec)
      const { info } = await log.ensureTopic({ ...spec, retentionMs: 3_600_000, maxRecordBytes: 2000 })
      expect(info).toMatchObject({ retentionMs: 3_600_000, maxRecordBytes: 2000 })
      expect(await log.topic(spec.name)).toMatchObject({ retentionMs: 3_600_000, maxRecordBytes: 2000 })
    })

    test('another number of partitions is refused', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const name = await makeTopic(place, log, 'reviews', { partitions: 2 })
      await expect(log.ensureTopic({ name, partitions: 3, ...limits })).rejects.toMatchObject({
        code: 'log.topic_conflict',
      })
    })

    test.each(['', '.', '..', 'a/b', 'a b', 'ä', 'x'.repeat(250)])('the name %j is refused', async name => {
      await using place = await open()
      const { log } = await place.connect()
      await expect(log.ensureTopic({ name, partitions: 1, ...limits })).rejects.toMatchObject({ code: 'log.invalid' })
    })

    test('topics are listed, and one that is not there is null', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const a = await makeTopic(place, log, 'a')
      const b = await makeTopic(place, log, 'b', { partitions: 2 })
      const listed = (await log.topics()).filter(each => each.name.startsWith(place.prefix))
      expect(listed.map(each => [each.name, each.partitions]).sort()).toEqual([
        [a, 1],
        [b, 2],
      ])
      expect(await log.topic(nameOf(place, 'c'))).toBeNull()
    })

    test('the ends of a partition move with what is appended, for every process', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      await bucket.transact({ appends: [{ topic, records: [record('k', 'a'), record('k', 'b')] }], cursors: [] })
      const other = (await place.connect()).log
      const [partition] = (await other.topic(topic))!.partitionInfo
      expect(partition!.earliest).toBe(0n)
      expect(partition!.latest).toBeGreaterThanOrEqual(2n)
    })
  })
}
