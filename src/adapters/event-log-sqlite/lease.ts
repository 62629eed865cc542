// Ownership as rows: members of a scope, and for each slot of the scope the member that holds it under which epoch (I7).
// An epoch only grows. Every write re-checks member and epoch inside its transaction; time and liveness decide only who may try to take over.
import { WeirError } from '../../core/errors.ts'
import { provenDead } from '../embedded-store/process-identity.ts'
import type { Row, Sql } from '../embedded-store/store.ts'

export interface Member {
  readonly id: string
  readonly joined: number
  readonly exclusive: boolean
}

export interface Lease {
  readonly slot: number
  readonly epoch: number
  readonly member: string | null
}

export const pipelineScope = (pipeline: string): string => `pipeline/${pipeline}`
/** Topic names hold no slash, so the two parts stay apart. */
export const groupScope = (group: string, topic: string): string => `group/${topic}/${group}`

/** The group and topic behind a group's scope. */
export function groupOfScope(scope: string): { group: string; topic: string } {
  const [, topic, ...group] = scope.split('/')
  return { topic: topic!, group: group.join('/') }
}

/** Rows of clocks that were set back (a reboot) or lie far ahead count as run out. */
function isAlive(row: Row, nowMs: number): boolean {
  const renewedMs = row['renewed_ms'] as number
  const clockSlackMs = 1000
  const fresh = renewedMs <= nowMs + clockSlackMs && nowMs < renewedMs + (row['lease_ms'] as number)
  return fresh && !provenDead(row['process'] as string)
}

/** Members whose lease runs and whose process is not proven dead, oldest first. */
export function livingMembers(sql: Sql, scope: string, nowMs: number): Member[] {
  return sql
    .all('SELECT * FROM member WHERE scope = ? ORDER BY joined, id', scope)
    .filter(row => isAlive(row, nowMs))
    .map(row => ({ id: row['id'] as string, joined: row['joined'] as number, exclusive: row['exclusive'] === 1 }))
}

/** All living members' ids, of every scope. */
export function livingIds(sql: Sql, nowMs: number): Set<string> {
  return new Set(
    sql
      .all('SELECT * FROM member')
      .filter(row => isAlive(row, nowMs))
      .map(row => row['id'] as string),
  )
}

export function leasesOf(sql: Sql, scope: string): Lease[] {
  return sql.all('SELECT slot, epoch, member FROM lease WHERE scope = ? ORDER BY slot', scope).map(row => ({
    slot: row['slot'] as number,
    epoch: row['epoch'] as number,
    member: row['member'] as string | null,
  }))
}

export interface Joining {
  readonly id: string
  readonly scope: string
  readonly slots: number
  readonly exclusive: boolean
  readonly process: string
  readonly leaseMs: number
}

/** Makes a member known. @throws log.invalid when members at work share the scope out into another number of slots */
export function join(sql: Sql, { id, scope, slots, exclusive, process, leaseMs }: Joining, nowMs: number): void {
  const known = sql.get('SELECT slots FROM scope WHERE name = ?', scope)
  if (known?.['slots'] !== slots) {
    if (livingMembers(sql, scope, nowMs).length > 0)
      throw new WeirError(
        'log.invalid',
        `Another process shares out ${scope} into ${known?.['slots']} parts, this one into ${slots}.`,
        {
          hint: 'Run all processes of a pipeline with the same definition.',
        },
      )
    sql.run(
      'INSERT INTO scope (name, slots) VALUES (?, ?) ON CONFLICT DO UPDATE SET slots = excluded.slots',
      scope,
      slots,
    )
    fenceAll(sql, scope)
    sql.run(
      'DELETE FROM lease WHERE scope = ? AND slot >= ?',
      scope,
      Math.max(slots, (known?.['slots'] as number | undefined) ?? 0),
    )
    for (let slot = 0; slot < slots; slot++)
      sql.run(
        'INSERT INTO lease (scope, slot, epoch, member) VALUES (?, ?, 0, NULL) ON CONFLICT DO NOTHING',
        scope,
        slot,
      )
  }
  sql.run(
    `INSERT INTO member (id, scope, joined, process, exclusive, renewed_ms, lease_ms)
     VALUES (?1, ?2, (SELECT coalesce(max(joined), 0) + 1 FROM member), ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET renewed_ms = excluded.renewed_ms`,
    ...[id, scope, process, exclusive ? 1 : 0, nowMs, leaseMs],
  )
}

/** Takes every slot of a scope away from whoever holds it: a paused owner that comes back writes nothing. */
export function fenceAll(sql: Sql, scope: string): void {
  sql.run('UPDATE lease SET epoch = epoch + 1, member = NULL WHERE scope = ?', scope)
}

/** Tells that the member lives. @returns false when its row was removed: it was taken for dead */
export function beat(sql: Sql, id: string, nowMs: number): boolean {
  return sql.run('UPDATE member SET renewed_ms = ? WHERE id = ?', nowMs, id).changes === 1
}

/** Removes members that are not alive; their leases stay theirs until someone takes them. */
export function bury(sql: Sql, scope: string, living: readonly Member[]): void {
  const ids = new Set(living.map(member => member.id))
  for (const row of sql.all('SELECT id FROM member WHERE scope = ?', scope))
    if (!ids.has(row['id'] as string)) sql.run('DELETE FROM member WHERE id = ?', row['id'] as string)
}

/** Makes the member the slot's owner under a new epoch, which is returned. */
export function take(sql: Sql, scope: string, slot: number, member: string): number {
  return sql.get(
    'UPDATE lease SET epoch = epoch + 1, member = ? WHERE scope = ? AND slot = ? RETURNING epoch',
    member,
    scope,
    slot,
  )!['epoch'] as number
}

/** Gives a slot back, if it is still the member's. */
export function release(sql: Sql, scope: string, slot: number, member: string): void {
  sql.run('UPDATE lease SET member = NULL WHERE scope = ? AND slot = ? AND member = ?', scope, slot, member)
}

/** Gives all slots of a member back and forgets it. */
export function leave(sql: Sql, scope: string, member: string): void {
  sql.run('UPDATE lease SET member = NULL WHERE scope = ? AND member = ?', scope, member)
  sql.run('DELETE FROM member WHERE id = ?', member)
}

/** Lets a write go on only under the newest epoch. Call it inside the write's transaction. @throws log.fenced */
export function checkEpoch(sql: Sql, scope: string, slot: number, member: string, epoch: number): void {
  const row = sql.get('SELECT epoch, member FROM lease WHERE scope = ? AND slot = ?', scope, slot)
  if (row?.['epoch'] === epoch && row['member'] === member) return
  throw fenced(scope, slot)
}

/** A new epoch for a slot the member holds. @throws log.fenced when it does not any more */
export function renewEpoch(sql: Sql, scope: string, slot: number, member: string): number {
  if (sql.get('SELECT member FROM lease WHERE scope = ? AND slot = ?', scope, slot)?.['member'] !== member)
    throw fenced(scope, slot)
  return take(sql, scope, slot, member)
}

function fenced(scope: string, slot: number): WeirError {
  return new WeirError('log.fenced', `Part ${slot} of ${scope} has another owner by now; nothing was written.`, {
    hint: 'This process was paused for longer than its lease, or its work was given to another one.',
  })
}
