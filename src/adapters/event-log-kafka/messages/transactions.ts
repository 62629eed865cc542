// Messages of transactions: InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, TxnOffsetCommit, EndTxn.
// Layouts as in https://kafka.apache.org/protocol; versions that Apache Kafka from 2.5 to 4.3 and Redpanda from 24.1 all speak.
import type { GroupMember, PartitionOffset, ProducerIdentity, TopicPartition } from '../client.ts'
import { type Api, byTopic } from '../protocol/api.ts'
import type { Reader } from '../protocol/reader.ts'
import type { Writer } from '../protocol/writer.ts'

/** Error code of one partition; 0 is none. */
export interface PartitionError extends TopicPartition {
  readonly error: number
}

const putProducer = (to: Writer, producer: ProducerIdentity) =>
  to.string(producer.transactionalId).int64(producer.producerId).int16(producer.epoch)

/** [topic, [partition, error_code]] */
export const partitionErrors = (from: Reader): PartitionError[] =>
  from
    .array(() => {
      const topic = from.string()
      const partitions = from.array(() => {
        const partition = { topic, partition: from.int32(), error: from.int16() }
        from.tags()
        return partition
      })
      from.tags()
      return partitions
    })
    .flat()

/** v3: transactional_id transaction_timeout_ms producer_id producer_epoch TAGS; v1 ends after the timeout and knows no current epoch. */
export const initProducerId: Api<
  { transactionalId: string; transactionTimeoutMs: number; current: ProducerIdentity | null },
  { error: number; producerId: bigint; epoch: number }
> = {
  name: 'InitProducerId',
  key: 22,
  versions: [3, 1],
  flexibleFrom: 2,
  encode: (to, { transactionalId, transactionTimeoutMs, current }, version) => {
    to.string(transactionalId).int32(transactionTimeoutMs)
    if (version >= 3) to.int64(current?.producerId ?? -1n).int16(current?.epoch ?? -1)
    to.tags()
  },
  decode: from => {
    from.int32()
    return { error: from.int16(), producerId: from.int64(), epoch: from.int16() }
  },
}

/** v2: transactional_id producer_id producer_epoch [topic [partition]] */
export const addPartitionsToTxn: Api<
  { producer: ProducerIdentity; partitions: readonly TopicPartition[] },
  readonly PartitionError[]
> = {
  name: 'AddPartitionsToTxn',
  key: 24,
  versions: [2],
  encode: (to, { producer, partitions }) =>
    putProducer(to, producer).array(byTopic(partitions), ([topic, those]) =>
      to.string(topic).array(those, each => to.int32(each.partition)),
    ),
  decode: from => {
    from.int32()
    return partitionErrors(from)
  },
}

/** v1: transactional_id producer_id producer_epoch group_id */
export const addOffsetsToTxn: Api<{ producer: ProducerIdentity; group: string }, number> = {
  name: 'AddOffsetsToTxn',
  key: 25,
  versions: [1],
  encode: (to, { producer, group }) => putProducer(to, producer).string(group),
  decode: from => {
    from.int32()
    return from.int16()
  },
}

/** v3: transactional_id group_id producer_id producer_epoch generation_id member_id group_instance_id
 * [topic [partition committed_offset leader_epoch metadata TAGS] TAGS] TAGS */
export const txnOffsetCommit: Api<
  { producer: ProducerIdentity; member: GroupMember; offsets: readonly PartitionOffset[] },
  readonly PartitionError[]
> = {
  name: 'TxnOffsetCommit',
  key: 28,
  versions: [3],
  flexibleFrom: 3,
  encode: (to, { producer, member, offsets }) => {
    to.string(producer.transactionalId).string(member.group).int64(producer.producerId).int16(producer.epoch)
    to.int32(member.generation).string(member.memberId).string(null)
    to.array(byTopic(offsets), ([topic, those]) => {
      to.string(topic).array(those, each => to.int32(each.partition).int64(each.offset).int32(-1).string(null).tags())
      to.tags()
    }).tags()
  },
  decode: from => {
    from.int32()
    return partitionErrors(from)
  },
}

/** v2: transactional_id producer_id producer_epoch committed */
export const endTxn: Api<{ producer: ProducerIdentity; commit: boolean }, number> = {
  name: 'EndTxn',
  key: 26,
  versions: [2],
  encode: (to, { producer, commit }) => putProducer(to, producer).boolean(commit),
  decode: from => {
    from.int32()
    return from.int16()
  },
}
