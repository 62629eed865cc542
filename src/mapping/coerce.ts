// From what an expression gives to what the encoder takes, by the type of the field. Nothing is guessed and nothing is lost:
// a string stays a string, a number that would lose digits is refused, null goes only where the schema has null.
import { branchName, describe, isAmbiguous, type RecordNode, type SchemaNode, type UnionNode } from '../schema/tree.ts'
import { defaultOf } from './default.ts'

/** A value does not fit its field. `path` is the pointer below the field. */
export class Misfit extends Error {
  readonly missing: boolean
  readonly hint: string
  path = ''

  constructor(message: string, hint: string, missing = false) {
    super(message)
    this.hint = hint
    this.missing = missing
  }
}

/** @throws Misfit */
export type Coercer = (value: unknown) => unknown

/** Nesting of values; a recursive schema has no bound of its own. */
const maxDepth = 64

/** Compiles the coercer of a type. */
export function compileCoercer(node: SchemaNode): Coercer {
  return compile(node, new Map())
}

function compile(node: SchemaNode, known: Map<RecordNode, Coercer>): Coercer {
  switch (node.kind) {
    case 'null':
      return value => (value === null || value === undefined ? null : misfit(value, node))
    case 'boolean':
      return value => (typeof value === 'boolean' ? value : misfit(value, node))
    case 'string':
      return value => (typeof value === 'string' ? value : misfit(value, node))
    case 'bytes':
      return value => (value instanceof Uint8Array ? value : misfit(value, node))
    case 'fixed':
      return value => (value instanceof Uint8Array && value.length === node.size ? value : misfit(value, node))
    case 'int':
      return node.logicalType === 'date'
        ? value => toInt(value instanceof Date ? Math.floor(value.getTime() / 86_400_000) : value, node)
        : value => toInt(value, node)
    case 'long':
      return compileLong(node)
    case 'float':
      return value => toDouble(value, node, 16_777_216n)
    case 'double':
      return value => (typeof value === 'number' ? value : toDouble(value, node, 9_007_199_254_740_992n))
    case 'enum': {
      const symbols = new Set(node.symbols)
      return value => (typeof value === 'string' && symbols.has(value) ? value : misfit(value, node))
    }
    case 'array': {
      const item = compile(node.items, known)
      return value => {
        if (!Array.isArray(value)) return misfit(value, node)
        return value.map((each, index) => inside(item, each, `/${index}`))
      }
    }
    case 'map': {
      const item = compile(node.values, known)
      return value => {
        if (!isMap(value)) return misfit(value, node)
        const result: Record<string, unknown> = Object.create(null)
        for (const key of Object.keys(value)) result[key] = inside(item, value[key], '/*')
        return result
      }
    }
    case 'record':
      return compileRecord(node, known)
    case 'union':
      return compileUnion(node, known)
  }
}

let depth = 0

function inside(coercer: Coercer, value: unknown, path: string): unknown {
  if (++depth > maxDepth) {
    depth = 0
    throw new Misfit(`the value nests deeper than ${maxDepth} levels`, 'Map only the parts that are needed.')
  }
  try {
    return coercer(value)
  } catch (error) {
    if (error instanceof Misfit) error.path = path + error.path
    throw error
  } finally {
    if (depth > 0) depth--
  }
}

function compileRecord(node: RecordNode, known: Map<RecordNode, Coercer>): Coercer {
  const before = known.get(node)
  if (before) return before
  let fields: readonly { name: string; coerce: Coercer; fallback: (() => unknown) | null; nullable: boolean }[] = []
  const coercer: Coercer = value => {
    if (!isMap(value)) return misfit(value, node)
    const result: Record<string, unknown> = {}
    for (const { name, coerce, fallback, nullable } of fields) {
      const own = Object.hasOwn(value, name) ? value[name] : undefined
      if (own === undefined && fallback) result[name] = fallback()
      else if (own === undefined && nullable) result[name] = null
      else result[name] = inside(coerce, own, `/${name}`)
    }
    return result
  }
  known.set(node, coercer)
  fields = node.fields.map(field => ({
    name: field.name,
    coerce: compile(field.node, known),
    fallback: field.hasDefault ? defaultOf(field.node, field.default) : null,
    nullable: field.node.kind === 'union' && field.node.branches.some(branch => branch.kind === 'null'),
  }))
  return coercer
}

function compileUnion(node: UnionNode, known: Map<RecordNode, Coercer>): Coercer {
  const nullable = node.branches.some(branch => branch.kind === 'null')
  const others = node.branches.filter(branch => branch.kind !== 'null')
  const coercers = others.map(branch => compile(branch, known))
  if (coercers.length === 1) {
    const single = coercers[0]!
    return value => (value === null || value === undefined ? (nullable ? null : misfit(value, node)) : single(value))
  }
  const named = isAmbiguous(node)
  const wrap = (index: number, value: unknown) => (named ? { [branchName(others[index]!)]: value } : value)
  return value => {
    if (value === null || value === undefined) return nullable ? null : misfit(value, node)
    if (named && isMap(value)) {
      const keys = Object.keys(value)
      const index = keys.length === 1 ? others.findIndex(branch => branchName(branch) === keys[0]) : -1
      if (index !== -1) return wrap(index, inside(coercers[index]!, value[keys[0]!], `/${keys[0]}`))
    }
    for (let i = 0; i < coercers.length; i++) {
      try {
        return wrap(i, coercers[i]!(value))
      } catch (error) {
        if (!(error instanceof Misfit)) throw error
      }
    }
    return misfit(value, node)
  }
}

function toInt(value: unknown, node: SchemaNode): number {
  if (typeof value === 'number' && value === (value | 0)) return value
  if (typeof value === 'bigint' && value >= -2147483648n && value <= 2147483647n) return Number(value)
  return misfit(value, node)
}

function compileLong(node: SchemaNode & { logicalType: string | null }): Coercer {
  const perMs = ticksPerMs[node.logicalType ?? '']
  return value => {
    if (typeof value === 'number') return Number.isSafeInteger(value) ? value : misfit(value, node)
    if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? value : misfit(value, node)
    if (!(value instanceof Date) || perMs === undefined || Number.isNaN(value.getTime())) return misfit(value, node)
    return perMs === 1n ? value.getTime() : BigInt(value.getTime()) * perMs
  }
}

const ticksPerMs: Record<string, bigint | undefined> = {
  'timestamp-millis': 1n,
  'local-timestamp-millis': 1n,
  'timestamp-micros': 1000n,
  'local-timestamp-micros': 1000n,
  'timestamp-nanos': 1_000_000n,
  'local-timestamp-nanos': 1_000_000n,
}

/** A whole number beyond `exact` would lose digits. */
function toDouble(value: unknown, node: SchemaNode, exact: bigint): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint' && value >= -exact && value <= exact) return Number(value)
  return misfit(value, node)
}

function isMap(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof Date)
  )
}

function misfit(value: unknown, node: SchemaNode): never {
  if (value === null || value === undefined)
    throw new Misfit(
      'a required field has no value',
      `The schema expects ${describe(node)}. Use default(..., ...) for a stand-in, or make the field nullable.`,
      true,
    )
  throw new Misfit(`expected ${describe(node)}, got ${kindOf(value, node)}`, hintFor(value, node))
}

function kindOf(value: unknown, { kind }: SchemaNode): string {
  const isWhole = kind === 'int' || kind === 'long'
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Date) return 'a timestamp'
  if (value instanceof Uint8Array) return `${value.length} bytes`
  switch (typeof value) {
    case 'string':
      return 'a string'
    case 'bigint':
      return isWhole ? 'an int out of range' : 'an int'
    case 'number':
      if (!isWhole) return 'a number'
      return Number.isInteger(value) ? 'a whole number out of range' : 'a number with a fraction'
    case 'boolean':
      return 'a bool'
    default:
      return 'a map'
  }
}

function hintFor(value: unknown, node: SchemaNode): string {
  const wanted = node.kind === 'union' ? node.branches.find(branch => branch.kind !== 'null')!.kind : node.kind
  if (wanted === 'string')
    return value instanceof Date ? 'Use iso_time(...) or iso_date(...).' : 'Use string(...) or json(...).'
  if (wanted === 'int' || wanted === 'long')
    return typeof value === 'number'
      ? 'Use round(...) or int(...), or a larger type.'
      : 'Use whole(...), votes(...) or int(...).'
  if (wanted === 'double' || wanted === 'float') return 'Use number(...), stars(...) or double(...).'
  return 'Change the expression of this field, or the type of the field in the schema.'
}
