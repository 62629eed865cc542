// Whether two definitions of one name say the same. Avro Java's equality: documentation, aliases and the default of an enum do not count,
// attributes it does not know do.
import { printJson } from '../schema/json-text.ts'
import type { RecordField, SchemaType } from './schema-tree.ts'

/** A name used before its definition, in the place of the type. It equals no other type, as in Java. */
export interface LateName {
  readonly kind: 'late'
  /** True for what stands in the place of a type that is not usable. */
  readonly isHole: boolean
  readonly pointer: string
  readonly fullName: string
}

const known = new Set(['doc', 'fields', 'items', 'name', 'namespace', 'size', 'symbols', 'values', 'type', 'aliases'])
const knownOfField = new Set(['default', 'doc', 'name', 'order', 'type', 'aliases'])

/** @returns true when the second definition may stand beside the first */
export function sameDefinition(a: SchemaType, b: SchemaType): boolean {
  if (a === b) return true
  if (a.kind !== b.kind || !sameAttributes(a, b)) return false
  switch (a.kind) {
    case 'array':
      return sameDefinition(a.items, (b as typeof a).items)
    case 'map':
      return sameDefinition(a.values, (b as typeof a).values)
    case 'union':
      return sameList(a.branches, (b as typeof a).branches, sameDefinition)
    case 'record':
      return (
        a.fullName === (b as typeof a).fullName &&
        sameList([...a.fields.values()], [...(b as typeof a).fields.values()], sameField)
      )
    case 'enum':
      return (
        a.fullName === (b as typeof a).fullName &&
        sameList([...a.symbols], [...(b as typeof a).symbols], (left, right) => left === right)
      )
    case 'fixed':
      return a.fullName === (b as typeof a).fullName && a.size === (b as typeof a).size
    default:
      return (a.kind as string) !== 'late'
  }
}

function sameField(a: RecordField, b: RecordField): boolean {
  return (
    a.name === b.name &&
    a.order === b.order &&
    a.hasDefault === b.hasDefault &&
    (!a.hasDefault || printJson(a.default) === printJson(b.default)) &&
    restOf(a.json, knownOfField) === restOf(b.json, knownOfField) &&
    sameDefinition(a.type, b.type)
  )
}

function sameList<T>(a: readonly T[], b: readonly T[], same: (a: T, b: T) => boolean): boolean {
  return a.length === b.length && a.every((each, index) => same(each, b[index]!))
}

function sameAttributes(a: SchemaType, b: SchemaType): boolean {
  const ignored = a.kind === 'enum' ? new Set([...known, 'default']) : known
  return restOf(a.json, ignored) === restOf(b.json, ignored)
}

/** The attributes that are not Avro's own, as text. */
function restOf(json: unknown, ignored: ReadonlySet<string>): string {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return ''
  const rest = Object.entries(json).filter(([key]) => !ignored.has(key))
  return rest
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${JSON.stringify(key)}:${printJson(value)}`)
    .join(',')
}
