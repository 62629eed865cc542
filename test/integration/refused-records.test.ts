// Records that the log refuses for good: they become dead letters, the rest of their batch is stored, and the pipeline goes on (I5).
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import type { Sink, SourceBatch } from '../../src/pipeline/ports.ts'
import { between, items, keeping, type StageWorld, scripted, stageWorld } from '../support/stage-world.ts'

const small = (id: string) => ({ id, rating: 3 })
const large = (id: string) => ({ id: `${id}${'x'.repeat(2_000)}`, rating: 4 })
const idOf = (value: unknown) => (value as { id: string }).id
const limits = { partitions: 2, retentionMs: null, retentionBytes: null }

/** As an administrator does while the pipeline runs: its encode step still goes by the definition. */
const lower = (world: StageWorld, name = 't', partitions = 2) =>
  world.log.ensureTopic({ ...limits, name, partitions, maxRecordBytes: 1_024 })

/** A source that has its next batch at once, as files do. */
function flowing(values: readonly unknown[], perBatch: number): { read: number[]; source: Pick<StageSource, 'read'> } {
  const read: number[] = []
  return {
    read,
    source: {
      async *read(_split, cursor): AsyncGenerator<SourceBatch> {
        read.push(Number(cursor ?? 0))
        for (let from = Number(cursor ?? 0); from < values.length; from += perBatch) {
          const batch = values.slice(from, from + perBatch)
          yield { items: items(from, batch), cursor: String(from + batch.length), more: true }
        }
      },
    },
  }
}
type StageSource = Parameters<StageWorld['produce']>[0]

async function originals(world: StageWorld): Promise<unknown[]> {
  return (await world.letters()).map(({ original }) => JSON.parse(Buffer.from(original).toString()))
}

const countsOf = ({ events }: StageWorld) => ({
  fetched: sum(events.flatMap(each => (each.type === 'records_fetched' ? each.count : []))),
  appended: sum(events.flatMap(each => (each.type === 'batch_appended' ? each.records : []))),
  dead: sum(events.flatMap(each => (each.type === 'batch_appended' ? each.deadLetters : []))),
  polled: sum(events.flatMap(each => (each.type === 'poll_finished' ? each.items : []))),
})
const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)

describe('a producer', () => {
  test('I5: records too large for the topic of now are dead letters with their original bytes, the others stand in order', async () => {
    await using world = await stageWorld()
    await lower(world)
    const batch = [small('a'), large('b'), small('c'), large('d'), { id: 'e' }, small('f')]
    await world.produce(scripted([batch, [small('g')]]))
    expect((await world.records()).map(idOf).sort()).toEqual(['a', 'c', 'f', 'g'])
    expect(await originals(world)).toEqual([{ id: 'e' }, large('b'), large('d')])
    expect(await world.letters()).toMatchObject([
      { error_code: 'map.failed', source_position: '4' },
      { error_code: 'log.record_too_large', source_position: '1', stage: 'encode', split: 's' },
      { error_code: 'log.record_too_large', source_position: '3', stage: 'encode', split: 's' },
    ])
    expect(await world.log.cursors('p')).toMatchObject([{ value: '2' }])
    expect(countsOf(world)).toEqual({ fetched: 7, appended: 4, dead: 3, polled: 7 })
  })

  test('I5: what was gathered over several batches is read again, since its items are gone by then', async () => {
    await using world = await stageWorld()
    await lower(world)
    const values = Array.from({ length: 3_500 }, (_, i) =>
      i === 1_234 || i === 1_900 ? large(`r${i}`) : small(`r${i}`),
    )
    const { read, source } = flowing(values, 90)
    await world.produce(source)
    expect(new Set((await world.records()).map(idOf))).toEqual(
      new Set(values.filter(each => each.rating === 3).map(idOf)),
    )
    expect(await originals(world)).toEqual([values[1_234], values[1_900]])
    expect(countsOf(world)).toEqual({ fetched: 3_500, appended: 3_498, dead: 2, polled: 3_500 })
    // Once for both, from the last cursor that was stored; after them, batches are gathered again.
    expect(read).toEqual([0, 1_080])
    expect(world.events.filter(each => each.type === 'batch_appended' && each.records > 900)).toHaveLength(2)
  })

  test('I3: the others of a key keep their order when one of it is taken out', async () => {
    await using world = await stageWorld()
    await lower(world)
    const values = Array.from({ length: 300 }, (_, i) => ({ ...(i % 7 === 3 ? large('k') : small('k')), rating: i }))
    await world.produce(flowing(values, 50).source)
    expect((await world.records()).map(({ rating }) => rating)).toEqual(
      values.filter(({ id }) => id === 'k').map(({ rating }) => rating),
    )
  })

  test('I5: a log that names one record at a time is asked until none is left', async () => {
    await using world = await stageWorld()
    const times: number[] = []
    const log = between(world.log, async (transact, transaction) => {
      const [append] = transaction.appends
      const at = append!.topic === 't' ? append!.records.findIndex(({ key }) => Buffer.from(key!).includes('bad')) : -1
      times.push(at)
      if (at >= 0)
        throw new WeirError('log.timestamp_refused', 'too far ahead', { records: [{ append: 0, record: at }] })
      await transact(transaction)
    })
    await world.produce(scripted([['bad1', 'a', 'bad2', 'b', 'bad3'].map(small)]), { log })
    expect((await world.records()).map(idOf)).toEqual(['a', 'b'])
    expect((await world.letters()).map(letter => letter.error_code)).toEqual(Array(3).fill('log.timestamp_refused'))
    expect(times).toEqual([0, 1, 2, -1])
  })

  test('I5: a dead letter that is refused itself stops the pipeline with nothing stored, and is not tried again', async () => {
    await using world = await stageWorld()
    await lower(world)
    await lower(world, 't_dlq', 1)
    let tries = 0
    const log = between(world.log, async (transact, transaction) => {
      tries++
      await transact(transaction)
    })
    const done = world.produce(scripted([[small('a'), large('b')]]), { log })
    await expect(done).rejects.toMatchObject({
      code: 'log.record_too_large',
      message: expect.stringMatching(
        /^A dead letter cannot be stored: Topic t_dlq takes records of at most 1024 bytes/,
      ),
      hint: expect.stringContaining('dead-letter topic'),
    })
    expect(tries).toBe(2)
    expect(await world.records()).toEqual([])
    expect(await world.log.cursors('p')).toEqual([])
    await world.log.ensureTopic({ ...limits, name: 't_dlq', partitions: 1, maxRecordBytes: 300_000 })
    await world.produce(scripted([[small('a'), large('b')]]))
    expect((await world.records()).map(idOf)).toEqual(['a'])
    expect(await originals(world)).toEqual([large('b')])
  })

  test('a flood of refused records stops before the cursor moves', async () => {
    await using world = await stageWorld()
    await lower(world)
    const batches = [
      [large('a'), small('b')],
      [large('c'), large('d'), large('e'), small('f')],
    ]
    const done = world.produce(scripted(batches), { limit: { records: 3, perMs: 60_000 } })
    await expect(done).rejects.toMatchObject({ code: 'dead_letter.flood' })
    expect((await world.records()).map(idOf)).toEqual(['b'])
    expect(await originals(world)).toEqual([large('a')])
    expect(await world.log.cursors('p')).toMatchObject([{ value: '1' }])
    expect(world.events.filter(({ type }) => type === 'flood_stopped')).toHaveLength(1)
  })

  test('a refusal that names nothing of the batch stops the stage', async () => {
    await using world = await stageWorld()
    for (const records of [undefined, [], [{ append: 7, record: 0 }]]) {
      const log = between(world.log, async () => {
        throw new WeirError('log.record_too_large', 'no', records && { records })
      })
      await expect(world.produce(scripted([[small('a')]]), { log })).rejects.toMatchObject({ message: 'no' })
    }
  })
})

describe('a consumer whose sink writes to the log', () => {
  /** As the topic sink does: each record as it is, and one that the sink itself rejects. */
  const toTopic = (topic: string) => ({
    guarantee: 'exactly_once' as const,
    prepare: async ({ records }: Parameters<NonNullable<Sink['prepare']>>[0]) => {
      if (records.some(({ value }) => value!['rating'] === 0)) throw new WeirError('sink.rejected', 'no zeros')
      return [
        {
          topic,
          records: records.map(({ log: { key, value, headers, timestampMs } }) => ({
            key,
            value,
            headers,
            timestampMs,
          })),
        },
      ]
    },
  })

  test('I5: records too large for the target are dead letters, the others and the offsets are stored', async () => {
    await using world = await stageWorld()
    await world.log.ensureTopic({ ...limits, name: 'target', maxRecordBytes: 1_024 })
    const zero = { id: 'z', rating: 0 }
    await world.produce(scripted([[small('a'), large('b'), zero, small('c'), large('d')]]))
    await world.consume(toTopic('target'))
    const there = (await world.raw('target')).map(({ key }) => Buffer.from(key!).toString())
    expect(there.sort()).toEqual(['a', 'c'])
    const letters = await world.letters()
    expect(
      letters
        .map(({ error_code, stage, original_key }) => [error_code, stage, Buffer.from(original_key!).toString()[0]])
        .sort(),
    ).toEqual([
      ['log.record_too_large', 'deliver', 'b'],
      ['log.record_too_large', 'deliver', 'd'],
      ['sink.rejected', 'deliver', 'z'],
    ])
    const stored = new Map((await world.raw('t')).map(each => [`${each.partition}/${each.offset}`, each.value]))
    for (const { original, original_partition, original_offset } of letters)
      expect(Buffer.compare(original, stored.get(`${original_partition}/${original_offset}`)!)).toBe(0)
    expect((await world.log.groups()).map(({ lag }) => lag)).toEqual([0n, 0n])
    const { got, sink } = keeping()
    await world.consume(sink)
    expect(got).toEqual([])
  })
})
