// A strict JSON scanner (RFC 8259) that builds nothing: it finds where values end and what is wrong with a text.
// Used on failure only, so it is written for exact places, not for speed; it never recurses and keeps at most one byte per level.

/** Why a text is not JSON. */
export type JsonFaultKind =
  | 'empty'
  | 'cut_off'
  | 'trailing_comma'
  | 'single_quote'
  | 'comment'
  | 'not_a_number'
  | 'literal'
  | 'markup'
  | 'control_character'
  | 'escape'
  | 'number'
  | 'key'
  | 'colon'
  | 'comma'
  | 'value'
  | 'after_end'

/** The place of a fault: UTF-16 units from the start of the text. */
export class JsonFault {
  readonly kind: JsonFaultKind
  readonly offset: number

  constructor(kind: JsonFaultKind, offset: number) {
    this.kind = kind
    this.offset = offset
  }
}

const quote = 34
const openArray = 91
const closeArray = 93
const openObject = 123
const closeObject = 125
const comma = 44
const colon = 58

export function skipSpace(text: string, from: number): number {
  let i = from
  for (; ; i++) {
    const c = text.charCodeAt(i)
    if (c !== 32 && c !== 10 && c !== 13 && c !== 9) return i
  }
}

/** `from` is at the opening quote; gives the place after the closing one. @throws JsonFault */
export function skipString(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === quote) return i + 1
    if (c < 32) throw new JsonFault('control_character', i)
    if (c === 92) {
      const escaped = text[++i]
      if (escaped === undefined) break
      if (escaped === 'u') {
        for (let k = 1; k <= 4; k++) {
          if (i + k >= text.length) throw new JsonFault('cut_off', text.length)
          if (!/[0-9a-fA-F]/.test(text[i + k]!)) throw new JsonFault('escape', i - 1)
        }
        i += 4
      } else if (!'"\\/bfnrt'.includes(escaped)) throw new JsonFault('escape', i - 1)
    }
  }
  throw new JsonFault('cut_off', text.length)
}

const numberShape = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const wordShape = /[A-Za-z_$][\w$]*/y

function skipScalar(text: string, from: number): number {
  const first = text[from]
  if (first === undefined) throw new JsonFault(text.trim() === '' ? 'empty' : 'cut_off', text.length)
  if (first === '"') return skipString(text, from)
  if (first === '-' || (first >= '0' && first <= '9')) return skipNumber(text, from)
  wordShape.lastIndex = from
  const word = wordShape.exec(text)?.[0]
  if (word === 'true' || word === 'false' || word === 'null') return from + word.length
  if (word !== undefined) {
    const atEnd = from + word.length === text.length
    if (atEnd && ['true', 'false', 'null'].some(literal => literal.startsWith(word)))
      throw new JsonFault('cut_off', text.length)
    throw new JsonFault(/^(NaN|Infinity)$/.test(word) ? 'not_a_number' : 'literal', from)
  }
  if (first === "'") throw new JsonFault('single_quote', from)
  if (first === '/' || first === '#') throw new JsonFault('comment', from)
  if (first === '<') throw new JsonFault('markup', from)
  if (first === '+' || first === '.') throw new JsonFault('number', from)
  throw new JsonFault('value', from)
}

function skipNumber(text: string, from: number): number {
  numberShape.lastIndex = from
  const found = numberShape.exec(text)?.[0]
  const end = from + (found?.length ?? 0)
  const next = text[end]
  if (found === undefined)
    throw new JsonFault(
      text.startsWith('-Infinity', from) ? 'not_a_number' : from + 1 >= text.length ? 'cut_off' : 'number',
      from,
    )
  if (next !== undefined && /[\w.+-]/.test(next))
    throw new JsonFault(end + 1 >= text.length ? 'cut_off' : 'number', from)
  return end
}

/** `from` is at a value or at white space before it; gives the place after the value. @throws JsonFault */
export function skipValue(text: string, from: number): number {
  // One entry per open bracket: what closes it.
  const open: number[] = []
  let i = skipSpace(text, from)
  for (;;) {
    const c = text.charCodeAt(i)
    if (c === openArray || c === openObject) {
      const inside = skipSpace(text, i + 1)
      const close = c === openArray ? closeArray : closeObject
      if (text.charCodeAt(inside) !== close) {
        open.push(close)
        i = close === closeObject ? skipKey(text, inside) : inside
        continue
      }
      i = inside + 1
    } else i = skipScalar(text, i)
    // After a value: close brackets until another value is due.
    for (;;) {
      const close = open.at(-1)
      if (close === undefined) return i
      i = skipSpace(text, i)
      if (i >= text.length) throw new JsonFault('cut_off', text.length)
      const after = text.charCodeAt(i)
      if (after === close) {
        open.pop()
        i++
        continue
      }
      if (after !== comma) throw new JsonFault(text[i] === '/' || text[i] === '#' ? 'comment' : 'comma', i)
      const next = skipSpace(text, i + 1)
      if (text.charCodeAt(next) === close) throw new JsonFault('trailing_comma', i)
      i = close === closeObject ? skipKey(text, next) : next
      break
    }
  }
}

/** `from` is at a key; gives the place of its value. */
function skipKey(text: string, from: number): number {
  if (from >= text.length) throw new JsonFault('cut_off', text.length)
  if (text.charCodeAt(from) !== quote) {
    const c = text[from]
    throw new JsonFault(c === "'" ? 'single_quote' : c === '/' || c === '#' ? 'comment' : 'key', from)
  }
  const after = skipSpace(text, skipString(text, from))
  if (after >= text.length) throw new JsonFault('cut_off', text.length)
  if (text.charCodeAt(after) !== colon) throw new JsonFault('colon', after)
  return skipSpace(text, after + 1)
}

/** The first fault of a text, or undefined when it is JSON. */
export function findJsonFault(text: string): JsonFault | undefined {
  try {
    const end = skipSpace(text, skipValue(text, 0))
    return end < text.length ? new JsonFault('after_end', end) : undefined
  } catch (thrown) {
    if (thrown instanceof JsonFault) return thrown
    throw thrown
  }
}

/** True when brackets nest deeper than `limit`; strings are skipped. Cheap for texts with few brackets. */
export function nestsDeeperThan(text: string, limit: number): boolean {
  if (!hasMoreBracketsThan(text, limit)) return false
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === quote) {
      i = endOfString(text, i)
      if (i < 0) return false
    } else if (c === openArray || c === openObject) {
      if (++depth > limit) return true
    } else if (c === closeArray || c === closeObject) depth--
  }
  return false
}

/** True when a text holds more lists, objects and items than `limit`; strings are skipped, whatever their length. */
export function hasMoreItemsThan(text: string, limit: number): boolean {
  let count = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === quote) {
      i = endOfString(text, i)
      if (i < 0) return false
    } else if ((c === openArray || c === openObject || c === comma) && ++count > limit) return true
  }
  return false
}

function hasMoreBracketsThan(text: string, limit: number): boolean {
  if (text.length <= limit) return false
  let count = 0
  for (const bracket of ['{', '['])
    for (let i = text.indexOf(bracket); i >= 0; i = text.indexOf(bracket, i + 1)) if (++count > limit) return true
  return false
}

/** The place of the closing quote, or -1 when there is none. */
function endOfString(text: string, from: number): number {
  for (let i = text.indexOf('"', from + 1); i >= 0; i = text.indexOf('"', i + 1)) {
    let slashes = 0
    while (text.charCodeAt(i - 1 - slashes) === 92) slashes++
    if (slashes % 2 === 0) return i
  }
  return -1
}
