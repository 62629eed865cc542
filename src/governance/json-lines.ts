// The line on which a JSON pointer leads in a JSON text.
import { skipSpace, skipString, skipValue } from '../core/json-scan.ts'

interface Wanted {
  readonly pointers: string[]
  readonly below: Map<string, Wanted>
}

/**
 * The line, from 1, of each pointer in a text that is valid JSON; of a member it is the line of its name. A pointer that leads nowhere
 * has the line of the deepest place on its way. One pass, whatever the number of pointers.
 */
export function linesOf(text: string, pointers: Iterable<string>): ReadonlyMap<string, number> {
  const root: Wanted = { pointers: [], below: new Map() }
  for (const pointer of pointers) {
    let at = root
    for (const part of pointer.split('/').slice(1)) {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
      const next = at.below.get(key) ?? { pointers: [], below: new Map() }
      at.below.set(key, next)
      at = next
    }
    at.pointers.push(pointer)
  }
  const offsets = new Map<string, number>()
  const start = skipSpace(text, 0)
  tell(root, start, offsets)
  visit(text, start, root, offsets)
  return toLines(text, offsets)
}

function tell(wanted: Wanted, offset: number, offsets: Map<string, number>): void {
  for (const pointer of wanted.pointers) offsets.set(pointer, offset)
  for (const below of wanted.below.values()) tell(below, offset, offsets)
}

/** `at` is the first character of a value; gives the place after it. */
function visit(text: string, at: number, wanted: Wanted, offsets: Map<string, number>): number {
  const open = text[at]
  if (wanted.below.size === 0 || (open !== '{' && open !== '[')) return skipValue(text, at)
  let i = skipSpace(text, at + 1)
  for (let index = 0; i < text.length && text[i] !== '}' && text[i] !== ']'; index++) {
    const start = i
    let key = String(index)
    if (open === '{') {
      const end = skipString(text, i)
      key = JSON.parse(text.slice(i, end)) as string
      i = skipSpace(text, skipSpace(text, end) + 1)
    }
    const next = wanted.below.get(key)
    if (next) tell(next, start, offsets)
    i = skipSpace(text, next ? visit(text, i, next, offsets) : skipValue(text, i))
    if (text[i] === ',') i = skipSpace(text, i + 1)
  }
  return i + 1
}

function toLines(text: string, offsets: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const lines = new Map<string, number>()
  let line = 1
  let from = 0
  for (const [pointer, offset] of [...offsets].sort(([, a], [, b]) => a - b)) {
    for (let next = text.indexOf('\n', from); next >= 0 && next < offset; next = text.indexOf('\n', from)) {
      line++
      from = next + 1
    }
    lines.set(pointer, line)
  }
  return lines
}
