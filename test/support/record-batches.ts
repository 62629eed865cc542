// Record batches for tests: built field by field, so that they can be wrong, and put into fetched partitions.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FetchedPartition } from '../../src/adapters/event-log-kafka/client.ts'
import { crc32c } from '../../src/adapters/event-log-kafka/crc32c.ts'
import type { LogRecord, OutRecord } from '../../src/core/record.ts'

export const producer = { transactionalId: 'weir-reviews-0', producerId: 77n, epoch: 3 }

/** A batch or the segment of a log, as another implementation wrote it (test/data/kafka/README.md). */
export function stored(name: string): Buffer {
  return readFileSync(join(import.meta.dirname, '../data/kafka', name))
}

export function fetched(
  bytes: Uint8Array | readonly Uint8Array[],
  aborted: FetchedPartition['aborted'] = [],
): FetchedPartition {
  const all = bytes instanceof Uint8Array ? Buffer.from(bytes) : Buffer.concat(bytes)
  const end = 1_000n
  return {
    topic: 'reviews',
    partition: 2,
    refusal: null,
    highWatermark: end,
    lastStableOffset: end,
    logStartOffset: 0n,
    aborted,
    bytes: all,
  }
}

/** The batch as it would stand at this offset in a log. */
export function placed(batch: Uint8Array, baseOffset: bigint): Buffer {
  const copy = Buffer.from(batch)
  copy.writeBigInt64BE(baseOffset)
  return copy
}

/** Makes length and checksum right again after a change. */
export function sealed(batch: Buffer): Buffer {
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeUInt32BE(crc32c(batch, 21), 17)
  return batch
}

export interface BatchParts {
  readonly baseOffset?: bigint
  readonly attributes?: number
  readonly lastOffsetDelta?: number
  readonly baseTimeMs?: bigint
  readonly maxTimeMs?: bigint
  readonly producerId?: bigint
  readonly count?: number
  readonly body?: Uint8Array
}

export function batchOf(parts: BatchParts): Buffer {
  const body = parts.body ?? new Uint8Array(0)
  const batch = Buffer.alloc(61 + body.length)
  batch.writeBigInt64BE(parts.baseOffset ?? 0n, 0)
  batch[16] = 2
  batch.writeInt16BE(parts.attributes ?? 0, 21)
  batch.writeInt32BE(parts.lastOffsetDelta ?? 0, 23)
  batch.writeBigInt64BE(parts.baseTimeMs ?? 1_700_000_000_000n, 27)
  batch.writeBigInt64BE(parts.maxTimeMs ?? 1_700_000_000_000n, 35)
  batch.writeBigInt64BE(parts.producerId ?? -1n, 43)
  batch.writeInt16BE(0, 51)
  batch.writeInt32BE(-1, 53)
  batch.writeInt32BE(parts.count ?? 1, 57)
  batch.set(body, 61)
  return sealed(batch)
}

/** Zigzag varint, as it stands in records. */
export function varint(value: number | bigint): Buffer {
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n))
  const bytes: number[] = []
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return Buffer.from([...bytes, Number(rest)])
}

/** A record of a body, from its fields after the length. */
export function recordOf(...fields: readonly (number | bigint | string | Uint8Array)[]): Buffer {
  const content = Buffer.concat([
    Buffer.of(0),
    ...fields.map(field =>
      typeof field === 'string' ? Buffer.from(field) : field instanceof Uint8Array ? field : varint(field),
    ),
  ])
  return Buffer.concat([varint(content.length), content])
}

/** A record without key and headers. */
export function simpleRecord(delta: number, value: string, timeDelta: number | bigint = 0): Buffer {
  return recordOf(timeDelta, delta, -1, Buffer.byteLength(value), value, 0)
}

/** Of the marker that ends a transaction. */
export function markerOf(baseOffset: bigint, producerId: bigint, type: 'abort' | 'commit'): Buffer {
  const key = Buffer.of(0, 0, 0, type === 'abort' ? 0 : 1)
  return batchOf({ baseOffset, producerId, attributes: 0x30, body: recordOf(0, 0, 4, key, 6, Buffer.alloc(6), 0) })
}

/** What a record says, in plain values that compare. */
export function plain({ offset, timestampMs, key, value, headers }: LogRecord) {
  return { offset, ...plainOut({ key, value, headers, timestampMs }) }
}

export function plainOut({ key, value, headers, timestampMs }: OutRecord) {
  const hex = (bytes: Uint8Array | string | null) => bytes && Buffer.from(bytes as Uint8Array).toString('hex')
  return { timestampMs, key: hex(key), value: hex(value), headers: headers.map(([name, v]) => [name, hex(v) || '']) }
}
