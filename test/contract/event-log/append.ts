// Transactions: what is written, in which order, all or nothing.
import { describe, expect, test } from 'vitest'
import { bucketOf, partitionOf } from '../../../src/core/murmur2.ts'
import type { OpenPlace } from '../event-log.ts'
import { bytes, joinPipeline, makeTopic, nameOf, ownBucket, readAll, record, text, values } from './words.ts'

export function appendContract(open: OpenPlace): void {
  describe('transactions', () => {
    test('records come back as they were written', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      const binary = Uint8Array.from({ length: 256 }, (_, i) => i)
      const headers = [
        ['weir-id', 'p/s/größe'],
        ['tag', binary],
        ['tag', ''],
      ] as const
      await bucket.transact({
        appends: [{ topic, records: [{ key: binary, value: binary, headers, timestampMs: 1_699_999_999_999 }] }],
        cursors: [],
      })
      const [found] = await readAll(log, topic)
      expect(found).toMatchObject({ topic, partition: 0, offset: 0n, timestampMs: 1_699_999_999_999 })
      expect([...found!.key!]).toEqual([...binary])
      expect([...found!.value!]).toEqual([...binary])
      expect(found!.headers.map(([name, value]) => [name, [...value]])).toEqual([
        ['weir-id', [...bytes('p/s/größe')]],
        ['tag', [...binary]],
        ['tag', []],
      ])
    })

    test('tombstones, missing keys, empty keys and empty values stay apart', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      await bucket.transact({
        appends: [{ topic, records: [record('k', null), record(null, 'v'), record('', '')] }],
        cursors: [],
      })
      expect((await readAll(log, topic)).map(each => [text(each.key), text(each.value)])).toEqual([
        ['k', null],
        [null, 'v'],
        ['', ''],
      ])
    })

    test('a record may have 1,000 headers', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      const headers = Array.from({ length: 1000 }, (_, i) => [`h${i % 7}`, `${i}`] as const)
      await bucket.transact({ appends: [{ topic, records: [record('k', 'v', { headers })] }], cursors: [] })
      const [found] = await readAll(log, topic)
      expect(found!.headers.map(([name, value]) => [name, text(value)])).toEqual(headers)
    })

    test('I3: per key, records stand in the order given, in the partition of murmur2', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews', { partitions: 5 })
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      const all = Array.from({ length: 3000 }, (_, i) => record(`k${(i * 7) % 40}`, `${i}`))
      for (let i = 0; i < all.length; i += 700)
        await bucket.transact({ appends: [{ topic, records: all.slice(i, i + 700) }], cursors: [] })
      const last = new Map<string, number>()
      const found = await readAll(log, topic)
      for (const each of found) {
        const key = text(each.key)!
        expect(each.partition).toBe(partitionOf(bytes(key), 5))
        expect(Number(text(each.value))).toBeGreaterThan(last.get(key) ?? -1)
        last.set(key, Number(text(each.value)))
      }
      expect(found.length).toBe(3000)
    })

    test('offsets of a partition only grow, and start at 0', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      for (const value of ['a', 'b', 'c'])
        await bucket.transact({ appends: [{ topic, records: [record('k', value)] }], cursors: [] })
      const found = await readAll(log, topic)
      expect(found[0]!.offset).toBe(0n)
      expect(found.every((each, i) => i === 0 || each.offset > found[i - 1]!.offset)).toBe(true)
      expect(values(found)).toEqual(['a', 'b', 'c'])
    })

    test('a record goes to the partition it names; without a key, batches take turns', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews', { partitions: 3 })
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      await bucket.transact({ appends: [{ topic, records: [record('k', 'named', { partition: 2 })] }], cursors: [] })
      expect(values(await readAll(log, topic, 2))).toEqual(['named'])
      for (let i = 0; i < 3; i++)
        await bucket.transact({ appends: [{ topic, records: [record(null, 'x'), record(null, 'y')] }], cursors: [] })
      const placed = (await readAll(log, topic)).filter(each => each.key === null)
      expect(new Set(placed.map(each => each.partition)).size).toBe(3)
      await expect(
        bucket.transact({ appends: [{ topic, records: [record('k', 'v', { partition: 3 })] }], cursors: [] }),
      ).rejects.toMatchObject({ code: 'log.invalid' })
    })

    test('I1: records of several topics and cursors become visible together', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews', { partitions: 3 })
      const dead = await makeTopic(place, log, 'reviews_dlq')
      const pipeline = nameOf(place, 'p')
      const { bucket } = await ownBucket(log, pipeline)
      await bucket.transact({
        appends: [
          { topic, records: [record('a', '1'), record('b', '2')] },
          { topic: dead, records: [record(null, 'bad')] },
        ],
        cursors: [
          { split: 's1', value: 'page 1' },
          { split: 's2', value: 'page 9' },
        ],
      })
      expect(values(await readAll(log, topic)).sort()).toEqual(['1', '2'])
      expect(values(await readAll(log, dead))).toEqual(['bad'])
      expect((await log.cursors(pipeline)).map(each => [each.split, each.value])).toEqual([
        ['s1', 'page 1'],
        ['s2', 'page 9'],
      ])
    })

    test('I1: of a refused transaction nothing is there', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const small = await makeTopic(place, log, 'small', { maxRecordBytes: 64 })
      const pipeline = nameOf(place, 'p')
      const { bucket } = await ownBucket(log, pipeline)
      const cursors = [{ split: 's', value: 'moved' }]
      const good = { topic, records: [record('k', 'v')] }
      const refused = [
        { code: 'log.record_too_large', append: { topic: small, records: [record('k', 'x'.repeat(65))] } },
        { code: 'log.topic_unknown', append: { topic: nameOf(place, 'nowhere'), records: [record('k', 'v')] } },
        { code: 'log.invalid', append: { topic, records: [record('k', 'v', { timestampMs: Number.NaN })] } },
      ]
      for (const { code, append } of refused)
        await expect(bucket.transact({ appends: [good, append], cursors })).rejects.toMatchObject({ code })
      expect(await readAll(log, topic)).toEqual([])
      expect(await readAll(log, small)).toEqual([])
      expect(await log.cursors(pipeline)).toEqual([])
      await bucket.transact({ appends: [good], cursors })
      expect(values(await readAll(log, topic))).toEqual(['v'])
    })

    test('I5: a transaction that is refused for some of its records names them all; the others are taken without them', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const small = await makeTopic(place, log, 'small', { maxRecordBytes: 64 })
      const pipeline = nameOf(place, 'p')
      const { bucket } = await ownBucket(log, pipeline)
      const large = record('k', 'x'.repeat(65))
      const good = { topic, records: [record('k', 'v')] }
      const cursors = [{ split: 's', value: 'moved' }]
      const mixed = { topic: small, records: [record('a', '1'), large, record('b', '2'), large] }
      await expect(bucket.transact({ appends: [good, mixed], cursors })).rejects.toMatchObject({
        code: 'log.record_too_large',
        message: expect.stringContaining('at most 64 bytes'),
        records: [
          { append: 1, record: 1 },
          { append: 1, record: 3 },
        ],
      })
      expect(await log.cursors(pipeline)).toEqual([])
      const rest = mixed.records.filter(each => each !== large)
      await bucket.transact({ appends: [good, { topic: small, records: rest }], cursors })
      expect(values(await readAll(log, small))).toEqual(['1', '2'])
      expect(values(await readAll(log, topic))).toEqual(['v'])
    })

    test('a record of the largest size fits', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const size = 900_000
      const topic = await makeTopic(place, log, 'reviews', { maxRecordBytes: 1024 * 1024 })
      const { bucket } = await ownBucket(log, nameOf(place, 'p'))
      const value = new Uint8Array(size).map((_, i) => (i * 31) % 251)
      await bucket.transact({
        appends: [{ topic, records: [record('k', 'before'), { ...record('k', null), value }, record('k', 'after')] }],
        cursors: [],
      })
      const found = await readAll(log, topic)
      expect(found.map(each => each.value!.length)).toEqual([6, size, 5])
      expect(Buffer.compare(found[1]!.value!, value)).toBe(0)
    })

    test('cursors without records, and records without cursors, are transactions too', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const pipeline = nameOf(place, 'p')
      const { bucket } = await ownBucket(log, pipeline)
      await bucket.transact({ appends: [], cursors: [{ split: 's', value: 'end' }] })
      await bucket.transact({ appends: [{ topic, records: [record('k', 'v')] }], cursors: [] })
      expect((await log.cursors(pipeline)).map(each => each.value)).toEqual(['end'])
      await bucket.transact({ appends: [], cursors: [{ split: 's', value: null }] })
      expect(await log.cursors(pipeline)).toEqual([])
    })

    test('a bucket refuses the cursor of a split that belongs to another bucket', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const owner = await joinPipeline(log, nameOf(place, 'p'), 4)
      await owner.owns(4)
      const own = bucketOf('split', 4)
      await owner.buckets.get(own)!.transact({ appends: [], cursors: [{ split: 'split', value: '1' }] })
      await expect(
        owner.buckets.get((own + 1) % 4)!.transact({ appends: [], cursors: [{ split: 'split', value: '2' }] }),
      ).rejects.toMatchObject({ code: 'log.invalid' })
    })
  })
}
