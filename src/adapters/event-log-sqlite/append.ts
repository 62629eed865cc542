// Records into batches: checked and placed before the transaction, written inside it. The hot path of the log.
// Keeps I3: per key the order of the partition is the order given.
import type { OutRecord } from '../../core/record.ts'
import type { Append } from '../../pipeline/ports.ts'
import type { Sql } from '../embedded-store/store.ts'
import { byPartition, type Placed, Placing } from '../placing.ts'
import { BatchWriter, boundOf } from './batch-format.ts'
import { type TopicRow, topicRow } from './topics.ts'

/** A row of batches is closed at the first of these, so that readers take bounded bites. */
const maxBatchBytes = 256 * 1024
const maxBatchRecords = 1_000

/** Records placed in a topic of this log. */
export type PlacedAppend = Placed<TopicRow>

const insertPayload = 'INSERT INTO batch_payload (bytes) VALUES (?)'
const insertBatch =
  'INSERT INTO batch (partition, base, count, min_ms, max_ms, bytes, payload) VALUES (?, ?, ?, ?, ?, ?, ?)'
const moveEnd = 'UPDATE partition SET latest = latest + ?, bytes = bytes + ? WHERE id = ?'
const selectEnd = 'SELECT latest FROM partition WHERE id = ?'

export class Appender {
  readonly #writer = new BatchWriter()
  readonly #placing = new Placing()

  /** Checks every record and chooses its partition. @throws log.topic_unknown, log.record_too_large, log.invalid */
  place(sql: Sql, appends: readonly Append[]): readonly PlacedAppend[] {
    const placed = appends.map(({ topic, records }, i) => this.#placing.place(topicRow(sql, topic), records, i))
    return placed.filter(({ records }) => records.length > 0)
  }

  /** Writes what `place` has checked, inside the caller's transaction. */
  write(sql: Sql, placed: readonly PlacedAppend[]): void {
    for (const append of placed) {
      const order = byPartition(append)
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
