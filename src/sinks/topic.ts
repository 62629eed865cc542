// Records into another topic, in the transaction that commits the offsets: exactly once (I1). Headers, with the record's identity, are kept (I2).
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { toWeirError, WeirError } from '../core/errors.ts'
import type { LogRecord, OutRecord } from '../core/record.ts'
import { expression, fields, name, path, type Static, Type } from '../core/spec.ts'
import { compileExpression, type Expression } from '../mapping/expression.ts'
import { compileEncoder, type Encoder } from '../schema/codec.ts'
import { valueSubject } from '../schema/subject.ts'
import { defineSink, type SinkDeps } from './sink.ts'

const config = fields({
  topic: name({ description: 'The topic to write to; made when it is missing.', pattern: '^[A-Za-z0-9._-]+$' }),
  schema: Type.Optional(
    path({ description: 'Avro schema (.avsc) of what is written; omitted: the schema each record was written with.' }),
  ),
  key: Type.Optional(
    expression({
      description: 'Key of the new record; omitted: the key it has. With it tombstones are left out.',
      vars: ['record'],
    }),
  ),
  partitions: Type.Integer({
    description: 'Partitions of the topic, when it is made.',
    default: 1,
    minimum: 1,
    maximum: 1024,
  }),
})

const maxSchemaBytes = 1024 * 1024
const newTopicRecordBytes = 1024 * 1024

interface Writer {
  readonly encoder: Encoder
  readonly schemaId: number
}

/** Writes to another topic of the same event log. */
export const topic = defineSink({
  name: 'topic',
  summary: 'Writes records to another topic, in the same transaction as the offsets.',
  config,
  guarantee: 'exactly_once',
  claims: {
    delivering: {
      guarantee: 'exactly_once',
      why: 'What is written stands in the transaction that commits the offsets.',
      proof: {
        file: 'test/integration/stages.test.ts',
        test: 'a sink that writes to the log has its records and the offsets in one transaction',
      },
    },
    replaying: {
      guarantee: 'exactly_once',
      why: 'What is written stands in the transaction that marks the letter.',
      proof: { file: 'test/fault/replay-kill.test.ts', test: 'at %s, into the topic of a consumer' },
    },
  },
  examples: [
    { title: 'The same records elsewhere', config: { topic: 'low_ratings' } },
    {
      title: 'By another key, in three partitions',
      config: { topic: 'by_reviewer', key: 'record.reviewer_name', partitions: 3 },
    },
    { title: 'In a shape of its own', config: { topic: 'ratings', schema: '../schemas/rating.avsc' } },
  ],
  async open(settings, deps) {
    const maxBytes = await prepareTopic(settings, deps)
    const key = settings.key === undefined ? null : compileExpression(settings.key, ['record'])
    const own =
      settings.schema === undefined
        ? null
        : await makeWriter(await readSchema(settings.schema, deps.baseDir), settings.topic, maxBytes, deps)
    const writers = new Map<number, Promise<Writer>>()
    const writerOf = (schemaId: number): Promise<Writer> => {
      let writer = writers.get(schemaId)
      if (!writer) {
        writer = deps.registry.byId(schemaId).then(text => makeWriter(text, settings.topic, maxBytes, deps))
        // A registry that was away is asked again for the next batch.
        writer.catch(() => writers.delete(schemaId))
        writers.set(schemaId, writer)
      }
      return writer
    }
    return {
      guarantee: 'exactly_once',
      exclusive: false,
      async prepare({ topic: from, records }) {
        if (from === settings.topic)
          throw new WeirError('config.conflict', `a consumer of ${from} writes to ${from}: it would never end`, {
            hint: 'Give the sink another topic.',
          })
        const out: OutRecord[] = []
        for (const record of records) {
          const { log, schemaId, value } = record
          if (value !== null && schemaId !== null) out.push(rewrite(log, value, own ?? (await writerOf(schemaId)), key))
          // By another key it cannot be said what is gone.
          else if (key === null)
            out.push({ key: log.key, value: null, headers: log.headers, timestampMs: log.timestampMs })
        }
        return out.length === 0 ? [] : [{ topic: settings.topic, records: out }]
      },
      async [Symbol.asyncDispose]() {},
    }
  },
})

/** @throws sink.rejected with the place of the record */
function rewrite(
  log: LogRecord,
  value: Readonly<Record<string, unknown>>,
  { encoder, schemaId }: Writer,
  key: Expression | null,
): OutRecord {
  try {
    return {
      key: key === null ? log.key : keyBytes(key.evaluate({ record: value })),
      value: encoder.encode(value, schemaId),
      headers: log.headers,
      timestampMs: log.timestampMs,
    }
  } catch (thrown) {
    const error = toWeirError(thrown, 'encode.invalid')
    throw new WeirError('sink.rejected', `${error.message} (${error.code})`, {
      at: `${log.topic}/${log.partition}@${log.offset}${error.at ?? ''}`,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: thrown,
    })
  }
}

function keyBytes(key: unknown): Uint8Array | null {
  if (key === null || key === undefined) return null
  if (key instanceof Uint8Array) return key
  if (typeof key === 'string' || typeof key === 'bigint' || typeof key === 'boolean') return Buffer.from(String(key))
  if (typeof key === 'number' && Number.isFinite(key)) return Buffer.from(String(key))
  throw new WeirError('key.failed', 'the key expression gave something that is no key', {
    hint: 'A key is text, a number, a truth value, bytes or null.',
  })
}

/** The topic as it is, or a new one; gives the largest record it takes. */
async function prepareTopic({ topic, partitions }: Static<typeof config>, { log, emit }: SinkDeps): Promise<number> {
  const there = await log.topic(topic)
  if (there) return there.maxRecordBytes
  const { info, created } = await log.ensureTopic({
    name: topic,
    partitions,
    retentionMs: null,
    retentionBytes: null,
    maxRecordBytes: newTopicRecordBytes,
  })
  emit({ type: 'topic_ready', topic, partitions: info.partitions, created })
  return info.maxRecordBytes
}

async function makeWriter(
  text: string,
  topic: string,
  maxBytes: number,
  { registry, emit }: SinkDeps,
): Promise<Writer> {
  const encoder = compileEncoder(text, { maxBytes })
  const { subject, id, version } = await registry.register(valueSubject(topic), text)
  emit({ type: 'schema_ready', subject, id, version })
  return { encoder, schemaId: id }
}

async function readSchema(written: string, baseDir: string): Promise<string> {
  const place = resolve(baseDir, written)
  try {
    const found = await stat(place)
    if (found.isFile() && found.size <= maxSchemaBytes) return await readFile(place, 'utf8')
    throw new Error(found.isFile() ? `it is larger than ${maxSchemaBytes} bytes` : 'it is not a file')
  } catch (cause) {
    throw new WeirError('config.schema', `the schema of the topic sink cannot be read: ${place}`, {
      at: place,
      hint: 'The path is relative to the definition; the file is an Avro schema (.avsc) of at most 1 MiB.',
      cause,
    })
  }
}
