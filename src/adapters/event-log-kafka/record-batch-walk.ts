// Batches in a fetched buffer, one after the other (record-batch-layout.ts), and which of them an aborted transaction wrote.
// Nothing of a batch is believed before its checksum has been checked.
import { crc32 } from 'node:zlib'
import { WeirError } from '../../core/errors.ts'
import type { FetchedPartition } from './client.ts'
import { crc32c } from './crc32c.ts'
import { at, attribute } from './record-batch-layout.ts'

/** So far beyond the end of the log that it can only be damage: the end is read just before the records are. */
const beyondEnd = 1_000_000n
const magic = 2

/** One batch whose checksum is right. */
export interface StoredBatch {
  readonly topic: string
  readonly partition: number
  readonly baseOffset: bigint
  /** Of the last record that was written, though compaction may have taken it out. */
  readonly lastOffset: bigint
  readonly codec: number
  readonly logAppendTime: boolean
  readonly transactional: boolean
  readonly control: boolean
  readonly baseTimeMs: number
  readonly maxTimeMs: number
  readonly producerId: bigint
  readonly count: number
  /** The records, perhaps compressed. A view of the fetched buffer. */
  readonly body: Uint8Array
}

/**
 * The whole batches; a cut one at the end is left out.
 * @throws log.unavailable: a batch arrived damaged, fetch it again; log.corrupt: a format before Kafka 0.11
 */
export function* walkBatches({ topic, partition, bytes, highWatermark }: FetchedPartition): Generator<StoredBatch> {
  let last = -1n
  for (let from = 0; from + at.attributes <= bytes.length; ) {
    const baseOffset = bytes.readBigInt64BE(from)
    const length = bytes.readInt32BE(from + at.length)
    const damaged = (what: string) =>
      new WeirError('log.unavailable', `A batch of ${topic}/${partition} arrived damaged: ${what}.`, {
        at: `${topic}/${partition}/${baseOffset}`,
        hint: 'It is fetched again; if that goes on, look at the network and at the disk of the broker.',
      })
    if (length < at.attributes - at.leaderEpoch) throw damaged(`its length is ${length}`)
    const end = from + at.leaderEpoch + length
    if (end > bytes.length) return
    const format = bytes.readInt8(from + at.magic)
    if (isOldFormat(bytes, from, end)) throw oldFormat(topic, partition, baseOffset, format)
    if (format !== magic) throw damaged(`its format is ${format}`)
    if (crc32c(bytes, from + at.attributes, end) !== bytes.readUInt32BE(from + at.crc))
      throw damaged('its checksum does not match')
    if (end - from < at.records) throw damaged(`its length is ${length}`)
    if (baseOffset <= last) throw damaged(`its offset ${baseOffset} is not above the one before`)
    if (baseOffset > highWatermark + beyondEnd) throw damaged(`its offset ${baseOffset} is far beyond the end`)
    const batch = readBatch(topic, partition, bytes.subarray(from, end))
    last = batch.lastOffset
    yield batch
    from = end
  }
}

function readBatch(topic: string, partition: number, bytes: Buffer): StoredBatch {
  const attributes = bytes.readInt16BE(at.attributes)
  const baseOffset = bytes.readBigInt64BE(at.baseOffset)
  const lastDelta = bytes.readInt32BE(at.lastOffsetDelta)
  const count = bytes.readInt32BE(at.count)
  if (lastDelta < 0 || count < 0)
    throw corruptBatch({ topic, partition, baseOffset, lastOffset: baseOffset }, 'a count in its head is negative')
  return {
    topic,
    partition,
    baseOffset,
    lastOffset: baseOffset + BigInt(lastDelta),
    codec: attributes & attribute.codec,
    logAppendTime: (attributes & attribute.logAppendTime) !== 0,
    transactional: (attributes & attribute.transactional) !== 0,
    control: (attributes & attribute.control) !== 0,
    baseTimeMs: Number(bytes.readBigInt64BE(at.baseTimestamp)),
    maxTimeMs: Number(bytes.readBigInt64BE(at.maxTimestamp)),
    producerId: bytes.readBigInt64BE(at.producerId),
    count,
    body: new Uint8Array(bytes.buffer, bytes.byteOffset + at.records, bytes.length - at.records),
  }
}

/** A message of format 0 or 1: it has another checksum, a CRC-32 at 12 of all from the magic byte on. */
function isOldFormat(bytes: Buffer, from: number, end: number): boolean {
  const format = bytes[from + at.magic]
  if (format !== 0 && format !== 1) return false
  return crc32(bytes.subarray(from + at.magic, end)) === bytes.readUInt32BE(from + at.leaderEpoch)
}

function oldFormat(topic: string, partition: number, offset: bigint, format: number): WeirError {
  return new WeirError('log.corrupt', `${topic}/${partition} holds records of format ${format} at offset ${offset}.`, {
    at: `${topic}/${partition}/${offset}`,
    hint: 'Only formats since Kafka 0.11 can be read: have a current broker rewrite the topic, or start after that offset.',
  })
}

/** What is wrong with a batch that arrived as it was written: fetching it again would not help. */
export function corruptBatch(
  { topic, partition, baseOffset, lastOffset }: Pick<StoredBatch, 'topic' | 'partition' | 'baseOffset' | 'lastOffset'>,
  what: string,
): WeirError {
  return new WeirError('log.corrupt', `A batch of ${topic}/${partition} cannot be read: ${what}.`, {
    at: `${topic}/${partition}/${baseOffset}`,
    hint: `It was written so: mend its producer, and let readers go on at offset ${lastOffset + 1n}.`,
  })
}

/** Follows which producers' transactions end in an abort, batch by batch, as the protocol's consumers do. */
export class AbortedTransactions {
  readonly #pending: FetchedPartition['aborted'][number][]
  readonly #producers = new Set<bigint>()

  constructor(aborted: FetchedPartition['aborted']) {
    // The next one last.
    this.#pending = [...aborted].sort((a, b) =>
      a.firstOffset < b.firstOffset ? 1 : a.firstOffset > b.firstOffset ? -1 : 0,
    )
  }

  /** True while the transaction of this batch's producer is one that was aborted. To be asked for every batch, in order. */
  has({ producerId, lastOffset }: StoredBatch): boolean {
    for (let next = this.#pending.at(-1); next && next.firstOffset <= lastOffset; next = this.#pending.at(-1)) {
      this.#producers.add(next.producerId)
      this.#pending.pop()
    }
    return this.#producers.has(producerId)
  }

  /** The abort marker of a producer: what it writes from here on is another transaction. */
  ended(producerId: bigint): void {
    this.#producers.delete(producerId)
  }
}
