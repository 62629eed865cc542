// Records out of batches, in offset order, by bounded bites: no snapshot is held between two of them.
import { WeirError } from '../../core/errors.ts'
import type { LogRecord } from '../../core/record.ts'
import type { Sql } from '../embedded-store/store.ts'
import { BatchDamage, BatchReader } from './batch-format.ts'

export interface ReadLimits {
  readonly maxRecords: number
  /** Bytes of keys, values and headers; one record is given however large it is. */
  readonly maxBytes: number
}

export interface PartitionPlace {
  readonly topic: string
  readonly partition: number
  /** Row id of the partition. */
  readonly id: number
}

/** Batches looked up at once; small ones are many. */
const lookAhead = 64

/** Rows of batches that hold `from` or come after it. */
const selectBatches = `SELECT base, count, payload FROM batch WHERE partition = ?1
  AND base >= coalesce((SELECT max(base) FROM batch WHERE partition = ?1 AND base <= ?2), ?2) ORDER BY base LIMIT ?3`
const selectPayload = 'SELECT bytes FROM batch_payload WHERE id = ?'

/** Committed records from offset `from` on, up to but without `until`. Empty when there are none. @throws log.corrupt naming the place */
export function readRecords(
  sql: Sql,
  place: PartitionPlace,
  from: number,
  until: number,
  { maxRecords, maxBytes }: ReadLimits,
): LogRecord[] {
  const found: LogRecord[] = []
  let bytes = 0
  let next = from
  while (next < until && found.length < maxRecords && bytes < maxBytes) {
    const batches = sql.all(selectBatches, place.id, next, Math.min(lookAhead, maxRecords - found.length + 1))
    const before = next
    for (const batch of batches) {
      const base = batch['base'] as number
      const count = batch['count'] as number
      if (base + count <= next) continue
      const reader = openBatch(sql, place, base, count, batch['payload'] as number)
      try {
        reader.skipTo(next - base)
        for (let record = reader.next(); record; record = reader.next()) {
          const offset = base + reader.index - 1
          if (offset >= until || found.length >= maxRecords || (found.length > 0 && bytes + record.bytes > maxBytes))
            return found
          const { timestampMs, key, value, headers } = record
          found.push({
            topic: place.topic,
            partition: place.partition,
            offset: BigInt(offset),
            timestampMs,
            key,
            value,
            headers,
          })
          bytes += record.bytes
          next = offset + 1
        }
      } catch (error) {
        throw damaged(error, place, base)
      }
      if (bytes >= maxBytes) break
    }
    if (next === before) break
  }
  return found
}

function openBatch(sql: Sql, place: PartitionPlace, base: number, count: number, payload: number): BatchReader {
  const row = sql.get(selectPayload, payload)
  try {
    if (row === undefined) throw new BatchDamage('the bytes of the batch are missing')
    return new BatchReader(row['bytes'] as Uint8Array, count)
  } catch (error) {
    throw damaged(error, place, base)
  }
}

function damaged(error: unknown, { topic, partition }: PartitionPlace, base: number): unknown {
  if (!(error instanceof BatchDamage)) return error
  return new WeirError(
    'log.corrupt',
    `Records of topic ${topic}, partition ${partition}, from offset ${base} on are damaged: ${error.message}.`,
    {
      at: `${topic}/${partition}/${base}`,
      hint: 'Restore a backup, or start readers behind the damaged batch.',
      cause: error,
    },
  )
}

/** The first offset whose record is not older than `timeMs`; the partition's end when there is none. */
export function offsetOfTime(sql: Sql, place: PartitionPlace, timeMs: number, latest: number): number {
  const batch = sql.get(
    'SELECT base, count, payload FROM batch WHERE partition = ? AND max_ms >= ? ORDER BY base LIMIT 1',
    place.id,
    Math.max(Math.ceil(timeMs), Number.MIN_SAFE_INTEGER),
  )
  if (batch === undefined) return latest
  const base = batch['base'] as number
  const count = batch['count'] as number
  const reader = openBatch(sql, place, base, count, batch['payload'] as number)
  try {
    for (let at = reader.peekTimestamp(); at !== undefined && at < timeMs; at = reader.peekTimestamp())
      reader.skipTo(reader.index + 1)
  } catch (error) {
    throw damaged(error, place, base)
  }
  return base + reader.index
}
