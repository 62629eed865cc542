// The YAML tree as plain values. Anchors, aliases and merge keys are resolved here, with a cap on what they expand to;
// keys that reach into prototypes, tags and numbers that do not mean what they look like are refused.
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar, type YAMLMap } from 'yaml'
import { codeOf, WeirError } from '../core/errors.ts'
import { type Place, type Problems, segment } from './problem.ts'

/** Caps on a definition. Without them a few bytes of aliases or brackets take seconds and gigabytes. */
export const limits = { depth: 32, aliases: 20, keys: 5000 } as const
/** Values that aliases and merges add: 20 aliases could otherwise make millions. */
const maxExpanded = 5000
const refusedKeys = new Set(['__proto__', 'constructor', 'prototype'])
const coreTags = new Set(['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map(name => `tag:yaml.org,2002:${name}`))

interface Walk {
  readonly problems: Problems
  readonly anchors: Map<string, Node>
  /** Nodes being read now: an alias to one of them is a loop. */
  readonly open: Set<Node>
  /** How many aliases and merges the walk is inside of. */
  expanding: number
  expanded: number
  /** Where the outermost of them stands. */
  expandedAt: number
  keys: number
}

/** The document's fields; undefined when it is not a usable map. */
export function readTree(document: Document.Parsed, problems: Problems): Record<string, unknown> | undefined {
  const root = document.contents as Node | null
  if (root === null || (isScalar(root) && root.value === null)) {
    problems.add({
      code: 'config.invalid',
      message: 'The file is empty.',
      pointer: '',
      hint: 'Start with `pipeline: <name>`; `weir connectors` shows examples.',
      span: { start: 0, end: 1 },
    })
    return undefined
  }
  const walk: Walk = {
    problems,
    anchors: new Map(),
    open: new Set(),
    expanding: 0,
    expanded: 0,
    expandedAt: 0,
    keys: 0,
  }
  try {
    const value = read(root, '', null, 1, walk)
    if (isMap(root)) return value as Record<string, unknown>
  } catch (error) {
    // Reported already; thrown only to leave the walk.
    if (codeOf(error) === 'config.too_large') return undefined
    throw error
  }
  problems.add({
    code: 'config.invalid',
    message: `Expected fields (key: value), got ${isSeq(root) ? 'a list' : 'a single value'}.`,
    pointer: '',
    hint: 'Start with `pipeline: <name>` in the first column.',
  })
  return undefined
}

function read(node: Node | null, pointer: string, key: Place['key'], depth: number, walk: Walk): unknown {
  if (node === null) return setPlace(pointer, key ? [key.end, key.end] : [0, 1], key, walk, null)
  const [start, end] = [node.range?.[0] ?? 0, node.range?.[1] ?? 1]
  if (walk.expanding > 0 && ++walk.expanded > maxExpanded)
    tooLarge(walk, pointer, start, `The aliases expand to more than ${maxExpanded} values.`)
  if (depth > limits.depth) tooLarge(walk, pointer, start, `The text is nested deeper than ${limits.depth} levels.`)
  if (isAlias(node)) return readAlias(node.source, node, pointer, key, depth, walk)
  if ('anchor' in node && node.anchor) walk.anchors.set(node.anchor, node)
  if (node.tag !== undefined && !coreTags.has(node.tag)) {
    walk.problems.add({
      code: 'config.syntax',
      message: 'A YAML tag (!) has no place here.',
      pointer,
      hint: 'Remove the tag; if this is text, put it in quotes.',
      span: { start, end },
    })
    return setPlace(pointer, [start, end], key, walk, null)
  }
  walk.open.add(node)
  try {
    if (isScalar(node)) return setPlace(pointer, [start, end], key, walk, readScalar(node, pointer, walk), node)
    setPlace(pointer, [start, end], key, walk, null)
    if (isSeq(node)) {
      const items = node.items as (Node | null)[]
      return items.map((item, i) => read(item, pointer + segment(i), null, depth + 1, walk))
    }
    return isMap(node) ? readMap(node as YAMLMap<Node, Node | null>, pointer, depth, walk) : null
  } finally {
    walk.open.delete(node)
  }
}

function readAlias(name: string, node: Node, pointer: string, key: Place['key'], depth: number, walk: Walk): unknown {
  const target = walk.anchors.get(name)
  const span = { start: node.range?.[0] ?? 0, end: node.range?.[1] ?? 1 }
  if (target && !walk.open.has(target)) {
    if (walk.expanding++ === 0) walk.expandedAt = span.start
    const value = read(target, pointer, key, depth, walk)
    walk.expanding--
    return value
  }
  walk.problems.add({
    code: 'config.syntax',
    message: target ? 'An alias (*) stands inside its own anchor.' : 'An alias (*) whose anchor (&) is not set above.',
    pointer,
    hint: target ? 'Write the value out.' : 'Set the anchor first; if this is text, put it in quotes.',
    span,
  })
  return setPlace(pointer, [span.start, span.end], key, walk, null)
}

function readMap(
  node: YAMLMap<Node, Node | null>,
  pointer: string,
  depth: number,
  walk: Walk,
): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  const merges: Pair<Node, Node | null>[] = []
  for (const pair of node.items) {
    if (++walk.keys > limits.keys)
      tooLarge(walk, pointer, pair.key?.range?.[0] ?? 0, `More than ${limits.keys} keys, aliases included.`)
    const key = keyOf(pair.key, pointer, walk)
    if (key === undefined) continue
    if (key === '<<' && isPlain(pair.key)) {
      merges.push(pair)
      continue
    }
    const [start, end] = [pair.key.range?.[0] ?? 0, pair.key.range?.[1] ?? 1]
    if (Object.hasOwn(result, key)) {
      walk.problems.add({
        code: 'config.syntax',
        message: `The key \`${key}\` stands here twice.`,
        pointer: pointer + segment(key),
        hint: 'Keep one of them.',
        span: { start, end },
      })
      continue
    }
    result[key] = read(pair.value, pointer + segment(key), { start, end }, depth + 1, walk)
  }
  for (const pair of merges) merge(result, pair, pointer, depth, walk)
  return result
}

/** `<<: *base` or `<<: [*a, *b]`: fields that are not set here are taken from there. */
function merge(
  into: Record<string, unknown>,
  pair: Pair<Node, Node | null>,
  pointer: string,
  depth: number,
  walk: Walk,
): void {
  const resolve = (node: Node | null): Node | null =>
    node && isAlias(node) ? (walk.anchors.get(node.source) ?? node) : node
  const value = resolve(pair.value)
  const sources = value && isSeq(value) ? (value.items as Node[]).map(resolve) : [value]
  for (const source of sources) {
    if (!source || !isMap(source) || walk.open.has(source)) {
      walk.problems.add({
        code: 'config.syntax',
        message: 'A merge (<<) needs an alias of fields that are set above.',
        pointer,
        hint: 'Write `<<: *name` with `&name` on a map further up, or write the fields out.',
        span: { start: pair.key.range?.[0] ?? 0, end: pair.key.range?.[1] ?? 1 },
      })
      continue
    }
    walk.open.add(source)
    if (walk.expanding++ === 0) walk.expandedAt = pair.key.range?.[0] ?? 0
    for (const item of source.items as Pair<Node, Node | null>[]) {
      const key = keyOf(item.key, pointer, walk)
      if (key === undefined || Object.hasOwn(into, key)) continue
      const [start, end] = [item.key.range?.[0] ?? 0, item.key.range?.[1] ?? 1]
      if (++walk.keys > limits.keys) tooLarge(walk, pointer, start, `More than ${limits.keys} keys, merges included.`)
      if (key === '<<' && isPlain(item.key)) merge(into, item, pointer, depth + 1, walk)
      else into[key] = read(item.value, pointer + segment(key), { start, end }, depth + 1, walk)
    }
    walk.expanding--
    walk.open.delete(source)
  }
}

function keyOf(node: Node | null, pointer: string, walk: Walk): string | undefined {
  const target = node && isAlias(node) ? walk.anchors.get(node.source) : node
  const span = { start: node?.range?.[0] ?? 0, end: node?.range?.[1] ?? 1 }
  if (!target || !isScalar(target) || target.value === null || target.value === '') {
    walk.problems.add({
      code: 'config.syntax',
      message: 'A key must be a single word of text.',
      pointer,
      hint: 'Text with { or [ at its start must stand in quotes.',
      span,
    })
    return undefined
  }
  const key = typeof target.value === 'string' ? target.value : (target.source ?? String(target.value))
  if (!refusedKeys.has(key)) return key
  walk.problems.add({
    code: 'config.key_refused',
    message: `The key \`${key}\` is refused.`,
    pointer,
    hint: 'Use another name: this one reaches into the machinery of JavaScript.',
    span,
  })
  return undefined
}

const isPlain = (node: Node) => isScalar(node) && node.type === 'PLAIN'

/** A scalar by the core schema, minus numbers that are not what they look like. */
function readScalar(node: Scalar, pointer: string, walk: Walk): unknown {
  const { value } = node
  if (typeof value !== 'number') return value
  const span = { start: node.range?.[0] ?? 0, end: node.range?.[1] ?? 1 }
  const refuse = (message: string, hint: string): null => {
    walk.problems.add({ code: 'config.invalid', message, pointer, hint, span })
    return null
  }
  const source = node.source ?? ''
  if (/^[-+]?0\d/.test(source))
    return refuse(
      'A number with a leading zero: octal to some, decimal to others.',
      'Remove the zero; if this is text, put it in quotes.',
    )
  if (!Number.isFinite(value)) return refuse('This is not a finite number.', 'Write a number, or put text in quotes.')
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    return refuse('A whole number too large to be kept exactly.', 'If this is an identifier, put it in quotes.')
  return value
}

function setPlace<T>(
  pointer: string,
  [start, end]: [number, number],
  key: Place['key'],
  walk: Walk,
  value: T,
  scalar?: Scalar,
): T {
  walk.problems.places.set(pointer, { start, end, key, plain: scalar?.type === 'PLAIN' })
  return value
}

function tooLarge(walk: Walk, pointer: string, offset: number, message: string): never {
  const start = walk.expanding > 0 ? walk.expandedAt : offset
  walk.problems.add({
    code: 'config.too_large',
    message,
    pointer,
    hint: 'Write it flatter, or split it into several files.',
    span: { start, end: start + 1 },
  })
  throw new WeirError('config.too_large', message)
}
