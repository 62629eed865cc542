// Reading without a group: from an offset, a time or an end, one partition or all of them merged by time. No group is made on the cluster.
// It ends at the ends seen at the start, although what stands last there may be markers or records of aborted transactions.
import { WeirError } from '../../core/errors.ts'
import type { LogRecord } from '../../core/record.ts'
import type { BrowseFrom, BrowseOptions } from '../../pipeline/ports.ts'
import { checkPartition, checkTopicName, toOffset } from '../log-names.ts'
import { endsOf, keyOf, type PartitionEnds, patiently } from './ends.ts'
import type { LogParts } from './parts.ts'
import { Reader } from './reader.ts'
import { unknownTopic } from './topic-table.ts'

const pageRecords = 500
const pageBytes = 1024 * 1024
/** Held ready while merging, over all partitions. */
const aheadBytes = 8 * 1024 * 1024
/** Nobody reads on behind a cluster that does not answer for this long: whoever looks at a topic is told. */
const patienceMs = 15_000

/** Where reading one partition stands. `until`: its end at the start. */
interface Place {
  readonly partition: number
  next: bigint
  readonly until: bigint
  /** The piece that is being merged, and how much of it has been. */
  ahead: readonly LogRecord[]
  taken: number
  /** Until a record is found that is not older, none is given. Kafka finds a place by time, but counts the times of markers too. */
  notOlderMs: number
}

/** @throws log.topic_unknown, log.invalid, log.unavailable, log.denied, log.corrupt */
export async function* browse(
  parts: LogParts,
  topic: string,
  options: BrowseOptions,
): AsyncGenerator<readonly LogRecord[]> {
  const { follow = false, signal } = options
  checkTopicName(topic)
  const places = await placesOf(parts, topic, options)
  if (!follow && places.every(isDone)) return
  await using reader = new Reader({
    client: parts.lanes.open(),
    ask: parts.client,
    clock: parts.clock,
    random: parts.random,
    topic,
    maxBytes: aheadBytes,
  })
  for (const place of places) if (follow || !isDone(place)) reader.seek(place.partition, readFrom(place))
  const run = new Run(parts, reader, topic, places)
  for (;;) {
    const open = places.filter(place => !isDone(place))
    if (open.length === 0) break
    if (signal?.aborted) return
    const page = run.merged(open, true)
    if (page.length > 0) yield page
    else await run.wait(signal)
  }
  // What comes later is given as it comes: nobody can tell whether an older record follows in another partition.
  while (follow && !signal?.aborted) {
    const page = run.merged(places, false)
    if (page.length > 0) yield page
    else await run.wait(signal)
  }
}

function isDone(place: Place): boolean {
  return place.next >= place.until
}

/** A follower may ask for an offset that is not written yet: it waits at the end, and leaves out what comes before that offset. */
function readFrom({ next, until }: Place): bigint {
  return next > until ? until : next
}

async function placesOf(parts: LogParts, name: string, { partition, from }: BrowseOptions): Promise<Place[]> {
  const { client, clock } = parts
  const [found] = await patiently(clock, `topic ${name}`, () => client.metadata([name]))
  if (found === undefined || found.partitions.length === 0) throw unknownTopic(name)
  if (partition !== undefined) checkPartition(name, partition, found.partitions.length)
  const numbers = partition === undefined ? found.partitions.map(each => each.partition) : [partition]
  const ends = await endsOf(
    client,
    clock,
    numbers.map(number => ({ topic: name, partition: number })),
  )
  const starts = await startsOf(parts, name, from, ends, numbers)
  return numbers.map(number => ({
    partition: number,
    next: starts.get(number)!,
    until: ends.get(keyOf({ topic: name, partition: number }))!.latest,
    ahead: [],
    taken: 0,
    notOlderMs: typeof from === 'object' && 'timeMs' in from ? from.timeMs : Number.NEGATIVE_INFINITY,
  }))
}

async function startsOf(
  { client, clock }: LogParts,
  topic: string,
  from: BrowseFrom,
  ends: ReadonlyMap<string, PartitionEnds>,
  numbers: readonly number[],
): Promise<ReadonlyMap<number, bigint>> {
  const endsAt = (partition: number): PartitionEnds => ends.get(keyOf({ topic, partition }))!
  if (from === 'earliest' || from === 'latest') return new Map(numbers.map(number => [number, endsAt(number)[from]]))
  if ('offset' in from) {
    toOffset(from.offset)
    const { offset } = from
    return new Map(numbers.map(number => [number, offset < endsAt(number).earliest ? endsAt(number).earliest : offset]))
  }
  const timeMs = Math.max(0, Math.ceil(from.timeMs))
  const found = await patiently(clock, `topic ${topic}`, () =>
    client.listOffsets(
      numbers.map(partition => ({ topic, partition })),
      { timeMs },
      'committed',
    ),
  )
  return new Map(found.map(({ partition, offset }) => [partition, offset]))
}

/** Merging and waiting of one browse. */
class Run {
  readonly #parts: LogParts
  readonly #reader: Reader
  readonly #topic: string
  readonly #places: readonly Place[]

  constructor(parts: LogParts, reader: Reader, topic: string, places: readonly Place[]) {
    this.#parts = parts
    this.#reader = reader
    this.#topic = topic
    this.#places = places
  }

  /** The oldest heads of the places; inside a partition the order stays that of the offsets. `all`: none is given while one place has no head yet. */
  merged(places: readonly Place[], all: boolean): LogRecord[] {
    const page: LogRecord[] = []
    const heads: Place[] = []
    for (const place of places)
      if (this.#refill(place, all)) heads.push(place)
      else if (all && !isDone(place)) return page
    while (heads.length > 0 && page.length < pageRecords) {
      let oldest = heads[0]!
      for (const place of heads) if (headOf(place).timestampMs < headOf(oldest).timestampMs) oldest = place
      const record = headOf(oldest)
      page.push(record)
      oldest.taken++
      oldest.next = record.offset + 1n
      if (this.#refill(oldest, all)) continue
      heads.splice(heads.indexOf(oldest), 1)
      if (all && !isDone(oldest)) break
    }
    return page
  }

  /** @throws log.unavailable when the cluster has not answered for long, log.denied */
  async wait(signal: AbortSignal | undefined): Promise<void> {
    const reader = this.#reader
    const { trouble } = reader
    if (trouble && trouble.forMs > patienceMs) throw trouble.error
    for (const { partition } of this.#places) if (reader.isOutOfRange(partition)) await this.#mend(partition)
    reader.pump(true)
    await reader.changed(trouble ? patienceMs : Number.POSITIVE_INFINITY, signal)
  }

  /** Makes sure that a record of the partition is at hand. `bounded`: of before its end. @returns false when there is none now */
  #refill(place: Place, bounded: boolean): boolean {
    const reader = this.#reader
    while (place.taken >= place.ahead.length) {
      if (bounded && isDone(place)) return false
      if (place.ahead.length > 0) reader.consume(place.partition, place.ahead.at(-1)!.offset + 1n)
      place.ahead = []
      place.taken = 0
      const piece = reader.peek(place.partition, { maxRecords: pageRecords, maxBytes: pageBytes })
      if (piece === null) {
        const reached = reader.reached(place.partition)
        if (reached !== null && reached > place.next) place.next = reached
        return false
      }
      place.ahead = piece.records
      while (place.taken < piece.records.length && isBefore(place, piece.records[place.taken]!)) place.taken++
    }
    place.notOlderMs = Number.NEGATIVE_INFINITY
    if (!bounded || headOf(place).offset < place.until) return true
    place.next = place.until
    return false
  }

  /** Retention has taken what was to be read: reading goes on with what is left. */
  async #mend(partition: number): Promise<void> {
    const { client, clock } = this.#parts
    const at = { topic: this.#topic, partition }
    const { earliest, latest } = (await endsOf(client, clock, [at])).get(keyOf(at))!
    const reached = this.#reader.reached(partition) ?? earliest
    if (reached > latest)
      throw new WeirError('log.unavailable', `Partition ${keyOf(at)} ends before what was read of it.`, {
        at: keyOf(at),
        hint: 'The topic was made anew, or its leader lost records; look again.',
      })
    this.#reader.seek(partition, reached < earliest ? earliest : reached)
  }
}

function isBefore({ next, notOlderMs }: Place, { offset, timestampMs }: LogRecord): boolean {
  return offset < next || timestampMs < notOlderMs
}

function headOf(place: Place): LogRecord {
  return place.ahead[place.taken]!
}
