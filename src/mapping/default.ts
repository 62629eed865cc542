// Defaults of a schema as values: bytes from text, longs as numbers or bigints, unions named where their branches look alike.
import { branchName, isAmbiguous, type SchemaNode } from '../schema/tree.ts'

/** Gives the default anew on each call, so that no two records share a list or map. */
export function defaultOf(node: SchemaNode, json: unknown): () => unknown {
  const value = build(node, json)
  return typeof value === 'object' && value !== null ? () => build(node, json) : () => value
}

function build(node: SchemaNode, json: unknown): unknown {
  switch (node.kind) {
    case 'bytes':
    case 'fixed':
      return Buffer.from(json as string, 'latin1')
    case 'float':
    case 'double':
      return Number(json)
    case 'array':
      return (json as unknown[]).map(item => build(node.items, item))
    case 'map': {
      const result: Record<string, unknown> = Object.create(null)
      for (const [key, item] of Object.entries(json as object)) result[key] = build(node.values, item)
      return result
    }
    case 'union': {
      const [first] = node.branches
      const value = build(first!, json)
      return isAmbiguous(node) && first!.kind !== 'null' ? { [branchName(first!)]: value } : value
    }
    case 'record': {
      const given = json as Record<string, unknown>
      return Object.fromEntries(
        node.fields.map(field => [
          field.name,
          build(field.node, Object.hasOwn(given, field.name) ? given[field.name] : field.default),
        ]),
      )
    }
    default:
      return json
  }
}
