import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compileDecoder } from '../../../src/schema/codec.ts'
import { readSchemaId } from '../../../src/schema/wire.ts'
import { topic } from '../../../src/sinks/topic.ts'
import { createSinkWorld, reviewAt, reviewSchema, reviews, type SinkWorld } from '../../support/sink-world.ts'

let dir: string
let world: SinkWorld
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'weir-topic-sink-'))
  world = createSinkWorld(dir)
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const open = (settings: { schema?: string; key?: string; topic?: string } = {}) =>
  topic.open({ topic: 'copies', partitions: 3, ...settings }, world.deps)
const one = (value: Record<string, unknown> = {}) => ({
  ...reviews(0, 0),
  records: [reviewAt(4, 0, value)],
  nextOffset: 5n,
})

describe('the topic sink', () => {
  test('I2: keeps key, time and headers, identity included, and leaves the partition to the key', async () => {
    const sink = await open()
    const [append] = await sink.prepare!(one())
    const [record] = append!.records
    expect(append!.topic).toBe('copies')
    expect(record).toMatchObject({ key: Buffer.from('k1'), timestampMs: 1_700_000_000_004 })
    expect(record!.headers.map(([name, value]) => [name, Buffer.from(value as Uint8Array).toString()])).toEqual([
      ['weir-id', 'reviews/s/0-4'],
      ['tag', 'a'],
      ['tag', 'b'],
    ])
    expect(record!.partition).toBeUndefined()
    expect(compileDecoder(reviewSchema, null).decode(record!.value!)).toMatchObject({ id: 'r0-4', rating: 5, seen: 4n })
  })

  test('makes the topic once, and leaves one that is there as it is', async () => {
    await open()
    expect(world.topics.get('copies')).toMatchObject({ partitions: 3, retentionMs: null })
    const kept = { name: 'copies', partitions: 7, retentionMs: 5, retentionBytes: 6, maxRecordBytes: 100 }
    world.topics.set('copies', kept)
    const sink = await open()
    expect(world.topics.get('copies')).toBe(kept)
    await expect(sink.prepare!(one({ text: 'x'.repeat(200) }))).rejects.toMatchObject({
      code: 'sink.rejected',
      message: expect.stringContaining('encode.too_large'),
    })
  })

  test('without a schema it registers the one each record was written with, once', async () => {
    const sink = await open()
    await sink.prepare!(reviews(0, 3))
    await sink.prepare!(reviews(3, 6))
    expect(world.registrations).toEqual(['copies-value:1'])
  })

  test('with a schema it registers that one at the start and writes with it', async () => {
    const narrow = JSON.stringify({ type: 'record', name: 'Rating', fields: [{ name: 'rating', type: 'double' }] })
    writeFileSync(join(dir, 'rating.avsc'), narrow)
    const sink = await open({ schema: 'rating.avsc' })
    expect(world.registrations).toEqual(['copies-value:2'])
    const [append] = await sink.prepare!({ ...one(), records: [{ ...reviewAt(4), value: { rating: 2.5 } }] })
    expect(readSchemaId(append!.records[0]!.value!)).toBe(2)
    expect(compileDecoder(narrow, null).decode(append!.records[0]!.value!)).toEqual({ rating: 2.5 })
  })

  test('a schema that cannot be read or used stops it at the start', async () => {
    await expect(open({ schema: 'none.avsc' })).rejects.toMatchObject({
      code: 'config.schema',
      at: join(dir, 'none.avsc'),
    })
    await expect(open({ schema: '.' })).rejects.toMatchObject({ code: 'config.schema' })
    writeFileSync(join(dir, 'bad.avsc'), '{"type":"string"}')
    await expect(open({ schema: 'bad.avsc' })).rejects.toMatchObject({ code: 'schema.invalid' })
  })

  test.each([
    ['record.id', 'r0-4'],
    ['record.rating', '5'],
    ['record.rating > 3.0', 'true'],
    ['record.seen', '4'],
    ['null', null],
  ])('the key %s is %j', async (key, text) => {
    const sink = await open({ key })
    const [append] = await sink.prepare!(one())
    const bytes = append!.records[0]!.key
    expect(bytes === null ? null : Buffer.from(bytes).toString()).toBe(text)
  })

  test('I5: a record that does not fit is rejected with its place, without its text', async () => {
    const sink = await open()
    const rejected = sink.prepare!(one({ rating: 'private words' }))
    await expect(rejected).rejects.toMatchObject({ code: 'sink.rejected', at: 'reviews/0@4/rating' })
    await expect(rejected).rejects.not.toMatchObject({ message: expect.stringContaining('private words') })
    const keyed = await open({ key: '[record.id]' })
    await expect(keyed.prepare!(one())).rejects.toMatchObject({
      code: 'sink.rejected',
      message: expect.stringContaining('no key'),
    })
  })

  test('a registry that was away is asked again', async () => {
    const sink = await open()
    const { byId } = world.deps.registry
    world.deps.registry.byId = async () => {
      throw new Error('away')
    }
    await expect(sink.prepare!(one())).rejects.toThrow('away')
    world.deps.registry.byId = byId
    expect(await sink.prepare!(one())).toHaveLength(1)
  })

  test('a topic is not copied into itself', async () => {
    const sink = await open({ topic: 'reviews' })
    await expect(sink.prepare!(one())).rejects.toMatchObject({ code: 'config.conflict' })
  })
})
