// How members share slots: pure arithmetic over the rows, the same for everyone who looks.
import type { Lease, Member } from './lease.ts'

/** How many slots a member should hold. Even shares; the members that hold most keep the odd ones, so that little moves. */
export function fairShare(self: string, members: readonly Member[], leases: readonly Lease[]): number {
  const held = new Map(members.map(member => [member.id, 0]))
  for (const { member } of leases) if (member !== null && held.has(member)) held.set(member, held.get(member)! + 1)
  const ranked = members.toSorted(
    (a, b) => held.get(b.id)! - held.get(a.id)! || a.joined - b.joined || (a.id < b.id ? -1 : 1),
  )
  const rank = ranked.findIndex(member => member.id === self)
  if (rank < 0) return 0
  if (members.some(member => member.exclusive)) return rank === 0 ? leases.length : 0
  return Math.floor(leases.length / members.length) + (rank < leases.length % members.length ? 1 : 0)
}

export interface Moves {
  readonly take: readonly number[]
  readonly drain: readonly number[]
}

/**
 * What a member should do next. `mine`: slots it works on; `draining`: those of them on their way out.
 * A slot that stands in its name without being worked on (a commit in doubt) is taken again.
 */
export function nextMoves(
  self: string,
  members: readonly Member[],
  leases: readonly Lease[],
  mine: ReadonlySet<number>,
  draining: ReadonlySet<number>,
): Moves {
  const target = fairShare(self, members, leases)
  const living = new Set(members.map(member => member.id))
  const kept = leases.filter(lease => lease.member === self && mine.has(lease.slot) && !draining.has(lease.slot))
  const free = leases.filter(
    ({ slot, member }) => !mine.has(slot) && (member === null || member === self || !living.has(member)),
  )
  const exclusive = members.some(member => member.exclusive)
  // All or nothing: wait until the others have let go.
  const takeable = exclusive && kept.length + free.length < leases.length ? [] : free
  return {
    take: takeable.slice(0, Math.max(0, target - kept.length)).map(lease => lease.slot),
    drain: kept.slice(target).map(lease => lease.slot),
  }
}
