// Finds the text of an object inside a parsed JSON text, so that one bad item of a page can be kept with the bytes the source gave.
import { skipSpace, skipString, skipValue } from './json-scan.ts'

/** UTF-16 units from the start of the text; `end` is after the last one. */
export interface TextSpan {
  readonly start: number
  readonly end: number
}

/** No page has more values; the search gives up there. */
const maxVisited = 5_000_000

interface Elements {
  readonly parent: readonly unknown[]
  readonly bounds: readonly number[]
}
/** Where the elements of the list searched last begin and end: the failing items of a page are mostly neighbours. */
const lastList = new WeakMap<object, Elements>()

/**
 * Where `target`, an object or list inside `root` (found by identity), stands in the text that `root` was parsed from.
 * undefined when it is not inside, which is so for what an expression made anew. Slow: for failures only.
 */
export function spanOf(text: string, root: unknown, target: unknown): TextSpan | undefined {
  if (typeof target !== 'object' || target === null || typeof root !== 'object' || root === null) return undefined
  const known = lastList.get(root)
  const index = known?.parent.indexOf(target) ?? -1
  if (known && index >= 0) return { start: known.bounds[2 * index]!, end: known.bounds[2 * index + 1]! }
  const path = pathTo(root, target)
  if (!path) return undefined
  let start = skipSpace(text, 0)
  let value: unknown = root
  let bounds: number[] | undefined
  for (const step of path) {
    bounds = undefined
    if (typeof step === 'number') {
      bounds = elementBounds(text, start)
      if (bounds[2 * step] === undefined) return undefined
      lastList.set(root, { parent: value as unknown[], bounds })
      start = bounds[2 * step]!
    } else {
      const found = memberStart(text, start, step)
      if (found === undefined) return undefined
      start = found
    }
    value = (value as Record<string | number, unknown>)[step]
  }
  return { start, end: skipValue(text, start) }
}

/** Keys and indexes that lead from `root` to `target`; depth first, without recursion. */
function pathTo(root: object, target: object): (string | number)[] | undefined {
  if (root === target) return []
  const trail: { readonly value: object; readonly keys: readonly string[] | null; next: number }[] = []
  const enter = (value: object) =>
    trail.push({ value, keys: Array.isArray(value) ? null : Object.keys(value), next: 0 })
  enter(root)
  for (let visited = 0; trail.length > 0 && visited < maxVisited; visited++) {
    const top = trail.at(-1)!
    const length = top.keys ? top.keys.length : (top.value as unknown[]).length
    if (top.next >= length) {
      trail.pop()
      continue
    }
    const step = top.keys ? top.keys[top.next]! : top.next
    top.next++
    const child = (top.value as Record<string | number, unknown>)[step]
    if (typeof child !== 'object' || child === null) continue
    if (child === target) return trail.map(({ keys, next }) => (keys ? keys[next - 1]! : next - 1))
    enter(child)
  }
  return undefined
}

/** Start and end of each element of the list that begins at `start`. */
function elementBounds(text: string, start: number): number[] {
  const bounds: number[] = []
  let i = skipSpace(text, start + 1)
  while (i < text.length && text[i] !== ']') {
    const end = skipValue(text, i)
    bounds.push(i, end)
    i = skipSpace(text, end)
    if (text[i] === ',') i = skipSpace(text, i + 1)
  }
  return bounds
}

/** Where the value of a key begins; of a key that stands twice the last, as JSON.parse has it. */
function memberStart(text: string, start: number, key: string): number | undefined {
  let found: number | undefined
  let i = skipSpace(text, start + 1)
  while (i < text.length && text[i] !== '}') {
    const keyEnd = skipString(text, i)
    const value = skipSpace(text, skipSpace(text, keyEnd) + 1)
    if (JSON.parse(text.slice(i, keyEnd)) === key) found = value
    i = skipSpace(text, skipValue(text, value))
    if (text[i] === ',') i = skipSpace(text, i + 1)
  }
  return found
}
