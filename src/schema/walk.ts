// Checks an Avro schema by the specification and turns it into nodes. Every refusal says where in the schema and what to do.
import { WeirError } from '../core/errors.ts'
import { isObject } from '../core/json-text.ts'
import { defaultProblem } from './default-value.ts'
import type { FieldNode, NamedNode, SchemaNode } from './tree.ts'
import { branchName, type PrimitiveKind, primitiveKinds } from './tree.ts'

export const maxTypeDepth = 64
export const maxFields = 5000
export const maxUnionBranches = 1000
/** A fixed type is one value: no topic takes records larger than this. */
const maxFixedBytes = 1024 * 1024
const namePattern = /^[A-Za-z_][A-Za-z0-9_]*$/
/** Setting these on an object changes the object instead of storing a value. */
const refusedNames = new Set(['__proto__', 'constructor', 'prototype'])
/** The codec keeps symbols and type names as object keys, where inherited members would shadow them. */
const inheritedNames = new Set(Object.getOwnPropertyNames(Object.prototype))

const unknownTypeHint =
  'Types are null, boolean, int, long, float, double, bytes, string, record, enum, array, map, fixed, or a name defined before.'

interface Draft {
  fields: FieldNode[]
}

export class SchemaWalk {
  readonly warnings: string[] = []
  readonly #named = new Map<string, NamedNode>()
  readonly #aliases = new Map<string, string>()
  #fieldCount = 0
  /** Checked last, when every type that a default may need is complete. */
  readonly #defaults: (() => void)[] = []

  /** @throws schema.invalid */
  root(json: unknown): SchemaNode {
    const node = this.#node(json, '', '', 0)
    for (const check of this.#defaults) check()
    for (const named of this.#named.values()) if (named.kind === 'record') this.#checkBase(named.fullName)
    return node
  }

  #node(json: unknown, namespace: string, at: string, depth: number): SchemaNode {
    if (depth > maxTypeDepth)
      throw invalid(at, `types nest deeper than ${maxTypeDepth} levels`, 'Flatten the record, or split it.')
    if (typeof json === 'string') return this.#reference(json, namespace, at)
    if (Array.isArray(json)) return this.#union(json, namespace, at, depth)
    if (!isObject(json)) throw invalid(at, `a type cannot be ${kindOf(json)}`, unknownTypeHint)
    const type = json['type']
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(json, namespace, at, depth)
      case 'enum':
        return this.#enum(json, namespace, at)
      case 'fixed':
        return this.#fixed(json, namespace, at)
      case 'array':
        if (json['items'] === undefined)
          throw invalid(at, 'an array has no `items`', 'Add "items": the type of its items.')
        return { kind: 'array', items: this.#node(json['items'], namespace, `${at}/items`, depth + 1) }
      case 'map':
        if (json['values'] === undefined)
          throw invalid(at, 'a map has no `values`', 'Add "values": the type of its values.')
        return { kind: 'map', values: this.#node(json['values'], namespace, `${at}/values`, depth + 1) }
      case undefined:
        throw invalid(at, 'a type has no `type`', unknownTypeHint)
    }
    if (typeof type === 'string' && primitiveKinds.has(type))
      return { kind: type as PrimitiveKind, logicalType: this.#logicalType(json, type, at) }
    return this.#node(type, namespace, `${at}/type`, depth + 1)
  }

  #reference(name: string, namespace: string, at: string): SchemaNode {
    if (primitiveKinds.has(name)) return { kind: name as PrimitiveKind, logicalType: null }
    const full = qualify(name, namespace)
    const known = this.#named.get(full)
    if (known) return known
    throw invalid(at, `unknown type ${quote(name)}`, unknownTypeHint)
  }

  #union(json: readonly unknown[], namespace: string, at: string, depth: number): SchemaNode {
    if (json.length === 0) throw invalid(at, 'a union has no branches', 'Name at least one type.')
    if (json.length > maxUnionBranches) throw invalid(at, `a union has more than ${maxUnionBranches} branches`)
    const branches: SchemaNode[] = []
    const seen = new Set<string>()
    json.forEach((branch, index) => {
      const place = `${at}/${index}`
      if (Array.isArray(branch))
        throw invalid(place, 'a union stands directly in a union', 'List all types in one union.')
      const node = this.#node(branch, namespace, place, depth + 1)
      const name = branchName(node)
      if (seen.has(name))
        throw invalid(
          place,
          `${quote(name)} stands twice in a union`,
          'Only named types of different names may repeat.',
        )
      seen.add(name)
      branches.push(node)
    })
    return { kind: 'union', branches }
  }

  #record(json: Json, namespace: string, at: string, depth: number): SchemaNode {
    const { fullName, inner, aliases } = this.#name(json, namespace, at)
    const fields = json['fields']
    if (!Array.isArray(fields)) throw invalid(at, `record ${fullName} has no list of fields`, 'Add "fields": [...].')
    const draft: Draft = { fields: [] }
    const node: NamedNode = { kind: 'record', fullName, doc: docOf(json, at), aliases, fields: draft.fields }
    this.#named.set(fullName, node)
    const taken = new Map<string, string>()
    fields.forEach((field, index) => {
      if (++this.#fieldCount > maxFields) throw invalid(at, `the schema has more than ${maxFields} fields`)
      draft.fields.push(this.#field(field, inner, `${at}/fields/${index}`, depth, taken))
    })
    return node
  }

  #field(json: unknown, namespace: string, at: string, depth: number, taken: Map<string, string>): FieldNode {
    if (!isObject(json)) throw invalid(at, `a field is ${kindOf(json)}`, 'A field is {"name": ..., "type": ...}.')
    const name = checkName(json['name'], `${at}/name`, 'field name')
    const aliases = aliasesOf(json, at)
    for (const [index, word] of [name, ...aliases].entries()) {
      const owner = taken.get(word)
      if (owner !== undefined)
        throw invalid(
          index === 0 ? `${at}/name` : `${at}/aliases/${index - 1}`,
          index === 0 && owner === name
            ? `field ${name} stands twice`
            : `${quote(word)} is both field ${name} and ${owner}`,
          'Names and aliases of fields must differ.',
        )
      taken.set(word, name)
    }
    if (json['type'] === undefined) throw invalid(at, `field ${name} has no type`, 'Add "type".')
    const sort = json['order']
    if (sort !== undefined && sort !== 'ascending' && sort !== 'descending' && sort !== 'ignore')
      throw invalid(`${at}/order`, 'order is not ascending, descending or ignore')
    const node = this.#node(json['type'], namespace, `${at}/type`, depth + 1)
    const hasDefault = Object.hasOwn(json, 'default')
    if (hasDefault)
      this.#defaults.push(() => {
        const problem = defaultProblem(json['default'], node)
        if (problem)
          throw invalid(
            `${at}/default`,
            `field ${name}: ${problem}`,
            'A default must fit the first branch of the type.',
          )
      })
    return { name, node, doc: docOf(json, at), aliases, hasDefault, default: hasDefault ? json['default'] : undefined }
  }

  #enum(json: Json, namespace: string, at: string): SchemaNode {
    const { fullName, aliases } = this.#name(json, namespace, at)
    const symbols = json['symbols']
    if (!Array.isArray(symbols) || symbols.length === 0)
      throw invalid(at, `enum ${fullName} has no symbols`, 'Add "symbols": [...] with at least one.')
    const seen = new Set<string>()
    symbols.forEach((symbol, index) => {
      const word = checkName(symbol, `${at}/symbols/${index}`, 'enum symbol')
      if (inheritedNames.has(word))
        throw invalid(
          `${at}/symbols/${index}`,
          `enum symbol ${quote(word)} is refused`,
          'Choose another symbol: this one is a member of every JavaScript object.',
        )
      if (seen.has(word)) throw invalid(`${at}/symbols/${index}`, `symbol ${quote(word)} stands twice`)
      seen.add(word)
    })
    const fallback = json['default']
    if (fallback !== undefined && (typeof fallback !== 'string' || !seen.has(fallback)))
      throw invalid(`${at}/default`, `the default of enum ${fullName} is none of its symbols`)
    const node: NamedNode = {
      kind: 'enum',
      fullName,
      aliases,
      symbols: [...seen],
      default: (fallback as string) ?? null,
    }
    this.#named.set(fullName, node)
    return node
  }

  #fixed(json: Json, namespace: string, at: string): SchemaNode {
    const { fullName, aliases } = this.#name(json, namespace, at)
    const size = json['size']
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size > maxFixedBytes)
      throw invalid(
        `${at}/size`,
        `fixed ${fullName} needs a size from 0 to ${maxFixedBytes} bytes`,
        'Use bytes for larger values.',
      )
    const node: NamedNode = {
      kind: 'fixed',
      fullName,
      aliases,
      size,
      logicalType: this.#logicalType(json, 'fixed', at),
    }
    this.#named.set(fullName, node)
    return node
  }

  #name(json: Json, namespace: string, at: string): { fullName: string; inner: string; aliases: string[] } {
    const written = json['name']
    if (typeof written !== 'string') throw invalid(at, `a ${String(json['type'])} has no name`, 'Add "name".')
    const place = `${at}/name`
    const own = json['namespace']
    let space = namespace
    if (own !== undefined) {
      if (typeof own !== 'string') throw invalid(`${at}/namespace`, 'a namespace is not text')
      if (own !== '') for (const part of own.split('.')) checkName(part, `${at}/namespace`, 'part of a namespace')
      space = own
    }
    if (written.includes('.')) space = written.slice(0, written.lastIndexOf('.'))
    for (const part of written.split('.')) checkName(part, place, 'name')
    const short = written.slice(written.lastIndexOf('.') + 1)
    if (primitiveKinds.has(short)) throw invalid(place, `${quote(short)} is a primitive type and cannot be redefined`)
    if (inheritedNames.has(short)) throw invalid(place, `the name ${quote(short)} is refused`, 'Choose another name.')
    const fullName = space === '' ? short : `${space}.${short}`
    if (this.#named.has(fullName))
      throw invalid(place, `type ${quote(fullName)} is defined twice`, 'Refer to the first one by its name.')
    const clash = this.#aliases.get(fullName)
    if (clash) throw invalid(place, `${quote(fullName)} is already an alias of ${quote(clash)}`)
    const aliases = aliasesOf(json, at, true).map(alias => qualify(alias, space))
    aliases.forEach((alias, index) => {
      const owner = this.#aliases.get(alias) ?? (this.#named.has(alias) ? alias : undefined)
      if (owner !== undefined)
        throw invalid(`${at}/aliases/${index}`, `alias ${quote(alias)} already names ${quote(owner)}`)
      this.#aliases.set(alias, fullName)
    })
    return { fullName, inner: space, aliases }
  }

  /** A logical type that does not fit is ignored, as the specification asks; the warning says so. */
  #logicalType(json: Json, type: string, at: string): string | null {
    const logical = json['logicalType']
    if (logical === undefined) return null
    if (typeof logical !== 'string') throw invalid(`${at}/logicalType`, 'a logical type is not text')
    const problem = logicalProblem(logical, type, json)
    if (problem === null) return logical
    this.warnings.push(`${at}/logicalType: ${problem}; values are read as plain ${type}`)
    return null
  }

  /** A record that holds itself without a union, array or map between has no finite value. */
  #checkBase(name: string): void {
    const seen = new Set<string>()
    const stack = [this.#named.get(name)!]
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (node.kind !== 'record') continue
      for (const field of node.fields) {
        if (field.node.kind !== 'record') continue
        if (field.node.fullName === name)
          throw invalid(
            '/',
            `record ${name} contains itself without end, at field ${field.name}`,
            'Make the field nullable, or an array.',
          )
        if (!seen.has(field.node.fullName)) stack.push(field.node)
        seen.add(field.node.fullName)
      }
    }
  }
}

type Json = Record<string, unknown>

const logicalBase: Record<string, readonly string[]> = {
  decimal: ['bytes', 'fixed'],
  uuid: ['string', 'fixed'],
  date: ['int'],
  'time-millis': ['int'],
  'time-micros': ['long'],
  'timestamp-millis': ['long'],
  'timestamp-micros': ['long'],
  'timestamp-nanos': ['long'],
  'local-timestamp-millis': ['long'],
  'local-timestamp-micros': ['long'],
  'local-timestamp-nanos': ['long'],
  duration: ['fixed'],
}

/** Why a logical type is ignored; null when it is not. `json`: its attributes. */
export function logicalProblem(logical: string, type: string, json: Json): string | null {
  const bases = Object.hasOwn(logicalBase, logical) ? logicalBase[logical]! : undefined
  if (!bases) return `logical type ${quote(logical)} is not known`
  if (!bases.includes(type)) return `logical type ${logical} does not go with ${type}`
  if (logical !== 'decimal') return null
  const precision = json['precision']
  const scale = json['scale'] ?? 0
  if (typeof precision !== 'number' || !Number.isInteger(precision) || precision < 1)
    return 'a decimal needs a precision of 1 or more'
  if (typeof scale !== 'number' || !Number.isInteger(scale) || scale < 0 || scale > precision)
    return 'the scale of a decimal must be from 0 to its precision'
  return null
}

function qualify(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
}

function checkName(name: unknown, at: string, what: string): string {
  if (typeof name !== 'string') throw invalid(at, `a ${what} is missing or not text`)
  if (refusedNames.has(name))
    throw invalid(
      at,
      `the ${what} ${quote(name)} is refused: it would change the object that holds it`,
      'Choose another name; a mapping can rename it.',
    )
  if (!namePattern.test(name))
    throw invalid(at, `${quote(name)} is not a valid ${what}`, 'Use letters, digits and _, not starting with a digit.')
  return name
}

function aliasesOf(json: Json, at: string, dotted = false): string[] {
  const aliases = json['aliases']
  if (aliases === undefined) return []
  if (!Array.isArray(aliases)) throw invalid(`${at}/aliases`, 'aliases are not a list')
  return aliases.map((alias, index) => {
    const place = `${at}/aliases/${index}`
    if (typeof alias !== 'string') throw invalid(place, 'an alias is not text')
    for (const part of dotted ? alias.split('.') : [alias]) checkName(part, place, 'alias')
    return alias
  })
}

function docOf(json: Json, at: string): string | null {
  const doc = json['doc']
  if (doc === undefined || doc === null) return null
  if (typeof doc !== 'string') throw invalid(`${at}/doc`, 'a doc is not text')
  return doc
}

function kindOf(value: unknown): string {
  return value === null ? 'null (the type is written "null")' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
}

function quote(word: string): string {
  return JSON.stringify(word.length > 80 ? `${word.slice(0, 77)}...` : word)
}

const rulesHint = 'The rules are in the Avro specification, avro.apache.org/docs.'

function invalid(at: string, message: string, hint = rulesHint): WeirError {
  return new WeirError('schema.invalid', message, { at: at === '' ? '/' : at, hint })
}
