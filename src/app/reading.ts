// Records as people and programs look at them: decoded under the writer's schema, filtered by CEL. A value that cannot be decoded is
// shown as Base64 with the reason; looking never fails because of what is in a topic.
import { type Code, WeirError, weirErrorOf } from '../core/errors.ts'
import type { LogRecord } from '../core/record.ts'
import { compileExpression, type Expression } from '../mapping/expression.ts'
import type { BrowseFrom, EventLog, SchemaRegistry, TopicInfo } from '../pipeline/ports.ts'
import { compileDecoder, type Decoder } from '../schema/codec.ts'
import { toJson } from '../schema/json.ts'
import { readSchemaId } from '../schema/wire.ts'

/** A record ready to be printed: `key` and header values are text, or `{ base64 }` when they are not UTF-8. */
export interface ShownRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly key: Shown | null
  /** A name that repeats has a list. */
  readonly headers: Readonly<Record<string, Shown | readonly Shown[]>>
  readonly schema_id: number | null
  /** null for a tombstone, and for what cannot be decoded. */
  readonly value: unknown
  /** The bytes of a value that cannot be decoded. */
  readonly value_base64?: string
  readonly error?: { readonly code: Code; readonly message: string }
}
export type Shown = string | { readonly base64: string }

export interface ReadOptions {
  readonly partition?: number | undefined
  readonly from: BrowseFrom
  /** Waits for more at the end; ends when `signal` aborts. */
  readonly follow?: boolean | undefined
  /** CEL over record, key, headers, topic, partition, offset, timestamp, schema_id. */
  readonly filter?: string | undefined
  readonly signal: AbortSignal
  /** Told once, at the first record on which the filter fails; such records are left out. */
  readonly onFilterFailure?: (message: string) => void
  /** Told of each record read, filtered or not, with how many there may be. */
  readonly onRead?: (done: number, total: number) => void
}

/** More schemas than this in one topic are decoded, but compiled again and again. */
const maxDecoders = 256
const filterVars = ['record', 'key', 'headers', 'topic', 'partition', 'offset', 'timestamp', 'schema_id'] as const

/** The topic, or an error that names those that are there. @throws log.topic_unknown */
export async function findTopic(log: EventLog, name: string): Promise<TopicInfo> {
  const info = await log.topic(name)
  if (info) return info
  const names = (await log.topics()).map(t => t.name)
  throw new WeirError('log.topic_unknown', `no topic ${JSON.stringify(name)}`, {
    hint:
      names.length > 0
        ? `Topics here: ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', …' : ''}.`
        : 'There is no topic yet: run a pipeline first.',
  })
}

/** Reads records in the order of the log; without `follow` up to the end as it was at the start. @throws log.topic_unknown, usage.invalid */
export async function* readRecords(
  log: EventLog,
  registry: SchemaRegistry,
  topic: string,
  options: ReadOptions,
): AsyncGenerator<ShownRecord> {
  const info = await findTopic(log, topic)
  checkPartition(info, options.partition)
  const filter = options.filter === undefined ? undefined : compileFilter(options.filter)
  const show = recordShower(registry)
  const keep = filterBy(filter, options.onFilterFailure)
  const wanted = info.partitionInfo.filter(p => options.partition === undefined || p.partition === options.partition)
  const total = Number(wanted.reduce((sum, p) => sum + (p.latest - p.earliest), 0n))
  let done = 0
  for await (const record of storedRecords(log, info, options)) {
    options.onRead?.(++done, total)
    const shown = await show(record)
    if (keep(shown)) yield shown.record
  }
}

/** The newest `count` records of the topic, oldest first; then, with `follow`, those that come. */
export async function* tailRecords(
  log: EventLog,
  registry: SchemaRegistry,
  topic: string,
  count: number,
  options: Omit<ReadOptions, 'from'>,
): AsyncGenerator<ShownRecord> {
  const info = await findTopic(log, topic)
  checkPartition(info, options.partition)
  const show = recordShower(registry)
  const keep = filterBy(
    options.filter === undefined ? undefined : compileFilter(options.filter),
    options.onFilterFailure,
  )
  const partitions = info.partitionInfo.filter(
    p => options.partition === undefined || p.partition === options.partition,
  )
  const newest: LogRecord[] = []
  for (const { partition, earliest, latest } of partitions) {
    const start = latest - BigInt(count) > earliest ? latest - BigInt(count) : earliest
    if (start >= latest || count === 0) continue
    for await (const record of storedRecords(log, info, {
      ...options,
      follow: false,
      partition,
      from: { offset: start },
    }))
      newest.push(record)
  }
  newest.sort((a, b) => a.timestampMs - b.timestampMs || a.partition - b.partition || (a.offset < b.offset ? -1 : 1))
  for (const record of newest.slice(-count)) {
    const shown = await show(record)
    if (keep(shown)) yield shown.record
  }
  if (!options.follow) return
  const streams = partitions.map(({ partition, latest }) =>
    log.browse(topic, { partition, from: { offset: latest }, follow: true, signal: options.signal }),
  )
  for await (const batch of merge(streams, options.signal))
    for (const record of batch) {
      const shown = await show(record)
      if (keep(shown)) yield shown.record
    }
}

function checkPartition(info: TopicInfo, partition: number | undefined): void {
  if (partition !== undefined && !info.partitionInfo.some(p => p.partition === partition))
    throw new WeirError('usage.not_found', `topic ${info.name} has no partition ${partition}`, {
      at: '--partition',
      hint: `Its partitions are 0 to ${info.partitions - 1}.`,
    })
}

/** The records of the wanted partitions; without `follow`, those that were there when it began, so a busy topic comes to an end. */
export async function* storedRecords(
  log: EventLog,
  info: TopicInfo,
  options: Pick<ReadOptions, 'partition' | 'from' | 'follow' | 'signal'>,
): AsyncGenerator<LogRecord> {
  const { partition, from, follow = false, signal } = options
  const wanted = info.partitionInfo.filter(p => partition === undefined || p.partition === partition)
  const ends = new Map(wanted.filter(p => p.latest > p.earliest).map(p => [p.partition, p.latest]))
  if (!follow && (ends.size === 0 || from === 'latest')) return
  try {
    for await (const batch of log.browse(info.name, {
      ...(partition === undefined ? {} : { partition }),
      from,
      follow,
      signal,
    }))
      for (const record of batch) {
        if (follow) {
          yield record
          continue
        }
        const end = ends.get(record.partition)
        if (end === undefined) continue
        if (record.offset < end) yield record
        if (record.offset + 1n >= end && ends.delete(record.partition) && ends.size === 0) return
      }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** Batches of several streams as they come. */
async function* merge<T>(streams: readonly AsyncIterable<T>[], signal: AbortSignal): AsyncGenerator<T> {
  const iterators = streams.map(s => s[Symbol.asyncIterator]())
  const pull = (i: number) => iterators[i]!.next().then(result => ({ i, result }))
  const pending = new Map(iterators.map((_, i) => [i, pull(i)]))
  try {
    while (pending.size > 0) {
      const { i, result } = await Promise.race(pending.values())
      if (result.done) {
        pending.delete(i)
        continue
      }
      pending.set(i, pull(i))
      yield result.value
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    for (const rest of pending.values()) rest.catch(() => {})
    // Not awaited: an iterator that waits at the end of its partition returns when the signal aborts.
    for (const iterator of iterators) iterator.return?.().catch(() => {})
  }
}

interface Decoded {
  readonly record: ShownRecord
  /** The value as expressions see it: longs are bigint. */
  readonly raw: Readonly<Record<string, unknown>> | null
}

/** Decodes one record after the other and remembers the schemas it has met. */
function recordShower(registry: SchemaRegistry): (record: LogRecord) => Promise<Decoded> {
  const decoders = new Map<number, Decoder>()
  const decoderOf = async (id: number) => {
    const known = decoders.get(id)
    if (known) return known
    const decoder = compileDecoder(await registry.byId(id), null)
    if (decoders.size >= maxDecoders) decoders.clear()
    decoders.set(id, decoder)
    return decoder
  }
  return async record => {
    const common = {
      topic: record.topic,
      partition: record.partition,
      offset: record.offset,
      timestamp: record.timestampMs,
      key: record.key === null ? null : showBytes(record.key),
      headers: showHeaders(record.headers),
    }
    if (record.value === null) return { record: { ...common, schema_id: null, value: null }, raw: null }
    let schemaId: number | null = null
    try {
      schemaId = readSchemaId(record.value)
      const raw = (await decoderOf(schemaId)).decode(record.value)
      return { record: { ...common, schema_id: schemaId, value: toJson(raw) }, raw }
    } catch (thrown) {
      const error = weirErrorOf(thrown)
      // A defect or a registry out of reach is no property of the record.
      if (!error || !/^(decode|schema)\.|^registry\.unknown_id$/.test(error.code)) throw thrown
      const reason = { code: error.code, message: error.at ? `${error.message} (at ${error.at})` : error.message }
      const bytes = Buffer.from(record.value).toString('base64')
      return { record: { ...common, schema_id: schemaId, value: null, value_base64: bytes, error: reason }, raw: null }
    }
  }
}

/** Bytes as text where they are UTF-8. */
export function showBytes(bytes: Uint8Array): Shown {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return { base64: Buffer.from(bytes).toString('base64') }
  }
}

function showHeaders(headers: LogRecord['headers']): ShownRecord['headers'] {
  const shown: Record<string, Shown | Shown[]> = Object.create(null)
  for (const [name, bytes] of headers) {
    const value = showBytes(bytes)
    const before = shown[name]
    shown[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value]
  }
  return shown
}

function compileFilter(text: string): Expression {
  const expression = compileExpression(text, filterVars)
  if (expression.type !== 'bool' && expression.type !== 'dyn')
    throw new WeirError('usage.invalid', `the filter gives ${expression.type}, not true or false`, {
      at: '--filter',
      hint: 'Write a condition, such as: record.rating <= 2.0',
    })
  return expression
}

function filterBy(
  filter: Expression | undefined,
  onFailure: ReadOptions['onFilterFailure'],
): (shown: Decoded) => boolean {
  if (!filter) return () => true
  let told = false
  return ({ record, raw }) => {
    try {
      return (
        filter.evaluate({
          record: raw,
          key: record.key,
          headers: record.headers,
          topic: record.topic,
          partition: BigInt(record.partition),
          offset: record.offset,
          timestamp: BigInt(record.timestamp),
          schema_id: record.schema_id === null ? null : BigInt(record.schema_id),
        }) === true
      )
    } catch (error) {
      if (!told)
        onFailure?.(
          `the filter fails on ${record.topic} ${record.partition}/${record.offset}: ${(error as Error).message}`,
        )
      told = true
      return false
    }
  }
}
