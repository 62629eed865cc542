// Removes what is too old or too much: whole batches, oldest first, never the newest batch of a partition, in small transactions.
// Offsets are never used again: only `earliest` moves.
import type { Row, Sql, Store } from '../embedded-store/store.ts'

/** A transaction removes at most so many batches, so that writers wait milliseconds. */
const batchesAtOnce = 64

interface Limits {
  readonly topic: number
  readonly retentionMs: number | null
  readonly retentionBytes: number | null
}

/** One round over all topics. @returns batches removed */
export async function sweep(store: Store, signal: AbortSignal): Promise<number> {
  const topics = await store.read(sql =>
    sql
      .all(
        'SELECT id, retention_ms, retention_bytes FROM topic WHERE retention_ms IS NOT NULL OR retention_bytes IS NOT NULL',
      )
      .map(limitsOf),
  )
  let removed = 0
  for (const limits of topics) {
    while (!signal.aborted && (await store.read(sql => due(sql, limits, store.clock.now(), 1))).length > 0) {
      const count = await store.write(sql => {
        const batches = due(sql, limits, store.clock.now(), batchesAtOnce)
        for (const batch of batches) remove(sql, batch)
        return batches.length
      })
      removed += count
      if (count === 0) break
    }
  }
  return removed
}

function limitsOf(row: Row): Limits {
  return {
    topic: row['id'] as number,
    retentionMs: row['retention_ms'] as number | null,
    retentionBytes: row['retention_bytes'] as number | null,
  }
}

/** The oldest batch of each partition, unless it is the only one. */
const oldestBatches = `SELECT b.partition, b.base, b.count, b.max_ms, b.bytes, b.payload FROM partition p
  JOIN batch b ON b.partition = p.id AND b.base = (SELECT min(base) FROM batch WHERE partition = p.id)
  WHERE p.topic = ? AND b.base + b.count < p.latest ORDER BY b.max_ms, b.partition`
const nextBatch = `SELECT b.partition, b.base, b.count, b.max_ms, b.bytes, b.payload FROM batch b JOIN partition p ON p.id = b.partition
  WHERE b.partition = ? AND b.base > ? AND b.base + b.count < p.latest ORDER BY b.base LIMIT 1`

/** Up to `most` batches to remove, each the oldest of its partition once those before it are gone. */
function due(sql: Sql, { topic, retentionMs, retentionBytes }: Limits, nowMs: number, most: number): Row[] {
  const heads = sql.all(oldestBatches, topic)
  let bytes = sql.get('SELECT sum(bytes) AS bytes FROM partition WHERE topic = ?', topic)!['bytes'] as number
  const chosen: Row[] = []
  while (heads.length > 0 && chosen.length < most) {
    let index = 0
    for (let i = 1; i < heads.length; i++)
      if ((heads[i]!['max_ms'] as number) < (heads[index]!['max_ms'] as number)) index = i
    const head = heads[index]!
    const tooOld = retentionMs !== null && (head['max_ms'] as number) < nowMs - retentionMs
    const tooMuch = retentionBytes !== null && bytes > retentionBytes
    if (!tooOld && !tooMuch) break
    chosen.push(head)
    bytes -= head['bytes'] as number
    const follower = sql.get(nextBatch, head['partition'] as number, head['base'] as number)
    if (follower) heads[index] = follower
    else heads.splice(index, 1)
  }
  return chosen
}

function remove(sql: Sql, batch: Row): void {
  const partition = batch['partition'] as number
  const base = batch['base'] as number
  sql.run('DELETE FROM batch_payload WHERE id = ?', batch['payload'] as number)
  sql.run('DELETE FROM batch WHERE partition = ? AND base = ?', partition, base)
  sql.run(
    'UPDATE partition SET earliest = ?, bytes = bytes - ? WHERE id = ?',
    base + (batch['count'] as number),
    batch['bytes'] as number,
    partition,
  )
}
