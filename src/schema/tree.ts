// An Avro schema as checked nodes: what the guard, the codec and the mapping compile from. A recursive schema is a cyclic graph of these.

export type PrimitiveKind = 'null' | 'boolean' | 'int' | 'long' | 'float' | 'double' | 'bytes' | 'string'

export const primitiveKinds: ReadonlySet<string> = new Set<PrimitiveKind>([
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
])

export interface PrimitiveNode {
  readonly kind: PrimitiveKind
  readonly logicalType: string | null
}

export interface FieldNode {
  readonly name: string
  readonly node: SchemaNode
  readonly doc: string | null
  readonly aliases: readonly string[]
  readonly hasDefault: boolean
  /** The default as JSON. */
  readonly default: unknown
}

export interface RecordNode {
  readonly kind: 'record'
  readonly fullName: string
  readonly doc: string | null
  readonly aliases: readonly string[]
  readonly fields: readonly FieldNode[]
}

export interface EnumNode {
  readonly kind: 'enum'
  readonly fullName: string
  readonly aliases: readonly string[]
  readonly symbols: readonly string[]
  readonly default: string | null
}

export interface FixedNode {
  readonly kind: 'fixed'
  readonly fullName: string
  readonly aliases: readonly string[]
  /** Bytes. */
  readonly size: number
  readonly logicalType: string | null
}

export interface ArrayNode {
  readonly kind: 'array'
  readonly items: SchemaNode
}

export interface MapNode {
  readonly kind: 'map'
  readonly values: SchemaNode
}

export interface UnionNode {
  readonly kind: 'union'
  readonly branches: readonly SchemaNode[]
}

export type NamedNode = RecordNode | EnumNode | FixedNode
export type SchemaNode = PrimitiveNode | NamedNode | ArrayNode | MapNode | UnionNode

/** The name of a node as a branch of a union. */
export function branchName(node: SchemaNode): string {
  return 'fullName' in node ? node.fullName : node.kind
}

/** The non-null branch of `["null", T]`; the node itself when it is no union; null for wider unions. */
export function singleBranch(node: SchemaNode): SchemaNode | null {
  if (node.kind !== 'union') return node
  const others = node.branches.filter(branch => branch.kind !== 'null')
  return others.length === 1 ? others[0]! : null
}

export function acceptsNull(node: SchemaNode): boolean {
  return node.kind === 'null' || (node.kind === 'union' && node.branches.some(branch => branch.kind === 'null'))
}

/** Two branches that JavaScript values cannot tell apart: values of such a union are written `{"branch name": value}`. */
export function isAmbiguous(union: UnionNode): boolean {
  const seen = new Set<string>()
  for (const branch of union.branches) {
    const bucket = bucketOf(branch)
    if (seen.has(bucket)) return true
    seen.add(bucket)
  }
  return false
}

function bucketOf(node: SchemaNode): string {
  switch (node.kind) {
    case 'int':
    case 'long':
    case 'float':
    case 'double':
      return 'number'
    case 'string':
    case 'enum':
      return 'string'
    case 'bytes':
    case 'fixed':
      return 'buffer'
    case 'map':
    case 'record':
      return 'object'
    default:
      return node.kind
  }
}

/** The type in words, for messages: `string or null`, `array of int`. */
export function describe(node: SchemaNode): string {
  switch (node.kind) {
    case 'union':
      return [...node.branches]
        .sort((a, b) => Number(a.kind === 'null') - Number(b.kind === 'null'))
        .map(describe)
        .join(' or ')
    case 'array':
      return `array of ${describe(node.items)}`
    case 'map':
      return `map of ${describe(node.values)}`
    case 'enum':
      return `one of ${node.symbols.slice(0, 8).join(', ')}${node.symbols.length > 8 ? ', ...' : ''}`
    case 'fixed':
      return `${node.size} bytes`
    case 'record':
      return `record ${node.fullName}`
    default:
      return node.logicalType ? `${node.kind} (${node.logicalType})` : node.kind
  }
}
