// Failures, first step: what failed for good becomes a dead letter, with its original bytes and everything a replay needs (I5).
import { createHash } from 'node:crypto'
import type { Code, WeirError } from '../core/errors.ts'
import type { Emit, StageName } from '../core/event.ts'
import { failpoint } from '../core/failpoint.ts'
import type { Header, LogRecord, OutRecord } from '../core/record.ts'
import { redact } from '../core/secret.ts'
import type { Encoder } from '../schema/codec.ts'
import { deadLetterHeaders, identityHeader } from './identity.ts'

/** A dead letter before encoding: the fields of schemas/dead-letter.avsc. */
export interface DeadLetter {
  readonly error_code: Code
  readonly error_message: string
  readonly error_path: string | null
  readonly error_hint: string | null
  readonly stage: StageName
  readonly pipeline: string
  readonly split: string | null
  readonly source_position: string | null
  readonly source_place: string | null
  /** What Source.reparse needs beside the bytes. */
  readonly context: string | null
  /** The topic the record was meant for, or came from. */
  readonly topic: string
  readonly original_topic: string | null
  readonly original_partition: number | null
  readonly original_offset: bigint | null
  readonly consumer_group: string | null
  readonly original_key: Uint8Array | null
  readonly original: Uint8Array
  readonly original_headers: readonly { readonly name: string; readonly value: Uint8Array }[]
  readonly schema_id: number | null
  readonly attempts: number
  /** Milliseconds since the epoch. */
  readonly first_failed_at: number
  readonly last_failed_at: number
  readonly weir_version: string
}

export interface DeadLetterOffice {
  readonly topic: string
  /** Encodes a letter for the dead-letter topic. `identity` is the weir-id of what failed. */
  write(letter: DeadLetter, identity: string): OutRecord
  /** Tells about letters; called once they are committed, so that what is counted is what is stored. */
  tell(letters: readonly DeadLetter[]): void
}

export interface OfficeOptions {
  readonly topic: string
  readonly encoder: Encoder
  readonly schemaId: number
  readonly maxRecordBytes: number
  readonly emit: Emit
}

/** Room for the envelope around the original bytes. */
export const envelopeBytes = 64 * 1024
const maxMessageLength = 2000

export function createOffice({ topic, encoder, schemaId, maxRecordBytes, emit }: OfficeOptions): DeadLetterOffice {
  return {
    topic,
    write(letter, identity) {
      failpoint('dead_letter.write')
      const fitting = cutToRoom(letter, maxRecordBytes - envelopeBytes)
      const headers: Header[] = [
        [identityHeader, identity],
        [deadLetterHeaders.code, fitting.error_code],
        [deadLetterHeaders.stage, fitting.stage],
        [deadLetterHeaders.pipeline, fitting.pipeline],
        [deadLetterHeaders.attempts, String(fitting.attempts)],
      ]
      const value = Uint8Array.from(encoder.encode(fitting as unknown as Record<string, unknown>, schemaId))
      return { key: fitting.original_key ?? Buffer.from(identity), value, headers, timestampMs: fitting.last_failed_at }
    },
    tell(letters) {
      for (const { pipeline, stage, error_code, error_message, error_path, split, source_position } of letters)
        emit({
          type: 'record_dead',
          pipeline,
          stage,
          code: error_code,
          message: error_message,
          ...(error_path === null ? {} : { at: error_path }),
          ...(split === null ? {} : { split }),
          ...(source_position === null ? {} : { position: source_position }),
        })
    },
  }
}

/**
 * An original that no dead-letter record could hold is cut, and the letter says so with the length and hash of the whole. A key and headers that
 * are too much by themselves are left out: a letter that could not be written would keep its pipeline from ever going on.
 */
function cutToRoom(letter: DeadLetter, roomBytes: number): DeadLetter {
  // The key stands in the record and in its value.
  const besides = 2 * (letter.original_key?.length ?? 0) + headerBytes(letter)
  if (letter.original.length + besides <= roomBytes) return letter
  if (besides > roomBytes / 2) {
    const error_message = `${letter.error_message} [key and headers of ${besides} bytes left out]`
    return cutToRoom({ ...letter, original_key: null, original_headers: [], error_message }, roomBytes)
  }
  const leftBytes = roomBytes - besides
  const sha256 = createHash('sha256').update(letter.original).digest('hex')
  return {
    ...letter,
    original: letter.original.subarray(0, leftBytes),
    error_message: `${letter.error_message} [original cut from ${letter.original.length} to ${leftBytes} bytes, sha256 ${sha256}]`,
  }
}

function headerBytes({ original_headers }: DeadLetter): number {
  return original_headers.reduce((sum, { name, value }) => sum + name.length * 3 + value.length + 10, 0)
}

/** The error part of a dead letter; no secret passes. */
export function errorFields(
  error: WeirError,
): Pick<DeadLetter, 'error_code' | 'error_message' | 'error_path' | 'error_hint'> {
  return {
    error_code: error.code,
    error_message: redact(error.message).slice(0, maxMessageLength),
    error_path: error.at === undefined ? null : redact(error.at),
    error_hint: error.hint === undefined ? null : redact(error.hint),
  }
}

/** Where a record of the log stood: the part of a consumer-stage letter that a replay needs. */
export function originFields(
  record: LogRecord,
): Pick<
  DeadLetter,
  'original' | 'original_key' | 'original_topic' | 'original_partition' | 'original_offset' | 'original_headers'
> {
  return {
    original: record.value ?? new Uint8Array(),
    original_key: record.key,
    original_topic: record.topic,
    original_partition: record.partition,
    original_offset: record.offset,
    original_headers: record.headers.map(([name, value]) => ({ name, value })),
  }
}
