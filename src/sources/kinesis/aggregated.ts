// Records that the Kinesis Producer Library packs into one: 4 bytes F3 89 9A C2, a protobuf message, the MD5 of that message.
//   AggregatedRecord: 1 repeated string partition_key_table, 2 repeated string explicit_hash_key_table, 3 repeated Record records
//   Record: 1 uint64 partition_key_index, 2 uint64 explicit_hash_key_index, 3 bytes data, 4 repeated Tag tags
// Source of the layout: aggregation-format.md of awslabs/amazon-kinesis-producer.
import { createHash } from 'node:crypto'

export interface PackedRecord {
  readonly key: string
  readonly data: Uint8Array
}

const magic = Buffer.from([0xf3, 0x89, 0x9a, 0xc2])
const digestBytes = 16
const utf8 = new TextDecoder()

/** The records in it; null when it is none of these: without the mark, with another MD5, or of another layout, as the AWS library has it. */
export function unpack(data: Uint8Array): readonly PackedRecord[] | null {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  if (bytes.length < magic.length + digestBytes || !bytes.subarray(0, magic.length).equals(magic)) return null
  const message = bytes.subarray(magic.length, -digestBytes)
  if (!createHash('md5').update(message).digest().equals(bytes.subarray(-digestBytes))) return null
  const keys: string[] = []
  const records: Buffer[] = []
  for (const field of fieldsOf(message) ?? [{ number: 0, value: 0 }]) {
    if (field.number === 1 && field.value instanceof Buffer) keys.push(utf8.decode(field.value))
    else if (field.number === 3 && field.value instanceof Buffer) records.push(field.value)
    else if (field.number !== 2) return null
  }
  const unpacked = records.map(record => recordOf(record, keys))
  return unpacked.every(record => record !== null) && unpacked.length > 0 ? unpacked : null
}

function recordOf(message: Buffer, keys: readonly string[]): PackedRecord | null {
  let key: string | undefined
  let data: Buffer | undefined
  for (const { number, value } of fieldsOf(message) ?? []) {
    if (number === 1 && typeof value === 'number') key = keys[value]
    if (number === 3 && value instanceof Buffer) data = value
  }
  return key === undefined || data === undefined ? null : { key, data }
}

interface Field {
  readonly number: number
  readonly value: number | Buffer
}

/** The fields of a protobuf message that are varints or bytes; null where it has others, or ends too soon. */
function fieldsOf(message: Buffer): readonly Field[] | null {
  const fields: Field[] = []
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let shift = 0; at < message.length && shift < 49; shift += 7) {
      const byte = message[at++]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    return Number.NaN
  }
  while (at < message.length) {
    const tag = varint()
    const value = varint()
    if (!Number.isSafeInteger(tag) || !Number.isSafeInteger(value)) return null
    const number = Math.floor(tag / 8)
    if (tag % 8 === 0) fields.push({ number, value })
    else if (tag % 8 === 2 && at + value <= message.length) {
      fields.push({ number, value: message.subarray(at, at + value) })
      at += value
    } else return null
  }
  return fields
}
