// The body of an answer as a value, with the text it came from, so that an item can be kept as the source gave it.
import { isUtf8 } from 'node:buffer'
import { WeirError } from '../../core/errors.ts'
import { skipSpace, skipValue } from '../../core/json-scan.ts'
import { decodeUtf8, jsonOf, parseJson, spanOf } from '../../core/json-text.ts'
import type { HttpResponse } from '../../fetch/guard.ts'

/** A part of an answer that should be an item and is none. */
export interface BadPart {
  readonly raw: Uint8Array
  readonly error: WeirError
  readonly context?: string
}

export interface Decoded {
  /** What expressions see as `body`. */
  readonly body: unknown
  /** Lines that are no JSON, rows that do not fit the header, an item that the end of the page cuts. */
  readonly bad: readonly BadPart[]
  /** The bytes of an element of a list in the body, as the source gave them; what an expression made anew is written as JSON. */
  rawOf(list: readonly unknown[], index: number): Uint8Array
  /** What `reparse` needs beside those bytes. */
  contextOf?(list: readonly unknown[], index: number): string | undefined
  /** Why the answer as a whole cannot be used, though error rules may look at its body. */
  readonly problem?: WeirError
}

export function emptyAnswer(status: number, at: string): WeirError {
  return new WeirError('source.shape', `The answer is empty (status ${status})`, {
    at,
    hint: 'If that means "nothing", write an error rule with `do: skip`.',
  })
}

/** @throws source.shape when the body is not what the definition expects: no record, and no cursor moves (I4) */
export function decodeJsonBody(response: HttpResponse, at: string): Decoded {
  const text = textOf(response, at)
  if (text.trim() === '') throw emptyAnswer(response.status, at)
  return decodeJson(text, at)
}

/** One JSON value a line; an empty body has no line. @throws source.shape */
export function decodeLinesBody(response: HttpResponse, at: string): Decoded {
  const text = textOf(response, at)
  if (text.trim() === '' && response.status !== 200) throw emptyAnswer(response.status, at)
  return decodeLines(text, at)
}

function decodeJson(text: string, at: string): Decoded {
  let body: unknown
  try {
    body = parseJson(text)
  } catch (error) {
    const cause = error as WeirError
    throw new WeirError('source.shape', `The answer is not JSON: ${cause.message}`, {
      at,
      ...(cause.hint ? { hint: cause.hint } : {}),
      cause,
    })
  }
  return {
    body,
    bad: [],
    rawOf: (list, index) => rawInJson(text, body, list, index) ?? Buffer.from(jsonOf(list[index])),
  }
}

function rawInJson(text: string, body: unknown, list: readonly unknown[], index: number): Uint8Array | undefined {
  const span = spanOf(text, body, list[index])
  if (span) return Buffer.from(text.slice(span.start, span.end))
  const listSpan = spanOf(text, body, list)
  if (!listSpan) return undefined
  let start = skipSpace(text, listSpan.start + 1)
  for (let i = 0; i < index; i++) start = skipSpace(text, skipSpace(text, skipValue(text, start)) + 1)
  return Buffer.from(text.slice(start, skipValue(text, start)))
}

function decodeLines(text: string, at: string): Decoded {
  const values: unknown[] = []
  const lines: string[] = []
  const bad: BadPart[] = []
  let number = 0
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start)
    const line = text.slice(start, end < 0 ? text.length : end).replace(/\r$/, '')
    start = end < 0 ? text.length : end + 1
    number++
    if (line.trim() === '') continue
    try {
      values.push(parseJson(line, { name: at, line: number }))
      lines.push(line)
    } catch (error) {
      bad.push({ raw: Buffer.from(line), error: error as WeirError })
    }
  }
  // A page of another kind has no good line: it is an error page, not a page of errors.
  if (values.length === 0 && bad.length > 0)
    throw new WeirError('source.shape', 'No line of the answer is JSON', { at, cause: bad[0]!.error })
  return {
    body: values,
    bad,
    rawOf: (list, index) =>
      Buffer.from(list === values ? lines[index]! : (lines[values.indexOf(list[index])] ?? jsonOf(list[index]))),
  }
}

/** The text of a body: UTF-8, or the single-byte charset that the answer declares and that its bytes need. @throws source.shape */
export function textOf(response: HttpResponse, at: string): string {
  const { body } = response
  if (!isUtf8(body)) {
    const declared = /charset\s*=\s*"?([\w.:-]+)/i.exec(response.headers['content-type'] ?? '')?.[1]?.toLowerCase()
    const decoder = declared === undefined || /^utf-?8$/.test(declared) ? undefined : decoderOf(declared)
    if (decoder) return decoder.decode(body)
  }
  try {
    return decodeUtf8(body)
  } catch (error) {
    const cause = error as WeirError
    throw new WeirError('source.shape', `The answer is not text: ${cause.message}`, {
      at,
      hint: 'The source must say its charset in content-type.',
      cause,
    })
  }
}

function decoderOf(charset: string): TextDecoder | undefined {
  try {
    return new TextDecoder(charset, { fatal: true })
  } catch {
    return undefined
  }
}
