// How many bytes records take in a batch, and cutting what is too much for one (brokers take 1 MiB by default).
import type { OutRecord } from '../../core/record.ts'
import { at } from './record-batch-layout.ts'

/** Length, attributes, timestamp delta (10), offset delta, two lengths, header count: each at its longest. */
const recordFixedBytes = 5 + 1 + 10 + 5 + 5 + 5 + 5
const headerFixedBytes = 5 + 5

function boundOf({ key, value, headers }: OutRecord): number {
  let bytes = recordFixedBytes + (key === null ? 0 : key.length) + (value === null ? 0 : value.length)
  for (let i = 0; i < headers.length; i++) {
    const [name, content] = headers[i]!
    bytes += headerFixedBytes + name.length * 3 + (typeof content === 'string' ? content.length * 3 : content.length)
  }
  return bytes
}

/** The most bytes that the records can take as one uncompressed batch; strings are counted as if every unit took three bytes. */
export function batchBytes(records: readonly OutRecord[]): number {
  let bytes: number = at.records
  for (let i = 0; i < records.length; i++) bytes += boundOf(records[i]!)
  return bytes
}

/** The records in runs, in order, each of at most `maxBytes` by `batchBytes`; a record that is larger stands alone. None for no records. */
export function splitBatches(records: readonly OutRecord[], maxBytes: number): readonly (readonly OutRecord[])[] {
  const batches: (readonly OutRecord[])[] = []
  let from = 0
  let bytes: number = at.records
  for (let i = 0; i < records.length; i++) {
    const bound = boundOf(records[i]!)
    if (i > from && bytes + bound > maxBytes) {
      batches.push(records.slice(from, i))
      from = i
      bytes = at.records
    }
    bytes += bound
  }
  if (from === 0) return records.length === 0 ? [] : [records]
  batches.push(records.slice(from))
  return batches
}
