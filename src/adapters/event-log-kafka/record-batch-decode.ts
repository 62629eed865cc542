// A fetched partition to its committed records: aborted transactions, markers and what stands before the offset asked for are left out.
import type { WeirError } from '../../core/errors.ts'
import type { LogRecord } from '../../core/record.ts'
import type { FetchedPartition } from './client.ts'
import { codecIds, inflate } from './compression/codecs.ts'
import { CompressionDamage } from './compression/inflated.ts'
import { AbortedTransactions, corruptBatch, type StoredBatch, walkBatches } from './record-batch-walk.ts'
import { RecordReader } from './record-reader.ts'

/** Records and headers that are made at once: a few tens of megabytes of objects, however small the records are. */
export const maxParts = 200_000
const abortMarker = 0

/**
 * The committed records of a fetched partition at or after `fromOffset`, in order, and the offset to fetch next: past markers, aborted and
 * compacted records too. It is `fromOffset` when no batch was whole.
 *
 * A batch inflates to at most `maxInflatedBytes`. When one call has inflated that much, or made some 200,000 records and headers, it ends
 * early; `nextOffset` says where. The same fetched partition can be given again with that offset, or it is fetched again from there.
 *
 * Keys, values and header values are views: a record keeps alive the inflated batch, or where it was not compressed the whole answer of the
 * fetch. Copy what is kept for long.
 * @throws log.unavailable: a batch arrived damaged (checksum), fetch it again; log.corrupt: a batch that was written so cannot be read.
 * Only when nothing stands before that batch: what does is given first, and the call from `nextOffset` on throws.
 */
export async function decodeBatches(
  fetched: FetchedPartition,
  fromOffset: bigint,
  maxInflatedBytes: number,
): Promise<{ records: LogRecord[]; nextOffset: bigint }> {
  const aborted = new AbortedTransactions(fetched.aborted)
  const records: LogRecord[] = []
  let parts = 0
  let inflated = 0
  let nextOffset = fromOffset
  /** Records up to `nextOffset`. */
  let sure = 0
  try {
    for (const batch of walkBatches(fetched)) {
      const inAborted = aborted.has(batch)
      if (batch.control) {
        if (inAborted && (await marksAbort(batch, maxInflatedBytes))) aborted.ended(batch.producerId)
      } else if (!(inAborted && batch.transactional) && batch.lastOffset >= fromOffset) {
        if (parts >= maxParts || inflated >= maxInflatedBytes) return { records, nextOffset }
        const bytes = await plainBody(batch, maxInflatedBytes)
        if (batch.codec !== codecIds.none) inflated += bytes.length
        const reader = new RecordReader(batch, bytes)
        const fromDelta = fromOffset > batch.baseOffset ? Number(fromOffset - batch.baseOffset) : 0
        for (let record = reader.next(fromDelta); record !== undefined; record = reader.next(fromDelta)) {
          if (parts >= maxParts) return { records, nextOffset: record.offset }
          records.push(record)
          parts += 1 + record.headerCount
        }
      }
      if (batch.lastOffset >= nextOffset) nextOffset = batch.lastOffset + 1n
      sure = records.length
    }
  } catch (thrown) {
    if (nextOffset === fromOffset) throw thrown
    records.length = sure
  }
  return { records, nextOffset }
}

/** A batch whose checksum is right, and its records, inflated. */
export interface OpenBatch {
  readonly batch: StoredBatch
  readonly bytes: Uint8Array
}

/**
 * The committed batches of a fetched partition that reach `fromOffset`, of whose records nothing is made yet, and the offset to fetch next.
 * Ends early once it has inflated `maxInflatedBytes`. @throws as decodeBatches, but for what is wrong with a record: RecordReader says that
 */
export async function openBatches(
  fetched: FetchedPartition,
  fromOffset: bigint,
  maxInflatedBytes: number,
): Promise<{ readonly batches: readonly OpenBatch[]; readonly nextOffset: bigint }> {
  const aborted = new AbortedTransactions(fetched.aborted)
  const batches: OpenBatch[] = []
  let inflated = 0
  let nextOffset = fromOffset
  try {
    for (const batch of walkBatches(fetched)) {
      const inAborted = aborted.has(batch)
      if (batch.control) {
        if (inAborted && (await marksAbort(batch, maxInflatedBytes))) aborted.ended(batch.producerId)
      } else if (!(inAborted && batch.transactional) && batch.lastOffset >= fromOffset) {
        if (inflated >= maxInflatedBytes) break
        const bytes = await plainBody(batch, maxInflatedBytes)
        if (batch.codec !== codecIds.none) inflated += bytes.length
        batches.push({ batch, bytes })
      }
      if (batch.lastOffset >= nextOffset) nextOffset = batch.lastOffset + 1n
    }
  } catch (thrown) {
    if (nextOffset === fromOffset) throw thrown
  }
  return { batches, nextOffset }
}

async function plainBody(batch: StoredBatch, maxInflatedBytes: number): Promise<Uint8Array> {
  if (batch.codec === codecIds.none) return batch.body
  try {
    return await inflate(batch.codec, batch.body, maxInflatedBytes)
  } catch (thrown) {
    throw thrown instanceof CompressionDamage ? notInflated(batch, thrown) : thrown
  }
}

function notInflated(batch: StoredBatch, damage: CompressionDamage): WeirError {
  const name = Object.entries(codecIds).find(([, id]) => id === batch.codec)?.[0] ?? 'unknown'
  return corruptBatch(batch, `its compressed part (${name}): ${damage.message}`)
}

/** True for the marker that ends a transaction as aborted. Its key: version i16 · type i16. */
async function marksAbort(batch: StoredBatch, maxInflatedBytes: number): Promise<boolean> {
  const key = new RecordReader(batch, await plainBody(batch, maxInflatedBytes)).next(0)?.key
  if (key === undefined) return false
  if (key === null || key.length < 4) throw corruptBatch(batch, 'a marker has no type')
  return ((key[2]! << 8) | key[3]!) === abortMarker
}
