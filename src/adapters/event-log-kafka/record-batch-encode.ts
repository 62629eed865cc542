// Records to one record batch of a transaction (record-batch-layout.ts): a pass that measures, a pass that writes, no object per record.
// Everything is copied before the first wait, so the memory of the records may be written again once encodeBatch has returned.
import { WeirError } from '../../core/errors.ts'
import type { OutRecord } from '../../core/record.ts'
import type { ProducerIdentity } from './client.ts'
import { codecIds, compress } from './compression/codecs.ts'
import { crc32c } from './crc32c.ts'
import type { Compression } from './options.ts'
import { at, attribute } from './record-batch-layout.ts'

/** Year 73,000: deltas of times within stay exact as doubles. */
const maxTimeMs = 2 ** 51
const word = 2 ** 32
/** Below this a loop is faster than the call. */
const loopBytes = 48

/** What the measuring pass found: the length of each record, then of each of its header texts. Used again by every batch. */
let measured = new Int32Array(4096)

/**
 * One record batch (magic 2) of a transaction, CRC-32C, compressed unless `compression` is none. `records`: at least one; fractions of a
 * millisecond are cut off. `baseSequence`: of the partition within the epoch.
 * @throws log.timestamp_refused: a time that is no number, or beyond the year 73,000
 */
export async function encodeBatch(
  records: readonly OutRecord[],
  of: { producer: ProducerIdentity; baseSequence: number; compression: Compression },
): Promise<Uint8Array> {
  const plain = writePlain(records, of)
  if (of.compression === 'none') return seal(plain)
  const body = await compress(plain.subarray(at.records), of.compression)
  const batch = Buffer.allocUnsafeSlow(at.records + body.length)
  batch.set(plain.subarray(0, at.records))
  batch.set(body, at.records)
  return seal(batch)
}

function seal(batch: Buffer): Buffer {
  batch.writeInt32BE(batch.length - at.leaderEpoch, at.length)
  batch.writeUInt32BE(crc32c(batch, at.attributes), at.crc)
  return batch
}

function writePlain(
  records: readonly OutRecord[],
  of: { producer: ProducerIdentity; baseSequence: number; compression: Compression },
): Buffer {
  if (records.length === 0) throw new WeirError('internal', 'A record batch has at least one record.')
  const baseTime = wholeMs(records[0]!.timestampMs)
  const batch = Buffer.allocUnsafeSlow(at.records + measure(records, baseTime))
  const maxTime = writeRecords(batch, records, baseTime)
  batch.fill(0, at.baseOffset, at.leaderEpoch)
  batch.writeInt32BE(-1, at.leaderEpoch)
  batch.writeInt8(2, at.magic)
  batch.writeInt16BE(attribute.transactional | codecIds[of.compression], at.attributes)
  batch.writeInt32BE(records.length - 1, at.lastOffsetDelta)
  writeInt64(batch, baseTime, at.baseTimestamp)
  writeInt64(batch, maxTime, at.maxTimestamp)
  batch.writeBigInt64BE(of.producer.producerId, at.producerId)
  batch.writeInt16BE(of.producer.epoch, at.producerEpoch)
  batch.writeInt32BE(of.baseSequence, at.baseSequence)
  batch.writeInt32BE(records.length, at.count)
  return batch
}

/** False: no batch can carry the time. */
export function isWritableTime(timestampMs: number): boolean {
  return Math.abs(Math.floor(timestampMs)) <= maxTimeMs
}

function wholeMs(timestampMs: number): number {
  if (isWritableTime(timestampMs)) return Math.floor(timestampMs)
  throw new WeirError('log.timestamp_refused', `A record cannot carry the time ${timestampMs}.`, {
    hint: 'Give milliseconds since 1970.',
  })
}

function writeInt64(bytes: Buffer, value: number, offset: number): void {
  const high = Math.floor(value / word)
  bytes.writeInt32BE(high, offset)
  bytes.writeUInt32BE(value - high * word, offset + 4)
}

/** Bytes of all records together; fills `measured`. */
function measure(records: readonly OutRecord[], baseTime: number): number {
  let total = 0
  let slot = 0
  for (let i = 0; i < records.length; i++) {
    const { key, value, headers, timestampMs } = records[i]!
    const needed = slot + 1 + headers.length * 2
    if (needed > measured.length) growMeasured(needed)
    let bytes =
      1 +
      varintBytes(zigzag(wholeMs(timestampMs) - baseTime)) +
      varintBytes(i * 2) +
      (key === null ? 1 : key.length + varintBytes(key.length * 2)) +
      (value === null ? 1 : value.length + varintBytes(value.length * 2)) +
      varintBytes(headers.length * 2)
    const own = slot++
    for (let h = 0; h < headers.length; h++) {
      const [name, content] = headers[h]!
      const nameBytes = utf8Bytes(name)
      const contentBytes = typeof content === 'string' ? utf8Bytes(content) : content.length
      measured[slot++] = nameBytes
      measured[slot++] = contentBytes
      bytes += nameBytes + varintBytes(nameBytes * 2) + contentBytes + varintBytes(contentBytes * 2)
    }
    measured[own] = bytes
    total += bytes + varintBytes(bytes * 2)
  }
  return total
}

function growMeasured(needed: number): void {
  const larger = new Int32Array(Math.max(needed, measured.length * 2))
  larger.set(measured)
  measured = larger
}

/** Writes the records as `measured` says; the latest time among them. */
function writeRecords(batch: Buffer, records: readonly OutRecord[], baseTime: number): number {
  let maxTime = baseTime
  let slot = 0
  let to: number = at.records
  for (let i = 0; i < records.length; i++) {
    const { key, value, headers, timestampMs } = records[i]!
    const time = Math.floor(timestampMs)
    if (time > maxTime) maxTime = time
    to = putVarint(batch, to, measured[slot++]! * 2)
    batch[to++] = 0
    to = putVarint(batch, to, zigzag(time - baseTime))
    to = putVarint(batch, to, i * 2)
    to = putBytes(batch, to, key)
    to = putBytes(batch, to, value)
    to = putVarint(batch, to, headers.length * 2)
    for (let h = 0; h < headers.length; h++) {
      const [name, content] = headers[h]!
      to = putText(batch, to, name, measured[slot++]!)
      const contentBytes = measured[slot++]!
      to = typeof content === 'string' ? putText(batch, to, content, contentBytes) : putBytes(batch, to, content)
    }
  }
  return maxTime
}

function zigzag(value: number): number {
  return value < 0 ? value * -2 - 1 : value * 2
}

/** Bytes of a number that is zigzagged already. */
function varintBytes(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x200000) return 3
  let bytes = 4
  for (let rest = value / 0x10000000; rest >= 1; rest /= 128) bytes++
  return bytes
}

function putVarint(into: Buffer, offset: number, value: number): number {
  let to = offset
  let rest = value
  for (; rest > 0x7fffffff; rest = Math.floor(rest / 128)) into[to++] = (rest % 128) | 0x80
  for (; rest > 127; rest >>>= 7) into[to++] = rest | 0x80
  into[to++] = rest
  return to
}

function putBytes(into: Buffer, offset: number, bytes: Uint8Array | null): number {
  if (bytes === null) {
    into[offset] = 1
    return offset + 1
  }
  const length = bytes.length
  const to = putVarint(into, offset, length * 2)
  if (length < loopBytes) for (let i = 0; i < length; i++) into[to + i] = bytes[i]!
  else into.set(bytes, to)
  return to + length
}

/** As many bytes as units: every one is ASCII. */
function putText(into: Buffer, offset: number, text: string, bytes: number): number {
  const to = putVarint(into, offset, bytes * 2)
  if (bytes !== text.length) into.write(text, to, 'utf8')
  else if (bytes < loopBytes) for (let i = 0; i < bytes; i++) into[to + i] = text.charCodeAt(i)
  else into.write(text, to, 'latin1')
  return to + bytes
}

function utf8Bytes(text: string): number {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return Buffer.byteLength(text, 'utf8')
  return text.length
}
