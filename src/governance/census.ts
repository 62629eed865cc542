// Which schema ids the records of a topic carry in their headers: what is still in the log, and what is gone from it.
// Values are not decoded, so a census of many records costs little more than reading them.

/** A record by its header. `id`: null for a value that has no wire header; undefined for a tombstone. */
export interface CountedRecord {
  readonly partition: number
  readonly offset: bigint
  readonly timestampMs: number
  readonly id: number | null | undefined
}

export interface CensusRecord {
  readonly partition: number
  readonly offset: string
  /** Milliseconds since the epoch. */
  readonly timestamp: number
}

/** Records of one id. `first` and `last` by timestamp. */
export interface CountedId {
  records: number
  first: CensusRecord
  last: CensusRecord
}

/** A group in a partition: the newest record before its offset, and what lies before it. */
export interface GroupPlace {
  readonly group: string
  readonly partition: number
  readonly offset: bigint
}

export interface CountedGroup {
  readonly group: string
  /** Id of the record that it read last, by its partitions; the newest of them by timestamp. null: that record is not in the log any more. */
  lastId: number | null
  lastTimestamp: number
  /** Records that it has not read yet, by id. */
  readonly ahead: Map<number, number>
}

const maxIds = 1_000

export class Census {
  readonly ids = new Map<number, CountedId>()
  readonly groups: readonly CountedGroup[]
  records = 0
  tombstones = 0
  unframed: CountedId | null = null
  /** Records of further ids, when there are too many to list: random bytes look like ids too. */
  unlisted = 0
  readonly #places: ReadonlyMap<number, readonly { readonly offset: bigint; readonly group: CountedGroup }[]>

  constructor(places: readonly GroupPlace[]) {
    const byGroup = Map.groupBy(places, ({ group }) => group)
    const counted = new Map(
      [...byGroup.keys()].map(group => [
        group,
        { group, lastId: null, lastTimestamp: -1, ahead: new Map<number, number>() },
      ]),
    )
    this.groups = [...counted.values()]
    this.#places = new Map(
      [...Map.groupBy(places, ({ partition }) => partition)].map(([partition, list]) => [
        partition,
        list.map(({ offset, group }) => ({ offset, group: counted.get(group)! })),
      ]),
    )
  }

  add(record: CountedRecord): void {
    this.records++
    const { id } = record
    if (id === undefined) this.tombstones++
    else if (id === null) this.unframed = grown(this.unframed, record)
    else if (this.ids.size >= maxIds && !this.ids.has(id)) this.unlisted++
    else {
      this.ids.set(id, grown(this.ids.get(id) ?? null, record))
      for (const place of this.#places.get(record.partition) ?? []) meet(place, record, id)
    }
  }
}

function meet(
  { offset, group }: { readonly offset: bigint; readonly group: CountedGroup },
  record: CountedRecord,
  id: number,
): void {
  if (record.offset >= offset) group.ahead.set(id, (group.ahead.get(id) ?? 0) + 1)
  else if (record.timestampMs >= group.lastTimestamp) {
    group.lastId = id
    group.lastTimestamp = record.timestampMs
  }
}

function grown(known: CountedId | null, { partition, offset, timestampMs }: CountedRecord): CountedId {
  const here = { partition, offset: String(offset), timestamp: timestampMs }
  if (!known) return { records: 1, first: here, last: here }
  known.records++
  if (timestampMs < known.first.timestamp) known.first = here
  if (timestampMs >= known.last.timestamp) known.last = here
  return known
}
