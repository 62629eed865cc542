// Looking at records, over a log in memory.
import { expect, test } from 'vitest'
import { type ReadOptions, readRecords, type ShownRecord, showBytes, tailRecords } from '../../../src/app/reading.ts'
import { WeirError } from '../../../src/core/errors.ts'
import type { LogRecord } from '../../../src/core/record.ts'
import type { BrowseOptions, EventLog, SchemaRegistry, TopicInfo } from '../../../src/pipeline/ports.ts'
import { compileEncoder } from '../../../src/schema/codec.ts'
import { smallSchema } from '../../support/small-store.ts'

const text = (value: string) => new TextEncoder().encode(value)
const encoder = compileEncoder(smallSchema)
const value = (n: number) => encoder.encode({ id: `r${n}`, rating: n, seen: BigInt(n) }, 1).slice()

const record = (partition: number, offset: number, over: Partial<LogRecord> = {}): LogRecord => ({
  topic: 't',
  partition,
  offset: BigInt(offset),
  timestampMs: offset * 10 + partition,
  key: text(`k${partition}`),
  value: value(offset),
  headers: [],
  ...over,
})

/** A log that holds these records; `append` adds one and wakes who follows. */
function memoryLog(records: LogRecord[], partitions = 2) {
  let wake = Promise.withResolvers<void>()
  const latest = (p: number) =>
    records.reduce((max, r) => (r.partition === p && r.offset >= max ? r.offset + 1n : max), 0n)
  const info = (): TopicInfo => ({
    name: 't',
    partitions,
    retentionMs: null,
    retentionBytes: null,
    maxRecordBytes: 1e6,
    bytes: null,
    partitionInfo: Array.from({ length: partitions }, (_, partition) => ({
      partition,
      earliest: 0n,
      latest: latest(partition),
    })),
  })
  async function* browse(
    _topic: string,
    { partition, from, follow, signal }: BrowseOptions,
  ): AsyncGenerator<LogRecord[]> {
    const wanted = () =>
      records
        .filter(r => partition === undefined || r.partition === partition)
        .filter(
          r =>
            from === 'earliest' ||
            (typeof from === 'object' && ('offset' in from ? r.offset >= from.offset : r.timestampMs >= from.timeMs)),
        )
    let seen = 0
    for (;;) {
      const next = wanted().slice(seen)
      seen += next.length
      if (next.length > 0) yield next
      else if (!follow || signal?.aborted) return
      else await Promise.race([wake.promise, new Promise(r => signal?.addEventListener('abort', r, { once: true }))])
    }
  }
  const log = {
    topic: async (name: string) => (name === 't' ? info() : null),
    topics: async () => [info()],
    browse,
  } as unknown as EventLog
  return {
    log,
    append: (r: LogRecord) => {
      records.push(r)
      wake.resolve()
      wake = Promise.withResolvers()
    },
  }
}

const registry = {
  byId: async (id: number) => {
    if (id === 1) return smallSchema
    if (id === 2) throw new WeirError('registry.unavailable', 'out of reach')
    throw new WeirError('registry.unknown_id', `no schema ${id}`)
  },
} as unknown as SchemaRegistry

const signal = new AbortController().signal
async function read(records: LogRecord[], options: Partial<ReadOptions> = {}): Promise<ShownRecord[]> {
  return Array.fromAsync(readRecords(memoryLog(records).log, registry, 't', { from: 'earliest', signal, ...options }))
}
const places = (records: readonly ShownRecord[]) => records.map(r => `${r.partition}@${r.offset}`)

test('a record is shown with its place, key, headers and decoded value', async () => {
  const [shown] = await read([
    record(0, 3, {
      headers: [
        ['a', text('1')],
        ['b', text('2')],
        ['a', text('3')],
      ],
    }),
  ])
  expect(shown).toEqual({
    topic: 't',
    partition: 0,
    offset: 3n,
    timestamp: 30,
    key: 'k0',
    headers: { a: ['1', '3'], b: '2' },
    schema_id: 1,
    value: { id: 'r3', rating: 3, seen: 3 },
  })
})

test('bytes that are no UTF-8 are shown as Base64', () => {
  expect(showBytes(new Uint8Array([0xff, 0xfe]))).toEqual({ base64: '//4=' })
  expect(showBytes(text('\ufeffx'))).toBe('\ufeffx')
})

test('a header named __proto__ is only a header', async () => {
  const [shown] = await read([record(0, 0, { headers: [['__proto__', text('x')]] })])
  expect(JSON.stringify(shown!.headers)).toBe('{"__proto__":"x"}')
})

test.each<[string, Uint8Array, string, number | null]>([
  ['no Avro at all', text('no avro'), 'decode.not_framed', null],
  ['an empty value', new Uint8Array(), 'decode.not_framed', null],
  ['a schema nobody knows', Uint8Array.of(0, 0, 0, 0, 9, 1), 'registry.unknown_id', 9],
  ['a body cut short', value(1).slice(0, 10), 'decode.invalid', 1],
])('%s is shown as Base64 with the reason, and reading goes on', async (_name, bytes, code, id) => {
  const [bad, good] = await read([record(0, 0, { value: bytes }), record(0, 1)])
  expect(bad).toMatchObject({
    value: null,
    schema_id: id,
    value_base64: Buffer.from(bytes).toString('base64'),
    error: { code },
  })
  expect(good!.value).toMatchObject({ id: 'r1' })
})

test('a registry out of reach is an error of the environment, not of the record', async () => {
  await expect(read([record(0, 0, { value: Uint8Array.of(0, 0, 0, 0, 2, 1) })])).rejects.toMatchObject({
    code: 'registry.unavailable',
  })
})

test('a tombstone has no value and no error', async () => {
  const [shown] = await read([record(0, 0, { value: null })])
  expect(shown).toMatchObject({ value: null, schema_id: null })
  expect(shown).not.toHaveProperty('error')
})

test('ends at the records that were there when it began, however fast others come', async () => {
  const { log, append } = memoryLog([record(0, 0), record(0, 1)])
  const seen: string[] = []
  let n = 2
  for await (const r of readRecords(log, registry, 't', { from: 'earliest', signal })) {
    seen.push(...places([r]))
    append(record(0, n++))
  }
  expect(seen).toEqual(['0@0', '0@1'])
})

test('filters on the decoded value, key, headers and place; longs are whole numbers', async () => {
  const all = [record(0, 1), record(1, 2), record(0, 3, { headers: [['tag', text('x')]] })]
  expect(places(await read(all, { filter: 'record.rating >= 2.0' }))).toEqual(['1@2', '0@3'])
  expect(places(await read(all, { filter: 'record.seen == 1' }))).toEqual(['0@1'])
  expect(places(await read(all, { filter: "key == 'k1' && offset == 2" }))).toEqual(['1@2'])
  expect(places(await read(all, { filter: "'tag' in headers" }))).toEqual(['0@3'])
})

test('records on which the filter fails are left out, and that is told once', async () => {
  const told: string[] = []
  const all = [record(0, 0, { value: null }), record(0, 1, { value: null }), record(0, 2)]
  const seen = await read(all, { filter: 'record.rating == 2.0', onFilterFailure: m => void told.push(m) })
  expect(places(seen)).toEqual(['0@2'])
  expect(told).toEqual([expect.stringContaining('t 0/0')])
})

test('a filter that is no condition is refused before anything is read', async () => {
  await expect(read([record(0, 0)], { filter: '1 + 1' })).rejects.toMatchObject({
    code: 'usage.invalid',
    at: '--filter',
  })
  await expect(read([record(0, 0)], { filter: 'record.rating <' })).rejects.toMatchObject({ code: 'config.expression' })
})

test('names the topics there are when one is unknown, and the partitions', async () => {
  const { log } = memoryLog([record(0, 0)])
  const next = (topic: string, partition?: number) =>
    readRecords(log, registry, topic, { from: 'earliest', signal, partition }).next()
  await expect(next('u')).rejects.toMatchObject({ code: 'log.topic_unknown', hint: 'Topics here: t.' })
  await expect(next('t', 7)).rejects.toMatchObject({ code: 'usage.not_found', hint: 'Its partitions are 0 to 1.' })
})

test('the tail is the newest records of all partitions, oldest first', async () => {
  const all = [0, 1, 2, 3].flatMap(n => [record(0, n), record(1, n)])
  const { log } = memoryLog(all)
  const tail = await Array.fromAsync(tailRecords(log, registry, 't', 3, { signal }))
  expect(places(tail)).toEqual(['1@2', '0@3', '1@3'])
})

test('a follower gets what comes after the tail exactly once, from every partition, and ends when interrupted', async () => {
  const { log, append } = memoryLog([record(0, 0), record(1, 0)])
  const stop = new AbortController()
  const seen: string[] = []
  for await (const r of tailRecords(log, registry, 't', 1, { follow: true, signal: stop.signal })) {
    seen.push(...places([r]))
    if (seen.length === 1) {
      append(record(0, 1))
      append(record(1, 1))
    }
    if (seen.length === 3) stop.abort()
  }
  expect(seen.sort()).toEqual(['0@1', '1@0', '1@1'])
})
