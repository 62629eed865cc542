// Builds the types of one schema and of those it refers to. Follows Avro Java 1.12: a record's own name is known when its fields are done,
// a name that is not known yet is looked up once more at the end, and a second definition is taken when it equals the first.
import { isObject } from '../core/json-text.ts'
import type { Fractions } from '../schema/json-text.ts'
import { type PrimitiveKind, primitiveKinds } from '../schema/tree.ts'
import { maxFields, maxTypeDepth, maxUnionBranches } from '../schema/walk.ts'
import { DefaultFit, isDoubleText } from './default-fit.ts'
import { type LateName, sameDefinition } from './definition-equality.ts'
import { checkLateDefaults } from './late-defaults.ts'
import { checkName, type FullName, fullNameOf, nameOf, quoted } from './names.ts'
import type { ProblemCode, Report, SchemaProblem } from './problem.ts'
import { branchNameOf, type NamedType, type RecordField, type SchemaType } from './schema-tree.ts'
import { pathsAreLong } from './type-paths.ts'

type Json = Record<string, unknown>
type Late = LateName & { readonly set: (type: SchemaType) => void; problem: Omit<SchemaProblem, 'reference'> | null }
type Draft<T> = { -readonly [K in keyof T]: T[K] }

const typesHint =
  'Types are null, boolean, int, long, float, double, bytes, string, record, enum, array, map, fixed, or the full name of a type in the schema.'
/** The longest array of Avro Java. */
const maxFixedBytes = 2 ** 31 - 9
/** More are not told. */
const maxProblems = 100
const enough = Symbol('enough problems')
/** Types that lead from one to the next through names. What walks a schema may recurse. */
const maxPath = 1000
const noAliases: ReadonlySet<string> = new Set()
const orders = ['ascending', 'descending', 'ignore'] as const

export class TreeBuilder {
  readonly problems: SchemaProblem[] = []
  readonly types = new Map<string, NamedType>()
  readonly fractions: Fractions = new WeakMap()
  /** True when the tree has a hole and must not be used. */
  isBroken = false
  readonly #defaults = new DefaultFit(this.fractions)
  #reference: string | null = null
  #typeCount = 0
  #fieldCount = 0
  readonly #late: Late[] = []
  readonly #unions: { readonly at: string; readonly branches: readonly SchemaType[] }[] = []

  readonly report: Report = problem => {
    this.problems.push({ reference: this.#reference, ...problem })
    if (this.problems.length >= maxProblems) throw enough
  }

  /** Reports what makes the schema unusable. */
  refuse(problem: SchemaProblem): void {
    this.problems.push(problem)
    this.isBroken = true
  }

  /** Adds a text's types; null when its root is unusable. `reference`: the name of the referenced schema it is the text of. */
  add(json: unknown, reference: string | null): SchemaType | null {
    this.#reference = reference
    let root: SchemaType | null = null
    try {
      this.#place(json, '', '', 0, type => {
        root = type
      })
      const hasLateNames = this.#late.length > 0
      this.#resolve()
      if (root !== null && !this.isBroken && this.#typeCount > maxPath && pathsAreLong(root, maxPath))
        this.#broken('', 'limit', `Types lead to each other more than ${maxPath} deep.`, 'Split the schema.')
      if (root !== null && hasLateNames && this.problems.length === 0)
        checkLateDefaults(root, this.fractions, this.report)
    } catch (thrown) {
      if (thrown !== enough) throw thrown
      this.isBroken = true
    }
    return root && this.#firstDefinition(root)
  }

  /** A root that a schema referred to defines as well is that definition, with its aliases: so Java takes it, at the root only. */
  #firstDefinition(root: SchemaType): SchemaType {
    return 'fullName' in root ? (this.types.get(root.fullName) ?? root) : root
  }

  /** Looks up the names that were used before their definition. */
  #resolve(): void {
    for (const late of this.#late.splice(0)) {
      const found = this.types.get(late.fullName)
      if (found) late.set(found)
      else this.#broken(late.pointer, 'type_unknown', `There is no type ${quoted(late.fullName)}.`, typesHint)
      if (found && late.problem) this.report(late.problem)
    }
    for (const { at, branches } of this.#unions.splice(0)) this.#checkBranches(branches, at)
  }

  #error(pointer: string, code: ProblemCode, message: string, hint: string): void {
    this.report({ severity: 'error', code, pointer, message, hint })
  }

  #broken(pointer: string, code: ProblemCode, message: string, hint: string): null {
    this.#error(pointer, code, message, hint)
    this.isBroken = true
    return null
  }

  #written<K extends string>(kind: K, pointer: string, json: unknown) {
    return { kind, pointer, reference: this.#reference, json, index: this.#typeCount++ }
  }

  /** Reads a type and hands it to where it belongs, now or when its name is known. */
  #place(json: unknown, namespace: string, at: string, depth: number, set: (type: SchemaType) => void): void {
    const type = this.#type(json, namespace, at, depth, set)
    if (type !== null) set(type)
    else set({ kind: 'late', isHole: true, pointer: at, fullName: '', set, problem: null } as unknown as SchemaType)
  }

  #type(json: unknown, namespace: string, at: string, depth: number, set: Late['set']): SchemaType | null {
    if (depth > maxTypeDepth)
      return this.#broken(
        at,
        'limit',
        `Types nest deeper than ${maxTypeDepth} levels.`,
        'Flatten the record, or split it.',
      )
    if (typeof json === 'string') return this.#byName(json, namespace, at, json, set)
    if (Array.isArray(json)) return this.#union(json, namespace, at, depth)
    if (!isObject(json)) return this.#broken(at, 'type_invalid', `A type cannot be ${kindOf(json)}.`, typesHint)
    const kind = json['type']
    switch (kind) {
      case 'record':
      case 'error':
        return this.#record(json, namespace, at, depth)
      case 'enum':
        return this.#enum(json, namespace, at)
      case 'fixed':
        return this.#fixed(json, namespace, at)
      case 'array':
        return this.#container(json, 'array', 'items', namespace, at, depth)
      case 'map':
        return this.#container(json, 'map', 'values', namespace, at, depth)
      case undefined:
        return this.#broken(at, 'type_missing', 'This type has no "type".', typesHint)
    }
    if (typeof kind === 'string') return this.#byName(kind, namespace, at, json, set)
    if (!isObject(kind) && !Array.isArray(kind))
      return this.#broken(`${at}/type`, 'type_invalid', `A type cannot be ${kindOf(kind)}.`, typesHint)
    this.#error(
      `${at}/type`,
      'type_invalid',
      'A "type" that stands directly in a type must be a name.',
      'Write the inner type without {"type": ...} around it: Avro Java 1.12, and so registries, refuse this form.',
    )
    return this.#type(kind, namespace, `${at}/type`, depth + 1, set)
  }

  #byName(name: string, namespace: string, at: string, json: unknown, set: Late['set']): SchemaType | null {
    if (primitiveKinds.has(name)) return this.#written(name as PrimitiveKind, at, json)
    const { full } = fullNameOf(name, namespace)
    const known = this.types.get(full) ?? this.types.get(name)
    if (known) return known
    const late: Late = { kind: 'late', isHole: false, pointer: at, fullName: full, set, problem: null }
    this.#late.push(late)
    return late as unknown as SchemaType
  }

  #container(
    json: Json,
    kind: 'array' | 'map',
    key: 'items' | 'values',
    namespace: string,
    at: string,
    depth: number,
  ): SchemaType | null {
    if (json[key] === undefined)
      return this.#broken(
        at,
        'attribute_missing',
        `This ${kind} has no "${key}".`,
        `Add "${key}": the type of its ${key}.`,
      )
    const type = { ...this.#written(kind, at, json), [key]: null } as unknown as Draft<
      SchemaType & Record<string, SchemaType>
    >
    this.#place(json[key], namespace, `${at}/${key}`, depth + 1, inner => {
      type[key] = inner
    })
    return type as SchemaType
  }

  #union(json: readonly unknown[], namespace: string, at: string, depth: number): SchemaType | null {
    if (json.length > maxUnionBranches) {
      const message = `This union has more than ${maxUnionBranches} branches.`
      return this.#broken(at, 'limit', message, 'Use fewer types, or an enum for what differs.')
    }
    const branches: SchemaType[] = []
    const type = { ...this.#written('union', at, json), branches }
    json.forEach((branch, index) => {
      if (Array.isArray(branch))
        this.#error(
          `${at}/${index}`,
          'union_in_union',
          'A union stands directly in a union.',
          'List all types in one union.',
        )
      this.#place(branch, namespace, `${at}/${index}`, depth + 1, inner => {
        branches[index] = inner
      })
    })
    this.#unions.push({ at, branches })
    return type
  }

  #checkBranches(branches: readonly SchemaType[], at: string): void {
    const seen = new Set<string>()
    branches.forEach((branch, index) => {
      const name = branchNameOf(branch)
      if (seen.has(name) && !lateOf(branch))
        this.#error(
          `${at}/${index}`,
          'branch_twice',
          `${quoted(name)} stands twice in a union.`,
          'Only named types with different full names may repeat; logical types do not count.',
        )
      seen.add(name)
    })
  }

  #record(json: Json, outer: string, at: string, depth: number): SchemaType | null {
    const name = nameOf(json, outer, at, this.report)
    const written = json['fields']
    if (!Array.isArray(written))
      return this.#broken(at, 'attribute_missing', 'This record has no list of fields.', 'Add "fields": [...].')
    const fields = new Map<string, RecordField>()
    const named = this.#named('record', json, name, at)
    written.forEach((field, index) => {
      if (++this.#fieldCount === maxFields + 1)
        this.#broken(at, 'limit', `The schema has more than ${maxFields} fields.`, 'Split the record.')
      if (this.#fieldCount > maxFields) return
      this.#field(field, name?.namespace ?? outer, `${at}/fields/${index}`, depth, fields)
    })
    const doc = typeof json['doc'] === 'string' ? json['doc'] : null
    return this.#define({ ...named, doc, fields }, at)
  }

  #field(json: unknown, namespace: string, at: string, depth: number, fields: Map<string, RecordField>): void {
    if (!isObject(json) || typeof json['name'] !== 'string') {
      const hint = 'A field is {"name": ..., "type": ...}.'
      this.#broken(
        at,
        'name_missing',
        isObject(json) ? 'This field has no name.' : `A field cannot be ${kindOf(json)}.`,
        hint,
      )
      return
    }
    const name = json['name']
    checkName(name, `${at}/name`, 'field name', this.report)
    if (fields.has(name))
      this.#broken(`${at}/name`, 'field_twice', `Field ${quoted(name)} stands twice.`, 'Names of fields must differ.')
    if (json['type'] === undefined) {
      this.#broken(at, 'type_missing', `Field ${quoted(name)} has no type.`, 'Add "type".')
      return
    }
    const field = {
      name,
      pointer: at,
      type: null as unknown as SchemaType,
      aliases: this.#aliases(json, at),
      doc: typeof json['doc'] === 'string' ? json['doc'] : null,
      hasDefault: Object.hasOwn(json, 'default'),
      default: json['default'],
      order: this.#order(json, at),
      json,
    }
    this.#place(json['type'], namespace, `${at}/type`, depth + 1, type => {
      field.type = type
    })
    fields.set(name, field)
    if (!field.hasDefault) return
    const isText = (field.type.kind === 'double' || field.type.kind === 'float') && typeof field.default === 'string'
    if (isText && isDoubleText(field.default as string)) return
    const wrong = this.#defaults.wrong(json, 'default', field.type)
    if (!wrong) return
    const pointer = `${at}/default${wrong.pointer}`
    const problem = { ...wrong, pointer, message: `Field ${quoted(name)}: ${wrong.message}` }
    // Told when the name turns out to have a definition at all.
    const late = lateOf(field.type)
    if (late) late.problem = problem
    else this.report(problem)
  }

  #order(json: Json, at: string): RecordField['order'] {
    const order = json['order']
    if (order === undefined) return 'ascending'
    const found = orders.find(each => typeof order === 'string' && each === order.toLowerCase())
    if (!found)
      this.#error(
        `${at}/order`,
        'attribute_invalid',
        'This order does not exist.',
        `It is one of ${orders.join(', ')}.`,
      )
    return found ?? 'ascending'
  }

  #enum(json: Json, outer: string, at: string): SchemaType | null {
    const name = nameOf(json, outer, at, this.report)
    const written = json['symbols']
    if (!Array.isArray(written))
      return this.#broken(at, 'attribute_missing', 'This enum has no list of symbols.', 'Add "symbols": [...].')
    const symbols = new Set<string>()
    written.forEach((symbol, index) => {
      const place = `${at}/symbols/${index}`
      if (!checkName(symbol, place, 'enum symbol', this.report)) return
      if (symbols.has(symbol))
        this.#error(place, 'symbol_twice', `Symbol ${quoted(symbol)} stands twice.`, 'Remove one of them.')
      symbols.add(symbol)
    })
    const fallback = json['default']
    if (typeof fallback === 'string' && !symbols.has(fallback))
      this.#error(
        `${at}/default`,
        'default_invalid',
        `The default ${quoted(fallback)} is none of the symbols.`,
        'It stands for symbols that a reader does not know: choose one of the list.',
      )
    const named = this.#named('enum', json, name, at)
    return this.#define({ ...named, symbols, default: typeof fallback === 'string' ? fallback : null }, at)
  }

  #fixed(json: Json, outer: string, at: string): SchemaType | null {
    const name = nameOf(json, outer, at, this.report)
    const size = json['size']
    const isWhole = typeof size === 'number' && Number.isInteger(size) && !this.fractions.get(json)?.has('size')
    if (!isWhole || size < 0 || size > maxFixedBytes) {
      const [pointer, code] =
        size === undefined ? [at, 'attribute_missing' as const] : [`${at}/size`, 'attribute_invalid' as const]
      this.#error(
        pointer,
        code,
        `This fixed needs a size from 0 to ${maxFixedBytes} bytes.`,
        'Use bytes for what varies in length.',
      )
    }
    return this.#define({ ...this.#named('fixed', json, name, at), size: typeof size === 'number' ? size : 0 }, at)
  }

  #named<K extends NamedType['kind']>(kind: K, json: Json, name: FullName | null, at: string) {
    const aliases = [...this.#aliases(json, at)].map((alias, index) => {
      const each = fullNameOf(alias, name?.namespace ?? '')
      checkName(each.short, `${at}/aliases/${index}`, 'alias', this.report)
      return each.full
    })
    const own = { fullName: name?.full ?? '', name: name?.short ?? '', aliases: new Set(aliases) }
    return { ...this.#written(kind, at, json), ...own }
  }

  #define(type: NamedType, at: string): NamedType | null {
    if (type.fullName === '') {
      this.isBroken = true
      return null
    }
    const known = this.types.get(type.fullName)
    if (!known) this.types.set(type.fullName, type)
    else if (!sameDefinition(known, type)) {
      const where = known.pointer === '' ? 'at the root' : `at ${known.pointer}`
      this.#error(
        `${at}/name`,
        'name_taken',
        `${quoted(type.fullName)} is defined ${where} already, as something else.`,
        'Refer to the first definition by its name, or choose another name.',
      )
    }
    return type
  }

  #aliases(json: Json, at: string): ReadonlySet<string> {
    const aliases = json['aliases']
    if (aliases === undefined) return noAliases
    const hint = 'Aliases are a list of names: "aliases": ["old_name"].'
    if (!Array.isArray(aliases)) {
      this.#error(`${at}/aliases`, 'attribute_invalid', 'The aliases are not a list.', hint)
      return noAliases
    }
    aliases.forEach((alias, index) => {
      if (typeof alias !== 'string')
        this.#error(`${at}/aliases/${index}`, 'attribute_invalid', 'An alias is not text.', hint)
    })
    return new Set(aliases.filter(alias => typeof alias === 'string'))
  }
}

function lateOf(type: SchemaType): Late | null {
  return (type.kind as string) === 'late' ? (type as unknown as Late) : null
}

function kindOf(value: unknown): string {
  if (value === null) return 'null (the type is written "null")'
  return Array.isArray(value) ? 'a list' : `a ${typeof value}`
}
