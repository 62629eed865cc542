// The semantic diff of a review (items 6, 7 and 9): what changed, in the words of the schema.
import { printJson } from '../schema/json-text.ts'
import type { Comparison, FieldPair, TypePair } from './comparison.ts'
import { matchedBranches } from './comparison.ts'
import {
  type FieldOutline,
  logicalType,
  namespaceOf,
  shortName,
  type TypeOutline,
  takesNull,
  typeText,
  valueTypes,
} from './outline.ts'
import type { Change } from './review.ts'

/** Attributes that the diff tells in its own words, or that another part of the review tells. */
const told = new Set([
  'name',
  'namespace',
  'type',
  'doc',
  'aliases',
  'fields',
  'symbols',
  'items',
  'values',
  'size',
  'default',
  'logicalType',
  'precision',
  'scale',
])

/** Every change from the base to the candidate, in the order of the candidate. */
export function changesOf({ fields, types }: Comparison): readonly Change[] {
  return [...types.flatMap(typeChanges), ...fields.flatMap(fieldChanges)]
}

const jsonText = (value: unknown) => printJson(value)

function change(
  kind: Change['kind'],
  field: string,
  pointer: string | null,
  text: string,
  before: unknown,
  after: unknown,
  guessedFrom: string | null = null,
): Change {
  const shown = (value: unknown) => (value === undefined ? null : jsonText(value))
  return { kind, field, pointer, before: shown(before), after: shown(after), text, guessedFrom }
}

function fieldChanges(pair: FieldPair): readonly Change[] {
  const { path, before, after, how, guessedFrom } = pair
  if (!before)
    return [
      change(
        'field-added',
        path,
        after!.pointer,
        `new field, ${typeText(after!.type)}, ${defaultText(after!)}`,
        undefined,
        after!.json,
      ),
    ]
  if (!after)
    return [change('field-removed', path, null, `field removed, was ${typeText(before.type)}`, before.json, undefined)]
  const renamed =
    before.name === after.name
      ? []
      : [
          change(
            'field-renamed',
            path,
            after.pointer,
            renameText(before, after, how),
            before.name,
            after.name,
            guessedFrom,
          ),
        ]
  return [
    ...renamed,
    ...defaultChange(path, before, after),
    ...docChange(path, after.pointer, before.doc, after.doc),
    ...aliasChanges(path, after.pointer, before.aliases, after.aliases, name => name === before.name),
    ...propertyChanges(path, after.pointer, before.json, after.json),
  ]
}

const renameText = (before: FieldOutline, after: FieldOutline, how: FieldPair['how']) =>
  how === 'alias'
    ? `renamed from ${before.name}, which the alias says`
    : how === 'old-alias'
      ? `renamed from ${before.name}; only the base has the alias`
      : `${before.name} is gone and ${after.name} is new: probably renamed, without an alias`

const defaultText = (field: FieldOutline) => (field.hasDefault ? `default ${jsonText(field.default)}` : 'no default')

function defaultChange(path: string, before: FieldOutline, after: FieldOutline): readonly Change[] {
  const [a, b] = [before, after].map(field => (field.hasDefault ? jsonText(field.default) : null))
  if (a === b) return []
  const text = a === null ? `default ${b} added` : b === null ? `default ${a} removed` : `default ${a} is now ${b}`
  return [
    {
      kind: 'default-changed',
      field: path,
      pointer: after.pointer,
      before: a ?? null,
      after: b ?? null,
      text,
      guessedFrom: null,
    },
  ]
}

function docChange(path: string, pointer: string, before: string | null, after: string | null): readonly Change[] {
  if (before === after) return []
  const text = before === null ? 'documented' : after === null ? 'documentation removed' : 'documentation changed'
  return [change('doc-changed', path, pointer, text, before ?? undefined, after ?? undefined)]
}

function aliasChanges(
  path: string,
  pointer: string,
  before: readonly string[],
  after: readonly string[],
  isOldName: (alias: string) => boolean,
): readonly Change[] {
  const added = after.filter(alias => !before.includes(alias))
  const removed = before.filter(alias => !after.includes(alias))
  return [
    ...added.map(alias =>
      change(
        'alias-added',
        path,
        pointer,
        `alias ${alias} added${isOldName(alias) ? ': the old name' : ''}`,
        undefined,
        alias,
      ),
    ),
    ...removed.map(alias =>
      change(
        'alias-removed',
        path,
        pointer,
        `alias ${alias} dropped: data written under that name is not found any more`,
        alias,
        undefined,
      ),
    ),
  ]
}

function propertyChanges(
  path: string,
  pointer: string,
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): readonly Change[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(key => !told.has(key))
  return keys.flatMap(key => {
    const [a, b] = [before[key], after[key]]
    if (jsonText(a ?? null) === jsonText(b ?? null) && (a === undefined) === (b === undefined)) return []
    const text =
      a === undefined
        ? `property ${key} added`
        : b === undefined
          ? `property ${key} removed`
          : `property ${key} changed`
    return [change('property-changed', path, pointer, text, a, b)]
  })
}

function typeChanges(pair: TypePair): readonly Change[] {
  const { path, before, after, whole } = pair
  if (before.kind === 'union' || after.kind === 'union') return unionChanges(path, before, after)
  if (before.kind !== after.kind) return whole ? [retyped(path, before, after)] : []
  if (before.fullName === null || after.fullName === null)
    return whole && logicOf(before) !== logicOf(after) ? [retyped(path, before, after)] : []
  return [
    ...nameChanges(path, before, after),
    ...(whole && (logicOf(before) !== logicOf(after) || before.json['size'] !== after.json['size'])
      ? [retyped(path, before, after)]
      : []),
    ...symbolChanges(path, before, after),
    ...(isMoved(
      before.fields.map(f => f.name),
      after.fields.map(f => f.name),
    )
      ? [
          change(
            'order-changed',
            path,
            after.pointer,
            'fields in another order',
            before.fields.map(f => f.name),
            after.fields.map(f => f.name),
          ),
        ]
      : []),
    ...(before.kind === 'enum' && jsonText(before.json['default'] ?? null) !== jsonText(after.json['default'] ?? null)
      ? [
          change(
            'default-changed',
            path,
            after.pointer,
            'default symbol changed',
            before.json['default'],
            after.json['default'],
          ),
        ]
      : []),
    ...docChange(path, after.pointer, docOf(before), docOf(after)),
    ...aliasChanges(
      path,
      after.pointer,
      aliasesOf(before),
      aliasesOf(after),
      alias => alias === before.fullName || alias === shortName(before.fullName!),
    ),
    ...propertyChanges(path, after.pointer, before.json, after.json),
  ]
}

function unionChanges(path: string, before: TypeOutline, after: TypeOutline): readonly Change[] {
  const changes: Change[] = []
  const [had, has] = [takesNull(before), takesNull(after)]
  if (had !== has)
    changes.push(
      change(
        'nullability-changed',
        path,
        after.pointer,
        has ? 'may be null now' : 'may not be null any more',
        typeText(before),
        typeText(after),
      ),
    )
  const pairs = matchedBranches(before, after)
  const others = valueTypes(before).length !== pairs.length || valueTypes(after).length !== pairs.length
  const changed = pairs.some(
    ([a, b]) => a.kind !== b.kind || logicOf(a) !== logicOf(b) || a.json['size'] !== b.json['size'],
  )
  if (others || changed) changes.push(retyped(path, before, after))
  else if (had === has && isMoved(orderOf(before), orderOf(after)))
    changes.push(
      change(
        'type-changed',
        path,
        after.pointer,
        'branches of the union in another order',
        orderOf(before),
        orderOf(after),
      ),
    )
  return changes
}

const orderOf = (type: TypeOutline) =>
  (type.kind === 'union' ? type.branches : [type]).map(branch => branch.fullName ?? branch.kind)

const retyped = (path: string, before: TypeOutline, after: TypeOutline) =>
  change(
    'type-changed',
    path,
    after.pointer,
    `${typeText(before)} is now ${typeText(after)}`,
    typeText(before),
    typeText(after),
  )

/** What a logical type means, as text to compare. */
function logicOf(type: TypeOutline): string {
  const logical = logicalType(type)
  return logical === null ? '' : `${logical} ${String(type.json['precision'] ?? '')} ${String(type.json['scale'] ?? 0)}`
}

function nameChanges(path: string, before: TypeOutline, after: TypeOutline): readonly Change[] {
  const [a, b] = [before.fullName!, after.fullName!]
  return [
    ...(shortName(a) === shortName(b)
      ? []
      : [
          change(
            'name-changed',
            path,
            after.pointer,
            `type ${shortName(a)} is now ${shortName(b)}`,
            shortName(a),
            shortName(b),
          ),
        ]),
    ...(namespaceOf(a) === namespaceOf(b)
      ? []
      : [
          change(
            'namespace-changed',
            path,
            after.pointer,
            `namespace ${namespaceOf(a) || '(none)'} is now ${namespaceOf(b) || '(none)'}`,
            namespaceOf(a),
            namespaceOf(b),
          ),
        ]),
  ]
}

function symbolChanges(path: string, before: TypeOutline, after: TypeOutline): readonly Change[] {
  const [had, has] = [new Set(before.symbols), new Set(after.symbols)]
  return [
    ...after.symbols
      .filter(symbol => !had.has(symbol))
      .map(symbol => change('symbol-added', path, after.pointer, `symbol ${symbol} added`, undefined, symbol)),
    ...before.symbols
      .filter(symbol => !has.has(symbol))
      .map(symbol => change('symbol-removed', path, after.pointer, `symbol ${symbol} removed`, symbol, undefined)),
    ...(isMoved(before.symbols, after.symbols)
      ? [change('order-changed', path, after.pointer, 'symbols in another order', before.symbols, after.symbols)]
      : []),
  ]
}

/** True when what both have stands in another order. */
function isMoved(before: readonly string[], after: readonly string[]): boolean {
  const [a, b] = [new Set(before), new Set(after)]
  return before.filter(each => b.has(each)).join('\n') !== after.filter(each => a.has(each)).join('\n')
}

const docOf = (type: TypeOutline) => (typeof type.json['doc'] === 'string' ? type.json['doc'] : null)
const aliasesOf = (type: TypeOutline) =>
  Array.isArray(type.json['aliases']) ? type.json['aliases'].filter(each => typeof each === 'string') : []
