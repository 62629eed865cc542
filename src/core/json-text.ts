// JSON from outside, read without silent harm: no integer loses digits, no number becomes Infinity, no depth overflows a stack,
// and an error says where and what to do without showing the payload (I9, I10).
import { isUtf8 } from 'node:buffer'
import { WeirError } from './errors.ts'
import { findJsonFault, type JsonFault, type JsonFaultKind, nestsDeeperThan } from './json-scan.ts'

export { spanOf, type TextSpan } from './json-span.ts'

/** Deeper nesting is refused: what walks a value later may recurse. */
export const maxJsonDepth = 256
/** An integer with more digits is refused: turning it into a bigint would cost more than it is worth. */
const maxIntegerDigits = 1000

/** Where a text begins, for the place in an error. */
export interface TextOrigin {
  /** A file or an address. */
  readonly name: string
  /** The line the text begins on, from 1. */
  readonly line: number
  /** The byte it begins at, where that is not the start of its line: the place is then told in bytes. */
  readonly byte?: number
}

/**
 * The value of a JSON text, as JSON.parse gives it (of a key that stands twice the last one counts; `__proto__` is a key like
 * others), but an integer beyond ±(2^53-1) is a bigint. Fractions have the precision of a double.
 * @throws source.invalid_json with line and column
 */
export function parseJson(text: string, origin?: TextOrigin): unknown {
  if (nestsDeeperThan(text, maxJsonDepth))
    throw new WeirError('source.invalid_json', `The JSON nests deeper than ${maxJsonDepth} levels`, {
      ...(origin ? { at: `${origin.name}:${origin.line}` } : {}),
      hint: 'No review does: check what the source sends.',
    })
  try {
    const value: unknown = JSON.parse(text)
    return mayHaveLost(value) ? JSON.parse(text, exactNumber as Reviver) : value
  } catch (thrown) {
    if (thrown instanceof NumberFault) throw numberError(text, thrown.source, thrown.reason, origin)
    const fault = findJsonFault(text)
    if (!fault) throw new WeirError('source.invalid_json', 'The JSON cannot be parsed', { cause: thrown })
    throw faultError(text, fault, origin)
  }
}

/** JSON of a value, on one line unless indented; a bigint becomes an integer of all its digits, bytes become Base64. */
export function jsonOf(value: unknown, indent?: number): string {
  const exact = (_key: string, each: unknown) =>
    typeof each === 'bigint'
      ? rawJson(String(each))
      : each instanceof Uint8Array
        ? Buffer.from(each.buffer, each.byteOffset, each.byteLength).toString('base64')
        : each
  return JSON.stringify(value, exact, indent) ?? 'null'
}

/** True for what a JSON object is read as: no list, no null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): unknown }

type Reviver = (this: unknown, key: string, value: unknown) => unknown

class NumberFault {
  readonly source: string
  readonly reason: string

  constructor(source: string, reason: string) {
    this.source = source
    this.reason = reason
  }
}

function exactNumber(_key: string, value: unknown, context: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = context.source ?? ''
  if (/^-?\d+$/.test(source)) {
    if (source.length > maxIntegerDigits) throw new NumberFault(source, `has more than ${maxIntegerDigits} digits`)
    return BigInt(source)
  }
  if (!Number.isFinite(value)) throw new NumberFault(source, 'is larger than any double')
  return value
}

/** True when a number in the value is one that stands for others as well: beyond ±(2^53-1) without a fraction, or beyond any double. */
function mayHaveLost(value: unknown): boolean {
  if (typeof value === 'number')
    return !Number.isSafeInteger(value) && (Number.isInteger(value) || !Number.isFinite(value))
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) if (mayHaveLost(value[i])) return true
    return false
  }
  // What JSON.parse makes has no enumerable members but its own.
  for (const key in value) if (mayHaveLost((value as Record<string, unknown>)[key])) return true
  return false
}

const faults: Record<JsonFaultKind, readonly [what: string, hint: string]> = {
  empty: ['there is nothing but white space', 'Check that the source gave anything at all.'],
  cut_off: ['the text ends before its value does', 'It seems cut off: check that the whole of it arrived.'],
  trailing_comma: ['a comma stands before a closing bracket', 'Remove the last comma.'],
  single_quote: ['a single quote where a double quote is due', 'This looks like Python or JavaScript, not JSON.'],
  comment: ['a comment', 'JSON has no comments: remove it.'],
  not_a_number: ['NaN or Infinity', 'JSON has no such numbers: the source must send null or text.'],
  literal: ['a bare word', 'Words other than true, false and null need double quotes.'],
  markup: ['it begins like HTML or XML', 'The source sent a page instead of JSON: look at it.'],
  control_character: ['a raw control character inside a string', 'It must be escaped, as in \\n or \\u0000.'],
  escape: ['an unknown escape inside a string', 'A backslash goes before one of "\\/bfnrtu only.'],
  number: ['a number in a form JSON does not have', 'No leading zeros, plus signs or bare points.'],
  key: ['a key without double quotes', 'Keys need double quotes.'],
  colon: ['no colon after a key', 'Write "key": value.'],
  comma: ['no comma or closing bracket after a value', 'Check the quotes and commas before this place.'],
  value: ['no value where one is due', 'Check what stands before this place.'],
  after_end: [
    'more text after the end of the value',
    'Several values one after another are NDJSON: use format ndjson, one value a line.',
  ],
}

function faultError(text: string, fault: JsonFault, origin: TextOrigin | undefined): WeirError {
  const [what, hint] = faults[fault.kind]
  return errorAt(text, fault.offset, `Not valid JSON: ${what}`, hint, origin)
}

function numberError(text: string, source: string, reason: string, origin: TextOrigin | undefined): WeirError {
  const hint = 'The source must send it as text, or smaller.'
  return errorAt(text, Math.max(0, text.indexOf(source)), `A number ${reason}`, hint, origin)
}

function errorAt(text: string, offset: number, what: string, hint: string, origin: TextOrigin | undefined): WeirError {
  let line = origin?.line ?? 1
  let lineStart = 0
  for (let i = text.indexOf('\n'); i >= 0 && i < offset; i = text.indexOf('\n', i + 1)) {
    line++
    lineStart = i + 1
  }
  const column = offset - lineStart + 1
  let at = origin ? `${origin.name}:${line}:${column}` : `line ${line}, column ${column}`
  if (origin?.byte !== undefined)
    at = `${origin.name}:${line} (byte ${origin.byte + Buffer.byteLength(text.slice(0, offset))})`
  return new WeirError('source.invalid_json', `${what} (character ${offset})`, { at, hint })
}

/**
 * UTF-8 bytes as text; a byte order mark at the start is left out. Nothing is replaced silently.
 * @throws source.invalid_text with the offset of the first bad byte
 */
export function decodeUtf8(bytes: Uint8Array, at?: string): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!isUtf8(buffer)) {
    const offset = firstInvalidUtf8(buffer)
    throw new WeirError('source.invalid_text', `Not valid UTF-8 at byte ${offset}`, {
      ...(at === undefined ? {} : { at }),
      hint: looksLikeUtf16(buffer)
        ? 'It looks like UTF-16: save it as UTF-8.'
        : 'It may be Latin-1 or cut inside a character: save it as UTF-8.',
    })
  }
  const start = hasByteOrderMark(buffer) ? 3 : 0
  return buffer.toString('utf8', start)
}

/** True when the bytes begin with the byte order mark of UTF-8. */
export function hasByteOrderMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
}

/** True when the bytes begin with a byte order mark of UTF-16. */
export function looksLikeUtf16(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
}

/** Offset of the first byte that is not part of valid UTF-8: the longest valid prefix, found by halving. */
function firstInvalidUtf8(bytes: Buffer): number {
  let good = 0
  let bad = bytes.length
  while (bad - good > 8) {
    let middle = (good + bad) >>> 1
    // Move to the start of a character, at most three bytes back.
    for (let k = 0; k < 3 && middle > good && (bytes[middle]! & 0xc0) === 0x80; k++) middle--
    if (middle === good) break
    if (isUtf8(bytes.subarray(good, middle))) good = middle
    else bad = middle
  }
  for (let end = good + 1; end <= bytes.length; end++)
    if (isUtf8(bytes.subarray(good, end))) good = end
    else if (end - good >= 4) return good
  return good
}
