// The calls of groups: membership, offsets, and what groups there are. I7: each call goes once to the coordinator; who decides what a
// refusal means for the share is the caller.
import type { GroupOffset, KafkaClient } from './client.ts'
import { abortable } from './connections.ts'
import { accept, acceptAll, type Lane } from './lane.ts'
import type { Address } from './messages/cluster.ts'
import { describeGroups, heartbeat, joinGroup, leaveGroup, listGroups, syncGroup } from './messages/groups.ts'
import { offsetCommit, offsetFetch } from './messages/offsets.ts'
import { refusals } from './refusal.ts'

type GroupCalls = Pick<
  KafkaClient,
  | 'joinGroup'
  | 'syncGroup'
  | 'heartbeat'
  | 'leaveGroup'
  | 'commitOffsets'
  | 'groupOffsets'
  | 'listGroups'
  | 'describeGroups'
>

/** While a transaction over the offsets is open. */
const passing = ['UNSTABLE_OFFSET_COMMIT'] as const

export function groupCalls(lane: Lane): GroupCalls {
  return {
    joinGroup: (request, signal) => {
      const { requestTimeoutMs } = lane.options
      const options = { timeoutMs: request.rebalanceTimeoutMs + requestTimeoutMs, signal }
      const joined = lane.atCoordinator('group', request.group, async coordinator => {
        let answer = await lane.ask(coordinator, joinGroup, request, options)
        if (answer.error === refusals.MEMBER_ID_REQUIRED)
          answer = await lane.ask(coordinator, joinGroup, { ...request, memberId: answer.memberId }, options)
        accept(answer.error, joinGroup, request.group)
        return answer
      })
      return abortable(joined, signal)
    },

    syncGroup: (member, assignments) =>
      lane.atCoordinator('group', member.group, async coordinator => {
        // The coordinator answers when the leader has sent its assignment, and gives up on a leader that is silent for a session.
        const timeoutMs = lane.options.sessionTimeoutMs + lane.options.requestTimeoutMs
        const { error, assignment } = await lane.ask(coordinator, syncGroup, { member, assignments }, { timeoutMs })
        accept(error, syncGroup, member.group)
        return assignment
      }),

    heartbeat: member =>
      lane.atCoordinator('group', member.group, async coordinator => {
        // One that is lost leaves time for others within the session.
        const timeoutMs = Math.min(lane.options.requestTimeoutMs, Math.ceil(lane.options.sessionTimeoutMs / 3))
        accept(await lane.ask(coordinator, heartbeat, member, { timeoutMs }), heartbeat, member.group)
      }),

    leaveGroup: member =>
      lane.atCoordinator('group', member.group, async coordinator =>
        accept(await lane.ask(coordinator, leaveGroup, member), leaveGroup, member.group),
      ),

    commitOffsets: (member, offsets) =>
      lane.atCoordinator('group', member.group, async coordinator =>
        acceptAll(offsets, await lane.ask(coordinator, offsetCommit, { member, offsets }), offsetCommit),
      ),

    groupOffsets: (group, partitions, deadlineMs) =>
      lane.atCoordinatorWaiting(['group', group], passing, deadlineMs, async (coordinator): Promise<GroupOffset[]> => {
        const { error, offsets } = await lane.ask(coordinator, offsetFetch, { group, partitions })
        accept(error, offsetFetch, group)
        acceptAll(partitions ?? [], offsets, offsetFetch)
        return offsets.map(({ topic, partition, offset }) => ({ topic, partition, offset }))
      }),

    async listGroups() {
      const { nodes } = await lane.lookUp([])
      const answers = await Promise.all([...nodes.values()].map(node => lane.ask(node, listGroups, null)))
      const groups = answers.flatMap(answer => {
        accept(answer.error, listGroups, 'the cluster')
        return answer.groups
      })
      return [...new Map(groups.map(each => [each.group, each])).values()]
    },

    async describeGroups(groups) {
      const coordinators = await Promise.all(groups.map(group => lane.atCoordinator('group', group, async at => at)))
      const byAddress = Map.groupBy(groups.keys(), i => `${coordinators[i]!.host}:${coordinators[i]!.port}`)
      const asked = [...byAddress.values()].map(async indexes => {
        const at: Address = coordinators[indexes[0]!]!
        const described = await lane.ask(
          at,
          describeGroups,
          indexes.map(i => groups[i]!),
        )
        return described.map(({ error, ...group }) => {
          if (error !== 0) lane.routes.forgetCoordinator('group', group.group)
          accept(error, describeGroups, group.group)
          return group
        })
      })
      return (await Promise.all(asked)).flat()
    },
  }
}
