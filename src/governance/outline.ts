// A schema as reviewers speak of it: types and fields with their paths in words, their JSON and their JSON pointers. A name that is used
// again stands for its definition, so a recursive schema is a cyclic graph.
import { isObject } from '../core/json-text.ts'
import type { NamedSchema, SchemaType } from './schema-tree.ts'

export type Json = Readonly<Record<string, unknown>>

export interface TypeOutline {
  /** A primitive, `record`, `enum`, `fixed`, `array`, `map` or `union`. */
  readonly kind: string
  /** JSON pointer of the definition. */
  readonly pointer: string
  /** The attributes as written; empty for `"string"` and unions. */
  readonly json: Json
  /** Of named types. */
  readonly fullName: string | null
  readonly fields: readonly FieldOutline[]
  readonly symbols: readonly string[]
  readonly branches: readonly TypeOutline[]
  /** Items of an array, values of a map. */
  readonly inner: TypeOutline | null
}

export interface FieldOutline {
  readonly name: string
  readonly pointer: string
  readonly json: Json
  readonly type: TypeOutline
  readonly doc: string | null
  readonly aliases: readonly string[]
  readonly hasDefault: boolean
  readonly default: unknown
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** The outline of a schema whose names are resolved. */
export function outlineOf({ root }: NamedSchema): TypeOutline {
  const known = new Map<SchemaType, TypeOutline>()
  const build = (type: SchemaType): TypeOutline => {
    const done = known.get(type)
    if (done) return done
    const node: Mutable<TypeOutline> = {
      kind: type.kind,
      pointer: type.pointer,
      json: isObject(type.json) ? type.json : {},
      fullName: 'fullName' in type ? type.fullName : null,
      fields: [],
      symbols: type.kind === 'enum' ? [...type.symbols] : [],
      branches: [],
      inner: null,
    }
    known.set(type, node)
    if (type.kind === 'union') node.branches = type.branches.map(build)
    else if (type.kind === 'array') node.inner = build(type.items)
    else if (type.kind === 'map') node.inner = build(type.values)
    else if (type.kind === 'record')
      node.fields = [...type.fields.values()].map(field => ({
        ...field,
        type: build(field.type),
        aliases: [...field.aliases],
      }))
    return node
  }
  return build(root)
}

/** The part of a full name before its last dot; empty without one. */
export const namespaceOf = (fullName: string) => fullName.slice(0, Math.max(0, fullName.lastIndexOf('.')))

/** The part of a full name after its last dot. */
export const shortName = (fullName: string) => fullName.slice(fullName.lastIndexOf('.') + 1)

/** Where paths in words begin: the short name of the root, or its kind. */
export const rootPath = (root: TypeOutline) => (root.fullName === null ? root.kind : shortName(root.fullName))

/** The types of a place without null: `["null", T]` has one. */
export const valueTypes = (type: TypeOutline): readonly TypeOutline[] =>
  (type.kind === 'union' ? type.branches : [type]).filter(branch => branch.kind !== 'null')

export const takesNull = (type: TypeOutline) =>
  type.kind === 'null' || (type.kind === 'union' && type.branches.some(branch => branch.kind === 'null'))

/** The logical type that a reader acts on; null without one. */
export const logicalType = (type: TypeOutline): string | null =>
  typeof type.json['logicalType'] === 'string' ? type.json['logicalType'] : null

/** The type in a few words: `string or null`, `decimal(9, 2) as bytes`, `array of RawReview`. */
export function typeText(type: TypeOutline): string {
  switch (type.kind) {
    case 'union': {
      const words = valueTypes(type).map(typeText)
      return [...words, ...(takesNull(type) ? ['null'] : [])].join(' or ') || 'nothing'
    }
    case 'array':
      return `array of ${typeText(type.inner!)}`
    case 'map':
      return `map of ${typeText(type.inner!)}`
    case 'fixed':
      return withLogic(type, `${shortName(type.fullName!)} (${String(type.json['size'])} bytes)`)
    case 'record':
    case 'enum':
      return `${type.kind} ${shortName(type.fullName!)}`
    default:
      return withLogic(type, type.kind)
  }
}

function withLogic(type: TypeOutline, base: string): string {
  const logical = logicalType(type)
  if (logical === null) return base
  if (logical !== 'decimal') return `${logical} as ${base}`
  return `decimal(${String(type.json['precision'])}, ${String(type.json['scale'] ?? 0)}) as ${base}`
}

export interface PlacedField {
  /** In words: `RawReview.author.name`; `[]` for items, `{}` for values. */
  readonly path: string
  readonly field: FieldOutline
}

export interface PlacedType {
  readonly path: string
  readonly type: TypeOutline
}

/** Every field and named type, each once, in the order of the text, with its path in words. */
export function everythingIn(root: TypeOutline): {
  readonly fields: readonly PlacedField[]
  readonly named: readonly PlacedType[]
} {
  const fields: PlacedField[] = []
  const named: PlacedType[] = []
  const seen = new Set<TypeOutline>()
  const visit = (type: TypeOutline, path: string): void => {
    if (type.fullName !== null) {
      if (seen.has(type)) return
      seen.add(type)
      named.push({ path, type })
    }
    for (const branch of type.branches) visit(branch, path)
    if (type.inner) visit(type.inner, `${path}${type.kind === 'array' ? '[]' : '{}'}`)
    for (const field of type.fields) {
      fields.push({ path: `${path}.${field.name}`, field })
      visit(field.type, `${path}.${field.name}`)
    }
  }
  visit(root, rootPath(root))
  return { fields, named }
}
