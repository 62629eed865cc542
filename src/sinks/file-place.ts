// Where a file sink may write: under its root, through real folders, to a regular file. Nothing in a record can name a path.
import { constants } from 'node:fs'
import { lstat, mkdir, open, realpath } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { WeirError } from '../core/errors.ts'

/** Longest suffix of the files beside the data file. */
const longestSuffix = '.offsets.tmp'
const maxNameBytes = 255 - longestSuffix.length

/** What is wrong with a path as written, or null. Looks at the text only. */
export function pathProblem(written: string): string | null {
  if (/[\x00-\x1f\x7f]/.test(written)) return 'it has control characters'
  if (/[/\\]$/.test(written) || ['', '.', '..'].includes(basename(written))) return 'it names a folder, not a file'
  if (written.split('/').some(part => Buffer.byteLength(part) > maxNameBytes))
    return `a part of it is longer than ${maxNameBytes} bytes`
  if (/\.(offsets|lock|offsets\.tmp)$/.test(written))
    return 'its ending is used for the files that the sink keeps beside its data'
  return null
}

/** What is wrong with a path that leads out of its root, or null. Looks at the text only. */
export function outsideProblem(written: string, baseDir: string, root = '.'): string | null {
  const rootDir = resolve(baseDir, root)
  const inside = resolve(baseDir, written).startsWith(rootDir.endsWith(sep) ? rootDir : rootDir + sep)
  return inside ? null : `it is outside of ${rootDir}`
}

export const outsideHint =
  'Keep the path under the folder of the definition, or set `root` to the folder it belongs to.'

/**
 * The absolute path to write to, its folders made where they are missing (0700).
 * @throws file.refused (outside the root, a link or a device in the way), file.unreadable (rights)
 */
export async function claimPlace(written: string, baseDir: string, root = '.'): Promise<string> {
  const problem = pathProblem(written)
  if (problem) throw refused(written, problem, 'Write a plain file name, such as out/reviews.ndjson.')
  const rootDir = resolve(baseDir, root)
  const target = resolve(baseDir, written)
  const outside = outsideProblem(written, baseDir, root)
  if (outside) throw refused(written, outside, outsideHint)
  try {
    await mkdir(rootDir, { recursive: true, mode: 0o700 })
    let folder = await realpath(rootDir)
    for (const part of relative(rootDir, dirname(target)).split(sep)) {
      if (part === '') continue
      folder = join(folder, part)
      await mkdir(folder, { mode: 0o700 }).catch(error => {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      })
      const found = await lstat(folder)
      if (!found.isDirectory()) throw refused(written, `${folder} is ${kindOf(found)}`, 'Use real folders, no links.')
    }
    const place = join(folder, basename(target))
    for (const file of [place, `${place}.offsets`, `${place}.offsets.tmp`, `${place}.lock`]) await refuseOddFile(file)
    return place
  } catch (error) {
    if (error instanceof WeirError) throw error
    throw unwritable(dirname(target), error)
  }
}

/** Opens a regular file for reading and writing, following no link; made with 0600 where it is missing and `create` is set. */
export async function openRegular(path: string, create: boolean) {
  const flags = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK | (create ? constants.O_CREAT : 0)
  const handle = await open(path, flags, 0o600)
  const isFile = await handle.stat().then(
    found => found.isFile(),
    error => handle.close().then(() => Promise.reject(error)),
  )
  if (isFile) return handle
  await handle.close()
  throw refused(path, 'it is not a regular file', 'Remove it, or choose another path.')
}

async function refuseOddFile(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null)
  if (found && !found.isFile())
    throw refused(path, `it is ${kindOf(found)}`, 'Choose a path where nothing is, or remove it.')
}

/** An error of the file system at start: who lacks which right where. */
export function unwritable(path: string, cause: unknown): WeirError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? 'unknown'
  return new WeirError('file.unreadable', `${path} cannot be written by user ${process.getuid?.() ?? '?'} (${code})`, {
    at: path,
    hint: 'Give this user the right to write there, or choose another path.',
    cause,
  })
}

function refused(path: string, why: string, hint: string): WeirError {
  return new WeirError('file.refused', `the path of the file sink is refused: ${why}`, { at: path, hint })
}

function kindOf(found: Awaited<ReturnType<typeof lstat>>): string {
  if (found.isSymbolicLink()) return 'a symbolic link'
  if (found.isDirectory()) return 'a folder'
  if (found.isFIFO()) return 'a named pipe'
  if (found.isSocket()) return 'a socket'
  return found.isFile() ? 'a file' : 'a device'
}
