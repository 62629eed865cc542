// The bytes of a spooled transaction's records, as they stand in spool_payload. Little-endian.
//
//   payload: u32 format version = 1 · u32 crc32 of all bytes from 8 on · u32 append count · append[count]
//   append:  u32 topic length · topic (UTF-8) · u32 record count · i32[record count] partition, -1: by key · u32 batch length · batch
//
// A batch is that of event-log-sqlite/batch-format.ts.
import { crc32 } from 'node:zlib'
import type { OutRecord } from '../../core/record.ts'
import type { Append } from '../../pipeline/ports.ts'
import { BatchDamage, BatchReader, BatchWriter } from '../event-log-sqlite/batch-format.ts'

const formatVersion = 1
const headBytes = 12

/** What is written to the spool; the records' memory is free for others afterwards. */
export function encodeAppends(appends: readonly Append[]): Buffer {
  const parts: Uint8Array[] = [Buffer.alloc(headBytes)]
  const writer = new BatchWriter()
  for (const { topic, records } of appends) {
    const name = Buffer.from(topic, 'utf8')
    writer.begin()
    for (const record of records) writer.add(record)
    const batch = writer.finish()
    const head = Buffer.allocUnsafe(4 + name.length + 4 + records.length * 4 + 4)
    let at = head.writeUInt32LE(name.length, 0)
    at += name.copy(head, at)
    at = head.writeUInt32LE(records.length, at)
    for (const { partition } of records) at = head.writeInt32LE(partition ?? -1, at)
    head.writeUInt32LE(batch.length, at)
    parts.push(head, Uint8Array.from(batch)) // The writer uses its memory again.
  }
  const payload = Buffer.concat(parts)
  payload.writeUInt32LE(formatVersion, 0)
  payload.writeUInt32LE(appends.length, 8)
  payload.writeUInt32LE(crc32(payload.subarray(8)), 4)
  return payload
}

/** The records as they were given; string headers come back as their bytes. @throws BatchDamage */
export function decodeAppends(bytes: Uint8Array): readonly Append[] {
  const payload = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (payload.length < headBytes) throw new BatchDamage(`the entry has ${payload.length} bytes`)
  const version = payload.readUInt32LE(0)
  if (version !== formatVersion) throw new BatchDamage(`the entry has format ${version}, not ${formatVersion}`)
  if (payload.readUInt32LE(4) !== crc32(payload.subarray(8)))
    throw new BatchDamage('the checksum of the entry does not match')
  let at = headBytes
  // The checksum holds, so the lengths are those that were written.
  const length = (): number => {
    const value = payload.readUInt32LE(at)
    at += 4
    return value
  }
  return Array.from({ length: payload.readUInt32LE(8) }, () => {
    const nameBytes = length()
    const topic = payload.toString('utf8', at, (at += nameBytes))
    const count = length()
    const partitionsAt = at
    at += count * 4
    const batchBytes = length()
    // No Buffer: its `slice` would share memory where a Uint8Array's copies.
    const reader = new BatchReader(new Uint8Array(payload.buffer, payload.byteOffset + at, batchBytes), count)
    at += batchBytes
    const records = Array.from({ length: count }, (_, i): OutRecord => {
      const { key, value, headers, timestampMs } = reader.next()!
      const partition = payload.readInt32LE(partitionsAt + i * 4)
      return { key, value, headers, timestampMs, ...(partition < 0 ? {} : { partition }) }
    })
    return { topic, records }
  })
}
