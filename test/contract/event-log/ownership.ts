// Buckets: one owner each, newest epoch wins, cursors read when an epoch begins (I1, I7).
import { describe, expect, test } from 'vitest'
import { bucketOf } from '../../../src/core/murmur2.ts'
import { eventually, holds } from '../../support/eventually.ts'
import type { EventLogFeatures, OpenPlace } from '../event-log.ts'
import { joinPipeline, makeTopic, nameOf, ownBucket, readAll, record, values } from './words.ts'

export function ownershipContract(has: EventLogFeatures, open: OpenPlace): void {
  describe('ownership', () => {
    test('a new owner finds the cursors as they were left, of its own splits only', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const pipeline = nameOf(place, 'p')
      const splits = Array.from({ length: 12 }, (_, i) => `asin=B${i}`)
      const first = await joinPipeline(log, pipeline, 3)
      await first.owns(3)
      for (const split of splits)
        await first.buckets
          .get(bucketOf(split, 3))!
          .transact({ appends: [], cursors: [{ split, value: `after ${split}` }] })
      await first[Symbol.asyncDispose]()
      const second = await joinPipeline((await place.connect()).log, pipeline, 3)
      await second.owns(3)
      for (const [number, { cursors }] of second.buckets) {
        expect([...cursors.keys()].sort()).toEqual(splits.filter(split => bucketOf(split, 3) === number).sort())
        for (const [split, { value }] of cursors) expect(value).toBe(`after ${split}`)
      }
    })

    test('I7: two members share the buckets, none is owned twice; the one that stays takes all back', async () => {
      await using place = await open()
      const pipeline = nameOf(place, 'p')
      const one = await joinPipeline((await place.connect()).log, pipeline, 6)
      await one.owns(6)
      expect(await one.producer.settled()).toBe(true)
      const two = await joinPipeline((await place.connect()).log, pipeline, 6)
      await Promise.all([one.owns(3), two.owns(3)])
      expect([...one.buckets.keys(), ...two.buckets.keys()].sort()).toEqual([0, 1, 2, 3, 4, 5])
      expect(one.revoked.length).toBe(3)
      await two[Symbol.asyncDispose]()
      await one.owns(6)
      expect(one.lost).toEqual([])
    })

    test('a bucket is handed over only after the work on it has drained', async () => {
      await using place = await open()
      const pipeline = nameOf(place, 'p')
      const drained = Promise.withResolvers<void>()
      const asked = Promise.withResolvers<number>()
      const { log } = await place.connect()
      await using _one = await log.joinProducers({
        pipeline,
        buckets: 2,
        assigned: () => {},
        revoked: number => {
          asked.resolve(number)
          return drained.promise
        },
        lost: () => {},
      })
      const two = await joinPipeline((await place.connect()).log, pipeline, 2)
      await asked.promise
      await holds('the bucket stays where its work is', () => two.buckets.size === 0)
      expect(await two.producer.settled()).toBe(true)
      drained.resolve()
      await two.owns(1)
    })

    test('I1: renew gives a new epoch and the cursors as stored; the old epoch can write nothing', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const topic = await makeTopic(place, log, 'reviews')
      const pipeline = nameOf(place, 'p')
      const { bucket, owner } = await ownBucket(log, pipeline)
      await bucket.transact({
        appends: [{ topic, records: [record('k', '1')] }],
        cursors: [{ split: 's', value: '1' }],
      })
      const renewed = await bucket.renew()
      expect(renewed.epoch).toBeGreaterThan(bucket.epoch)
      expect(renewed.cursors.get('s')?.value).toBe('1')
      await expect(
        bucket.transact({
          appends: [{ topic, records: [record('k', 'zombie')] }],
          cursors: [{ split: 's', value: '0' }],
        }),
      ).rejects.toMatchObject({ code: 'log.fenced' })
      await renewed.transact({
        appends: [{ topic, records: [record('k', '2')] }],
        cursors: [{ split: 's', value: '2' }],
      })
      expect(values(await readAll(log, topic))).toEqual(['1', '2'])
      expect((await log.cursors(pipeline))[0]?.value).toBe('2')
      expect(owner.lost).toEqual([])
    })

    test.skipIf(!has.freeze)(
      'I7: a frozen owner that wakes up after another took over writes nothing (freeze)',
      async () => {
        await using place = await open()
        const frozen = await place.connect()
        const topic = await makeTopic(place, frozen.log, 'reviews')
        const pipeline = nameOf(place, 'p')
        const old = await ownBucket(frozen.log, pipeline)
        await old.bucket.transact({
          appends: [{ topic, records: [record('k', '1')] }],
          cursors: [{ split: 's', value: '1' }],
        })
        frozen.freeze()
        const fresh = await ownBucket((await place.connect()).log, pipeline)
        expect(fresh.bucket.cursors.get('s')?.value).toBe('1')
        expect(fresh.bucket.epoch).toBeGreaterThan(old.bucket.epoch)
        const zombie = {
          appends: [{ topic, records: [record('k', 'zombie')] }],
          cursors: [{ split: 's', value: 'zombie' }],
        }
        await expect(old.bucket.transact(zombie)).rejects.toMatchObject({ code: 'log.fenced' })
        await expect(old.bucket.renew()).rejects.toMatchObject({ code: 'log.fenced' })
        await fresh.bucket.transact({
          appends: [{ topic, records: [record('k', '2')] }],
          cursors: [{ split: 's', value: '2' }],
        })
        expect(values(await readAll(frozen.log, topic))).toEqual(['1', '2'])
        expect(old.owner.lost).toEqual([0])
      },
    )

    test('epochs grow from owner to owner', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const epochs: bigint[] = []
      for (let i = 0; i < 3; i++) {
        const { bucket, owner } = await ownBucket(log, nameOf(place, 'p'))
        epochs.push(bucket.epoch)
        await owner[Symbol.asyncDispose]()
      }
      expect(epochs.every((epoch, i) => i === 0 || epoch > epochs[i - 1]!)).toBe(true)
    })

    test('two pipelines of the same splits do not meet', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const a = await ownBucket(log, nameOf(place, 'a'))
      const b = await ownBucket(log, nameOf(place, 'b'))
      await a.bucket.transact({ appends: [], cursors: [{ split: 's', value: 'of a' }] })
      await b.bucket.transact({ appends: [], cursors: [{ split: 's', value: 'of b' }] })
      expect((await log.cursors(nameOf(place, 'a'))).map(each => each.value)).toEqual(['of a'])
      expect((await log.cursors(nameOf(place, 'b'))).map(each => each.value)).toEqual(['of b'])
    })

    test('cursors are changed by hand only while nobody runs the pipeline', async () => {
      await using place = await open()
      const { log } = await place.connect()
      const pipeline = nameOf(place, 'p')
      const { bucket, owner } = await ownBucket(log, pipeline)
      await bucket.transact({ appends: [], cursors: [{ split: 's', value: '5' }] })
      const listed = async () => (await log.pipelines()).find(each => each.pipeline === pipeline)
      expect(await listed()).toEqual({ pipeline, splits: 1, running: true })
      await expect(log.writeCursors(pipeline, [{ split: 's', value: '1' }])).rejects.toMatchObject({
        code: 'cursor.in_use',
      })
      await owner[Symbol.asyncDispose]()
      await eventually('the pipeline counts as stopped', async () => (await listed())?.running === false)
      await log.writeCursors(pipeline, [
        { split: 's', value: '1' },
        { split: 't', value: 'new' },
      ])
      const next = await ownBucket(log, pipeline)
      expect([...next.bucket.cursors].map(([split, { value }]) => [split, value])).toEqual([
        ['s', '1'],
        ['t', 'new'],
      ])
    })
  })
}
