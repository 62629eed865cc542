// From what items look like to an edit of the schema: a field for what the source gives and nothing reads, a wider type for what does not fit.
import { edited } from './edit.ts'
import { fieldFor, inferType, type Naming, styled } from './inferred-type.ts'
import type { ItemShape } from './item-shape.ts'
import { readNamedSchema } from './named-schema.ts'
import type { FieldOutline, TypeOutline } from './outline.ts'
import { outlineOf, shortName, typeText, valueTypes } from './outline.ts'
import { looksPersonal, personalNames } from './personal.ts'
import type { NamingStyle, SubjectPolicy } from './policy.ts'
import type { NamedSchema } from './schema-tree.ts'
import { looksLike } from './value-kinds.ts'

export interface SuggestedField {
  /** Path in the item, such as `author.country`. */
  readonly path: string
  readonly name: string
  /** `new`: into the schema; `widened`: its type; `mapped`: the schema has it already, only the mapping lacks it. */
  readonly what: 'new' | 'widened' | 'mapped'
  /** In words. */
  readonly type: string
  /** The line of the pipeline's `map`; null where none is needed. */
  readonly map: { readonly field: string; readonly expression: string } | null
  /** Samples that have a value there. */
  readonly seen: number
  readonly remarks: readonly string[]
}

export interface Suggestion {
  /** The schema with all edits; the text that was given when there is none. */
  readonly text: string
  readonly fields: readonly SuggestedField[]
  /** Paths for which nothing can be proposed, with the reason. */
  readonly left: readonly { readonly path: string; readonly why: string }[]
}

export interface SuggestionInput {
  readonly schema: NamedSchema
  readonly items: ItemShape
  /** Paths of the item that the mapping reads. */
  readonly read: readonly string[]
  /** Expressions of the mapping by field; null: fields of the same name. */
  readonly map: Readonly<Record<string, string>> | null
  /** Only these paths; null: all. */
  readonly paths: readonly string[] | null
  readonly policy: SubjectPolicy
}

const maxSuggested = 100

export function suggest({ schema, items, read, map, paths, policy }: SuggestionInput): Suggestion {
  const root = outlineOf(schema)
  const naming: Naming = {
    rule: { ...policy.naming, fields: fieldStyle(root, policy) },
    taken: new Set([...schema.types.keys()].map(shortName)),
    tagOf: (name, shape) => tagFor(name, shape, policy),
  }
  const fields: SuggestedField[] = []
  const left: { path: string; why: string }[] = []
  const names = new Set(root.fields.map(({ name }) => name))
  let { text } = schema
  const wanted = (path: string) =>
    paths === null ||
    paths.map(bare).some(each => each === path || each.startsWith(`${path}.`) || path.startsWith(`${each}.`))

  for (const { path, shape } of unread(items, new Set(read), map !== null)) {
    if (!wanted(path) || fields.length >= maxSuggested) continue
    const parts = path.split('.')
    const name = map === null ? path : styled(parts, naming.rule.fields)
    const inferred = inferType(shape, parts.at(-1)!, naming)
    if (typeof inferred === 'string') {
      left.push({ path, why: inferred })
      continue
    }
    const line = map === null ? null : { field: name, expression: accessTo(parts) }
    if (names.has(name)) {
      if (map !== null && !Object.hasOwn(map, name)) {
        const type = typeText(root.fields.find(each => each.name === name)!.type)
        fields.push({ path, name, what: 'mapped', type, map: line, seen: shape.seen, remarks: [] })
      } else left.push({ path, why: `the schema has a field ${name} already, which is filled otherwise` })
      continue
    }
    if (map === null && !/^[A-Za-z_]\w*$/.test(name)) {
      left.push({ path, why: 'it is no name for Avro: write a mapping' })
      continue
    }
    const tag = tagFor(name, shape, policy)
    const json = fieldFor(name, path, inferred.type, tag)
    const next = edited(text, { kind: 'insert', pointer: '/fields', index: null, value: written(json, text, root) })
    const problem = next === null ? 'the schema has no list of fields' : problemOf(next)
    if (problem !== null) {
      left.push({ path, why: problem })
      continue
    }
    text = next!
    names.add(name)
    const personal = tag === null ? [] : [`it looks personal, so it has the tag ${tag}`]
    fields.push({
      path,
      name,
      what: 'new',
      type: `${typeWords(inferred.type)} or null`,
      map: line,
      seen: shape.seen,
      remarks: [...inferred.remarks, ...personal],
    })
  }
  for (const path of (paths ?? []).map(bare)) if (!shapeAt(items, path)) left.push({ path, why: 'no sample has it' })
  for (const found of widened(root, items, map)) {
    if (!wanted(found.path)) continue
    const next = edited(text, { kind: 'replace', pointer: found.pointer, value: JSON.stringify(found.to) })
    if (next === null || problemOf(next) !== null) continue
    text = next
    fields.push({
      path: found.path,
      name: found.name,
      what: 'widened',
      type: `${found.from} to ${found.to}`,
      map: null,
      seen: found.seen,
      remarks: [found.why],
    })
  }
  return { text, fields, left }
}

const reserved: ReadonlySet<string> = new Set(
  'as break const continue else false for function if import in let loop namespace null package return true var void while'.split(
    ' ',
  ),
)

/** The path as CEL reads it, null where it is missing; names that are none in CEL in brackets. */
function accessTo(parts: readonly string[]): string {
  const isWord = (part: string) => /^[A-Za-z_]\w*$/.test(part) && !reserved.has(part)
  return parts.reduce((text, part) => `${text}${isWord(part) ? `.?${part}` : `[?${JSON.stringify(part)}]`}`, 'this')
}

/** A path of a drift event up to the first list: what is in a list belongs to its field. */
const bare = (path: string) => path.split('[')[0]!

const problemOf = (text: string): string | null => readNamedSchema(text).problems[0]?.message ?? null

/** The style of the policy; where it has none, that of the fields that are there. */
function fieldStyle({ fields }: TypeOutline, { naming }: SubjectPolicy): NamingStyle {
  if (naming.fields !== 'any') return naming.fields
  const all = (pattern: RegExp) => fields.length > 0 && fields.every(({ name }) => pattern.test(name))
  if (all(/^[a-z][a-z0-9_]*$/)) return 'snake_case'
  return all(/^[a-z][a-zA-Z0-9]*$/) ? 'camelCase' : 'any'
}

/** What the mapping does not read. With a mapping, objects are taken apart: their fields become fields of the record. */
function unread(
  shape: ItemShape,
  read: ReadonlySet<string>,
  apart: boolean,
): readonly { readonly path: string; readonly shape: ItemShape }[] {
  const found: { path: string; shape: ItemShape }[] = []
  const visit = (at: ItemShape, above: string): void => {
    for (const [key, inner] of at.fields) {
      const path = above === '' ? key : `${above}.${key}`
      const isObject = inner.kinds.join() === 'object' && !inner.hasOtherKeys && inner.fields.size > 0
      const isReadBelow = [...read].some(each => each.startsWith(`${path}.`))
      if (isReadBelow || (apart && isObject && !read.has(path))) visit(inner, path)
      else if (!read.has(path)) found.push({ path, shape: inner })
    }
  }
  visit(shape, '')
  return found
}

/** Number types that promote to the next: readers of the new type read old data. */
const widths = ['int', 'long', 'double'] as const

interface Widened {
  readonly path: string
  readonly name: string
  readonly pointer: string
  readonly from: string
  readonly to: string
  readonly why: string
  readonly seen: number
}

/** Fields of whole numbers that take a path as it is, and whose samples do not fit. */
function widened(root: TypeOutline, items: ItemShape, map: SuggestionInput['map']): readonly Widened[] {
  return root.fields.flatMap((field): Widened[] => {
    const path =
      map === null
        ? field.name
        : /^\s*this((?:\.\??[A-Za-z_]\w*)+)\s*$/
            .exec(map[field.name] ?? '')?.[1]
            ?.slice(1)
            .replaceAll('?', '')
    const shape = path === undefined ? undefined : shapeAt(items, path)
    const target = numberOf(field)
    if (path === undefined || !shape || !target || shape.kinds.join() !== 'number' || shape.isHuge) return []
    const needed = shape.fractions > 0 ? 'double' : shape.isLong ? 'long' : 'int'
    if (widths.indexOf(needed) <= widths.indexOf(target.kind as 'int')) return []
    const why = needed === 'double' ? 'samples have fractions' : 'samples have whole numbers of more than 32 bits'
    return [{ path, name: field.name, pointer: target.pointer, from: target.kind, to: needed, why, seen: shape.seen }]
  })
}

/** The plain number type of a field, written as a word. */
function numberOf({ type, json }: FieldOutline): TypeOutline | null {
  const [only, ...others] = valueTypes(type)
  if (!only || others.length > 0 || Object.keys(only.json).length > 0 || !['int', 'long'].includes(only.kind))
    return null
  return json['type'] === undefined ? null : only
}

function shapeAt(items: ItemShape, path: string): ItemShape | undefined {
  let at: ItemShape | undefined = items
  for (const part of path.split('.')) at = at?.fields.get(part)
  return at
}

/** The tag of a field whose name or samples look personal; null when they do not. */
function tagFor(name: string, { someTexts }: ItemShape, { pii }: SubjectPolicy): string | null {
  const byName = looksPersonal(name, pii?.names ?? personalNames)
  const byValue = (pii?.values ?? []).some(kind => {
    const matching = someTexts.filter(text => looksLike(kind, text)).length
    return matching >= 3 && matching * 2 >= someTexts.length
  })
  return byName || byValue ? (pii?.tags[0] ?? 'PII') : null
}

function typeWords(type: unknown): string {
  if (typeof type === 'string') return type
  const { type: kind, name, items, values } = type as { type: string; name?: string; items?: unknown; values?: unknown }
  if (kind === 'array') return `list of ${typeWords(Array.isArray(items) ? items[1] : items)}`
  return kind === 'map' ? `map of ${typeWords(values)}` : `${kind} ${name}`
}

/** A field as its neighbours are written: on one line, or on several with their indent. */
function written(json: object, text: string, { fields }: TypeOutline): string {
  const last = fields.at(-1)
  const sample = last ? linesOfField(text) : null
  if (sample === null) return oneLine(json)
  const { indent, step } = sample
  return JSON.stringify(json, null, step).replaceAll('\n', `\n${indent}`)
}

/** Where fields take several lines: the indent of a field, and of what is in it. null where they take one. */
function linesOfField(text: string): { readonly indent: string; readonly step: string } | null {
  const found = /\n([ \t]*)\{\n([ \t]+)"/.exec(text.slice(text.indexOf('"fields"')))
  if (!found) return null
  const [, indent, inner] = found
  return { indent: indent!, step: inner!.slice(indent!.length) || '  ' }
}

/** `{"name": "a", "type": ["null", "int"]}`, with the spaces that people put. */
function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return `{${Object.entries(value)
    .map(([key, each]) => `${JSON.stringify(key)}: ${oneLine(each)}`)
    .join(', ')}}`
}
