// The pages of a list of versions: by number, by offset, and by a cursor that stays true while the list grows, newest or oldest first.
// A cursor names the last item given (updated_at, id), never a position, so that new reviews neither shift nor repeat the next page.
import type { Version } from './world.ts'

export interface Query {
  /** null: all products. */
  readonly asin: string | null
  readonly sort: 'newest' | 'oldest'
  readonly size: number
  readonly from: { readonly offset: number } | { readonly after: Anchor }
  /** Only versions changed at or after this time, milliseconds since the epoch. */
  readonly sinceMs: number | null
}

/** The last item of the page before. */
export interface Anchor {
  readonly updatedAt: string
  readonly id: string
}

export interface Page {
  readonly versions: readonly Version[]
  /** Versions in all. */
  readonly total: number
  /** null: this is the last page for now. */
  readonly next: Anchor | null
}

export const defaultPageSize = 20
export const maxPageSize = 1000
const maxNumber = 999_999_999

/** What the caller asked for, or what is wrong with it. */
export function readQuery(raw: Readonly<Record<string, unknown>>): Query | string {
  const text = (name: string): string | undefined =>
    raw[name] === undefined || raw[name] === null ? undefined : String(raw[name])
  const whole = (name: string, fallback: number, min: number, max = maxNumber): number | null => {
    const given = text(name)
    if (given === undefined) return fallback
    return /^\d{1,9}$/.test(given) && Number(given) >= min && Number(given) <= max ? Number(given) : null
  }
  if (['page', 'offset', 'cursor'].filter(name => text(name) !== undefined).length > 1)
    return 'page, offset and cursor are three ways to ask for a page: use one'
  const sort = text('sort') ?? 'newest'
  if (sort !== 'newest' && sort !== 'oldest') return 'sort is newest or oldest'
  const size = whole('page_size', defaultPageSize, 1, maxPageSize)
  if (size === null) return `page_size is a whole number from 1 to ${maxPageSize}`
  const page = whole('page', 1, 1)
  if (page === null) return 'page is a whole number from 1'
  const offset = whole('offset', (page - 1) * size, 0)
  if (offset === null) return 'offset is a whole number from 0'
  const cursor = text('cursor')
  const after = cursor === undefined ? undefined : readCursor(cursor)
  if (after === null) return 'cursor is none that was given out here'
  const since = text('updated_since')
  const sinceMs = since === undefined ? null : Date.parse(since)
  if (Number.isNaN(sinceMs)) return 'updated_since is a time such as 2012-01-31T00:00:00Z'
  return { asin: text('asin') ?? null, sort, size, from: after ? { after } : { offset }, sinceMs }
}

export function writeCursor({ updatedAt, id }: Anchor): string {
  return Buffer.from(`${updatedAt} ${id}`).toString('base64url')
}

/** null when it is none that writeCursor made. */
function readCursor(text: string): Anchor | null {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) ([A-Za-z0-9-]{1,64})$/.exec(
    Buffer.from(text.slice(0, 256), 'base64url').toString('latin1'),
  )
  return match ? { updatedAt: match[1]!, id: match[2]! } : null
}

/** @param list oldest first, by updated_at and id */
export function pageOf(list: readonly Version[], { sort, size, from, sinceMs }: Query): Page {
  const start = sinceMs === null ? 0 : firstWhere(list, version => Date.parse(version.updatedAt) >= sinceMs)
  const total = list.length - start
  // How many of the list come before the page, in the order asked for.
  const before = 'offset' in from ? Math.min(from.offset, total) : countBefore(list, from.after, sort, start)
  const count = Math.min(size, total - before)
  const first = sort === 'oldest' ? start + before : list.length - before - count
  const slice = list.slice(first, first + count)
  const versions = sort === 'oldest' ? slice : slice.reverse()
  const last = versions.at(-1)
  const next = last && before + count < total ? { updatedAt: last.updatedAt, id: last.review.id } : null
  return { versions, total, next }
}

function countBefore(list: readonly Version[], after: Anchor, sort: Query['sort'], start: number): number {
  if (sort === 'oldest') return Math.max(0, firstWhere(list, version => compare(version, after) > 0) - start)
  return Math.min(list.length - firstWhere(list, version => compare(version, after) >= 0), list.length - start)
}

function compare({ updatedAt, review }: Version, anchor: Anchor): number {
  if (updatedAt !== anchor.updatedAt) return updatedAt < anchor.updatedAt ? -1 : 1
  return review.id === anchor.id ? 0 : review.id < anchor.id ? -1 : 1
}

/** Index of the first for which `holds`; it holds for all after it. */
function firstWhere(list: readonly Version[], holds: (version: Version) => boolean): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(list[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
