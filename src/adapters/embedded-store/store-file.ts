// The file of the embedded store and its directory: made private, told apart from any other file, watched for being moved away.
// Never opens the file itself: closing a descriptor would drop the locks that SQLite holds for this process (POSIX advisory locks).
import { accessSync, closeSync, constants, lstatSync, mkdirSync, openSync, type Stats, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { WeirError } from '../../core/errors.ts'
import { currentUser } from './sqlite-errors.ts'

/** The store's file in a data directory. */
export function storeFile(dataDir: string): string {
  return join(resolve(dataDir), 'weir.db')
}

/** Makes the data directory (0700) and an empty store file (0600) where they are missing. @returns the file's path @throws log.unavailable */
export function prepareFile(dataDir: string): string {
  const path = storeFile(dataDir)
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    if (!existing(path)) closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !existing(path)) throw unavailable(path, error)
  }
  const stats = existing(path)
  if (!stats?.isFile()) throw unavailable(path, new Error('it is not a regular file'))
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    accessSync(dirname(path), constants.R_OK | constants.W_OK | constants.X_OK) // The -wal is made beside it.
  } catch (error) {
    throw unavailable(path, error)
  }
  return path
}

function existing(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false })
}

function unavailable(path: string, error: unknown): WeirError {
  const { code, message } = error as NodeJS.ErrnoException
  const owner = existing(dirname(path))?.uid
  const owned = owner === undefined ? '' : `; the directory belongs to uid ${owner}`
  return new WeirError(
    'log.unavailable',
    `The embedded store ${path} cannot be used by ${currentUser()}: ${code ?? message}${owned}.`,
    {
      at: path,
      hint: 'Give this user the directory (owner, permissions, not read-only), or choose another one with --data.',
      cause: error,
    },
  )
}

/** Which files a connection works on. */
export interface FileIdentity {
  readonly db: string
  /** Empty while there is none. */
  readonly wal: string
}

export function identify(path: string): FileIdentity {
  return { db: identityOf(path), wal: identityOf(`${path}-wal`) }
}

function identityOf(path: string): string {
  const stats = lstatSync(path, { throwIfNoEntry: false, bigint: true })
  if (stats?.isSymbolicLink()) {
    const target = statSync(path, { throwIfNoEntry: false, bigint: true })
    return target ? `${target.dev}:${target.ino}` : ''
  }
  return stats ? `${stats.dev}:${stats.ino}` : ''
}

/** The error when the files are not those the connection has open, else null. SQLite would go on writing into the removed ones. */
export function goneError(path: string, opened: FileIdentity): WeirError | null {
  const now = identify(path)
  const gone = now.db !== opened.db ? path : opened.wal !== '' && now.wal !== opened.wal ? `${path}-wal` : null
  if (gone === null) return null
  return new WeirError('log.gone', `${gone} was removed or replaced while in use.`, {
    at: gone,
    hint: 'Stop the processes that use the store, put the file back together with its -wal, and start again.',
  })
}

/** Bytes of the write-ahead log; 0 when there is none. */
export function walBytes(path: string): number {
  return existing(`${path}-wal`)?.size ?? 0
}
