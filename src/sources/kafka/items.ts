// Records of a topic as items: value and key decoded, with headers, time and place beside them. What cannot be decoded keeps its bytes (I5).
import { toWeirError } from '../../core/errors.ts'
import { decodeUtf8, parseJson } from '../../core/json-text.ts'
import type { Item, LogRecord } from '../../core/record.ts'
import type { AvroValue } from './cluster.ts'
import type { KafkaConfig } from './spec.ts'

/** What a dead letter keeps of a record beside the bytes of its value. */
interface Context {
  readonly topic: string
  readonly partition: number
  readonly offset: string
  readonly timestamp: number
  /** Base64; null: none. */
  readonly key: string | null
  readonly headers: readonly (readonly [name: string, base64: string])[]
  /** True for a record without a value. */
  readonly tombstone?: true
}

const nothing = new Uint8Array(0)

/** `avro`: what the values hold, where that is the format. */
export function itemOf(
  record: LogRecord,
  config: Pick<KafkaConfig, 'format' | 'key_format'>,
  avro?: ReadonlyMap<bigint, AvroValue>,
): Item {
  const place = `offset ${record.offset} of ${record.topic}/${record.partition}`
  const base = {
    raw: record.value ?? nothing,
    position: String(record.offset),
    place,
    context: JSON.stringify(contextOf(record)),
  }
  try {
    return { ...base, value: decodedValue(record, config, avro, place) }
  } catch (thrown) {
    return { ...base, value: undefined, error: toWeirError(thrown, 'source.shape') }
  }
}

/** The record that a dead letter was made of. @throws source.shape when its context is none of ours */
export function recordOf(raw: Uint8Array, context: string | undefined): LogRecord {
  const { topic, partition, offset, timestamp, key, headers, tombstone }: Context = JSON.parse(context ?? '{}')
  return {
    topic,
    partition,
    offset: BigInt(offset),
    timestampMs: timestamp,
    key: key === null ? null : Buffer.from(key, 'base64'),
    value: tombstone ? null : raw,
    headers: headers.map(([name, base64]) => [name, Buffer.from(base64, 'base64')] as const),
  }
}

function contextOf({ topic, partition, offset, timestampMs, key, value, headers }: LogRecord): Context {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  return {
    topic,
    partition,
    offset: String(offset),
    timestamp: timestampMs,
    key: key === null ? null : base64(key),
    headers: headers.map(([name, bytes]) => [name, base64(bytes)] as const),
    ...(value === null ? { tombstone: true as const } : {}),
  }
}

/** What expressions see as `this`. @throws source.invalid_json, source.invalid_text, decode.* */
function decodedValue(
  record: LogRecord,
  { format, key_format }: Pick<KafkaConfig, 'format' | 'key_format'>,
  avro: ReadonlyMap<bigint, AvroValue> | undefined,
  place: string,
): Readonly<Record<string, unknown>> {
  return {
    value: record.value === null ? null : format === 'avro' ? of(avro, record) : decode(record.value, format, place),
    key: record.key === null ? null : decode(record.key, key_format, `the key at ${place}`),
    headers: headersOf(record),
    timestamp: new Date(record.timestampMs),
    topic: record.topic,
    partition: BigInt(record.partition),
    offset: record.offset,
  }
}

function of(avro: ReadonlyMap<bigint, AvroValue> | undefined, { offset }: LogRecord): unknown {
  const found = avro?.get(offset)
  if (found === undefined) throw new Error(`nothing was decoded at offset ${offset}`)
  if ('error' in found) throw found.error
  return found.value
}

function decode(bytes: Uint8Array, format: 'json' | 'text' | 'bytes', place: string): unknown {
  if (format === 'bytes') return bytes
  const text = decodeUtf8(bytes, place)
  return format === 'text' ? text : parseJson(text, { name: place, line: 1 })
}

/** By name, the last of the same name; bytes where they are no text. */
function headersOf({ headers }: LogRecord): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    headers.map(([name, bytes]) => {
      try {
        return [name, decodeUtf8(bytes)]
      } catch {
        return [name, bytes]
      }
    }),
  )
}
