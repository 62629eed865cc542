// Whether a JSON default fits a type. Avro: a union's default belongs to its first branch; bytes are written as code points 0 to 255.
import { isObject } from '../core/json-text.ts'
import type { SchemaNode } from './tree.ts'
import { describe } from './tree.ts'

/** Why the default does not fit, or null when it does. `path` is the pointer inside the default. */
export function defaultProblem(value: unknown, node: SchemaNode, path = '', depth = 0): string | null {
  if (depth > 64) return `${where(path)} nests deeper than 64 levels`
  switch (node.kind) {
    case 'null':
      return value === null ? null : wrong(value, node, path)
    case 'boolean':
      return typeof value === 'boolean' ? null : wrong(value, node, path)
    case 'int':
      return inRange(value, -2147483648n, 2147483647n) ? null : wrong(value, node, path)
    case 'long':
      return inRange(value, -(2n ** 63n), 2n ** 63n - 1n) ? null : wrong(value, node, path)
    case 'float':
    case 'double':
      return typeof value === 'number' || typeof value === 'bigint' ? null : wrong(value, node, path)
    case 'string':
      return typeof value === 'string' ? null : wrong(value, node, path)
    case 'bytes':
      return isByteText(value) ? null : wrong(value, node, path)
    case 'fixed':
      return isByteText(value) && value.length === node.size ? null : wrong(value, node, path)
    case 'enum':
      return typeof value === 'string' && node.symbols.includes(value) ? null : wrong(value, node, path)
    case 'array':
      if (!Array.isArray(value)) return wrong(value, node, path)
      return firstProblem(value.map((item, i) => () => defaultProblem(item, node.items, `${path}/${i}`, depth + 1)))
    case 'map':
      if (!isObject(value)) return wrong(value, node, path)
      return firstProblem(
        Object.entries(value).map(
          ([key, item]) =>
            () =>
              defaultProblem(item, node.values, `${path}/${key}`, depth + 1),
        ),
      )
    case 'record': {
      if (!isObject(value)) return wrong(value, node, path)
      for (const field of node.fields) {
        if (!Object.hasOwn(value, field.name)) {
          if (field.hasDefault) continue
          return `${where(path)} lacks the field ${field.name}`
        }
        const problem = defaultProblem(value[field.name], field.node, `${path}/${field.name}`, depth + 1)
        if (problem) return problem
      }
      return null
    }
    case 'union': {
      const problem = defaultProblem(value, node.branches[0]!, path, depth + 1)
      if (problem === null) return null
      const other = node.branches.findIndex(branch => defaultProblem(value, branch, path, depth + 1) === null)
      if (other < 1) return problem
      return (
        `${where(path)} fits branch ${other + 1} of the union (${describe(node.branches[other]!)}), ` +
        `but Avro takes defaults for the first branch only (${describe(node.branches[0]!)})`
      )
    }
  }
}

function firstProblem(checks: readonly (() => string | null)[]): string | null {
  for (const check of checks) {
    const problem = check()
    if (problem) return problem
  }
  return null
}

function inRange(value: unknown, min: bigint, max: bigint): boolean {
  if (typeof value === 'bigint') return value >= min && value <= max
  return typeof value === 'number' && Number.isInteger(value) && BigInt(value) >= min && BigInt(value) <= max
}

function isByteText(value: unknown): value is string {
  return typeof value === 'string' && /^[\u0000-\u00ff]*$/.test(value)
}

function where(path: string): string {
  return path === '' ? 'the default' : `the default at ${path}`
}

function wrong(value: unknown, node: SchemaNode, path: string): string {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
  return `${where(path)} is ${kind}, expected ${describe(node)}`
}
