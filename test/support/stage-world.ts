// Stages on a real embedded log with a scripted source and sink: what integration tests of the runtime are made of.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { openSqliteEventLog } from '../../src/adapters/event-log-sqlite/event-log.ts'
import { systemClock } from '../../src/core/clock.ts'
import { WeirError } from '../../src/core/errors.ts'
import type { Event } from '../../src/core/event.ts'
import type { Item, SourceBatch } from '../../src/core/record.ts'
import { compileExpression } from '../../src/mapping/expression.ts'
import { compileMapping } from '../../src/mapping/mapping.ts'
import { type ConsumerStageOptions, runConsumer } from '../../src/pipeline/consumer.ts'
import { createOffice, type DeadLetter } from '../../src/pipeline/dead-letter.ts'
import { createDecode } from '../../src/pipeline/decode.ts'
import { createEncode } from '../../src/pipeline/encode.ts'
import { createFloodGuard, type FloodLimit } from '../../src/pipeline/flood.ts'
import type {
  Bucket,
  DecodedRecord,
  Delivery,
  EventLog,
  LogRecord,
  SchemaRegistry,
  Sink,
  Source,
  Transaction,
} from '../../src/pipeline/ports.ts'
import { type ProducerStageOptions, runProducer } from '../../src/pipeline/producer.ts'
import { compileDecoder, compileEncoder } from '../../src/schema/codec.ts'

export const schemaText = JSON.stringify({
  type: 'record',
  name: 'R',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'rating', type: 'double' },
  ],
})
const letterText = readFileSync(resolve(import.meta.dirname, '../../schemas/dead-letter.avsc'), 'utf8')
const schemas = new Map([
  [1, schemaText],
  [2, letterText],
])

/** Knows two schemas by id; nothing else of a registry is needed by the stages. */
export const registry = {
  byId: async (id: number) => {
    const text = schemas.get(id)
    if (text === undefined) throw new WeirError('registry.unknown_id', `no schema ${id}`)
    return text
  },
} as unknown as SchemaRegistry

export interface StageWorld extends AsyncDisposable {
  readonly log: EventLog
  readonly events: Event[]
  produce(
    source: Partial<Source> & Pick<Source, 'read'>,
    options?: Partial<ProducerStageOptions> & { flood?: never; limit?: FloodLimit },
    signal?: AbortSignal,
  ): ReturnType<typeof runProducer>
  consume(sink: Partial<Sink>, options?: Partial<ConsumerStageOptions>, signal?: AbortSignal): Promise<void>
  producerOptions(source: Source, limit?: FloodLimit): ProducerStageOptions
  records(): Promise<{ id: string; rating: number }[]>
  letters(): Promise<(DeadLetter & { id: string })[]>
  raw(topic: string): Promise<LogRecord[]>
}

/** Items as a source yields them; a value that is an Error is an item that could not be decoded. */
export function items(from: number, values: readonly unknown[]): Item[] {
  return values.map((value, i) => {
    const base = {
      position: String(from + i),
      raw: Buffer.from(JSON.stringify(value instanceof Error ? { bad: from + i } : value)),
    }
    return value instanceof WeirError ? { ...base, value: undefined, error: value } : { ...base, value }
  })
}

/** A source of one split whose batches are given; the cursor is the number of batches read. */
export function scripted(batches: readonly (readonly unknown[])[]): Pick<Source, 'read'> {
  return {
    async *read(_split, cursor): AsyncGenerator<SourceBatch> {
      for (let i = Number(cursor ?? 0); i < batches.length; i++)
        yield { items: items(i * 1000, batches[i]!), cursor: String(i + 1) }
    },
  }
}

/** `open`: the log, default an embedded one; `prefix` goes before the names of everything in it; `maxRecordBytes` of the topic. */
export async function stageWorld(
  options: { readonly open?: () => Promise<EventLog>; readonly prefix?: string; readonly maxRecordBytes?: number } = {},
): Promise<StageWorld> {
  const { prefix = '', maxRecordBytes = 100_000 } = options
  const dataDir = mkdtempSync(join(tmpdir(), 'weir-stages-'))
  const log = await (options.open?.() ?? openSqliteEventLog({ dataDir, clock: systemClock }))
  const events: Event[] = []
  const deps = {
    pipeline: `${prefix}p`,
    clock: systemClock,
    random: () => 0.5,
    emit: (event: Event) => void events.push(event),
  }
  const topic = `${prefix}t`
  const deadTopic = `${topic}_dlq`
  const limits = { retentionMs: null, retentionBytes: null, maxRecordBytes }
  await log.ensureTopic({ ...limits, name: topic, partitions: 2 })
  await log.ensureTopic({ ...limits, name: deadTopic, partitions: 1, maxRecordBytes: maxRecordBytes + 200_000 })
  const office = createOffice({
    topic: deadTopic,
    encoder: compileEncoder(letterText, { maxBytes: maxRecordBytes + 200_000 }),
    schemaId: 2,
    maxRecordBytes: maxRecordBytes + 200_000,
    emit: deps.emit,
  })
  const full = (source: Partial<Source> & Pick<Source, 'read'>): Source => ({
    endless: false,
    splits: async () => [{ id: 's', vars: {} }],
    reparse: raw => [JSON.parse(Buffer.from(raw).toString())],
    describeCursor: cursor => cursor,
    [Symbol.asyncDispose]: async () => {},
    ...source,
  })
  const raw = async (name: string) => {
    const found: LogRecord[] = []
    for await (const batch of log.browse(name, { from: 'earliest' })) found.push(...batch)
    return found
  }
  const producerOptions = (source: Source, limit: FloodLimit | null = null): ProducerStageOptions => ({
    ...deps,
    log,
    office,
    source,
    topic,
    buckets: 2,
    concurrency: 2,
    version: 'test',
    flood: createFloodGuard(limit, systemClock),
    mapping: compileMapping({ id: 'this.id', rating: 'double(this.rating)' }, schemaText),
    encode: createEncode({
      encoder: compileEncoder(schemaText),
      schemaId: 1,
      key: compileExpression('record.id', ['record', 'this', 'split']),
      maxRecordBytes,
    }),
    nextPass: () => null,
    once: true,
  })
  return {
    log,
    events,
    raw,
    producerOptions,
    produce: (source, { limit, ...options } = {}, signal = new AbortController().signal) =>
      runProducer({ ...producerOptions(full(source), limit), ...options } as ProducerStageOptions, signal),
    consume: (sink, options = {}, signal = new AbortController().signal) =>
      runConsumer(
        {
          ...deps,
          log,
          office,
          group: `${prefix}g`,
          topic,
          start: 'earliest',
          outOfRange: 'stop',
          sinkName: 'test',
          retry: { attempts: 2, minMs: 1, maxMs: 2 },
          batch: { records: 100, bytes: 1_000_000 },
          steps: [],
          version: 'test',
          flood: createFloodGuard(null, systemClock),
          decode: createDecode(registry, schemaText),
          enough: () => true,
          sink: { guarantee: 'at_least_once', exclusive: false, [Symbol.asyncDispose]: async () => {}, ...sink },
          ...options,
        },
        signal,
      ),
    async records() {
      const decoder = compileDecoder(schemaText, null)
      return (await raw(topic)).map(record => decoder.decode(record.value!) as { id: string; rating: number })
    },
    async letters() {
      const decoder = compileDecoder(letterText, null)
      return (await raw(deadTopic)).map(record => ({
        ...(decoder.decode(record.value!) as unknown as DeadLetter),
        id: `${record.partition}/${record.offset}`,
      }))
    },
    async [Symbol.asyncDispose]() {
      await log[Symbol.asyncDispose]()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** A sink that keeps what it gets. */
export function keeping(): { readonly got: DecodedRecord[]; readonly sink: Pick<Sink, 'deliver'> } {
  const got: DecodedRecord[] = []
  return { got, sink: { deliver: async (delivery: Delivery) => void got.push(...delivery.records) } }
}

/** The log, with the transactions of its buckets passed through `answer`. */
export function between(
  log: EventLog,
  answer: (transact: (t: Transaction) => Promise<void>, transaction: Transaction) => Promise<void>,
): EventLog {
  const wrap = (bucket: Bucket): Bucket => ({
    number: bucket.number,
    epoch: bucket.epoch,
    cursors: bucket.cursors,
    transact: transaction => answer(t => bucket.transact(t), transaction),
    renew: async () => wrap(await bucket.renew()),
  })
  return new Proxy(log, {
    get(target, name) {
      if (name === 'joinProducers')
        return (options: Parameters<EventLog['joinProducers']>[0]) =>
          target.joinProducers({ ...options, assigned: bucket => options.assigned(wrap(bucket)) })
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
