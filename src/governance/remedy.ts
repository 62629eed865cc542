// Item 4: what mends a reason. The smallest edit of the candidate that makes it readable, and the steps for a change that takes several releases.
import { printJson } from '../schema/json-text.ts'
import type { Comparison, FieldPair } from './comparison.ts'
import type { Edit } from './edit.ts'
import type { Direction } from './levels.ts'
import {
  type FieldOutline,
  type Json,
  shortName,
  type TypeOutline,
  takesNull,
  typeText,
  valueTypes,
} from './outline.ts'
import type { Reason } from './reason.ts'

export interface Remedy {
  readonly text: string
  /** To be made one after the other; empty: no edit of the candidate helps. */
  readonly edits: readonly Edit[]
  readonly steps: readonly string[]
}

/** `comparison`: the failing version against the candidate. */
export function remedyOf(reason: Reason, direction: Direction, comparison: Comparison): Remedy {
  const place = placeOf(reason, direction, comparison)
  return direction === 'backward' ? backward(reason, place) : forward(reason, place)
}

export interface ReasonPlace {
  /** The field at the path, when the path ends in one. */
  readonly field: FieldPair | null
  /** The types at the path. */
  readonly types: { readonly before: TypeOutline; readonly after: TypeOutline } | null
}

/** What a reason is about, in both schemas. */
export function placeOf({ path }: Reason, direction: Direction, comparison: Comparison): ReasonPlace {
  return indexOf(comparison)[direction].get(path) ?? { field: null, types: null }
}

type Index = Readonly<Record<Direction, ReadonlyMap<string, ReasonPlace>>>
const indexes = new WeakMap<Comparison, Index>()

/** Paths are those of the reader: the candidate for `backward`, the base for `forward`. */
function indexOf(comparison: Comparison): Index {
  const known = indexes.get(comparison)
  if (known) return known
  const made = { backward: new Map<string, ReasonPlace>(), forward: new Map<string, ReasonPlace>() }
  const put = (map: Map<string, ReasonPlace>, path: string | null, part: Partial<ReasonPlace>) => {
    if (path === null) return
    const { field, types } = map.get(path) ?? { field: null, types: null }
    map.set(path, { field: field ?? part.field ?? null, types: types ?? part.types ?? null })
  }
  for (const field of comparison.fields) {
    put(made.backward, field.path, { field })
    put(made.forward, field.beforePath, { field })
  }
  for (const types of comparison.types.filter(each => each.whole)) {
    put(made.backward, types.path, { types })
    put(made.forward, types.beforePath, { types })
  }
  indexes.set(comparison, made)
  return made
}

const none = (text: string, steps: readonly string[] = []): Remedy => ({ text, edits: [], steps })

function backward(reason: Reason, { field, types }: ReasonPlace): Remedy {
  switch (reason.rule) {
    case 'READER_FIELD_MISSING_DEFAULT_VALUE':
      return field?.after ? fillNewField(field.after, field.before) : none('Give the field a default.')
    case 'MISSING_ENUM_SYMBOLS': {
      const pair = enumsOf(types)
      return pair ? keepSymbols(pair.before, pair.after) : none('Keep the symbols, or give the enum a default.')
    }
    case 'NAME_MISMATCH': {
      const written = /^expected: (.+)$/.exec(reason.message)?.[1]
      if (written === undefined) return dropDoubled(field)
      const pointer = reason.pointer.replace(/\/name$/, '')
      const aliases = (reason.reader as { readonly aliases?: unknown }).aliases
      const known = Array.isArray(aliases) ? aliases : []
      return {
        text: `Add the alias ${written} to the type.`,
        edits: [{ kind: 'set', pointer, key: 'aliases', value: printJson([...known, written]) }],
        steps: [],
      }
    }
    case 'FIXED_SIZE_MISMATCH':
      return keepSize(reason, reason.pointer.replace(/\/size$/, ''), reason.writer)
    default:
      return types
        ? widen(types.before, types.after, field?.after ?? null)
        : none(
            'Let the new schema read the old type too: a union of both.',
            newFieldSteps(reason.path, 'of the new type'),
          )
  }
}

/** An alias that is the name of another written field: two fields for one that is read. */
function dropDoubled(pair: FieldPair | null): Remedy {
  const text = 'Remove the alias that matches a second field.'
  const field = pair?.after
  if (!field) return none(text)
  const others = new Set(pair.records.before.fields.map(each => each.name))
  const kept = field.aliases.filter(alias => alias !== field.name && !others.has(alias))
  return { text, edits: [{ kind: 'set', pointer: field.pointer, key: 'aliases', value: printJson(kept) }], steps: [] }
}

function fillNewField(field: FieldOutline, before: FieldOutline | null): Remedy {
  const { pointer, type } = field
  const set = (key: string, value: string): Edit => ({ kind: 'set', pointer, key, value })
  if (before)
    return {
      text: `Add the alias ${before.name} to ${field.name}: it looks like a rename.`,
      edits: [set('aliases', printJson([...field.aliases, before.name]))],
      steps: [],
    }
  if (type.kind === 'array' || type.kind === 'map') {
    const empty = type.kind === 'array' ? '[]' : '{}'
    return { text: `Give ${field.name} the default ${empty}.`, edits: [set('default', empty)], steps: [] }
  }
  if (type.kind === 'union' && type.branches[0]?.kind === 'null')
    return { text: `Give ${field.name} the default null.`, edits: [set('default', 'null')], steps: [] }
  const branches = unionOf(
    [
      ...(Array.isArray(field.json['type'])
        ? (field.json['type'] as unknown[]).filter(each => !isNull(each))
        : [field.json['type']]),
    ],
    true,
  )
  return {
    text: takesNull(type)
      ? `Put null first in the type of ${field.name}, and give it the default null.`
      : `Let ${field.name} be null, with the default null.`,
    edits: [set('type', branches), set('default', 'null')],
    steps: [],
  }
}

const isNull = (json: unknown) =>
  json === 'null' || (typeof json === 'object' && json !== null && (json as { type?: unknown }).type === 'null')
const unionOf = (branches: readonly unknown[], nullFirst: boolean) =>
  `[${[...(nullFirst ? ['"null"'] : []), ...branches.map(spaced)].join(', ')}]`

/** JSON with a blank after colons and commas, as people write it. */
const spaced = (json: unknown): string => {
  if (Array.isArray(json)) return `[${json.map(spaced).join(', ')}]`
  if (typeof json !== 'object' || json === null) return printJson(json)
  return `{${Object.entries(json)
    .map(([key, value]) => `${JSON.stringify(key)}: ${spaced(value)}`)
    .join(', ')}}`
}

function enumsOf(types: ReasonPlace['types']): { readonly before: TypeOutline; readonly after: TypeOutline } | null {
  if (!types) return null
  const find = (type: TypeOutline) =>
    type.kind === 'enum' ? type : valueTypes(type).find(branch => branch.kind === 'enum')
  const [before, after] = [find(types.before), find(types.after)]
  return before && after ? { before, after } : null
}

const catchAll = /^(unknown|other|unspecified|undefined|none|default)$|_(unknown|unspecified)$/i

function keepSymbols(before: TypeOutline, after: TypeOutline): Remedy {
  const gone = before.symbols.filter(symbol => !after.symbols.includes(symbol))
  const fallback = after.symbols.find(symbol => catchAll.test(symbol))
  if (fallback !== undefined)
    return {
      text: `Give the enum the default ${fallback}: old records with ${gone.join(', ')} are read as it.`,
      edits: [{ kind: 'set', pointer: after.pointer, key: 'default', value: JSON.stringify(fallback) }],
      steps: [],
    }
  return {
    text: `Put the symbols back: ${gone.join(', ')}. Old records have them.`,
    edits: gone.map(symbol => ({
      kind: 'insert',
      pointer: `${after.pointer}/symbols`,
      index: null,
      value: JSON.stringify(symbol),
    })),
    steps: ['Stop writing the symbols.', 'Wait until no record with them is retained.', 'Remove them.'],
  }
}

function keepSize(reason: Reason, pointer: string | null, old: unknown): Remedy {
  const size = (old as { readonly size?: unknown }).size
  const edits: Edit[] = pointer === null ? [] : [{ kind: 'set', pointer, key: 'size', value: String(size) }]
  return {
    text: `Keep the size of ${String(size)} bytes: values of another length cannot be read.`,
    edits,
    steps: newFieldSteps(reason.path, 'of the new size'),
  }
}

const newFieldSteps = (path: string, what: string): readonly string[] => {
  const name = path.slice(path.lastIndexOf('.') + 1)
  return [
    `Keep ${name}; add a second field ${what} with a default.`,
    'Write both fields; move the consumers to the new one.',
    `Give ${name} a default, if it has none, and register that.`,
    `When every consumer has that version, remove ${name}.`,
  ]
}

/** The reader takes both the new type and the old one. */
function widen(before: TypeOutline, after: TypeOutline, field: FieldOutline | null): Remedy {
  const keys = (type: TypeOutline) => type.fullName ?? type.kind
  const have = branchesOf(after)
  const missing = branchesOf(before).filter(branch => !have.some(each => keys(each) === keys(branch)))
  const text = `Let the new schema read both: ${[...have, ...missing].map(typeText).join(' or ')}.`
  if (missing.length === 0 || have.length === 0)
    return none('Keep the old type.', newFieldSteps(field?.name ?? 'the field', 'of the new type'))
  // A union is written where the type stands, not inside it.
  const pointer = field && after.pointer.startsWith(field.pointer) ? `${field.pointer}/type` : after.pointer
  const nullFirst = missing.some(branch => branch.kind === 'null') && !(field?.hasDefault ?? false)
  const named = (branch: TypeOutline) =>
    branch.fullName !== null && !branch.pointer.startsWith(pointer) ? branch.fullName : jsonOf(branch)
  const branches = [...have.map(named), ...missing.filter(branch => !nullFirst || branch.kind !== 'null').map(jsonOf)]
  return {
    text,
    edits: [{ kind: 'replace', pointer, value: unionOf(branches, nullFirst) }],
    steps: newFieldSteps(field?.name ?? 'the field', 'of the new type'),
  }
}

const branchesOf = (type: TypeOutline): readonly TypeOutline[] => (type.kind === 'union' ? type.branches : [type])

/** The definition of the type; a bare name for a primitive without attributes. */
const jsonOf = (type: TypeOutline): unknown => {
  if (type.kind === 'union') return type.branches.map(jsonOf)
  return Object.keys(type.json).length === 0 ? type.kind : type.json
}

function forward(reason: Reason, { field, types }: ReasonPlace): Remedy {
  switch (reason.rule) {
    case 'READER_FIELD_MISSING_DEFAULT_VALUE':
      return field?.before ? putBack(field, field.before) : none('Keep the field.')
    case 'MISSING_ENUM_SYMBOLS':
      return none('Readers of the old version know neither the new symbols nor a default for them.', [
        'Register the enum as it was, with a default such as UNKNOWN.',
        'Move every consumer to that version.',
        'Then add the new symbols.',
      ])
    case 'NAME_MISMATCH': {
      const old = (reason.reader as { readonly name?: unknown }).name
      const now = /^expected: (.+)$/.exec(reason.message)?.[1]
      if (typeof old !== 'string' || now === undefined || !types)
        return none('Keep the names: readers of the old version match by them.')
      return {
        text: `Keep the name ${shortName(old)}: readers of the old version have no alias for ${now}.`,
        edits: [{ kind: 'set', pointer: types.after.pointer, key: 'name', value: JSON.stringify(shortName(old)) }],
        steps: [
          `Register the old schema with the alias ${now}, and move every consumer to it.`,
          'Then rename the type.',
        ],
      }
    }
    case 'FIXED_SIZE_MISMATCH':
      return keepSize(reason, types?.after.pointer ?? null, reason.reader)
    default:
      return types
        ? keepType(types.before, types.after, field, reason.path)
        : none('Keep the old type.', newFieldSteps(reason.path, 'of the new type'))
  }
}

/** Removing a field that old readers need takes two steps; until then it stays. */
function putBack({ records }: FieldPair, before: FieldOutline): Remedy {
  const nullable = takesNull(before.type) && before.type.branches[0]?.kind === 'null'
  const json = before.hasDefault || !nullable ? before.json : { ...before.json, default: null }
  return {
    text: `Put ${before.name} back: readers of the old version need it. Removing it takes two steps.`,
    edits: [{ kind: 'insert', pointer: `${records.after.pointer}/fields`, index: null, value: spaced(json) }],
    steps: [
      `Give ${before.name} a default, and register that.`,
      'Move every consumer to that version.',
      `Then remove ${before.name}.`,
    ],
  }
}

function keepType(before: TypeOutline, after: TypeOutline, pair: FieldPair | null, path: string): Remedy {
  const field = pair?.after && after.pointer.startsWith(pair.after.pointer) ? pair.after : null
  return {
    text: `Keep the type ${typeText(before)}: readers of the old version cannot take ${typeText(after)}.`,
    edits: [
      field && pair?.before
        ? { kind: 'replace', pointer: field.pointer, value: spaced(withTypeOf(field.json, pair.before.json)) }
        : { kind: 'replace', pointer: after.pointer, value: spaced(jsonOf(before)) },
    ],
    steps: newFieldSteps(path, `of type ${typeText(after)}`),
  }
}

/** The field with the type of another one, and with its default, which fits that type. */
function withTypeOf(field: Json, other: Json): Json {
  const { default: _default, ...rest } = field
  return { ...rest, type: other['type'], ...(Object.hasOwn(other, 'default') ? { default: other['default'] } : {}) }
}
