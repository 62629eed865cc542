// The cursor of a file: which file it was (device, inode, hash of its first bytes) and how far it was read (I13).
// The size is no part of the identity, so a file may grow; the hash covers what was read, at most the first KiB, so taking it is cheap.
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { WeirError } from '../../core/errors.ts'

export interface Bookmark {
  readonly dev: string
  readonly ino: string
  /** SHA-256, base64url, of the first `headBytes` bytes as they are on disk. */
  readonly head: string
  readonly headBytes: number
  /** Bytes read, of the text after decompression; what follows is next. */
  readonly offset: number
  /** Line number of what is next, from 1. */
  readonly line: number
  /** Items of the piece at `offset` that are done, where one piece holds several. */
  readonly skip: number
  /** How often reading of this path began anew, because the file was replaced or truncated. */
  readonly generation: number
  /** Size on disk when the end was reached; null: there was more. */
  readonly doneAt: number | null
}

const version = 1
export const headLimit = 1024

export function writeBookmark(mark: Bookmark): string {
  return JSON.stringify({
    v: version,
    dev: mark.dev,
    ino: mark.ino,
    head: mark.head,
    head_bytes: mark.headBytes,
    offset: mark.offset,
    line: mark.line,
    ...(mark.skip > 0 ? { skip: mark.skip } : {}),
    ...(mark.generation > 0 ? { generation: mark.generation } : {}),
    ...(mark.doneAt === null ? {} : { done_at: mark.doneAt }),
  })
}

/** @throws cursor.invalid */
export function readBookmark(text: string): Bookmark {
  const invalid = (why: string) =>
    new WeirError('cursor.invalid', `The stored cursor of a file ${why}`, {
      hint: 'See it with `weir cursor show`; `weir cursor reset` starts the file over.',
    })
  let raw: Record<string, unknown>
  try {
    raw = JSON.parse(text)
  } catch {
    throw invalid('is not JSON')
  }
  if (typeof raw !== 'object' || raw === null) throw invalid('is not an object')
  if (raw['v'] !== version)
    throw invalid(typeof raw['v'] === 'number' && raw['v'] > version ? 'was written by a newer weir' : 'has no version')
  const count = (name: string, least: number, otherwise?: number) => {
    const value = raw[name] ?? otherwise
    if (!Number.isSafeInteger(value) || (value as number) < least) throw invalid(`has no valid ${name}`)
    return value as number
  }
  const text64 = (name: string, pattern: RegExp) => {
    const value = raw[name]
    if (typeof value !== 'string' || !pattern.test(value)) throw invalid(`has no valid ${name}`)
    return value
  }
  const headBytes = count('head_bytes', 0)
  if (headBytes > headLimit) throw invalid('has no valid head_bytes')
  return {
    dev: text64('dev', /^\d{1,20}$/),
    ino: text64('ino', /^\d{1,20}$/),
    head: text64('head', /^[\w-]{43}$/),
    headBytes,
    offset: count('offset', 0),
    line: count('line', 1),
    skip: count('skip', 0, 0),
    generation: count('generation', 0, 0),
    doneAt: raw['done_at'] === undefined ? null : count('done_at', 0),
  }
}

export interface Head {
  readonly head: string
  readonly headBytes: number
}

/** Hash of the first bytes: at most `limit` of them, as many as there are. */
export async function headOf(handle: FileHandle, limit: number): Promise<Head> {
  const bytes = Buffer.alloc(limit)
  let filled = 0
  while (filled < limit) {
    const { bytesRead } = await handle.read(bytes, filled, limit - filled, filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  const head = createHash('sha256').update(bytes.subarray(0, filled)).digest('base64url')
  return { head, headBytes: filled }
}

/** True when the file still begins as it did. */
export async function beginsAs(handle: FileHandle, mark: Head): Promise<boolean> {
  const now = await headOf(handle, mark.headBytes)
  return now.headBytes === mark.headBytes && now.head === mark.head
}
