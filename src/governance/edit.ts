// Small edits of a schema's text that keep the author's formatting: what is not edited stays as it is, byte for byte.
import { skipSpace, skipString, skipValue } from '../core/json-scan.ts'
import { type JsonPlace, jsonPlaces, pointerPart } from './json-places.ts'

export type Edit =
  /** Puts `key: value` into the object at `pointer`, or replaces the value that the key has. */
  | { readonly kind: 'set'; readonly pointer: string; readonly key: string; readonly value: string }
  /** Replaces the value at `pointer`. */
  | { readonly kind: 'replace'; readonly pointer: string; readonly value: string }
  /** Puts a value at the end of the list at `pointer`, or before its element `index`. */
  | { readonly kind: 'insert'; readonly pointer: string; readonly index: number | null; readonly value: string }

/** The text with the edit, or null when the place is not there. `value` is JSON. */
export function edited(text: string, edit: Edit): string | null {
  const places = jsonPlaces(text)
  const target = places.get(edit.pointer)
  if (!target) return null
  if (edit.kind === 'replace') return spliced(text, target, edit.value)
  if (edit.kind === 'insert') {
    if (text[target.start] !== '[') return null
    return inserted(text, elementStarts(text, target), target, edit.index, edit.value)
  }
  if (text[target.start] !== '{') return null
  const present = places.get(`${edit.pointer}/${pointerPart(edit.key)}`)
  if (present) return spliced(text, present, edit.value)
  return inserted(text, memberStarts(text, target), target, null, `${JSON.stringify(edit.key)}: ${edit.value}`)
}

const spliced = (text: string, { start, end }: JsonPlace, value: string) =>
  `${text.slice(0, start)}${value}${text.slice(end)}`

/** Written as its neighbours are: on a line of its own where they are. */
function inserted(
  text: string,
  parts: readonly JsonPlace[],
  list: JsonPlace,
  index: number | null,
  value: string,
): string {
  const last = parts.at(-1)
  if (!last) return spliced(text, { start: list.start + 1, end: list.end - 1 }, value)
  const before = index === null ? undefined : parts[index]
  if (before) {
    const gap =
      index === 0
        ? leadOf(text, list.start + 1, before.start)
        : text.slice(commaAfter(text, parts[index! - 1]!.end) + 1, before.start)
    return spliced(text, { start: before.start, end: before.start }, `${value},${gap || ' '}`)
  }
  const gap =
    parts.length > 1
      ? text.slice(commaAfter(text, parts.at(-2)!.end) + 1, last.start)
      : leadOf(text, list.start + 1, last.start)
  return spliced(text, { start: last.end, end: last.end }, `,${gap || ' '}${value}`)
}

const leadOf = (text: string, from: number, to: number) => {
  const lead = text.slice(from, to)
  return lead.includes('\n') ? lead : ' '
}

const commaAfter = (text: string, end: number) => skipSpace(text, end)

function elementStarts(text: string, list: JsonPlace): JsonPlace[] {
  const found: JsonPlace[] = []
  for (let at = skipSpace(text, list.start + 1); at < list.end - 1; ) {
    const end = skipValue(text, at)
    found.push({ start: at, end })
    at = skipSpace(text, end)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return found
}

function memberStarts(text: string, object: JsonPlace): JsonPlace[] {
  const found: JsonPlace[] = []
  for (let at = skipSpace(text, object.start + 1); at < object.end - 1; ) {
    const value = skipSpace(text, skipSpace(text, skipString(text, at)) + 1)
    const end = skipValue(text, value)
    found.push({ start: at, end })
    at = skipSpace(text, end)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return found
}

/** The difference of two texts as a unified patch with three lines of context; empty when they are the same. */
export function patchOf(file: string, before: string, after: string): string {
  if (before === after) return ''
  const [a, b] = [linesIn(before), linesIn(after)]
  let head = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  let tail = 0
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++
  const from = Math.max(0, head - 3)
  const after3 = Math.min(3, tail)
  const lines = [
    ...a.slice(from, head).map(line => ` ${line}`),
    ...a.slice(head, a.length - tail).map(line => `-${line}`),
    ...b.slice(head, b.length - tail).map(line => `+${line}`),
    ...a.slice(a.length - tail, a.length - tail + after3).map(line => ` ${line}`),
  ]
  const size = (length: number) => length - tail + after3 - from
  return [
    `--- a/${file}`,
    `+++ b/${file}`,
    `@@ -${from + 1},${size(a.length)} +${from + 1},${size(b.length)} @@`,
    ...lines,
    '',
  ].join('\n')
}

/** The lines of a text, each with what tells that no line break follows it: that can be the last one only. */
function linesIn(text: string): readonly string[] {
  const lines = text.split('\n')
  const last = lines.pop()!
  return last === '' ? lines : [...lines, `${last}\n\\ No newline at end of file`]
}
