// What a registry takes and some reader may not, or not as meant.
import { logicalProblem } from '../schema/walk.ts'
import { DefaultFit, isDoubleText } from './default-fit.ts'
import { quoted } from './names.ts'
import type { ProblemCode, SchemaProblem } from './problem.ts'
import type { EnumType, FixedType, NamedSchema, RecordField, RecordType, SchemaType } from './schema-tree.ts'

/** Members of every JavaScript object: avsc keeps symbols and names of types as keys, where these are there already. */
const inherited = new Set(Object.getOwnPropertyNames(Object.prototype))
/** As field names they change the object that holds the field. */
const changing = new Set(['__proto__', 'constructor', 'prototype'])
type OddDefault = readonly [message: string, hint: string]
const fieldName = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Warnings of a valid schema, in the order in which its types are defined. Each type and field is looked at once. */
export function warningsOf(schema: NamedSchema): readonly SchemaProblem[] {
  return new Warnings().of(schema.root)
}

class Warnings {
  readonly #found: SchemaProblem[] = []
  readonly #seen = new Set<SchemaType>()
  readonly #fit = new DefaultFit(new WeakMap())

  of(root: SchemaType): readonly SchemaProblem[] {
    this.#visit(root)
    return this.#found
  }

  #warn(type: SchemaType, pointer: string, code: ProblemCode, message: string, hint: string): void {
    this.#found.push({ severity: 'warning', code, pointer, reference: type.reference, message, hint })
  }

  #visit(type: SchemaType): void {
    if (this.#seen.has(type)) return
    this.#seen.add(type)
    this.#logicalType(type)
    switch (type.kind) {
      case 'array':
        this.#visit(type.items)
        return
      case 'map':
        this.#visit(type.values)
        return
      case 'union':
        for (const branch of type.branches) this.#visit(branch)
        return
      case 'enum':
        this.#name(type)
        for (const [index, symbol] of [...type.symbols].entries())
          if (inherited.has(symbol)) this.#inheritedName(type, `${type.pointer}/symbols/${index}`, symbol)
        this.#enumDefault(type)
        return
      case 'fixed':
        this.#name(type)
        return
      case 'record':
        this.#name(type)
        this.#aliases(type)
        if (holdsItself(type))
          this.#warn(
            type,
            type.pointer,
            'no_finite_value',
            `Record ${type.fullName} contains itself without end.`,
            'Make the field nullable, or a list: as it is, no value can be written.',
          )
        for (const field of type.fields.values()) this.#field(type, field)
    }
  }

  #name(type: SchemaType & { name: string }): void {
    if (inherited.has(type.name)) this.#inheritedName(type, `${type.pointer}/name`, type.name)
  }

  #inheritedName(type: SchemaType, pointer: string, name: string): void {
    const hint = 'Choose another one: JavaScript consumers, weir among them, refuse it.'
    this.#warn(type, pointer, 'name_odd', `${quoted(name)} is a member of every JavaScript object.`, hint)
  }

  #field(record: RecordType, field: RecordField): void {
    if (changing.has(field.name)) this.#inheritedName(record, `${field.pointer}/name`, field.name)
    this.#visit(field.type)
    if (!field.hasDefault) return
    const odd = oddDefault(field, this.#fit)
    if (odd)
      this.#warn(record, `${field.pointer}/default`, 'default_odd', `Field ${quoted(field.name)}: ${odd[0]}`, odd[1])
  }

  #enumDefault(type: EnumType): void {
    const { default: written } = type.json as { default?: unknown }
    if (written === undefined || typeof written === 'string') return
    const hint = 'Write the symbol in quotes, or leave the default out.'
    this.#warn(
      type,
      `${type.pointer}/default`,
      'default_odd',
      'The default of this enum is no text, so it counts as none.',
      hint,
    )
  }

  /** A word that is the name or alias of two fields: a writer that has both cannot be read. */
  #aliases(record: RecordType): void {
    const owner = new Map([...record.fields.keys()].map(name => [name, name]))
    for (const field of record.fields.values())
      for (const [index, alias] of [...field.aliases].entries()) {
        const pointer = `${field.pointer}/aliases/${index}`
        const other = owner.get(alias)
        if (!fieldName.test(alias))
          this.#warn(
            record,
            pointer,
            'alias_odd',
            `${quoted(alias)} is no valid name, so it stands for nothing.`,
            'Remove it.',
          )
        else if (other !== undefined)
          this.#warn(
            record,
            pointer,
            'alias_odd',
            `The alias ${quoted(alias)} of field ${field.name} is also ${other === alias ? 'a name' : 'an alias'} of ${other === field.name ? 'the same field' : `field ${other}`}.`,
            'Remove it: Avro Java gives up on values whose writer has such a field.',
          )
        else owner.set(alias, field.name)
      }
  }

  #logicalType(type: SchemaType): void {
    const { json } = type
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return
    const { logicalType } = json as { logicalType?: unknown }
    if (logicalType === undefined) return
    const problem =
      typeof logicalType === 'string'
        ? (logicalProblem(logicalType, type.kind, json as Record<string, unknown>) ?? sizeProblem(logicalType, type))
        : 'a logical type is not text'
    if (problem === null) return
    const hint = 'Values are read as the plain type.'
    this.#warn(
      type,
      `${type.pointer}/logicalType`,
      'logical_type_ignored',
      `This logical type is ignored: ${problem}.`,
      hint,
    )
  }
}

function sizeProblem(logicalType: string, type: SchemaType): string | null {
  if (type.kind !== 'fixed') return null
  if (logicalType === 'uuid') return type.size === 16 ? null : 'a uuid has 16 bytes'
  if (logicalType === 'duration') return type.size === 12 ? null : 'a duration has 12 bytes'
  if (logicalType !== 'decimal') return null
  const most = Math.floor(Math.log10(2) * (8 * type.size - 1))
  const { precision } = type.json as { precision: number }
  return precision > most ? `${type.size} bytes hold ${most} digits, not ${precision}` : null
}

function oddDefault({ default: value, type, json }: RecordField, fit: DefaultFit): OddDefault | null {
  if (typeof value === 'string' && (type.kind === 'float' || type.kind === 'double') && isDoubleText(value))
    return ['the default is text, which only Avro Java reads as a number.', 'Write a number without quotes.']
  if (type.kind !== 'union') return oddText(value, type)
  const [first] = type.branches
  if (first && fit.wrong(json, 'default', first) === null) return oddText(value, first)
  return [
    'the default does not fit the first branch of the union.',
    'Put the branch of the default first: Avro before 1.12, and libraries such as avsc, take no other.',
  ]
}

function oddText(value: unknown, type: SchemaType): OddDefault | null {
  if (typeof value !== 'string') return null
  if (type.kind === 'enum' && !type.symbols.has(value))
    return ['the default is none of the symbols.', 'Registries do not look; readers fail when they need it.']
  if ((type.kind === 'bytes' || type.kind === 'fixed') && /[^\u0000-\u00ff]/.test(value))
    return ['the default has characters beyond U+00FF.', 'Each byte is written as one character, U+0000 to U+00FF.']
  if (type.kind === 'fixed' && value.length !== (type as FixedType).size)
    return [`the default has ${value.length} bytes, the type ${type.size}.`, 'Write one character for each byte.']
  return null
}

/** True for a record that holds itself without a union, array or map between. */
function holdsItself(record: RecordType): boolean {
  const seen = new Set<RecordType>()
  const stack = [record]
  for (let each = stack.pop(); each; each = stack.pop())
    for (const { type } of each.fields.values()) {
      if (type === record) return true
      if (type.kind !== 'record' || seen.has(type)) continue
      seen.add(type)
      stack.push(type)
    }
  return false
}
