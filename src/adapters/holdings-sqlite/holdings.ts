// What a topic holds, in a temporary SQLite database: memory stays bounded whatever the topic's size (I10). SQLite removes the name of the file
// at once, so that nothing of it is left behind however the process ends.
import { DatabaseSync } from 'node:sqlite'
import { WeirError } from '../../core/errors.ts'
import type { Holdings } from '../../pipeline/ports/holdings.ts'

interface Row {
  readonly hash: Uint8Array
  readonly response: Uint8Array | null
  readonly fetched: number
  readonly written: number
  readonly part: number | null
}

const usualCacheKib = 65_536

/** @param cacheKib held in memory at most; what is more is on disk. @throws log.unavailable when there is no place for it */
export function openHoldings(cacheKib = usualCacheKib): Holdings {
  const db = placed(() => {
    // An empty name: a database on disk, for this connection alone.
    const opened = new DatabaseSync('')
    opened.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -${cacheKib};
      CREATE TABLE held (split TEXT, position TEXT, hash BLOB, response BLOB, fetched INTEGER, written INTEGER, part INTEGER, PRIMARY KEY (split, position)) WITHOUT ROWID;
      CREATE TABLE dead (split TEXT, position TEXT, PRIMARY KEY (split, position)) WITHOUT ROWID;
      BEGIN`)
    return opened
  })
  const put = db.prepare(
    `INSERT INTO held VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
     SET hash = excluded.hash, response = excluded.response, fetched = excluded.fetched, written = excluded.written, part = excluded.part
     WHERE part = excluded.part OR written <= excluded.written`,
  )
  const get = db.prepare('SELECT hash, response, fetched, written, part FROM held WHERE split = ? AND position = ?')
  const newest = db.prepare(
    `SELECT max(fetched) AS newest FROM held
     WHERE split = ? AND (position = ? OR (position >= ? AND position < ? AND instr(substr(position, ?), '@') = 0)) AND position <> ?`,
  )
  const onPage = db.prepare(
    'SELECT position FROM held WHERE split = ? AND position > ? AND position < ? AND response = ? AND fetched = ?',
  )
  const deadAfter = db.prepare('SELECT position FROM dead WHERE split = ? AND position > ? AND position < ?')
  const bury = db.prepare('INSERT OR IGNORE INTO dead VALUES (?, ?)')
  const isDead = db.prepare('SELECT 1 FROM dead WHERE split = ? AND position = ?')
  return {
    put: (split, position, { hash, response, fetchedAtMs, writtenAtMs, partition }) =>
      placed(
        () =>
          void put.run(
            split,
            position,
            bytesOf(hash),
            response && bytesOf(response),
            fetchedAtMs,
            writtenAtMs,
            partition,
          ),
      ),
    get(split, position) {
      const row = placed(() => get.get(split, position)) as Row | undefined
      if (row === undefined) return undefined
      const { hash, response, fetched, written, part } = row
      return {
        hash: hexOf(hash),
        response: response && hexOf(response),
        fetchedAtMs: fetched,
        writtenAtMs: written,
        partition: part,
      }
    },
    positionOf(split, position, { response, fetchedAtMs }) {
      const { from, to, isOne } = editionsOf(position)
      const rows = placed(() => onPage.all(split, from, to, bytesOf(response), fetchedAtMs))
      return (rows as unknown as Placed[]).find(row => isOne(row.position))?.position ?? position
    },
    newest(split, id, except) {
      // The versions of an item are its id, or its id with `@` and what has no other `@`; `A` is the character after `@`.
      const row = placed(() => newest.get(split, id, `${id}@`, `${id}A`, [...id].length + 2, except))
      return (row as { readonly newest: number | null }).newest
    },
    bury: (split, position) => placed(() => void bury.run(split, position)),
    isDead(split, position) {
      if (placed(() => isDead.get(split, position)) !== undefined) return true
      const { from, to, isOne } = editionsOf(position)
      return (placed(() => deadAfter.all(split, from, to)) as unknown as Placed[]).some(row => isOne(row.position))
    },
    [Symbol.dispose]: () => db.close(),
  }
}

interface Placed {
  readonly position: string
}

/**
 * Positions of the same version after edits: `~` and their number stand before the number of the pass, where there is one. Without a version there
 * are none: what looks so is another id.
 */
function editionsOf(position: string): {
  readonly from: string
  readonly to: string
  readonly isOne: (other: string) => boolean
} {
  const [, version = '', pass = ''] = /^(.*?)(#\d+)?$/s.exec(position)!
  const isOne = (other: string) =>
    version.includes('@') &&
    /^\d+$/.test(other.slice(version.length + 1, other.length - pass.length)) &&
    other.endsWith(pass)
  return { from: `${version}~`, to: `${version}\u007f`, isOne }
}

const bytesOf = (hex: string) => Buffer.from(hex, 'hex')
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

function placed<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw new WeirError('log.unavailable', `The index of a reparse cannot be kept: ${(cause as Error).message}`, {
      hint: 'It is a temporary file of about 200 bytes a record: see that there is room, or set TMPDIR.',
      cause,
    })
  }
}
