// Consumer groups as people look at them: stored offsets, and the members that read.
import type { GroupInfo } from '../../pipeline/ports.ts'
import type { Sql } from '../embedded-store/store.ts'
import { groupOfScope, livingIds } from './lease.ts'
import { endsOf, topicRow } from './topics.ts'

/** Every partition that a group has an offset for, or that a living member reads. */
export function listGroups(sql: Sql, monotonicMs: number): GroupInfo[] {
  const living = livingIds(sql, monotonicMs)
  const found = new Map<
    string,
    { group: string; topic: string; partition: number; offset: number | null; member: string | null }
  >()
  for (const row of sql.all('SELECT group_name, topic, partition, next FROM group_offset')) {
    const place = {
      group: row['group_name'] as string,
      topic: row['topic'] as string,
      partition: row['partition'] as number,
    }
    found.set(JSON.stringify(place), { ...place, offset: row['next'] as number, member: null })
  }
  for (const row of sql.all(
    "SELECT scope, slot, member FROM lease WHERE member IS NOT NULL AND scope >= 'group/' AND scope < 'group0'",
  )) {
    const member = row['member'] as string
    if (!living.has(member)) continue
    const place = { ...groupOfScope(row['scope'] as string), partition: row['slot'] as number }
    const key = JSON.stringify({ group: place.group, topic: place.topic, partition: place.partition })
    found.set(key, { ...place, offset: found.get(key)?.offset ?? null, member })
  }
  return [...found.values()]
    .map(({ group, topic, partition, offset, member }) => {
      const { earliest, latest } = endsOf(sql, topicRow(sql, topic).firstPartition + partition)
      const at = offset ?? earliest
      return {
        group,
        topic,
        partition,
        offset: BigInt(at),
        lag: BigInt(Math.max(0, latest - Math.max(at, earliest))),
        member,
      }
    })
    .sort((a, b) => compare(a.group, b.group) || compare(a.topic, b.topic) || a.partition - b.partition)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
