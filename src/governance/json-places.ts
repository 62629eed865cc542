// Where each value of a JSON text stands, by JSON pointer: for lines in reports, and for edits that keep the author's formatting.
import { skipSpace, skipString, skipValue } from '../core/json-scan.ts'

/** Offsets in the text; `end` is after the last character. */
export interface JsonPlace {
  readonly start: number
  readonly end: number
}

/** No schema has more values, and deeper ones are refused by its parser. */
const maxPlaces = 200_000
const maxDepth = 256

/** The place of each value of a text that is JSON. Of a key that stands twice the last one counts, as for JSON.parse. @throws JsonFault */
export function jsonPlaces(text: string): ReadonlyMap<string, JsonPlace> {
  const places = new Map<string, JsonPlace>()
  const visit = (start: number, pointer: string, depth: number): number => {
    const end = visitInside(start, pointer, depth)
    if (places.size < maxPlaces) places.set(pointer, { start, end })
    return end
  }
  const visitInside = (start: number, pointer: string, depth: number): number => {
    const open = text[start]
    if (depth > maxDepth || places.size >= maxPlaces || (open !== '{' && open !== '[')) return skipValue(text, start)
    const close = open === '{' ? '}' : ']'
    let at = skipSpace(text, start + 1)
    for (let index = 0; text[at] !== close; index++) {
      let key = String(index)
      if (open === '{') {
        const keyEnd = skipString(text, at)
        key = pointerPart(JSON.parse(text.slice(at, keyEnd)) as string)
        at = skipSpace(text, skipSpace(text, keyEnd) + 1)
      }
      at = skipSpace(text, visit(at, `${pointer}/${key}`, depth + 1))
      if (text[at] === ',') at = skipSpace(text, at + 1)
      else if (text[at] !== close) return skipValue(text, start)
    }
    return at + 1
  }
  visit(skipSpace(text, 0), '', 0)
  return places
}

/** Gives line and column of an offset in the text, both from 1. */
export function linesOf(text: string): (offset: number) => { readonly line: number; readonly column: number } {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return offset => {
    let [low, high] = [0, starts.length]
    while (high - low > 1) {
      const middle = (low + high) >>> 1
      if (starts[middle]! <= offset) low = middle
      else high = middle
    }
    return { line: low + 1, column: offset - starts[low]! + 1 }
  }
}

/** A key as a part of a JSON pointer. */
export function pointerPart(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
