// Records made up from a schema, the same ones each time: for examples, and to hold two engines against each other.
import {
  branchName,
  type FixedNode,
  isAmbiguous,
  type PrimitiveNode,
  type RecordNode,
  type SchemaNode,
  type UnionNode,
} from '../schema/tree.ts'

/** Deeper values are cut with null and empty lists; a record that cannot end is not made. */
const maxDepth = 12

/** The record number `index` of a schema, as the codec takes it; null when no value of the schema ends. */
export function sampleRecord(root: RecordNode, index: number): Record<string, unknown> | null {
  try {
    return record(root, index, 0)
  } catch (error) {
    if (error === endless) return null
    throw error
  }
}

const endless = new Error('no finite value')

function record(node: RecordNode, index: number, depth: number): Record<string, unknown> {
  if (depth > maxDepth) throw endless
  const made: Record<string, unknown> = Object.create(null)
  for (const field of node.fields) made[field.name] = value(field.node, field.name, index, depth + 1)
  return made
}

function value(node: SchemaNode, name: string, index: number, depth: number): unknown {
  switch (node.kind) {
    case 'record':
      return record(node, index, depth)
    case 'enum':
      return node.symbols[index % node.symbols.length]
    case 'fixed':
      return bytesOf(node, node.size, index)
    case 'array':
      return depth > maxDepth / 2
        ? []
        : [value(node.items, name, index, depth + 1), value(node.items, name, index + 1, depth + 1)]
    case 'map':
      return depth > maxDepth / 2 ? {} : { [`key_${index + 1}`]: value(node.values, name, index, depth + 1) }
    case 'union':
      return branchOf(node, name, index, depth)
    default:
      return primitive(node, name, index)
  }
}

/** The first record has no null where it can; later ones go round the branches. */
function branchOf(node: UnionNode, name: string, index: number, depth: number): unknown {
  const nullable = node.branches.some(branch => branch.kind === 'null')
  const others = node.branches.filter(branch => branch.kind !== 'null')
  if (nullable && (others.length === 0 || depth > maxDepth / 2 || index % 4 === 3)) return null
  const branch = others[index % others.length]!
  const made = value(branch, name, index, depth)
  return isAmbiguous(node) ? { [branchName(branch)]: made } : made
}

const dayMs = 86_400_000
const firstDay = 20_454 // 2026-01-01

function primitive(node: PrimitiveNode, name: string, index: number): unknown {
  switch (node.kind) {
    case 'null':
      return null
    case 'boolean':
      return index % 2 === 0
    case 'int':
      return node.logicalType === 'date'
        ? firstDay + index
        : node.logicalType === 'time-millis'
          ? 36_000_000 + index * 61_000
          : 42 + index
    case 'long':
      return BigInt(longOf(node.logicalType, index))
    case 'float':
    case 'double':
      return 4.5 + index
    case 'bytes':
      return bytesOf(node, 4, index)
    case 'string':
      return node.logicalType === 'uuid'
        ? `6f1c0d2e-0000-4000-8000-${String(index).padStart(12, '0')}`
        : `${name} ${index + 1}`
  }
}

function longOf(logical: string | null, index: number): number {
  const [, kind, unit] = /^(time|timestamp|local-timestamp)-(millis|micros|nanos)$/.exec(logical ?? '') ?? []
  if (kind === undefined) return 1_000 + index
  const ms = kind === 'time' ? 36_000_000 + index * 61_000 : (firstDay + index) * dayMs + 45_296_000
  // Nanoseconds of today pass 2^53, but a whole number of milliseconds times a million is exact enough to show.
  return ms * (unit === 'millis' ? 1 : unit === 'micros' ? 1_000 : 1_000_000)
}

/** Big-endian 1234 + index, so that a decimal reads 12.34 at scale 2. */
function bytesOf(node: PrimitiveNode | FixedNode, size: number, index: number): Buffer {
  const bytes = Buffer.alloc(size)
  for (
    let at = size - 1, rest = node.logicalType === 'decimal' ? 1234 + index : 1 + index;
    at >= 0 && rest > 0;
    at--, rest >>>= 8
  )
    bytes[at] = rest & 0xff
  return bytes
}
