// A topic of some cluster, in memory: what the `kafka` source reads from in unit tests.
import type { LogRecord } from '../../src/core/record.ts'
import type { Cluster } from '../../src/sources/kafka/cluster.ts'

export interface FakeTopic extends Cluster {
  /** Appends to a partition; null: a tombstone. `hole`: offsets left out before it, as markers and aborted records are. */
  add(
    partition: number,
    value: string | Uint8Array | null,
    more?: Partial<LogRecord> & { readonly hole?: number },
  ): void
  /** Offsets before are no longer kept. */
  drop(partition: number, before: bigint): void
  /** Puts a marker at the end. */
  mark(partition: number): void
  grow(): void
  /** Called before the records of a browse are given. */
  onBrowse: () => void
  /** Thrown by whatever is asked next. */
  failure: Error | undefined
  readonly asked: { topics: number; browses: number }
}

export function fakeTopic(partitions = 1, pageRecords = 3): FakeTopic {
  const all: { records: LogRecord[]; earliest: bigint; latest: bigint }[] = []
  const grow = () => void all.push({ records: [], earliest: 0n, latest: 0n })
  for (let i = 0; i < partitions; i++) grow()
  const asked = { topics: 0, browses: 0 }
  const failing = () => {
    if (topic.failure) throw topic.failure
  }
  const topic: FakeTopic = {
    asked,
    failure: undefined,
    onBrowse: () => {},
    grow,
    add(partition, value, { hole = 0, ...more } = {}) {
      const part = all[partition]!
      const offset = part.latest + BigInt(hole)
      part.latest = offset + 1n
      part.records.push({
        topic: 't',
        partition,
        offset,
        timestampMs: 1_700_000_000_000,
        key: null,
        value: typeof value === 'string' ? Buffer.from(value) : value,
        headers: [],
        ...more,
      })
    },
    drop(partition, before) {
      const part = all[partition]!
      part.earliest = before
      part.records = part.records.filter(({ offset }) => offset >= before)
    },
    mark: partition => void all[partition]!.latest++,
    log: {
      async topic(name) {
        asked.topics++
        failing()
        if (name !== 't') return null
        return {
          name,
          partitions: all.length,
          retentionMs: null,
          retentionBytes: null,
          maxRecordBytes: 1_000_000,
          bytes: null,
          partitionInfo: all.map(({ earliest, latest }, partition) => ({ partition, earliest, latest })),
        }
      },
      async *browse(_name, { partition = 0, from, signal }) {
        asked.browses++
        failing()
        topic.onBrowse()
        const { records, latest } = all[partition]!
        const start = (from as { offset: bigint }).offset
        const wanted = records.filter(({ offset }) => offset >= start && offset < latest)
        for (let i = 0; i < wanted.length && !signal?.aborted; i += pageRecords) yield wanted.slice(i, i + pageRecords)
      },
    },
    avro: async () => new Map(),
  }
  return topic
}
