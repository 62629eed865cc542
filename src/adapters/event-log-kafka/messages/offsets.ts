// Messages of a group's offsets: OffsetFetch, OffsetCommit.
import type { GroupMember, GroupOffset, PartitionOffset, TopicPartition } from '../client.ts'
import { type Api, byTopic } from '../protocol/api.ts'
import { type PartitionError, partitionErrors } from './transactions.ts'

/** v7, require_stable: group_id [topic [partition] TAGS] require_stable TAGS; null asks for all. */
export const offsetFetch: Api<
  { group: string; partitions: readonly TopicPartition[] | null },
  { error: number; offsets: (GroupOffset & { readonly error: number })[] }
> = {
  name: 'OffsetFetch',
  key: 9,
  versions: [7],
  flexibleFrom: 6,
  encode: (to, { group, partitions }) =>
    to
      .string(group)
      .array(partitions && byTopic(partitions), ([topic, those]) =>
        to
          .string(topic)
          .array(those, each => to.int32(each.partition))
          .tags(),
      )
      .boolean(true)
      .tags(),
  decode: from => {
    from.int32()
    const offsets = from.array(() => {
      const topic = from.string()
      const those = from.array(() => {
        const partition = from.int32()
        const offset = from.int64()
        from.int32() // leader_epoch
        from.nullableString() // metadata
        const error = from.int16()
        from.tags()
        return { topic, partition, offset: offset < 0n ? null : offset, error }
      })
      from.tags()
      return those
    })
    return { offsets: offsets.flat(), error: from.int16() }
  },
}

/** v7: group_id generation_id member_id group_instance_id [topic [partition offset leader_epoch metadata]] */
export const offsetCommit: Api<
  { member: GroupMember; offsets: readonly PartitionOffset[] },
  readonly PartitionError[]
> = {
  name: 'OffsetCommit',
  key: 8,
  versions: [7],
  encode: (to, { member, offsets }) =>
    to
      .string(member.group)
      .int32(member.generation)
      .string(member.memberId)
      .string(null)
      .array(byTopic(offsets), ([topic, those]) =>
        to.string(topic).array(those, each => to.int32(each.partition).int64(each.offset).int32(-1).string(null)),
      ),
  decode: from => {
    from.int32()
    return partitionErrors(from)
  },
}
