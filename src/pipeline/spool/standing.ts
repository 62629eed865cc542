// How a bucket stands: the mark of its newest transaction, and its cursors. Two of these are kept while the spool is in use: how the bucket
// stands in the cluster, and how it will when all that is spooled has been forwarded (I6).
import { bucketOf } from '../../core/murmur2.ts'
import { type Bucket, type CursorWrite, ownSplits, type SpoolLink, type StoredCursor } from '../ports.ts'

export interface Standing {
  /** null: no transaction of the bucket has left one. */
  mark: string | null
  /** Of the pipeline's splits, without the mark. */
  readonly cursors: Map<string, StoredCursor>
}

/** The split under which a bucket keeps its mark: the first name of its kind that belongs to the bucket. */
export function markSplit(bucket: number, buckets: number): string {
  for (let n = 0; ; n++) {
    const name = `${ownSplits}spool/${n}`
    if (bucketOf(name, buckets) === bucket) return name
  }
}

/** A mark that no other transaction has: `holder` is unique, `number` grows with each try. */
export function markOf(holder: string, number: number): string {
  return JSON.stringify({ v: 1, holder, number })
}

/** How a bucket stood when its epoch began. */
export function standingOf(bucket: Bucket, split: string): Standing {
  const cursors = new Map(bucket.cursors)
  const mark = cursors.get(split)?.value ?? null
  cursors.delete(split)
  return { mark, cursors }
}

export function copyOf({ mark, cursors }: Standing): Standing {
  return { mark, cursors: new Map(cursors) }
}

/** Makes it what it is after a transaction. */
export function advance(standing: Standing, mark: string, writes: readonly CursorWrite[], updatedAtMs: number): void {
  standing.mark = mark
  for (const { split, value } of writes)
    if (value === null) standing.cursors.delete(split)
    else standing.cursors.set(split, { split, value, updatedAtMs })
}

/**
 * True when nothing has come between: the mark is the one the transaction was made to follow, and so is each cursor that it moves. The cursors
 * find what leaves no mark: `weir cursor set`, and a process that runs the pipeline without a spool.
 */
export function follows(link: SpoolLink, { mark, cursors }: Standing): boolean {
  return (
    link.before === mark && link.cursors.every(({ split, before }) => (cursors.get(split)?.value ?? null) === before)
  )
}
