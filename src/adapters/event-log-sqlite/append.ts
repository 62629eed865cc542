// Records into batches: checked and placed before the transaction, written inside it. The hot path of the log.
// Keeps I3: per key the order of the partition is the order given.
import { WeirError } from '../../core/errors.ts'
import { partitionOf } from '../../core/murmur2.ts'
import type { OutRecord } from '../../core/record.ts'
import type { Append } from '../../pipeline/ports.ts'
import type { Sql } from '../embedded-store/store.ts'
import { BatchWriter, boundOf } from './batch-format.ts'
import { checkPartition } from './names.ts'
import { type TopicRow, topicRow } from './topics.ts'

/** A row of batches is closed at the first of these, so that readers take bounded bites. */
const maxBatchBytes = 256 * 1024
const maxBatchRecords = 1_000
const maxHeaders = 10_000

/** An append that is proven to fit: record i goes to `places[i]`, and partition p has `counts[p]` records. */
export interface PlacedAppend {
  readonly topic: TopicRow
  readonly records: readonly OutRecord[]
  readonly places: Uint16Array
  readonly counts: Uint32Array
}

const insertPayload = 'INSERT INTO batch_payload (bytes) VALUES (?)'
const insertBatch =
  'INSERT INTO batch (partition, base, count, min_ms, max_ms, bytes, payload) VALUES (?, ?, ?, ?, ?, ?, ?)'
const moveEnd = 'UPDATE partition SET latest = latest + ?, bytes = bytes + ? WHERE id = ?'
const selectEnd = 'SELECT latest FROM partition WHERE id = ?'

export class Appender {
  readonly #writer = new BatchWriter()
  #roundRobin = 0

  /** Checks every record and chooses its partition. @throws log.topic_unknown, log.record_too_large, log.invalid */
  place(sql: Sql, appends: readonly Append[]): readonly PlacedAppend[] {
    const placed: PlacedAppend[] = []
    for (const { topic: name, records } of appends) {
      const topic = topicRow(sql, name)
      if (records.length === 0) continue
      const places = new Uint16Array(records.length)
      const counts = new Uint32Array(topic.partitions)
      const keyless = this.#roundRobin++ % topic.partitions
      for (let i = 0; i < records.length; i++) {
        const record = records[i]!
        checkRecord(record, topic, i)
        let place = keyless
        if (record.partition !== undefined) checkPartition(name, (place = record.partition), topic.partitions)
        else if (record.key !== null) place = partitionOf(record.key, topic.partitions)
        places[i] = place
        counts[place] = counts[place]! + 1
      }
      placed.push({ topic, records, places, counts })
    }
    return placed
  }

  /** Writes what `place` has checked, inside the caller's transaction. */
  write(sql: Sql, placed: readonly PlacedAppend[]): void {
    for (const append of placed) {
      const order = grouped(append)
      for (let partition = 0, from = 0; partition < append.counts.length; partition++) {
        const count = append.counts[partition]!
        if (count > 0)
          this.#writePartition(sql, append.topic.firstPartition + partition, append.records, order, from, from + count)
        from += count
      }
    }
  }

  #writePartition(
    sql: Sql,
    id: number,
    records: readonly OutRecord[],
    order: Uint32Array,
    from: number,
    to: number,
  ): void {
    const writer = this.#writer
    const first = sql.get(selectEnd, id)!['latest'] as number
    let base = first
    let bytes = 0
    const flush = (): void => {
      const payload = writer.finish()
      const { lastInsertRowid } = sql.run(insertPayload, payload)
      sql.run(insertBatch, id, base, writer.count, writer.minMs, writer.maxMs, payload.length, lastInsertRowid)
      base += writer.count
      bytes += payload.length
      writer.begin()
    }
    writer.begin()
    for (let i = from; i < to; i++) {
      const record = records[order[i]!]!
      if (writer.count > 0 && (writer.count === maxBatchRecords || writer.size + boundOf(record) > maxBatchBytes))
        flush()
      writer.add(record)
    }
    flush()
    sql.run(moveEnd, base - first, bytes, id)
  }
}

/** Indexes of the records, partition by partition, in each the order given. */
function grouped({ places, counts }: PlacedAppend): Uint32Array {
  const next = new Uint32Array(counts.length)
  for (let p = 1; p < counts.length; p++) next[p] = next[p - 1]! + counts[p - 1]!
  const order = new Uint32Array(places.length)
  for (let i = 0; i < places.length; i++) {
    const p = places[i]!
    order[next[p]!] = i
    next[p] = next[p]! + 1
  }
  return order
}

function checkRecord(record: OutRecord, topic: TopicRow, index: number): void {
  const { key, value, headers, timestampMs } = record
  const sound =
    (key === null || key instanceof Uint8Array) &&
    (value === null || value instanceof Uint8Array) &&
    Number.isSafeInteger(timestampMs)
  if (!sound)
    throw new WeirError(
      'log.invalid',
      `Record ${index} for topic ${topic.name} has a key or value that is not bytes, or a timestamp that is no whole number.`,
      {
        hint: 'This is a defect of whatever made the record.',
      },
    )
  if (headers.length > maxHeaders)
    throw new WeirError(
      'log.invalid',
      `Record ${index} for topic ${topic.name} has ${headers.length} headers, more than ${maxHeaders}.`,
      { hint: 'Put the data into the value.' },
    )
  // The bound is cheap; only a record near the limit is measured.
  if (boundOf(record) <= topic.maxRecordBytes) return
  const bytes = sizeOf(record)
  if (bytes > topic.maxRecordBytes)
    throw new WeirError(
      'log.record_too_large',
      `Record ${index} for topic ${topic.name} has ${bytes} bytes; the topic takes ${topic.maxRecordBytes}.`,
      {
        hint: 'Map fewer or shorter fields, or raise the size limit of the topic.',
      },
    )
}

/** Bytes of key, value and headers. */
function sizeOf({ key, value, headers }: OutRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, content] of headers)
    bytes += Buffer.byteLength(name) + (typeof content === 'string' ? Buffer.byteLength(content) : content.length)
  return bytes
}
