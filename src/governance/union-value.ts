// Which branch of a union a decoded value is of. The codec gives plain values, and {"branch name": value} where branches look alike.
import { shortName, type TypeOutline } from './outline.ts'

/** The branch and the value without its branch name; null when the value is of none of them. */
export function branchOf(
  value: unknown,
  union: TypeOutline,
): { readonly branch: TypeOutline; readonly value: unknown } | null {
  if (value === null || value === undefined) {
    const branch = union.branches.find(each => each.kind === 'null')
    return branch ? { branch, value: null } : null
  }
  if (looksAlike(union)) {
    if (typeof value !== 'object') return null
    const [name] = Object.keys(value)
    const branch = union.branches.find(each => nameOf(each) === name)
    return branch ? { branch, value: (value as Record<string, unknown>)[name!] } : null
  }
  const look = lookOf(value)
  const branch = union.branches.find(each => looks[each.kind] === look)
  return branch ? { branch, value } : null
}

/** A value of a branch as the codec would give it for the union. */
export function asBranch(value: unknown, branch: TypeOutline, union: TypeOutline): unknown {
  return branch.kind === 'null' || !looksAlike(union) ? value : { [nameOf(branch)]: value }
}

const nameOf = (branch: TypeOutline) => branch.fullName ?? branch.kind

const known = new WeakMap<TypeOutline, boolean>()

/** True when values of two branches cannot be told apart in JavaScript. */
function looksAlike(union: TypeOutline): boolean {
  let alike = known.get(union)
  if (alike === undefined) {
    const seen = union.branches.map(({ kind }) => looks[kind] ?? kind)
    known.set(union, (alike = new Set(seen).size < seen.length))
  }
  return alike
}

const looks: Readonly<Record<string, string>> = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  string: 'string',
  enum: 'string',
  bytes: 'bytes',
  fixed: 'bytes',
  map: 'object',
  record: 'object',
  array: 'array',
}

function lookOf(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (value instanceof Uint8Array) return 'bytes'
  return typeof value === 'bigint' ? 'number' : typeof value
}

/** The name of a type without namespace, or its kind: what people call a branch. */
export const wordOf = (type: TypeOutline): string => (type.fullName === null ? type.kind : shortName(type.fullName))
