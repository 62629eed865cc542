// Cursors as rows. Each carries a checksum over all it says: a damaged one is refused, never followed.
import { crc32 } from 'node:zlib'
import { WeirError } from '../../core/errors.ts'
import { bucketOf } from '../../core/murmur2.ts'
import { type CursorWrite, ownSplits, type StoredCursor } from '../../pipeline/ports.ts'
import type { Sql } from '../embedded-store/store.ts'
import { fenceAll, leasesOf, livingIds, livingMembers, pipelineScope } from './lease.ts'

function checksum(pipeline: string, split: string, value: string): number {
  return crc32(`${pipeline}\0${split}\0${value}`)
}

/** @throws log.corrupt when a row was damaged */
function readCursors(sql: Sql, pipeline: string): StoredCursor[] {
  return sql
    .all('SELECT split, value, crc, updated_ms FROM cursor WHERE pipeline = ? ORDER BY split', pipeline)
    .map(row => {
      const cursor = {
        split: row['split'] as string,
        value: row['value'] as string,
        updatedAtMs: row['updated_ms'] as number,
      }
      if (checksum(pipeline, cursor.split, cursor.value) !== row['crc'])
        throw new WeirError('log.corrupt', `A cursor of pipeline ${pipeline} is damaged.`, {
          at: `cursor/${pipeline}/${cursor.split}`,
          hint: 'Restore a backup, or set this cursor anew with `weir cursor set`.',
        })
      return cursor
    })
}

/** The cursors as people see them, without weir's own marks. @throws log.corrupt */
export function shownCursors(sql: Sql, pipeline: string): StoredCursor[] {
  return readCursors(sql, pipeline).filter(({ split }) => !split.startsWith(ownSplits))
}

/** The cursors whose splits belong to a bucket. @throws log.corrupt */
export function readBucketCursors(
  sql: Sql,
  pipeline: string,
  bucket: number,
  buckets: number,
): Map<string, StoredCursor> {
  const own = readCursors(sql, pipeline).filter(({ split }) => buckets === 1 || bucketOf(split, buckets) === bucket)
  return new Map(own.map(cursor => [cursor.split, cursor]))
}

export function putCursors(sql: Sql, pipeline: string, writes: readonly CursorWrite[], nowMs: number): void {
  for (const { split, value } of writes)
    if (value === null) sql.run('DELETE FROM cursor WHERE pipeline = ? AND split = ?', pipeline, split)
    else
      sql.run(
        `INSERT INTO cursor (pipeline, split, value, crc, updated_ms) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET value = excluded.value, crc = excluded.crc, updated_ms = excluded.updated_ms`,
        ...[pipeline, split, value, checksum(pipeline, split, value), nowMs],
      )
}

/** Changes cursors by hand, and fences a paused owner that could write over them later. @throws cursor.in_use */
export function overwriteCursors(
  sql: Sql,
  pipeline: string,
  writes: readonly CursorWrite[],
  nowMs: number,
  monotonicMs: number,
): void {
  const scope = pipelineScope(pipeline)
  if (livingMembers(sql, scope, monotonicMs).length > 0)
    throw new WeirError('cursor.in_use', `Pipeline ${pipeline} is running, so its cursors cannot be changed.`, {
      hint: 'Stop the pipeline first.',
    })
  fenceAll(sql, scope)
  putCursors(sql, pipeline, writes, nowMs)
}

/** Pipelines that have cursors, and whether someone owns a bucket of them. */
export function listPipelines(sql: Sql, monotonicMs: number): { pipeline: string; splits: number; running: boolean }[] {
  const living = livingIds(sql, monotonicMs)
  const counted = sql.all(
    'SELECT pipeline, count(*) AS splits FROM cursor WHERE substr(split, 1, ?) <> ? GROUP BY pipeline ORDER BY pipeline',
    ...[ownSplits.length, ownSplits],
  )
  return counted.map(row => {
    const pipeline = row['pipeline'] as string
    const running = leasesOf(sql, pipelineScope(pipeline)).some(({ member }) => member !== null && living.has(member))
    return { pipeline, splits: row['splits'] as number, running }
  })
}
