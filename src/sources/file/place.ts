// Which files a definition means, and opening them safely: regular files under the root only, symbolic links out of it refused (sec-25).
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, glob, lstat, open, realpath } from 'node:fs/promises'
import { isAbsolute, relative, resolve, sep } from 'node:path'
import { WeirError } from '../../core/errors.ts'

/** A definition that matches more is a mistake. */
const maxFiles = 100_000
const maxSplitBytes = 512

export interface FoundFile {
  /** Path relative to the definition, with forward slashes: the name of its split. */
  readonly id: string
  /** Absolute. */
  readonly path: string
}

export interface Place {
  readonly baseDir: string
  readonly root: string
}

/**
 * The files there are, each once, in the order of the patterns and by name within one. Folders that a glob matches are left out.
 * @throws file.not_found for a pattern without a file, unless `mayBeMissing`; file.refused for one that leads out of the root
 */
export async function findFiles(
  patterns: readonly string[],
  place: Place,
  mayBeMissing: boolean,
  signal: AbortSignal,
): Promise<FoundFile[]> {
  const found = new Map<string, FoundFile>()
  for (const pattern of patterns) {
    signal.throwIfAborted()
    const paths = await matchesOf(pattern, place)
    if (paths.length === 0 && !isGlob(pattern) && mayBeMissing) paths.push(resolve(place.baseDir, pattern))
    if (paths.length === 0 && !mayBeMissing)
      throw new WeirError('file.not_found', isGlob(pattern) ? 'No file matches' : 'The file does not exist', {
        at: pattern,
        hint: `Paths start at ${place.baseDir}.`,
      })
    for (const path of paths) if (!found.has(path)) found.set(path, { id: splitIdOf(path, place.baseDir), path })
    if (found.size > maxFiles)
      throw new WeirError('file.refused', `More than ${maxFiles} files match`, {
        at: pattern,
        hint: 'Use a narrower glob.',
      })
  }
  return [...found.values()]
}

async function matchesOf(pattern: string, { baseDir, root }: Place): Promise<string[]> {
  if (pattern.includes('\0'))
    throw new WeirError('file.refused', 'A path holds a NUL character', { hint: 'Check the path in the definition.' })
  const literal = resolve(baseDir, pattern)
  const fixed = resolve(baseDir, /^[^*?[{]*/.exec(pattern)![0])
  if (!isInside(isGlob(pattern) ? fixed : literal, root)) throw refused(pattern, 'The path leads out of its root', root)
  // A name may hold the characters of a glob: what exists as written is meant as written.
  if (await exists(literal, pattern)) return [literal]
  if (!isGlob(pattern)) return []
  const matches: string[] = []
  for await (const entry of glob(pattern, { cwd: baseDir, withFileTypes: true })) {
    if (!entry.isDirectory()) matches.push(resolve(entry.parentPath, entry.name))
    if (matches.length > maxFiles) break
  }
  return matches.sort()
}

function isGlob(pattern: string): boolean {
  return /[*?[{]/.test(pattern)
}

async function exists(path: string, pattern: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || (code === 'ENAMETOOLONG' && isGlob(pattern))) return false
    throw fileError(error, pattern)
  }
}

function splitIdOf(path: string, baseDir: string): string {
  const id = relative(baseDir, path).split(sep).join('/')
  if (Buffer.byteLength(id) <= maxSplitBytes) return id
  const hash = createHash('sha256').update(id).digest('hex')
  return `${Buffer.from(id)
    .subarray(-256)
    .toString('utf8')
    .replace(/^\ufffd+/, '')}#${hash.slice(0, 32)}`
}

function isInside(path: string, root: string): boolean {
  const way = relative(root, path)
  return way === '' || (!isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`))
}

function refused(at: string, message: string, root: string): WeirError {
  return new WeirError('file.refused', message, {
    at,
    hint: `Only regular files under ${root} are read; see \`root\`.`,
  })
}

export interface OpenFile extends AsyncDisposable {
  readonly handle: FileHandle
  /** The real path, links followed. */
  readonly path: string
  readonly dev: bigint
  readonly ino: bigint
}

/** Opens a regular file under the root. @throws file.not_found, file.refused, file.unreadable; `name` is what errors call it */
export async function openFile(path: string, name: string, root: string): Promise<OpenFile> {
  try {
    const [real, realRoot] = await Promise.all([realpath(path), realpath(root)])
    if (!isInside(real, realRoot)) throw refused(name, 'A symbolic link leads out of the root', root)
    if (!(await lstat(real)).isFile()) throw refused(name, 'Not a regular file', root)
    // Between the check and the opening the name may change hands: no link is followed, no pipe waited for.
    const handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const stat = await handle.stat({ bigint: true })
      if (!stat.isFile()) throw refused(name, 'Not a regular file', root)
      return {
        handle,
        path: real,
        dev: stat.dev,
        ino: stat.ino,
        [Symbol.asyncDispose]: () => handle.close(),
      }
    } catch (error) {
      await handle.close()
      throw error
    }
  } catch (error) {
    throw fileError(error, name)
  }
}

/** An error of the file system in our words. */
export function fileError(error: unknown, name: string): WeirError {
  if (error instanceof WeirError) return error
  const code = (error as NodeJS.ErrnoException)?.code ?? ''
  const at = { at: name, cause: error }
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new WeirError('file.not_found', 'The file does not exist', { ...at, hint: 'Check the path.' })
    case 'EACCES':
    case 'EPERM':
      return new WeirError('file.unreadable', 'The file may not be read', {
        ...at,
        hint: 'Give the user that runs weir the right to read it.',
      })
    case 'ELOOP':
      return new WeirError('file.refused', 'Symbolic links lead in a circle', { ...at, hint: 'Remove the loop.' })
    case 'ENAMETOOLONG':
      return new WeirError('file.refused', 'The name of the file is too long', { ...at, hint: 'Use a shorter name.' })
    case 'ENXIO':
      return new WeirError('file.refused', 'Not a regular file', { ...at, hint: 'Sockets and devices are not read.' })
    default:
      return new WeirError('file.unreadable', `The file cannot be read (${code || 'unknown error'})`, {
        ...at,
        hint: 'Check the disk it is on.',
      })
  }
}
