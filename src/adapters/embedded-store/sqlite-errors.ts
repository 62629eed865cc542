// What an error of SQLite proves (L2). Result codes: https://sqlite.org/rescode.html; the low byte is the primary code.
import { WeirError } from '../../core/errors.ts'

const primary = {
  perm: 3,
  busy: 5,
  locked: 6,
  readonly: 8,
  ioerr: 10,
  corrupt: 11,
  full: 13,
  cantopen: 14,
  protocol: 15,
  tooBig: 18,
  constraint: 19,
  auth: 23,
  notADb: 26,
}

/** The primary result code of an error that node:sqlite threw, or null for any other error. */
function sqliteCode(thrown: unknown): number | null {
  if (!(thrown instanceof Error)) return null
  const { code, errcode } = thrown as { code?: unknown; errcode?: unknown }
  return code === 'ERR_SQLITE_ERROR' && typeof errcode === 'number' ? errcode & 0xff : null
}

/** True when another connection holds a lock: the same statement may pass later. */
export function isBusy(thrown: unknown): boolean {
  const code = sqliteCode(thrown)
  return code === primary.busy || code === primary.locked || code === primary.protocol
}

/** True when no space was left. */
export function isFull(thrown: unknown): boolean {
  return sqliteCode(thrown) === primary.full
}

/** True when the connection itself may be in doubt afterwards, so that it is dropped and opened again. */
export function spoilsConnection(thrown: unknown): boolean {
  const code = sqliteCode(thrown)
  return (
    code !== null && !isBusy(thrown) && code !== primary.full && code !== primary.constraint && code !== primary.tooBig
  )
}

/** True when a COMMIT that threw this is proven not to be durable. Everything else leaves the outcome open. */
export function provesRollback(thrown: unknown): boolean {
  return isBusy(thrown) || [primary.full, primary.constraint].includes(sqliteCode(thrown) ?? -1)
}

/** Who runs this process, for messages about permissions. */
export function currentUser(): string {
  return process.getuid === undefined ? 'this user' : `uid ${process.getuid()}`
}

/** The error of a statement that has changed nothing for good, in words for people. What is not from SQLite comes back as it is. */
export function toLogError(thrown: unknown, path: string): unknown {
  const code = sqliteCode(thrown)
  if (code === null) return thrown
  const detail = { at: path, cause: thrown }
  const text = (thrown as Error).message
  switch (code) {
    case primary.busy:
    case primary.locked:
    case primary.protocol:
      return new WeirError('log.busy', `The embedded store is locked by another process: ${text}.`, {
        ...detail,
        hint: 'Find the process that holds it (`fuser` names it), or wait until it is done.',
      })
    case primary.full:
      return new WeirError('log.full', 'No space is left for the embedded store.', {
        ...detail,
        hint: 'Free space on its disk or lower the retention of its topics; work goes on by itself.',
      })
    case primary.corrupt:
    case primary.notADb:
      return corrupt(path, text, thrown)
    case primary.perm:
    case primary.readonly:
    case primary.cantopen:
    case primary.auth:
      return new WeirError(
        'log.unavailable',
        `The embedded store cannot be opened for writing by ${currentUser()}: ${text}.`,
        {
          ...detail,
          hint: 'Check the owner and the permissions of the file and its directory, or choose another directory with --data.',
        },
      )
    case primary.tooBig:
      return new WeirError('log.record_too_large', 'The record is larger than SQLite takes.', detail)
    default:
      return new WeirError('log.unavailable', `The embedded store cannot be read or written: ${text}.`, {
        ...detail,
        hint: 'Look at the disk and the system log.',
      })
  }
}

/** @returns the error for a damaged store file */
export function corrupt(path: string, what: string, cause?: unknown): WeirError {
  return new WeirError('log.corrupt', `The embedded store ${path} is damaged: ${what}.`, {
    at: path,
    hint: 'Stop all processes that use it, keep a copy of the file with its -wal, then restore a backup.',
    ...(cause === undefined ? {} : { cause }),
  })
}
