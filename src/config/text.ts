// A definition file as text: a regular file, small, strict UTF-8. Nothing is read of a file that is too large or is no file.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import type { Code } from '../core/errors.ts'

/** The largest definition file. */
export const maxDefinitionBytes = 64 * 1024

/** Why a file cannot be used; `offset` in characters when the text up to there is known. */
export interface TextFailure {
  readonly code: Code
  readonly message: string
  readonly hint: string
  /** True when there is no file of that name. */
  readonly missing?: boolean
  /** What could be read, for showing the line. */
  readonly text?: string
  readonly offset?: number
}

export type TextResult = { readonly text: string } | { readonly failure: TextFailure }

const fail = (code: Code, message: string, hint: string): { failure: TextFailure } => ({
  failure: { code, message, hint },
})

/** Reads a definition file, at most `maxBytes` of it. Devices, pipes and folders are refused unread. */
export function readText(file: string, maxBytes: number = maxDefinitionBytes): TextResult {
  const bytes = readBytes(file, maxBytes)
  return 'failure' in bytes ? bytes : decodeText(bytes.bytes)
}

/** The bytes of a regular file. */
export function readBytes(
  file: string,
  maxBytes: number,
): { readonly bytes: Uint8Array } | { readonly failure: TextFailure } {
  if (file.includes('\0')) return fail('config.unreadable', 'A file name cannot hold NUL.', 'Check the path.')
  let handle: number
  try {
    // Without O_NONBLOCK the open of a pipe would wait for a writer.
    handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    return openFailure(error)
  }
  try {
    const stat = fstatSync(handle)
    if (stat.isDirectory()) return fail('config.unreadable', 'This is a folder, not a file.', 'Name a file in it.')
    if (!stat.isFile())
      return fail('config.unreadable', 'This is not a regular file.', 'Devices, pipes and sockets are not read.')
    if (stat.size > maxBytes) return tooLarge(stat.size, maxBytes)
    return readAll(handle, maxBytes)
  } catch (error) {
    return openFailure(error)
  } finally {
    closeSync(handle)
  }
}

function readAll(handle: number, maxBytes: number): { readonly bytes: Uint8Array } | { readonly failure: TextFailure } {
  // One byte more than allowed: a file that grows between stat and read is noticed.
  const buffer = Buffer.alloc(maxBytes + 1)
  let length = 0
  for (;;) {
    const count = readSync(handle, buffer, length, buffer.length - length, null)
    if (count === 0) break
    length += count
    if (length > maxBytes)
      return fail('config.too_large', `The file has more than ${maxBytes} bytes.`, 'Split it into several files.')
  }
  return { bytes: buffer.subarray(0, length) }
}

/** The caps of a file on a text that is in memory already. */
export function checkText(text: string): TextResult {
  const bytes = Buffer.from(text)
  return bytes.length > maxDefinitionBytes ? tooLarge(bytes.length, maxDefinitionBytes) : decodeText(bytes)
}

const tooLarge = (bytes: number, maxBytes: number) =>
  fail(
    'config.too_large',
    `The file has ${bytes} bytes; at most ${maxBytes} are read.`,
    'Split it, or remove what is not part of it.',
  )

/** Strict UTF-8 without byte order mark; other encodings, control characters and broken bytes are named with their byte offset. */
export function decodeText(bytes: Uint8Array): TextResult {
  const [a, b] = bytes
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff))
    return fail('config.unreadable', 'The file is UTF-16; UTF-8 is needed.', 'Save it as UTF-8.')
  const start = a === 0xef && b === 0xbb && bytes[2] === 0xbf ? 3 : 0
  const body = bytes.subarray(start)
  const control = body.findIndex(
    byte => (byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) || byte === 0x7f,
  )
  const broken = brokenAt(body)
  const bad = Math.min(control === -1 ? body.length : control, broken)
  if (bad === body.length) return { text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(body) }
  const readable = new TextDecoder('utf-8', { ignoreBOM: true }).decode(body.subarray(0, bad))
  const what = body[bad] === 0 ? 'NUL' : 'Control character'
  return {
    failure: {
      code: 'config.unreadable',
      message: bad === control ? `${what} at byte ${bad + start}.` : `Byte ${bad + start} is not UTF-8.`,
      hint: bad === control ? 'Remove it, or save the file as UTF-8.' : 'Save the file as UTF-8.',
      text: readable,
      offset: readable.length,
    },
  }
}

/** Offset of the first byte that is not well-formed UTF-8; the length when all is. */
function brokenAt(bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; ) {
    const lead = bytes[i]!
    const more = lead < 0x80 ? 0 : lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1
    if (more < 0) return i
    for (let k = 1; k <= more; k++) {
      const byte = bytes[i + k]
      const least = k === 1 && lead === 0xe0 ? 0xa0 : k === 1 && lead === 0xf0 ? 0x90 : 0x80
      const most = k === 1 && lead === 0xed ? 0x9f : k === 1 && lead === 0xf4 ? 0x8f : 0xbf
      if (byte === undefined || byte < least || byte > most) return i
    }
    i += more + 1
  }
  return bytes.length
}

function openFailure(error: unknown): { failure: TextFailure } {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return {
      failure: { ...fail('config.unreadable', 'There is no such file.', 'Check the path.').failure, missing: true },
    }
  if (code === 'EACCES' || code === 'EPERM')
    return fail('config.unreadable', 'The file may not be read.', 'Check its permissions.')
  if (code === 'ELOOP') return fail('config.unreadable', 'The file is a symlink loop.', 'Name the file itself.')
  if (code === 'ENAMETOOLONG') return fail('config.unreadable', 'The file name is too long.', 'Check the path.')
  return fail('config.unreadable', `The file cannot be read (${code ?? 'unknown error'}).`, 'Check path and disk.')
}
