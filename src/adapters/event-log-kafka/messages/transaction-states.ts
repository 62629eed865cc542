// Messages that tell how transactions stand: DescribeProducers (of a partition, by its leader), DescribeTransactions (by the coordinator).
// Layouts as in https://kafka.apache.org/protocol; Apache Kafka speaks them from 2.8 and 3.0 on.
import type { TopicPartition } from '../client.ts'
import { type Api, byTopic } from '../protocol/api.ts'

export interface DescribedPartition extends TopicPartition {
  readonly error: number
  /** Producers whose records stand open in it. */
  readonly open: readonly bigint[]
}

/** v0: [topic [partition] TAGS] TAGS */
export const describeProducers: Api<readonly TopicPartition[], readonly DescribedPartition[]> = {
  name: 'DescribeProducers',
  key: 61,
  versions: [0],
  flexibleFrom: 0,
  encode: (to, partitions) =>
    to
      .array(byTopic(partitions), ([topic, those]) =>
        to
          .string(topic)
          .array(those, each => to.int32(each.partition))
          .tags(),
      )
      .tags(),
  decode: from => {
    from.int32()
    return from
      .array(() => {
        const topic = from.string()
        const partitions = from.array(() => {
          const head = { topic, partition: from.int32(), error: from.int16() }
          from.nullableString() // error_message
          const producers = from.array(() => {
            const id = from.int64()
            from.int32() // producer_epoch
            from.int32() // last_sequence
            from.int64() // last_timestamp
            from.int32() // coordinator_epoch
            const startOffset = from.int64()
            from.tags()
            return { id, startOffset }
          })
          from.tags()
          return { ...head, open: producers.filter(({ startOffset }) => startOffset >= 0n).map(({ id }) => id) }
        })
        from.tags()
        return partitions
      })
      .flat()
  },
}

/** v0: [transactional_id] TAGS */
export const describeTransactions: Api<
  readonly string[],
  readonly { readonly error: number; readonly transactionalId: string; readonly state: string }[]
> = {
  name: 'DescribeTransactions',
  key: 65,
  versions: [0],
  flexibleFrom: 0,
  encode: (to, ids) => to.array(ids, id => to.string(id)).tags(),
  decode: from => {
    from.int32()
    return from.array(() => {
      const described = { error: from.int16(), transactionalId: from.string(), state: from.string() }
      from.int32() // transaction_timeout_ms
      from.int64() // transaction_start_time_ms
      from.int64() // producer_id
      from.int16() // producer_epoch
      from.array(() => {
        from.string()
        from.array(() => from.int32())
        from.tags()
      })
      from.tags()
      return described
    })
  },
}
