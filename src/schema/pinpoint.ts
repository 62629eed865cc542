// Which field of a value does not fit its schema, and what was expected there. Runs only after encoding failed.
// The message names kinds of values, never values: they are payload.
import { WeirError } from '../core/errors.ts'
import { branchName, describe, isAmbiguous, type RecordNode, type SchemaNode, type UnionNode } from './tree.ts'

/** The error for a value that cannot be encoded. */
export function pinpoint(value: unknown, root: RecordNode, cause: unknown): WeirError {
  const misfit = find(value, root, '', 0)
  if (!misfit)
    return new WeirError('encode.invalid', 'the record does not fit its schema', {
      at: '/',
      hint: 'Check the mapping with weir lint.',
      cause,
    })
  const { at, node, got } = misfit
  const missing = got === 'nothing'
  return new WeirError(
    'encode.invalid',
    missing ? `a required field has no value` : `expected ${describe(node)}, got ${got}`,
    {
      at: at === '' ? '/' : at,
      hint: missing
        ? `The schema expects ${describe(node)} there, without a default.`
        : 'Change the mapping of this field, or the type of the field in the schema.',
    },
  )
}

interface Misfit {
  readonly at: string
  readonly node: SchemaNode
  readonly got: string
}

function find(value: unknown, node: SchemaNode, at: string, depth: number): Misfit | null {
  const misfit = (): Misfit => ({ at, node, got: kindOf(value, node) })
  if (depth > 1000) return { at, node, got: 'a value that nests too deep' }
  switch (node.kind) {
    case 'null':
      return value === null ? null : misfit()
    case 'boolean':
      return typeof value === 'boolean' ? null : misfit()
    case 'int':
      return typeof value === 'number' && value === (value | 0) ? null : misfit()
    case 'long':
      if (typeof value === 'bigint') return value === BigInt.asIntN(64, value) ? null : misfit()
      return Number.isSafeInteger(value) ? null : misfit()
    case 'float':
    case 'double':
      return typeof value === 'number' ? null : misfit()
    case 'string':
      return typeof value === 'string' && value.isWellFormed() ? null : misfit()
    case 'bytes':
      return value instanceof Uint8Array ? null : misfit()
    case 'fixed':
      return value instanceof Uint8Array && value.length === node.size ? null : misfit()
    case 'enum':
      return typeof value === 'string' && node.symbols.includes(value) ? null : misfit()
    case 'array':
      if (!Array.isArray(value)) return misfit()
      return first(value, (item, index) => find(item, node.items, `${at}/${index}`, depth + 1))
    case 'map':
      if (!isObject(value)) return misfit()
      return first(Object.entries(value), ([key, item]) =>
        key.isWellFormed()
          ? find(item, node.values, `${at}/${pointerPart(key)}`, depth + 1)
          : { at, node, got: 'a key that is not valid Unicode' },
      )
    case 'record':
      if (!isObject(value)) return misfit()
      return first(node.fields, field => {
        const own = Object.hasOwn(value, field.name) ? value[field.name] : undefined
        if (own === undefined && field.hasDefault) return null
        return find(own, field.node, `${at}/${field.name}`, depth + 1)
      })
    case 'union':
      return findInUnion(value, node, at, depth)
  }
}

function findInUnion(value: unknown, node: UnionNode, at: string, depth: number): Misfit | null {
  if (isAmbiguous(node)) {
    if (value === null) return node.branches.some(branch => branch.kind === 'null') ? null : { at, node, got: 'null' }
    const keys = isObject(value) ? Object.keys(value) : []
    const branch = keys.length === 1 ? node.branches.find(option => branchName(option) === keys[0]) : undefined
    if (!branch) return { at, node, got: `${kindOf(value, node)}; this union needs {"branch name": value}` }
    return find((value as Record<string, unknown>)[keys[0]!], branch, `${at}/${keys[0]}`, depth + 1)
  }
  const misfits: Misfit[] = []
  for (const branch of node.branches) {
    const misfit = find(value, branch, at, depth + 1)
    if (!misfit) return null
    misfits.push(misfit)
  }
  // The branch that got furthest says most.
  const deepest = misfits.reduce((a, b) => (b.at.length > a.at.length ? b : a))
  return deepest.at.length > at.length ? deepest : { at, node, got: kindOf(value, node) }
}

function first<T>(items: readonly T[], check: (item: T, index: number) => Misfit | null): Misfit | null {
  for (let i = 0; i < items.length; i++) {
    const misfit = check(items[i]!, i)
    if (misfit) return misfit
  }
  return null
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

/** The kind of a value in words, precise enough to see what is wrong with it. */
function kindOf(value: unknown, node: SchemaNode): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Uint8Array) return `${value.length} bytes`
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) return 'a string that is not valid Unicode (a lone surrogate)'
      return node.kind === 'enum' ? 'another string' : 'a string'
    case 'number':
      if (!Number.isFinite(value)) return 'a number that is not finite'
      if (!takesWhole(node)) return 'a number'
      return Number.isInteger(value) ? 'a whole number out of range' : 'a number with a fraction'
    case 'bigint':
      return 'an int (64-bit)'
    case 'object':
      return 'an object'
    default:
      return `a ${typeof value}`
  }
}

function pointerPart(key: string): string {
  const short = key.length > 64 ? `${key.slice(0, 64).toWellFormed()}...` : key
  return short.toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')
}

function takesWhole(node: SchemaNode): boolean {
  return node.kind === 'union' ? node.branches.some(takesWhole) : node.kind === 'int' || node.kind === 'long'
}
