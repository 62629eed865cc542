// Fetch and ListOffsets: what readers ask the leaders of partitions. Committed data only (isolation_level 1) where it matters.
import type { Isolation, PartitionOffset, TopicPartition } from '../client.ts'
import { type Api, byTopic } from '../protocol/api.ts'

export interface FetchAnswerPartition extends TopicPartition {
  readonly error: number
  readonly highWatermark: bigint
  readonly lastStableOffset: bigint
  readonly logStartOffset: bigint
  readonly aborted: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[]
  readonly bytes: Buffer
}

export interface FetchLimits {
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly maxBytesPerPartition: number
}

/** v11, no session: replica_id max_wait_ms min_bytes max_bytes isolation_level session_id session_epoch
 * [topic [partition current_leader_epoch fetch_offset log_start_offset partition_max_bytes]] [forgotten topics] rack_id */
export const fetch: Api<
  FetchLimits & { readonly partitions: readonly PartitionOffset[] },
  { readonly error: number; readonly partitions: readonly FetchAnswerPartition[] }
> = {
  name: 'Fetch',
  key: 1,
  versions: [11],
  encode: (to, { partitions, maxWaitMs, minBytes, maxBytes, maxBytesPerPartition }) => {
    to.int32(-1).int32(maxWaitMs).int32(minBytes).int32(maxBytes).int8(1).int32(0).int32(-1)
    to.array(byTopic(partitions), ([topic, those]) =>
      to
        .string(topic)
        .array(those, each =>
          to.int32(each.partition).int32(-1).int64(each.offset).int64(-1n).int32(maxBytesPerPartition),
        ),
    )
    to.array([], () => {}).string('')
  },
  decode: from => {
    from.int32()
    const error = from.int16()
    from.int32()
    const partitions = from.array(() => {
      const topic = from.string()
      return from.array(() => {
        const head = { topic, partition: from.int32(), error: from.int16() }
        const offsets = { highWatermark: from.int64(), lastStableOffset: from.int64(), logStartOffset: from.int64() }
        const aborted = from.array(() => ({ producerId: from.int64(), firstOffset: from.int64() }))
        from.int32() // preferred_read_replica
        return { ...head, ...offsets, aborted, bytes: from.bytes() }
      })
    })
    return { error, partitions: partitions.flat() }
  },
}

/** Times that stand for ends of a partition. */
export const latest = -1n
export const earliest = -2n

/** v4: replica_id isolation_level [topic [partition current_leader_epoch timestamp]]. The offset is -1 where there is none. */
export const listOffsets: Api<
  { partitions: readonly TopicPartition[]; time: bigint; isolation: Isolation },
  readonly (PartitionOffset & { readonly error: number })[]
> = {
  name: 'ListOffsets',
  key: 2,
  versions: [4],
  encode: (to, { partitions, time, isolation }) =>
    to
      .int32(-1)
      .int8(isolation === 'committed' ? 1 : 0)
      .array(byTopic(partitions), ([topic, those]) =>
        to.string(topic).array(those, each => to.int32(each.partition).int32(-1).int64(time)),
      ),
  decode: from => {
    from.int32()
    return from
      .array(() => {
        const topic = from.string()
        return from.array(() => {
          const head = { topic, partition: from.int32(), error: from.int16() }
          from.int64() // timestamp
          const offset = from.int64()
          from.int32() // leader_epoch
          return { ...head, offset }
        })
      })
      .flat()
  },
}
