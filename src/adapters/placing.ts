// Where records go, for every event log: checked, and given their partitions, before anything is written.
// Keeps I3: per key the order of the partition is the order given.
import { WeirError } from '../core/errors.ts'
import { partitionOf } from '../core/murmur2.ts'
import type { OutRecord } from '../core/record.ts'
import { checkPartition } from './log-names.ts'

/** What placing needs to know of a topic. */
export interface PlacingTopic {
  readonly name: string
  readonly partitions: number
  readonly maxRecordBytes: number
}

/** Records that are proven to fit: record i goes to `places[i]`, and partition p has `counts[p]` records. */
export interface Placed<T extends PlacingTopic> {
  readonly topic: T
  readonly records: readonly OutRecord[]
  readonly places: Uint16Array
  readonly counts: Uint32Array
}

const maxHeaders = 10_000
/** Of a header's name and content no text takes more than this many bytes a UTF-16 unit. */
const bytesPerUnit = 3

/** Chooses partitions as Kafka's default partitioner does: by key; without one, the batches take turns. */
export class Placing {
  #turn = 0

  /** `append`: which of its transaction it is. @throws log.record_too_large with all that are, log.invalid */
  place<T extends PlacingTopic>(topic: T, records: readonly OutRecord[], append: number): Placed<T> {
    const places = new Uint16Array(records.length)
    const counts = new Uint32Array(topic.partitions)
    const keyless = this.#turn++ % topic.partitions
    let large: number[] | undefined
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!
      checkRecord(record, topic, i)
      if (isTooLarge(record, topic)) (large ??= []).push(i)
      let place = keyless
      if (record.partition !== undefined) checkPartition(topic.name, (place = record.partition), topic.partitions)
      else if (record.key !== null) place = partitionOf(record.key, topic.partitions)
      places[i] = place
      counts[place] = counts[place]! + 1
    }
    if (large !== undefined) throw tooLarge(topic, records, large, append)
    return { topic, records, places, counts }
  }
}

/** Indexes of the records, partition by partition, in each the order given. */
export function byPartition({ places, counts }: Placed<PlacingTopic>): Uint32Array {
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

function checkRecord(record: OutRecord, topic: PlacingTopic, index: number): void {
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
}

/** The bound is cheap; only a record near the limit is measured. */
function isTooLarge(record: OutRecord, { maxRecordBytes }: PlacingTopic): boolean {
  return upperBound(record) > maxRecordBytes && sizeOf(record) > maxRecordBytes
}

function tooLarge(
  { name, maxRecordBytes }: PlacingTopic,
  records: readonly OutRecord[],
  large: readonly number[],
  append: number,
): WeirError {
  const most = large.reduce((bytes, index) => Math.max(bytes, sizeOf(records[index]!)), 0)
  const these = large.length === 1 ? 'this one has' : `${large.length} of these have more, up to`
  return new WeirError(
    'log.record_too_large',
    `Topic ${name} takes records of at most ${maxRecordBytes} bytes; ${these} ${most}.`,
    {
      at: name,
      hint: 'Map fewer or shorter fields, or raise the size limit of the topic.',
      records: large.map(record => ({ append, record })),
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

function upperBound({ key, value, headers }: OutRecord): number {
  let bytes = (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, content] of headers)
    bytes += name.length * bytesPerUnit + (typeof content === 'string' ? content.length * bytesPerUnit : content.length)
  return bytes
}
