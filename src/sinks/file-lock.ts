// One writer per file: an exclusive lock of the operating system, taken through SQLite on an empty file beside the data.
// The system gives it back when the process ends in any way, so nothing is ever left to clean up by hand.
import { DatabaseSync } from 'node:sqlite'
import { WeirError } from '../core/errors.ts'
import { unwritable } from './file-place.ts'

const sqliteBusy = 5

/** Holds the lock until disposed. The empty file stays: removing it could take the lock away from the next holder. @throws sink.locked */
export function lockFile(path: string, what: string): Disposable {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: 0 })
    database.exec('PRAGMA journal_mode = MEMORY')
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database?.close()
    if ((error as { errcode?: number }).errcode !== sqliteBusy) throw unwritable(path, error)
    throw new WeirError('sink.locked', `${what} is being written by another sink`, {
      at: what,
      hint: 'Stop the other process or consumer, or give this one a path of its own.',
    })
  }
  const held = database
  return { [Symbol.dispose]: () => held.close() }
}
