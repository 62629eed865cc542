// Consumer groups as people look at them: stored offsets, and the members that read. Lag is counted as Kafka's own tools do: markers of
// transactions and records of open ones count too.
import { codeOf } from '../../core/errors.ts'
import { forEachLimited } from '../../core/stream.ts'
import type { GroupInfo } from '../../pipeline/ports.ts'
import { decodeAssignments } from './assignment.ts'
import type { DescribedGroup, GroupOffset, TopicPartition } from './client.ts'
import { cursorTopicPrefix } from './cursor-topic.ts'
import { keyOf, patiently, writtenEndsOf } from './ends.ts'
import type { LogParts } from './parts.ts'

/** A partition that a group has an offset for, or that a member reads. */
interface Standing extends TopicPartition {
  readonly group: string
  readonly offset: bigint | null
  readonly member: string | null
}

const atOnce = 8
/** How long an open transaction over a group's offsets is waited for; then they are left out of the list. */
const unstableMs = 2_000

/** Every group of every program, but those of weir's own cursors. @throws log.unavailable, log.denied */
export async function listGroups(parts: LogParts): Promise<readonly GroupInfo[]> {
  const { client, clock } = parts
  const listed = await patiently(clock, 'the list of groups', () => client.listGroups())
  const names = listed
    .filter(({ group, protocolType }) => isOfConsumers(protocolType) && !group.startsWith(cursorTopicPrefix))
    .map(({ group }) => group)
  if (names.length === 0) return []
  const described = await patiently(clock, 'the groups', () => client.describeGroups(names))
  const standings: Standing[] = []
  await forEachLimited(described, atOnce, async group => {
    standings.push(...standingsOf(group, await offsetsOf(parts, group.group)))
  })
  return infosOf(parts, standings)
}

/** Offsets may be stored without members: such a group has no type. */
function isOfConsumers(protocolType: string): boolean {
  return protocolType === 'consumer' || protocolType === ''
}

async function offsetsOf({ client, clock }: LogParts, group: string): Promise<readonly GroupOffset[]> {
  try {
    return await patiently(clock, `group ${group}`, () => client.groupOffsets(group, null, unstableMs))
  } catch (thrown) {
    // Another group may be looked at by others only, or stand in a long transaction; that hides none of the rest.
    if (codeOf(thrown) === 'internal') throw thrown
    return []
  }
}

function standingsOf({ group, members }: DescribedGroup, offsets: readonly GroupOffset[]): Standing[] {
  const found = new Map<string, Standing>()
  for (const { topic, partition, offset } of offsets)
    if (offset !== null) found.set(keyOf({ topic, partition }), { group, topic, partition, offset, member: null })
  for (const { memberId, assignment } of members)
    for (const { topic, partitions } of readable(assignment))
      for (const partition of partitions) {
        const key = keyOf({ topic, partition })
        found.set(key, { group, topic, partition, offset: found.get(key)?.offset ?? null, member: memberId })
      }
  return [...found.values()]
}

/** Another program's members may speak a protocol of their own: then nobody is named. */
function readable(assignment: Buffer): ReturnType<typeof decodeAssignments> {
  try {
    return decodeAssignments(assignment)
  } catch {
    return []
  }
}

async function infosOf({ client, clock }: LogParts, standings: readonly Standing[]): Promise<readonly GroupInfo[]> {
  const topics = [...new Set(standings.map(({ topic }) => topic))]
  if (topics.length === 0) return []
  const metadata = await patiently(clock, 'the topics of groups', () => client.metadata(topics))
  const counts = new Map(metadata.map(({ topic, partitions }) => [topic, partitions.length]))
  // Offsets outlive the topics they are of.
  const there = standings.filter(({ topic, partition }) => partition < (counts.get(topic) ?? 0))
  const places = new Map(there.map(({ topic, partition }) => [keyOf({ topic, partition }), { topic, partition }]))
  const ends = await writtenEndsOf(client, clock, [...places.values()])
  return there
    .map(({ group, topic, partition, offset, member }) => {
      const { earliest, latest } = ends.get(keyOf({ topic, partition }))!
      const at = offset ?? earliest
      const from = at > earliest ? at : earliest
      return { group, topic, partition, offset: at, lag: latest > from ? latest - from : 0n, member }
    })
    .sort((a, b) => compare(a.group, b.group) || compare(a.topic, b.topic) || a.partition - b.partition)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
