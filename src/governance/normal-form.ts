// A schema in one form of many: what registries keep under `normalize`. Names are full, attributes sorted, `{"type": "int"}` is "int";
// documentation, defaults, aliases and attributes of others stay.
import { ordered, printJson } from '../schema/json-text.ts'
import type { NamedSchema, NamedType, RecordField, SchemaType } from './schema-tree.ts'

type Json = Record<string, unknown>

/** The normal form; types of references stay names. */
export function normalForm(schema: NamedSchema): string {
  const named = new Set([...schema.types.values()].filter(type => type.reference !== null).map(type => type.fullName))
  return printed(schema, named)
}

/** The schema whole in itself: types of references are defined where they are first used. In normal form. */
export function inlinedForm(schema: NamedSchema): string {
  return printed(schema, new Set())
}

const printed = ({ root }: NamedSchema, named: Set<string>) => printJson(ordered(typeJson(root, named, true)))

/** `named`: what is defined already, and so stands as a name. */
function typeJson(type: SchemaType, named: Set<string>, isRoot: boolean): unknown {
  switch (type.kind) {
    case 'union':
      return type.branches.map(branch => typeJson(branch, named, false))
    case 'array':
      return { ...restOf(type.json, ['items']), items: typeJson(type.items, named, false) }
    case 'map':
      return { ...restOf(type.json, ['values']), values: typeJson(type.values, named, false) }
    case 'record':
    case 'enum':
    case 'fixed':
      return namedJson(type, named, isRoot)
    default: {
      const rest = restOf(type.json, ['type'])
      return Object.keys(rest).length === 0 ? type.kind : { type: type.kind, ...rest }
    }
  }
}

function namedJson(type: NamedType, named: Set<string>, isRoot: boolean): unknown {
  if (named.has(type.fullName)) return type.fullName
  named.add(type.fullName)
  const outside = !isRoot && !type.fullName.includes('.')
  const json: Json = {
    ...restOf(type.json, ['name', 'namespace', 'aliases', 'fields']),
    name: type.fullName,
    // Else it would take the namespace around it.
    ...(outside ? { namespace: '' } : {}),
    ...(type.aliases.size > 0 ? { aliases: [...type.aliases].sort() } : {}),
  }
  if (type.kind === 'record') json['fields'] = [...type.fields.values()].map(field => fieldJson(field, named))
  return json
}

function fieldJson(field: RecordField, named: Set<string>): Json {
  return {
    ...restOf(field.json, ['type', 'order', 'aliases']),
    type: typeJson(field.type, named, false),
    ...(field.order === 'ascending' ? {} : { order: field.order }),
    ...(field.aliases.size > 0 ? { aliases: [...field.aliases].sort() } : {}),
  }
}

/** The attributes without some. None for a type that is written as its name. */
function restOf(json: unknown, without: readonly string[]): Json {
  if (typeof json !== 'object' || json === null) return {}
  return Object.fromEntries(Object.entries(json).filter(([key]) => !without.includes(key)))
}
