// Words of the contract tests: records, owners of buckets, reading everything back.
import type { LogRecord, OutRecord } from '../../../src/core/record.ts'
import type {
  Bucket,
  Consumer,
  ConsumerOptions,
  EventLog,
  Fetched,
  Producer,
  TopicSpec,
} from '../../../src/pipeline/ports.ts'
import { eventually } from '../../support/eventually.ts'
import type { EventLogPlace } from '../event-log.ts'

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (value: Uint8Array | null): string | null =>
  value === null ? null : new TextDecoder().decode(value)
export const nameOf = (place: EventLogPlace, name: string): string => `${place.prefix}${name}`

export function record(key: string | null, value: string | null, more: Partial<OutRecord> = {}): OutRecord {
  return {
    key: key === null ? null : bytes(key),
    value: value === null ? null : bytes(value),
    headers: [],
    timestampMs: 1_700_000_000_000,
    ...more,
  }
}

/** Makes a topic of the test's own. @returns its name */
export async function makeTopic(
  place: EventLogPlace,
  log: EventLog,
  name: string,
  more: Partial<TopicSpec> = {},
): Promise<string> {
  const spec = {
    name: nameOf(place, name),
    partitions: 1,
    retentionMs: null,
    retentionBytes: null,
    maxRecordBytes: 1024 * 1024,
    ...more,
  }
  await log.ensureTopic(spec)
  return spec.name
}

/** Membership of a pipeline, with the buckets it owns as they come and go. */
export interface Owner extends AsyncDisposable {
  readonly producer: Producer
  readonly buckets: Map<number, Bucket>
  readonly revoked: number[]
  readonly lost: number[]
  /** Waits until exactly `count` buckets are owned. */
  owns(count: number): Promise<void>
}

export async function joinPipeline(log: EventLog, pipeline: string, buckets: number): Promise<Owner> {
  const owned = new Map<number, Bucket>()
  const revoked: number[] = []
  const lost: number[] = []
  const producer = await log.joinProducers({
    pipeline,
    buckets,
    assigned: bucket => owned.set(bucket.number, bucket),
    revoked: async number => {
      owned.delete(number)
      revoked.push(number)
    },
    lost: number => {
      owned.delete(number)
      lost.push(number)
    },
  })
  return {
    producer,
    buckets: owned,
    revoked,
    lost,
    owns: async count => {
      await eventually(`${count} buckets owned, ${[...owned.keys()]} are`, () => owned.size === count)
    },
    [Symbol.asyncDispose]: () => producer[Symbol.asyncDispose](),
  }
}

/** The one bucket of a pipeline that has one. */
export async function ownBucket(log: EventLog, pipeline: string): Promise<{ bucket: Bucket; owner: Owner }> {
  const owner = await joinPipeline(log, pipeline, 1)
  await owner.owns(1)
  return { bucket: owner.buckets.get(0)!, owner }
}

/** All records of a topic, each partition in offset order. */
export async function readAll(log: EventLog, topic: string, partition?: number): Promise<LogRecord[]> {
  const found: LogRecord[] = []
  for await (const page of log.browse(topic, { from: 'earliest', ...(partition === undefined ? {} : { partition }) }))
    found.push(...page)
  return found
}

export const values = (records: readonly LogRecord[]): (string | null)[] => records.map(each => text(each.value))

export function joinGroup(
  log: EventLog,
  group: string,
  topic: string,
  more: Partial<ConsumerOptions> = {},
): Promise<Consumer> {
  return log.joinConsumers({ group, topic, start: 'earliest', outOfRange: 'stop', ...more })
}

const never = new AbortController().signal

export function pollSome(
  consumer: Consumer,
  more: Partial<Parameters<Consumer['poll']>[0]> = {},
): Promise<Fetched | null> {
  return consumer.poll({ maxRecords: 100, maxBytes: 1024 * 1024, maxWaitMs: 10_000, signal: never, ...more })
}

/** Commits a batch as read. */
export async function done(consumer: Consumer, { topic, partition, nextOffset }: Fetched): Promise<void> {
  await consumer.commit([{ topic, partition, offset: nextOffset }], [])
}

/** Reads and commits until nothing comes for `quietMs`. */
export async function consumeAll(consumer: Consumer, quietMs = 1_500): Promise<LogRecord[]> {
  const found: LogRecord[] = []
  for (;;) {
    const fetched = await pollSome(consumer, { maxWaitMs: found.length === 0 ? 10_000 : quietMs })
    if (fetched === null) return found
    found.push(...fetched.records)
    await done(consumer, fetched)
  }
}
