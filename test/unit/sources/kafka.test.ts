// The bridge from a topic, over one in memory: cursors, ends, holes, retention, what records become.
import { describe, expect, test } from 'vitest'
import { codeOf, WeirError } from '../../../src/core/errors.ts'
import type { Event } from '../../../src/core/event.ts'
import { type Item, rawOf, type SourceBatch } from '../../../src/core/record.ts'
import type { Source } from '../../../src/pipeline/ports.ts'
import type { Cluster } from '../../../src/sources/kafka/cluster.ts'
import { kafkaSpec } from '../../../src/sources/kafka/spec.ts'
import { kafka } from '../../../src/sources/kafka.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { fakeTopic } from '../../support/fake-topic.ts'
import { configOf } from '../../support/http-config.ts'

const signal = new AbortController().signal

function open(cluster: Cluster, fields: Record<string, unknown> = {}, events: Event[] = []): Source {
  const config = configOf(kafkaSpec, { brokers: ['b:9092'], topic: 't', ...fields }) as never
  return kafka.open(config, {
    pipeline: 'p',
    clock: createFakeClock(),
    random: () => 0.5,
    emit: event => events.push(event),
    baseDir: '/',
    fetch: () => {
      throw new Error('it makes no calls')
    },
    cluster: async () => cluster,
  })
}

const split = (partition = 0) => ({ id: `t/${partition}`, vars: {} })
const read = (source: Source, cursor: string | null = null, partition = 0): Promise<SourceBatch[]> =>
  Array.fromAsync(source.read(split(partition), cursor, signal))
const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    error => error as WeirError,
  )
const values = (batches: readonly SourceBatch[]) =>
  batches.flatMap(({ items }) => items.map(item => (item.value as { value: unknown } | undefined)?.value))
const at = (next: number) => JSON.stringify({ v: 1, next: String(next) })
const filled = (count: number, partitions = 1) => {
  const topic = fakeTopic(partitions)
  for (let p = 0; p < partitions; p++) for (let i = 0; i < count; i++) topic.add(p, `{"n":${i}}`)
  return topic
}
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => ({ n: from + i }))

describe('places', () => {
  test('one split a partition; one that is added shows up in the next listing', async () => {
    const topic = filled(1, 2)
    const source = open(topic)
    expect((await source.splits(signal)).map(({ id }) => id)).toEqual(['t/0', 't/1'])
    topic.grow()
    expect((await source.splits(signal)).map(({ id, vars }) => [id, vars])).toEqual([
      ['t/0', { topic: 't', partition: 0n }],
      ['t/1', { topic: 't', partition: 1n }],
      ['t/2', { topic: 't', partition: 2n }],
    ])
  })

  test('I13: going on from the cursor of any batch gives exactly the rest', async () => {
    const topic = filled(10)
    const batches = await read(open(topic))
    expect(values(batches)).toEqual(numbers(0, 10))
    for (const [i, { cursor }] of batches.entries())
      expect(values(await read(open(topic), cursor))).toEqual(values(batches.slice(i + 1)))
    expect(await read(open(topic), batches.at(-1)!.cursor)).toEqual([])
  })

  test('markers behind the last record are passed, so that nothing is asked for again', async () => {
    const topic = filled(2)
    topic.mark(0)
    const batches = await read(open(topic))
    expect(batches.at(-1)).toEqual({ items: [], cursor: at(3) })
    expect(await read(open(topic), at(3))).toEqual([])
    topic.add(0, '{"n":9}')
    expect(values(await read(open(topic), at(3)))).toEqual([{ n: 9 }])
  })

  test('latest begins at the end, keeps that place at once, and reads a partition that is added whole', async () => {
    const topic = filled(4)
    const source = open(topic, { from: 'latest' })
    await source.splits(signal)
    expect(await read(source)).toEqual([{ items: [], cursor: at(4) }])
    topic.add(0, '{"n":4}')
    expect(values(await read(open(topic, { from: 'latest' }), at(4)))).toEqual([{ n: 4 }])
    topic.grow()
    topic.add(1, '{"n":0}')
    expect(values(await read(source, null, 1))).toEqual([{ n: 0 }])
  })

  test.each(['', 'garbage', '{}', '[]', 'null', '{"v":999}', '{"v":1}', '{"v":1,"next":"-1"}', '{"v":1,"next":1}'])(
    'refuses the cursor %j',
    async cursor => {
      const source = open(filled(1))
      expect(codeOf(await failure(read(source, cursor)))).toBe('cursor.invalid')
      expect(() => source.describeCursor(cursor)).toThrow(expect.objectContaining({ code: 'cursor.invalid' }))
    },
  )

  test('tells a cursor in words', () => {
    expect(open(filled(1)).describeCursor(at(12))).toBe('offset 12 is next')
  })
})

describe('what is not there any more', () => {
  test('stops the partition by default, and says how much is missing', async () => {
    const topic = filled(10)
    topic.drop(0, 6n)
    const error = await failure(read(open(topic), at(2)))
    expect(error).toMatchObject({ code: 'source.cursor_refused', at: 't/0' })
    expect(error!.message).toContain('4 offsets from 2 on are no longer kept')
    expect(error!.hint).toContain('out_of_range: earliest')
  })

  test('is passed over where that is asked for, and told', async () => {
    const topic = filled(10)
    topic.drop(0, 6n)
    const events: Event[] = []
    expect(values(await read(open(topic, { out_of_range: 'earliest' }, events), at(2)))).toEqual(numbers(6, 10))
    expect(events).toEqual([expect.objectContaining({ type: 'source_notice', code: 'source.cursor_refused' })])
  })

  test('is noticed also when retention takes it between the look and the read', async () => {
    const topic = filled(10)
    topic.onBrowse = () => topic.drop(0, 6n)
    expect(codeOf(await failure(read(open(topic), at(2))))).toBe('source.cursor_refused')
  })

  test('a hole of markers and aborted records is none', async () => {
    const topic = filled(3)
    topic.add(0, '{"n":3}', { hole: 5 })
    expect(values(await read(open(topic), at(3)))).toEqual([{ n: 3 }])
  })

  test('an end before the cursor means another topic of the same name', async () => {
    expect((await failure(read(open(filled(3)), at(4))))!.message).toContain('made anew')
    expect(values(await read(open(filled(3), { out_of_range: 'earliest' }), at(4)))).toEqual(numbers(0, 3))
  })

  test('a partition that is gone is refused', async () => {
    expect(codeOf(await failure(read(open(filled(1)), null, 3)))).toBe('source.cursor_refused')
  })
})

describe('trouble of the cluster is that of a source, never of our own log', () => {
  test.each([
    ['log.unavailable', 'fetch.network'],
    ['log.denied', 'fetch.fatal'],
    ['log.login_refused', 'fetch.fatal'],
    ['log.corrupt', 'source.shape'],
    ['log.busy', 'fetch.network'],
    ['registry.unavailable', 'fetch.network'],
    ['registry.mismatch', 'source.shape'],
  ] as const)('%s is %s', async (inside, outside) => {
    const topic = filled(1)
    const source = open(topic)
    topic.failure = new WeirError(inside, 'no')
    const listed = await failure(source.splits(signal) as Promise<unknown>)
    expect(listed).toMatchObject({ code: outside, hint: expect.any(String) })
    topic.failure = undefined
    await source.splits(signal)
    topic.onBrowse = () => {
      throw new WeirError(inside, 'no')
    }
    // What is known of the topic is fresh: the browse is what fails.
    expect(codeOf(await failure(read(source, at(0))))).toBe(outside)
  })

  test('a topic that is not there is named', async () => {
    expect(await failure(open(filled(1), { topic: 'other' }).splits(signal))).toMatchObject({
      code: 'fetch.fatal',
      message: 'The cluster that is read from has no topic other',
    })
  })
})

describe('a record', () => {
  const one = async (
    value: string | Uint8Array | null,
    more: object = {},
    fields: Record<string, unknown> = {},
    cluster: Partial<Cluster> = {},
  ): Promise<Item> => {
    const topic = fakeTopic()
    topic.add(0, value, more)
    const [batch] = await read(open({ ...topic, ...cluster }, fields))
    return batch!.items[0]!
  }

  test('shows value, key, headers, time and place', async () => {
    const headers = [
      ['trace', Buffer.from('1')],
      ['trace', Buffer.from('2')],
      ['raw', Buffer.from([0xff])],
      ['__proto__', Buffer.from('x')],
    ] as const
    const item = await one('{"id":1}', { key: Buffer.from('k'), headers })
    expect(item).toMatchObject({ position: '0', place: 'offset 0 of t/0' })
    expect(item.value).toMatchObject({
      value: { id: 1 },
      key: 'k',
      timestamp: new Date(1_700_000_000_000),
      topic: 't',
      partition: 0n,
      offset: 0n,
    })
    const shown = (item.value as { headers: object }).headers
    expect(Object.entries(shown)).toEqual([
      ['trace', '2'],
      ['raw', Buffer.from([0xff])],
      ['__proto__', 'x'],
    ])
  })

  test.each([
    ['text', 'plain', 'plain'],
    ['bytes', 'plain', Buffer.from('plain')],
    ['json', '[1]', [1]],
  ])('of the format %s', async (format, text, value) => {
    expect((await one(text, {}, { format })).value).toMatchObject({ value })
  })

  test('keys are text, JSON or bytes; none is null', async () => {
    const key = Buffer.from('{"a":1}')
    expect((await one('1', { key }, { key_format: 'json' })).value).toMatchObject({ key: { a: 1 } })
    expect((await one('1', { key }, { key_format: 'bytes' })).value).toMatchObject({ key })
    expect((await one('1')).value).toMatchObject({ key: null })
  })

  test.each([
    ['no JSON', '{"a":', {}, {}, 'source.invalid_json'],
    ['no UTF-8', Buffer.from([0xff]), {}, { format: 'text' }, 'source.invalid_text'],
    ['a key that is no UTF-8', '1', { key: Buffer.from([0xff]) }, {}, 'source.invalid_text'],
  ] as const)('%s is an item with its error and its bytes', async (_name, value, more, fields, code) => {
    const item = await one(value, more, fields)
    expect(item.error?.code).toBe(code)
    expect(Buffer.from(rawOf(item))).toEqual(Buffer.from(value))
  })

  test('without a value is left out and counted, or kept as null', async () => {
    const topic = filled(1)
    topic.add(0, null, { key: Buffer.from('gone') })
    const [batch] = await read(open(topic))
    expect([batch!.items.length, batch!.drops]).toEqual([1, { skipped: 1 }])
    const [kept] = await read(open(topic, { tombstones: 'keep' }))
    expect(kept!.items[1]!.value).toMatchObject({ value: null, key: 'gone' })
    expect(kept!.drops).toBeUndefined()
  })

  test('of Avro is what the registry makes of it, or a dead letter with its bytes', async () => {
    const fields = { format: 'avro', registry: { url: 'https://r' } }
    const error = new WeirError('decode.unknown_schema', 'no schema')
    expect(
      (await one('x', {}, fields, { avro: async () => new Map([[0n, { value: { a: 1n } }]]) })).value,
    ).toMatchObject({
      value: { a: 1n },
    })
    expect((await one('x', {}, fields, { avro: async () => new Map([[0n, { error }]]) })).error).toBe(error)
  })

  test('I5: is read again from a dead letter as it was', async () => {
    const topic = fakeTopic()
    topic.add(0, '{"id":1}', { key: Buffer.from('k'), headers: [['h', Buffer.from('v')]] })
    topic.add(0, null, { key: Buffer.from('k') })
    const source = open(topic, { tombstones: 'keep' })
    for (const { items } of await read(source))
      for (const item of items) expect(await source.reparse(rawOf(item), item.context)).toEqual([item.value])
  })
})
