// One value as another schema reads it, by the rules of Avro's schema resolution. avsc refuses a pair of schemas as a whole; a reader in
// Java fails only on the record that it cannot read. A proof on data needs the second: which records these are.

import { namespaceOf, rootPath, shortName, type TypeOutline } from './outline.ts'
import { promotions } from './promotions.ts'
import { asBranch, branchOf, wordOf } from './union-value.ts'

/** Why one value cannot be read. The message holds no value but symbols of enums, which stand in the schema. */
export class Unreadable extends Error {
  /** Field path in words, of the reader. */
  readonly path: string

  constructor(path: string, message: string) {
    super(message)
    this.path = path
  }
}

/** Branches tried in vain in one record. Those of the same name, inside each other, could be tried almost without end. */
const maxFailedTries = 10_000

/** A field of the reader: the written one, or null where the default stands in. */
interface Step {
  readonly name: string
  readonly type: TypeOutline
  readonly written: { readonly name: string; readonly type: TypeOutline } | null
  /** Why the field cannot be read, whatever the record holds. */
  readonly problem: string | null
  readonly otherwise: unknown
}

/** Reads decoded values of `writer`, as the codec gives them, as `reader`; gives what the codec would. @throws Unreadable */
export function readerFor(writer: TypeOutline, reader: TypeOutline): (value: unknown) => unknown {
  const plans = new Map<TypeOutline, Map<TypeOutline, readonly Step[]>>()
  const planOf = (written: TypeOutline, wanted: TypeOutline): readonly Step[] => {
    let of = plans.get(written)
    if (!of) plans.set(written, (of = new Map()))
    let plan = of.get(wanted)
    if (!plan) of.set(wanted, (plan = stepsOf(written, wanted)))
    return plan
  }

  const read = (value: unknown, written: TypeOutline, wanted: TypeOutline, path: string): unknown => {
    if (written.kind === 'union') {
      const found = branchOf(value, written)
      if (!found) throw new Unreadable(path, 'the value is of no branch of its own union')
      return read(found.value, found.branch, wanted, path)
    }
    if (wanted.kind === 'union') return readBranch(value, written, wanted, path)
    if (!mayRead(written, wanted)) throw new Unreadable(path, mismatch(written, wanted))
    if (written.kind !== wanted.kind) return promoted(value, wanted.kind)
    switch (wanted.kind) {
      case 'record':
        return readRecord(value as Readonly<Record<string, unknown>>, planOf(written, wanted), path)
      case 'enum':
        return symbolFor(value as string, wanted, path)
      case 'fixed':
        if (written.json['size'] !== wanted.json['size'])
          throw new Unreadable(
            path,
            `${String(written.json['size'])} bytes were written, and ${String(wanted.json['size'])} are read`,
          )
        return value
      case 'array':
        return (value as readonly unknown[]).map(item => read(item, written.inner!, wanted.inner!, `${path}[]`))
      case 'map':
        return Object.fromEntries(
          Object.entries(value as object).map(([key, each]) => [
            key,
            read(each, written.inner!, wanted.inner!, `${path}{}`),
          ]),
        )
      default:
        return value
    }
  }

  const readRecord = (value: Readonly<Record<string, unknown>>, plan: readonly Step[], path: string): unknown => {
    const made: Record<string, unknown> = Object.create(null)
    for (const { name, type, written, problem, otherwise } of plan) {
      if (problem !== null) throw new Unreadable(`${path}.${name}`, problem)
      made[name] = written ? read(value[written.name], written.type, type, `${path}.${name}`) : otherwise
    }
    return made
  }

  let failedTries = 0
  /** The branch of the same kind and name, else the first that takes the value. */
  const readBranch = (value: unknown, written: TypeOutline, wanted: TypeOutline, path: string): unknown => {
    const able = wanted.branches.filter(branch => mayRead(written, branch))
    const exact = able.filter(branch => branch.kind === written.kind)
    let first: unknown
    for (const branch of [...exact, ...able.filter(each => !exact.includes(each))]) {
      try {
        return asBranch(read(value, written, branch, path), branch, wanted)
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error
        first ??= error
        if (++failedTries > maxFailedTries)
          throw new Unreadable(path, 'its unions have too many branches of the same name')
      }
    }
    throw first ?? new Unreadable(path, mismatch(written, wanted))
  }

  return value => {
    failedTries = 0
    return read(value, writer, reader, rootPath(reader))
  }
}

function stepsOf(writer: TypeOutline, reader: TypeOutline): readonly Step[] {
  return reader.fields.map((field): Step => {
    const names = [...new Set([field.name, ...field.aliases])]
    const found = names.flatMap(name => writer.fields.filter(each => each.name === name))
    const problem =
      found.length > 1
        ? `it stands for two written fields, ${found.map(({ name }) => name).join(' and ')}`
        : found.length === 0 && !field.hasDefault
          ? 'it was not written, and has no default'
          : null
    const otherwise = problem === null && found.length === 0 ? valueOfDefault(field.default, field.type) : undefined
    return { name: field.name, type: field.type, written: found[0] ?? null, problem, otherwise }
  })
}

/** A look at kinds and names, as registries compare them: without namespace, or by alias. */
function mayRead(writer: TypeOutline, reader: TypeOutline): boolean {
  if (reader.kind !== writer.kind) return promotions[reader.kind]?.includes(writer.kind) ?? false
  if (reader.fullName === null || writer.fullName === null) return true
  return shortName(reader.fullName) === shortName(writer.fullName) || aliasesOf(reader).includes(writer.fullName)
}

function aliasesOf({ json, fullName }: TypeOutline): readonly string[] {
  const written = Array.isArray(json['aliases']) ? json['aliases'] : []
  const namespace = namespaceOf(fullName!)
  return written.map(alias =>
    String(alias).includes('.') || namespace === '' ? String(alias) : `${namespace}.${alias}`,
  )
}

const mismatch = (written: TypeOutline, wanted: TypeOutline): string =>
  `${wordOf(written)} was written, and ${wanted.kind === 'union' ? wanted.branches.map(wordOf).join(' or ') || 'nothing' : wordOf(wanted)} is read`

function symbolFor(symbol: string, { symbols, json }: TypeOutline, path: string): string {
  if (symbols.includes(symbol)) return symbol
  if (typeof json['default'] === 'string') return json['default']
  throw new Unreadable(path, `the symbol ${symbol} was written, and the reader does not know it`)
}

function promoted(value: unknown, kind: string): unknown {
  switch (kind) {
    case 'long':
      return BigInt(value as number)
    case 'float':
      return Math.fround(Number(value))
    case 'double':
      return Number(value)
    case 'bytes':
      return Buffer.from(value as string, 'utf8')
    default:
      return Buffer.from(value as Uint8Array).toString('utf8')
  }
}

/** A default, which is JSON, as the codec gives values. Of a union it belongs to the first branch that it fits. */
function valueOfDefault(json: unknown, type: TypeOutline): unknown {
  switch (type.kind) {
    case 'union': {
      const branch = type.branches.find(each => fits(json, each))
      return branch ? asBranch(valueOfDefault(json, branch), branch, type) : json
    }
    case 'long':
      return BigInt(json as number)
    case 'bytes':
    case 'fixed':
      return Buffer.from(String(json), 'latin1')
    case 'array':
      return (json as readonly unknown[]).map(item => valueOfDefault(item, type.inner!))
    case 'map':
      return Object.fromEntries(
        Object.entries(json as object).map(([key, item]) => [key, valueOfDefault(item, type.inner!)]),
      )
    case 'record':
      return Object.fromEntries(
        type.fields.map(({ name, type: of, default: own }) => {
          const given = (json as Record<string, unknown>)[name]
          return [name, valueOfDefault(given === undefined ? own : given, of)]
        }),
      )
    default:
      return json
  }
}

function fits(json: unknown, { kind, symbols }: TypeOutline): boolean {
  switch (kind) {
    case 'null':
      return json === null
    case 'boolean':
      return typeof json === 'boolean'
    case 'int':
    case 'long':
      return typeof json === 'bigint' || Number.isInteger(json)
    case 'float':
    case 'double':
      return typeof json === 'number' || typeof json === 'bigint'
    case 'enum':
      return typeof json === 'string' && symbols.includes(json)
    case 'string':
    case 'bytes':
    case 'fixed':
      return typeof json === 'string'
    case 'array':
      return Array.isArray(json)
    default:
      return typeof json === 'object' && json !== null && !Array.isArray(json)
  }
}
