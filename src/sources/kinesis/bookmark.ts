// The cursor of a shard: the last sequence number stored, and whether the shard is read to its end, which is what its children wait for.
import { WeirError } from '../../core/errors.ts'
import { isSequence } from './items.ts'

const version = 1

export interface Bookmark {
  /** With `from: latest`: when the pipeline first began, milliseconds since the epoch. It is the same for all shards. */
  readonly began?: number
  /** Sequence number of the last record stored. */
  readonly after?: string
  /** When the shard had nothing newer, milliseconds since the epoch; kept to the hour. Missing: not known, as in older cursors. */
  readonly seen?: number
  /** The shard was closed by resharding, and all of it is stored. */
  readonly done?: true
}

export function written({ began, after, seen, done }: Bookmark): string {
  return JSON.stringify({
    v: version,
    ...(began === undefined ? {} : { began }),
    ...(after === undefined ? {} : { after }),
    ...(seen === undefined ? {} : { seen }),
    ...(done ? { done } : {}),
  })
}

/** @throws cursor.invalid */
export function readBookmark(cursor: string): Bookmark {
  try {
    const { v, began, after, seen, done } = JSON.parse(cursor)
    const isTime = (ms: unknown) => ms === undefined || (Number.isSafeInteger(ms) && Number(ms) >= 0)
    const isAfter = after === undefined || isSequence(after)
    const isDone = done === undefined || done === true
    if (v === version && isTime(began) && isTime(seen) && isAfter && isDone && (began ?? after ?? done) !== undefined)
      return {
        ...(began === undefined ? {} : { began }),
        ...(after === undefined ? {} : { after }),
        ...(seen === undefined ? {} : { seen }),
        ...(done ? { done } : {}),
      }
  } catch {
    // Not JSON, or not an object: said below.
  }
  throw new WeirError('cursor.invalid', 'The stored cursor of the shard cannot be understood', {
    hint: '`weir cursor reset` starts over; `weir cursor set` takes {"v":1,"after":"<sequence number>"}.',
  })
}

export function describeBookmark(cursor: string): string {
  const { began, after, done } = readBookmark(cursor)
  if (done) return 'the shard is closed, and read to its end'
  if (after !== undefined) return `read up to sequence number ${after}`
  return `begins with what arrived from ${new Date(began!).toISOString()} on`
}
