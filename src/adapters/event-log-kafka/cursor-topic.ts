// The compacted topic that holds a pipeline's cursors: one partition a bucket of splits, one record a split (I1, I7, I13).
// What cannot be read is refused, never followed.
import { WeirError } from '../../core/errors.ts'
import { bucketOf } from '../../core/murmur2.ts'
import type { LogRecord, OutRecord } from '../../core/record.ts'
import type { CursorWrite, StoredCursor } from '../../pipeline/ports.ts'
import type { KafkaClient } from './client.ts'
import { BrokerRefusal } from './refusal.ts'

export const cursorTopicPrefix = 'weir.cursors.'
/** A cursor may hold many ids that were seen; this is what one may take. */
const maxCursorBytes = 10 * 1024 * 1024
const version = 1

/** Also the name of the group of the pipeline's owners, and the start of their transactional ids. @throws log.invalid when it gets too long */
export function cursorTopicOf(pipeline: string): string {
  const name =
    cursorTopicPrefix +
    pipeline.replace(/[^a-zA-Z0-9._-]|\.(?=\.)|(?<=\.)\.|\.$/gu, escaped =>
      [...Buffer.from(escaped)].map(byte => `..${byte.toString(16).padStart(2, '0')}`).join(''),
    )
  if (name.length > 249)
    throw new WeirError('log.invalid', `The name of pipeline ${pipeline} is too long for a topic of its cursors.`, {
      hint: `Topic ${name.slice(0, 60)}… would have more than 249 characters.`,
    })
  return name
}

/** The pipeline whose cursors a topic holds; null for any other topic. */
export function pipelineOf(topic: string): string | null {
  if (!topic.startsWith(cursorTopicPrefix)) return null
  const escaped = topic.slice(cursorTopicPrefix.length)
  const bytes: number[] = []
  for (let i = 0; i < escaped.length; ) {
    const hex = /^\.\.([0-9a-f]{2})/.exec(escaped.slice(i, i + 4))
    bytes.push(hex ? Number.parseInt(hex[1]!, 16) : escaped.charCodeAt(i))
    i += hex ? 4 : 1
  }
  return Buffer.from(bytes).toString('utf8')
}

/** The transactional id under which a bucket's cursors are written: whoever began its newest epoch owns the bucket. */
export function transactionalIdOf(topic: string, bucket: number): string {
  return `${topic}.${bucket}`
}

/** Makes the topic, or checks that the one there fits. @throws log.topic_conflict, log.unavailable, BrokerRefusal */
export async function ensureCursorTopic(
  client: KafkaClient,
  topic: string,
  buckets: number,
  replicationFactor: number | null,
): Promise<void> {
  let [found] = await client.metadata([topic])
  if (found === undefined) {
    try {
      await client.createTopic({
        name: topic,
        partitions: buckets,
        replicationFactor,
        configs: {
          'cleanup.policy': 'compact',
          'max.message.bytes': String(maxCursorBytes),
          // Small segments are compacted soon, so that reading the cursors back stays quick.
          'segment.bytes': String(16 * 1024 * 1024),
          'min.cleanable.dirty.ratio': '0.1',
        },
      })
      return
    } catch (thrown) {
      if (!(thrown instanceof BrokerRefusal) || !thrown.is('TOPIC_ALREADY_EXISTS')) throw thrown
      ;[found] = await client.metadata([topic])
    }
  }
  if (found !== undefined && found.partitions.length !== buckets)
    throw new WeirError(
      'log.topic_conflict',
      `Topic ${topic} has ${found.partitions.length} partitions; the pipeline shares its splits among ${buckets}.`,
      {
        at: topic,
        hint: 'Its number of partitions must not be changed by hand: cursors would be looked for in the wrong one.',
      },
    )
  await checkCompaction(client, topic)
}

async function checkCompaction(client: KafkaClient, topic: string): Promise<void> {
  try {
    const policy = (await client.topicConfigs([topic])).get(topic)?.get('cleanup.policy')
    if (policy === undefined || policy === 'compact') return
    throw new WeirError(
      'log.topic_conflict',
      `Topic ${topic} has cleanup.policy ${policy}, so cursors would be deleted with time.`,
      {
        at: topic,
        hint: 'Set cleanup.policy=compact on it.',
      },
    )
  } catch (thrown) {
    // Who may not read settings cannot check them.
    if (!(thrown instanceof BrokerRefusal)) throw thrown
  }
}

/** The record that stores or removes a cursor. */
export function cursorRecord(
  pipeline: string,
  bucket: number,
  { split, value }: CursorWrite,
  nowMs: number,
): OutRecord {
  return {
    key: Buffer.from(split),
    value: value === null ? null : Buffer.from(JSON.stringify({ v: version, pipeline, split, cursor: value })),
    headers: [],
    timestampMs: nowMs,
    partition: bucket,
  }
}

/** Cursors by split, from the records of the topic in order. @throws log.corrupt, log.version */
export class CursorTable {
  readonly #pipeline: string
  readonly #buckets: number
  readonly #cursors = new Map<string, StoredCursor>()

  constructor(pipeline: string, buckets: number) {
    this.#pipeline = pipeline
    this.#buckets = buckets
  }

  get all(): ReadonlyMap<string, StoredCursor> {
    return this.#cursors
  }

  add(record: LogRecord): void {
    const at = `${record.topic}/${record.partition}/${record.offset}`
    const split = record.key === null ? '' : Buffer.from(record.key).toString('utf8')
    if (record.value === null) {
      this.#cursors.delete(split)
      return
    }
    const written = parsed(record.value)
    if (written === null || typeof written !== 'object') throw damaged(at, 'it is not what weir writes')
    const { v, pipeline, split: named, cursor } = written as Record<string, unknown>
    if (typeof v === 'number' && v > version)
      throw new WeirError(
        'log.version',
        `A cursor of pipeline ${this.#pipeline} was written by a newer weir (format ${v}).`,
        {
          at,
          hint: 'Run this pipeline with that version of weir.',
        },
      )
    if (v !== version || typeof cursor !== 'string') throw damaged(at, 'it is not what weir writes')
    if (pipeline !== this.#pipeline || named !== split) throw damaged(at, 'it belongs to another pipeline or split')
    if (this.#buckets > 1 && bucketOf(split, this.#buckets) !== record.partition)
      throw damaged(at, 'it stands in the wrong partition')
    this.#cursors.set(split, { split, value: cursor, updatedAtMs: record.timestampMs })
  }
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return null
  }
}

function damaged(at: string, why: string): WeirError {
  return new WeirError('log.corrupt', `A cursor cannot be read: ${why}.`, {
    at,
    hint: 'Something other than weir wrote to this topic. Set the cursor anew with `weir cursor set`, after compaction or removal of that record.',
  })
}
