// Where reading a file begins, given the cursor: the file may have grown, or be another one by now.
//
//   same head            -> goes on                    shorter than read  -> starts over (follow) or file.truncated
//   moved away, beside   -> the old one first, then the new from its start          other head -> the new from its start
import { lstat, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Code } from '../../core/errors.ts'
import { WeirError } from '../../core/errors.ts'
import { type Bookmark, beginsAs } from './bookmark.ts'
import { type OpenFile, openFile } from './place.ts'

export interface Start {
  readonly offset: number
  readonly line: number
  readonly skip: number
  readonly generation: number
  /** Size on disk when the end was reached before, or null. */
  readonly doneAt: number | null
}

export interface Plan {
  readonly start: Start
  /** The file the cursor speaks of, under its new name: to be read to its end first, from `oldStart`. */
  readonly old?: OpenFile
  readonly oldStart?: Start
}

export interface StartOptions {
  readonly name: string
  readonly root: string
  readonly follow: boolean
  readonly gzip: boolean
  readonly notice: (code: Code | 'info', message: string) => void
}

/** More files beside are not looked at. */
const maxNeighbours = 10_000

export function fromStart(generation: number): Start {
  return { offset: 0, line: 1, skip: 0, generation, doneAt: null }
}

/** @throws file.truncated */
export async function planStart(file: OpenFile, mark: Bookmark | null, options: StartOptions): Promise<Plan> {
  if (mark === null) return { start: fromStart(0) }
  const anew = fromStart(mark.generation + 1)
  const goOn: Start = mark
  const isSame = mark.dev === `${file.dev}` && mark.ino === `${file.ino}`
  if (!isSame) {
    const old = await findMoved(file.path, mark, options)
    if (old) {
      options.notice(
        'info',
        'The file was moved and replaced: the old one is read to its end first, then the new one from its start',
      )
      return { start: anew, old, oldStart: goOn }
    }
  }
  const { size } = await file.handle.stat()
  const sameHead = await beginsAs(file.handle, mark)
  const isShorter = size < (options.gzip ? (mark.doneAt ?? 0) : mark.offset)
  if (sameHead && !isShorter) return { start: goOn }
  if (!sameHead && (!isSame || size >= mark.headBytes)) {
    const rest = mark.doneAt === null ? `; what followed byte ${mark.offset} of the old one cannot be found` : ''
    options.notice(
      mark.doneAt === null ? 'file.truncated' : 'info',
      `The file was replaced: the new one is read from its start${rest}`,
    )
    return { start: anew }
  }
  if (options.follow) {
    options.notice('info', 'The file was truncated: it is read from its start')
    return { start: anew }
  }
  throw truncated(options.name, mark.offset, size)
}

export function truncated(name: string, readTo: number, size: number): WeirError {
  return new WeirError('file.truncated', `The file has ${size} bytes; ${readTo} were read of it before`, {
    at: name,
    hint: 'If it was shortened on purpose, `weir cursor reset` starts it over.',
  })
}

/** The file a cursor speaks of, under another name in the same folder. */
async function findMoved(path: string, mark: Bookmark, { name, root }: StartOptions): Promise<OpenFile | undefined> {
  const folder = dirname(path)
  const names = (await readdir(folder).catch(() => [])).slice(0, maxNeighbours)
  for (const each of names) {
    const stat = await lstat(join(folder, each), { bigint: true }).catch(() => undefined)
    if (!stat?.isFile() || `${stat.ino}` !== mark.ino || `${stat.dev}` !== mark.dev) continue
    const file = await openFile(join(folder, each), name, root).catch(() => undefined)
    if (file && (await beginsAs(file.handle, mark))) return file
    await file?.[Symbol.asyncDispose]()
  }
  return undefined
}
