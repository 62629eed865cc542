// Reading without a group: from an offset, a time or an end, one partition or all of them merged by time. Stopping early costs nothing.
import type { LogRecord } from '../../core/record.ts'
import type { BrowseFrom, BrowseOptions } from '../../pipeline/ports.ts'
import type { Sql, Store } from '../embedded-store/store.ts'
import { checkPartition, toOffset } from '../log-names.ts'
import { offsetOfTime, type PartitionPlace, readRecords } from './read.ts'
import type { Tail } from './tail.ts'
import { endsOf, topicRow } from './topics.ts'

const pageRecords = 500
const pageBytes = 256 * 1024
/** Records read ahead per partition while merging, so that many partitions stay small in memory. */
const mergeRecords = 4_000

/** Where reading one partition stands. `until`: its end at the last look. */
interface Place extends PartitionPlace {
  next: number
  until: number
  ahead: LogRecord[]
  taken: number
}

export async function* browse(
  store: Store,
  tail: Tail,
  topic: string,
  options: BrowseOptions,
): AsyncGenerator<readonly LogRecord[]> {
  const { follow = false, signal } = options
  let mark = tail.mark()
  const places = await store.read(sql => placesOf(sql, topic, options))
  for (;;) {
    for (;;) {
      if (signal?.aborted) return
      const page = await store.read(sql => (places.length === 1 ? nextOf(sql, places[0]!) : nextMerged(sql, places)))
      if (page.length === 0) break
      yield page
    }
    if (!follow) return
    await tail.wait(mark, Number.POSITIVE_INFINITY, signal)
    if (signal?.aborted) return
    mark = tail.mark()
    await store.read(sql => lookFurther(sql, places))
  }
}

function placesOf(sql: Sql, name: string, { partition, from }: BrowseOptions): Place[] {
  const topic = topicRow(sql, name)
  if (partition !== undefined) checkPartition(name, partition, topic.partitions)
  const numbers =
    partition === undefined ? Array.from({ length: topic.partitions }, (_, number) => number) : [partition]
  return numbers.map(number => {
    const place = { topic: name, partition: number, id: topic.firstPartition + number }
    const { earliest, latest } = endsOf(sql, place.id)
    return {
      ...place,
      next: Math.max(earliest, startOf(sql, place, from, earliest, latest)),
      until: latest,
      ahead: [],
      taken: 0,
    }
  })
}

function startOf(sql: Sql, place: PartitionPlace, from: BrowseFrom, earliest: number, latest: number): number {
  if (from === 'earliest') return earliest
  if (from === 'latest') return latest
  return 'offset' in from ? toOffset(from.offset) : offsetOfTime(sql, place, from.timeMs, latest)
}

function lookFurther(sql: Sql, places: readonly Place[]): void {
  for (const place of places) {
    const { earliest, latest } = endsOf(sql, place.id)
    place.until = latest
    place.next = Math.max(place.next, earliest)
  }
}

function nextOf(sql: Sql, place: Place): LogRecord[] {
  const page = readRecords(sql, place, place.next, place.until, { maxRecords: pageRecords, maxBytes: pageBytes })
  if (page.length > 0) place.next = Number(page.at(-1)!.offset) + 1
  return page
}

/** The oldest heads of all partitions; inside a partition the order stays that of the offsets. */
function nextMerged(sql: Sql, places: readonly Place[]): LogRecord[] {
  const page: LogRecord[] = []
  const open = places.filter(place => refill(sql, place, places.length))
  while (open.length > 0 && page.length < pageRecords) {
    let oldest = open[0]!
    for (const place of open) if (headOf(place).timestampMs < headOf(oldest).timestampMs) oldest = place
    page.push(headOf(oldest))
    oldest.taken++
    if (!refill(sql, oldest, places.length)) open.splice(open.indexOf(oldest), 1)
  }
  return page
}

function headOf(place: Place): LogRecord {
  return place.ahead[place.taken]!
}

/** Makes sure that a record of the partition is at hand. @returns false at its end */
function refill(sql: Sql, place: Place, partitions: number): boolean {
  if (place.taken < place.ahead.length) return true
  place.taken = 0
  const maxRecords = Math.max(16, Math.min(pageRecords, Math.floor(mergeRecords / partitions)))
  place.ahead = readRecords(sql, place, place.next, place.until, { maxRecords, maxBytes: pageBytes })
  if (place.ahead.length > 0) place.next = Number(place.ahead.at(-1)!.offset) + 1
  return place.ahead.length > 0
}
