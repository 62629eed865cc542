// Produce: record batches to the leader of their partitions, acknowledged by all replicas in sync (acks = -1).
import type { ProduceBatch, TopicPartition } from '../client.ts'
import { type Api, byTopic } from '../protocol/api.ts'

export interface ProducedPartition extends TopicPartition {
  readonly error: number
  /** Indexes in the batch that the broker found fault with; version 8 names them. */
  readonly records: readonly number[]
}

/** transactional_id acks timeout_ms [topic [partition records]]; the answers of 7 and 8 differ by record_errors and error_message. */
export const produce: Api<
  { transactionalId: string; timeoutMs: number; batches: readonly ProduceBatch[] },
  readonly ProducedPartition[]
> = {
  name: 'Produce',
  key: 0,
  versions: [8, 7],
  size: ({ batches }) => batches.reduce((sum, each) => sum + each.batch.length + each.topic.length * 3 + 16, 1024),
  encode: (to, { transactionalId, timeoutMs, batches }) =>
    to
      .string(transactionalId)
      .int16(-1)
      .int32(timeoutMs)
      .array(byTopic(batches), ([topic, those]) =>
        to.string(topic).array(those, each => to.int32(each.partition).bytes(each.batch)),
      ),
  decode: (from, version) =>
    from
      .array(() => {
        const topic = from.string()
        return from.array(() => {
          const partition = from.int32()
          const error = from.int16()
          from.int64() // base_offset
          from.int64() // log_append_time
          from.int64() // log_start_offset
          const records: number[] = []
          if (version >= 8) {
            from.array(() => {
              records.push(from.int32())
              from.nullableString()
            })
            from.nullableString()
          }
          return { topic, partition, error, records }
        })
      })
      .flat(),
}
