// A record batch (magic 2) as the Kafka protocol lays it out, big-endian:
//   0 base offset i64 · 8 length of what follows i32 · 12 partition leader epoch i32 · 16 magic i8 · 17 CRC-32C of all from 21 on u32
//   · 21 attributes i16 · 23 last offset delta i32 · 27 base timestamp i64 · 35 max timestamp i64 · 43 producer id i64
//   · 51 producer epoch i16 · 53 base sequence i32 · 57 record count i32 · 61 records, compressed as a whole where the attributes say so
// A record; numbers are zigzag varints: length of what follows · attributes i8 · timestamp delta · offset delta · key length or -1 · key
//   · value length or -1 · value · header count · header[count]: name length · name (UTF-8) · value length or -1 · value

export const at = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
  records: 61,
} as const

/** Bits of the attributes. */
export const attribute = { codec: 0x07, logAppendTime: 0x08, transactional: 0x10, control: 0x20 } as const

/** Attributes, three deltas and lengths of one byte each, header count: no record is shorter, its own length not counted. */
export const leastRecordBytes = 6
