// The fields of a typebox spec as rows for people: path, type, default, doc. `weir connectors show` and the reference pages print these.
import type { TSchema } from '../core/spec.ts'

export interface FieldRow {
  /** `retry.backoff.min`, `errors[].when`, `headers.<name>`. */
  readonly path: string
  /** `duration`, `text`, `one of json, csv`, `list of text`. */
  readonly type: string
  readonly required: boolean
  /** As written in YAML, or null. */
  readonly default: string | null
  readonly doc: string
}

/** JSON Schema as far as specs use it. */
interface Node {
  readonly type?: string | readonly string[]
  readonly weir?: string
  /** A connector stands here: never empty. */
  readonly weirSlot?: string
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Node[]
  readonly oneOf?: readonly Node[]
  readonly properties?: Readonly<Record<string, Node>>
  readonly required?: readonly string[]
  readonly items?: Node
  readonly patternProperties?: Readonly<Record<string, Node>>
  readonly additionalProperties?: boolean | Node
  readonly minimum?: number
  readonly maximum?: number
}

/** Specs nest a few levels; a deeper one refers to itself. */
const maxDepth = 8

/** Every field of an object spec, parents before children, in the order they are declared. */
export function fieldRows(spec: TSchema): readonly FieldRow[] {
  return rowsOf(spec as unknown as Node, '', 0)
}

function rowsOf(node: Node, prefix: string, depth: number): FieldRow[] {
  if (depth > maxDepth) return []
  return Object.entries(node.properties ?? {}).flatMap(([name, field]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`
    const row: FieldRow = {
      path,
      type: typeOf(field),
      required: (node.required ?? []).includes(name) && field.default === undefined && !hasDefaults(field),
      default: field.default === undefined ? null : defaultText(field.default),
      doc: docOf(field),
    }
    return [row, ...childrenOf(field, path, depth + 1)]
  })
}

/** A choice without words of its own is described by those of its forms. */
const docOf = ({ description, anyOf, oneOf }: Node): string =>
  description ?? (anyOf ?? oneOf ?? []).flatMap(variant => variant.description ?? []).join(' ')

/** An object all of whose required fields have a default may be left out. */
function hasDefaults(node: Node): boolean {
  if (!node.properties || node.weirSlot) return false
  return (node.required ?? []).every(name => {
    const field = node.properties![name]
    return field !== undefined && (field.default !== undefined || hasDefaults(field))
  })
}

function childrenOf(node: Node, path: string, depth: number): FieldRow[] {
  if (depth > maxDepth) return []
  const variants = node.anyOf ?? node.oneOf ?? []
  const map = mapValue(node)
  return [
    ...rowsOf(node, path, depth),
    ...(node.items ? childrenOf(node.items, `${path}[]`, depth) : []),
    ...(map ? childrenOf(map, `${path}.<name>`, depth) : []),
    ...variants.flatMap(variant => childrenOf(variant, path, depth)),
  ].filter((row, i, all) => all.findIndex(other => other.path === row.path) === i)
}

function mapValue(node: Node): Node | undefined {
  const pattern = Object.values(node.patternProperties ?? {})[0]
  return pattern ?? (typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined)
}

const words: Readonly<Record<string, string>> = {
  secret: 'text, may be secret',
  expression: 'CEL',
  template: 'text with {{ CEL }}',
  string: 'text',
  integer: 'whole number',
  boolean: 'true or false',
  null: 'null',
}

function typeOf(node: Node, depth = 0): string {
  if (depth > maxDepth) return 'value'
  if (node.const !== undefined) return String(node.const)
  if (node.enum) return oneOf(node.enum.map(String))
  const variants = node.anyOf ?? node.oneOf
  if (variants)
    return variants.every(v => v.const !== undefined)
      ? oneOf(variants.map(v => String(v.const)))
      : [...new Set(variants.map(v => typeOf(v, depth + 1)))].join(' or ')
  if (node.weir) return words[node.weir] ?? node.weir
  if (node.type === 'array') return `list of ${node.items ? typeOf(node.items, depth + 1) : 'values'}`
  const map = mapValue(node)
  if (node.type === 'object') return map && !node.properties ? `names with ${typeOf(map, depth + 1)}` : 'fields'
  if (Array.isArray(node.type)) return node.type.map((t: string) => words[t] ?? t).join(' or ')
  const base = words[node.type as string] ?? (node.type as string | undefined) ?? 'any value'
  return base + rangeOf(node)
}

function rangeOf({ minimum, maximum }: Node): string {
  if (minimum !== undefined && maximum !== undefined) return `, ${minimum} to ${maximum}`
  if (minimum !== undefined) return `, at least ${minimum}`
  return maximum === undefined ? '' : `, at most ${maximum}`
}

const oneOf = (values: readonly string[]) => (values.length === 1 ? values[0]! : `one of ${values.join(', ')}`)
const defaultText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))
