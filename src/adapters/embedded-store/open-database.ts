// One connection to the store: settings, version, migrations, checks.
import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { WeirError } from '../../core/errors.ts'
import { applicationId, checkedTables, migrations } from './migrations.ts'
import { corrupt } from './sqlite-errors.ts'

/** A statement waits this long for a lock inside SQLite, blocking the event loop; longer waits are made outside, with timers. */
const lockWaitMs = 15
/** Up to this size the whole file is checked at start; above it the payloads are left to their checksums. */
const wholeCheckBytes = 8 * 1024 * 1024
/** The write-ahead log is copied back after so many pages (4 MB): more is no faster, and it is space a full disk lacks. */
const checkpointPages = 1000
/** Grown by a large transaction or a reader's snapshot, it is cut back to this size. */
const walKeptBytes = 16 * 1024 * 1024

/** Opens an existing file, never makes one: a store moved away must not be replaced by an empty one. */
export function openDatabase(path: string): DatabaseSync {
  const url = pathToFileURL(path)
  url.searchParams.set('mode', 'rw')
  const db = new DatabaseSync(url, { timeout: lockWaitMs })
  try {
    configure(db, path)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function configure(db: DatabaseSync, path: string): void {
  const version = pragma(db, 'user_version')
  refuseForeign(db, path, version)
  refuseNewer(path, version)
  if (version === 0) db.exec('PRAGMA page_size = 4096')
  const mode = db.prepare('PRAGMA journal_mode = WAL').get() as { journal_mode: string }
  if (mode.journal_mode !== 'wal')
    throw new WeirError(
      'log.unavailable',
      `The file system of ${path} does not support the shared memory that the embedded store needs.`,
      {
        at: path,
        hint: 'Put the data directory on a local disk.',
      },
    )
  // FULL: a commit is durable when it returns. The default of node:sqlite builds may be NORMAL in WAL mode, which is not.
  db.exec(`PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -8000;
    PRAGMA wal_autocheckpoint = ${checkpointPages}; PRAGMA journal_size_limit = ${walKeptBytes}`)
  if (version < migrations.length) migrate(db, path)
}

function refuseForeign(db: DatabaseSync, path: string, version: number): void {
  const id = pragma(db, 'application_id')
  if (id === applicationId) return
  const tables = db.prepare('SELECT count(*) AS n FROM sqlite_schema').get() as { n: number }
  if (id === 0 && tables.n === 0 && version === 0) return
  throw new WeirError('log.unavailable', `${path} is a SQLite file, but not one of weir.`, {
    at: path,
    hint: 'Choose another data directory with --data.',
  })
}

function refuseNewer(path: string, version: number): void {
  if (version <= migrations.length) return
  throw new WeirError(
    'log.version',
    `${path} has store version ${version}; this weir knows versions up to ${migrations.length}.`,
    {
      at: path,
      hint: 'Run the newer weir that wrote it, or choose another data directory with --data.',
    },
  )
}

function migrate(db: DatabaseSync, path: string): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    const version = pragma(db, 'user_version') // Another process may have been first.
    refuseNewer(path, version)
    for (const step of migrations.slice(version)) db.exec(step)
    db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}; COMMIT`)
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/** Walks the pages of all tables, or of all but the payloads where the file is large. @throws log.corrupt naming the page */
export function checkDatabase(db: DatabaseSync, path: string): void {
  const whole = statSync(path).size <= wholeCheckBytes
  for (const scope of whole ? ['1'] : checkedTables) {
    const [found] = db.prepare(`PRAGMA quick_check(${scope})`).all() as { quick_check: string }[]
    if (found && found.quick_check !== 'ok') throw corrupt(path, found.quick_check.replaceAll('\n', ' '))
  }
}

function pragma(db: DatabaseSync, name: string): number {
  const row = db.prepare(`PRAGMA ${name}`).get() as Record<string, number>
  return row[name]!
}

/** Copies the whole write-ahead log into the file, syncs it and starts the log anew. @returns false when a reader is in the way */
export function emptyWal(db: DatabaseSync): boolean {
  const row = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number }
  return row.busy === 0
}
