// Messages of group membership: JoinGroup, SyncGroup, Heartbeat, LeaveGroup, ListGroups, DescribeGroups. No static members.
import type { DescribedGroup, GroupMember, JoinRequest } from '../client.ts'
import type { Api } from '../protocol/api.ts'
import type { Writer } from '../protocol/writer.ts'

const putMember = (to: Writer, { group, generation, memberId }: GroupMember) =>
  to.string(group).int32(generation).string(memberId).string(null)

/** v5: group_id session_timeout_ms rebalance_timeout_ms member_id group_instance_id protocol_type [protocol metadata] */
export const joinGroup: Api<
  JoinRequest,
  {
    error: number
    generation: number
    protocol: string
    leader: string
    memberId: string
    members: { memberId: string; metadata: Buffer }[]
  }
> = {
  name: 'JoinGroup',
  key: 11,
  versions: [5],
  encode: (to, request) =>
    to
      .string(request.group)
      .int32(request.sessionTimeoutMs)
      .int32(request.rebalanceTimeoutMs)
      .string(request.memberId)
      .string(null)
      .string(request.protocolType)
      .array([request], ({ protocol, metadata }) => to.string(protocol).bytes(metadata)),
  decode: from => {
    from.int32()
    return {
      error: from.int16(),
      generation: from.int32(),
      protocol: from.string(),
      leader: from.string(),
      memberId: from.string(),
      members: from.array(() => {
        const memberId = from.string()
        from.nullableString()
        return { memberId, metadata: from.bytes() }
      }),
    }
  },
}

/** v3: group_id generation_id member_id group_instance_id [member_id assignment] */
export const syncGroup: Api<
  {
    member: GroupMember
    assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[]
  },
  { error: number; assignment: Buffer }
> = {
  name: 'SyncGroup',
  key: 14,
  versions: [3],
  encode: (to, { member, assignments }) =>
    putMember(to, member).array(assignments, each => to.string(each.memberId).bytes(each.assignment)),
  decode: from => {
    from.int32()
    return { error: from.int16(), assignment: from.bytes() }
  },
}

/** v3: group_id generation_id member_id group_instance_id */
export const heartbeat: Api<GroupMember, number> = {
  name: 'Heartbeat',
  key: 12,
  versions: [3],
  encode: putMember,
  decode: from => {
    from.int32()
    return from.int16()
  },
}

/** v2: group_id member_id */
export const leaveGroup: Api<GroupMember, number> = {
  name: 'LeaveGroup',
  key: 13,
  versions: [2],
  encode: (to, { group, memberId }) => to.string(group).string(memberId),
  decode: from => {
    from.int32()
    return from.int16()
  },
}

/** v2: nothing is asked; each broker answers for the groups it coordinates. */
export const listGroups: Api<null, { error: number; groups: { group: string; protocolType: string }[] }> = {
  name: 'ListGroups',
  key: 16,
  versions: [2],
  encode: () => {},
  decode: from => {
    from.int32()
    return { error: from.int16(), groups: from.array(() => ({ group: from.string(), protocolType: from.string() })) }
  },
}

/** v4: [group] include_authorized_operations */
export const describeGroups: Api<readonly string[], (DescribedGroup & { readonly error: number })[]> = {
  name: 'DescribeGroups',
  key: 15,
  versions: [4],
  encode: (to, groups) => to.array(groups, group => to.string(group)).boolean(false),
  decode: from => {
    from.int32()
    return from.array(() => {
      const head = { error: from.int16(), group: from.string(), state: from.string(), protocolType: from.string() }
      from.string() // protocol_data
      const members = from.array(() => {
        const memberId = from.string()
        from.nullableString() // group_instance_id
        const clientId = from.string()
        from.string() // client_host
        from.bytes() // member_metadata
        return { memberId, clientId, assignment: from.bytes() }
      })
      from.int32() // authorized_operations
      return { ...head, members }
    })
  },
}
