// Whether a default fits its type by the rules of Avro Java 1.12: any branch of a union, whole numbers in the range of their type, and no
// look into texts, so that an enum's, fixed's or bytes' default is any text.
import { isObject } from '../core/json-text.ts'
import type { Fractions } from '../schema/json-text.ts'
import type { LateName } from './definition-equality.ts'
import type { SchemaProblem } from './problem.ts'
import type { SchemaType } from './schema-tree.ts'

export type WrongDefault = Omit<SchemaProblem, 'reference'>

/** Values that are looked at, over all defaults of a schema: each branch of a union looks anew. */
const maxSteps = 1_000_000
const doubleText =
  /^[+-]?(?:NaN|Infinity|(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?\d+)[fFdD]?)$/

/** Texts that Java reads as a double: allowed as the default of a field of type float or double. */
export function isDoubleText(text: string): boolean {
  return doubleText.test(text.trim())
}

/** Checks the defaults of one schema. */
export class DefaultFit {
  readonly #fractions: Fractions
  readonly #isOpen: (type: SchemaType) => boolean
  #steps = 0

  /** `isOpen`: true for a record that cannot have a value yet. */
  constructor(fractions: Fractions, isOpen: (type: SchemaType) => boolean = () => false) {
    this.#fractions = fractions
    this.#isOpen = isOpen
  }

  /** What is wrong with `holder[key]` as a value of the type, its pointer inside the value; null when it fits. */
  wrong(holder: object, key: string, type: SchemaType): WrongDefault | null {
    return this.#wrong((holder as Record<string, unknown>)[key], type, holder, key, '')
  }

  #wrong(value: unknown, type: SchemaType, holder: object, key: string, at: string): WrongDefault | null {
    if (++this.#steps > maxSteps) return tooMuch(at)
    const misfit = () => wrong(at, `the default is ${kindOf(value)}, expected ${nameOf(type)}.`)
    const isWhole = () =>
      typeof value === 'bigint' ||
      (typeof value === 'number' && Number.isInteger(value) && !this.#fractions.get(holder)?.has(key))
    switch (type.kind) {
      case 'null':
        return value === null ? null : misfit()
      case 'boolean':
        return typeof value === 'boolean' ? null : misfit()
      case 'int':
        return isWhole() && BigInt.asIntN(32, BigInt(value as number)) === BigInt(value as number) ? null : misfit()
      case 'long':
        return isWhole() && BigInt.asIntN(64, BigInt(value as number)) === BigInt(value as number) ? null : misfit()
      case 'float':
      case 'double':
        return typeof value === 'number' || typeof value === 'bigint' ? null : misfit()
      case 'string':
      case 'bytes':
      case 'enum':
      case 'fixed':
        return typeof value === 'string' ? null : misfit()
      case 'array':
        if (!Array.isArray(value)) return misfit()
        return this.#first(value.keys(), index =>
          this.#wrong(value[index], type.items, value, String(index), `${at}/${index}`),
        )
      case 'map':
        if (!isObject(value)) return misfit()
        return this.#first(Object.keys(value), name =>
          this.#wrong(
            value[name],
            type.values,
            value,
            name,
            `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
          ),
        )
      case 'union':
        for (const branch of type.branches) {
          const found = this.#wrong(value, branch, holder, key, at)
          if (found?.code !== 'default_invalid') return found
        }
        return misfit()
      case 'record':
        if (!isObject(value)) return misfit()
        if (this.#isOpen(type)) return tooEarly(at, type.fullName)
        return this.#first(type.fields.values(), field => {
          if (Object.hasOwn(value, field.name))
            return this.#wrong(value[field.name], field.type, value, field.name, `${at}/${field.name}`)
          // A field's own default is checked where it stands.
          return field.hasDefault ? null : wrong(at, `the default lacks the field ${field.name}.`)
        })
      default:
        // A name that is not defined yet: Java holds an empty record in its place.
        return (type as LateName).isHole || isObject(value) ? null : misfit()
    }
  }

  #first<T>(items: Iterable<T>, check: (item: T) => WrongDefault | null): WrongDefault | null {
    for (const item of items) {
      const found = check(item)
      if (found) return found
    }
    return null
  }
}

function wrong(pointer: string, message: string): WrongDefault {
  const hint =
    'A default must fit the type, or one branch of a union; numbers have no quotes, and null is written null.'
  return { severity: 'error', code: 'default_invalid', pointer, message, hint }
}

function tooMuch(pointer: string): WrongDefault {
  const hint = 'Make the defaults smaller, or their unions.'
  const message = 'the defaults of the schema take too long to be checked.'
  return { severity: 'error', code: 'limit', pointer, message, hint }
}

function tooEarly(pointer: string, fullName: string): WrongDefault {
  return {
    severity: 'error',
    code: 'default_too_early',
    pointer,
    message: `the default is a value of ${fullName}, which is still being defined there.`,
    hint: 'Avro Java, and so a registry, cannot read such a default: use null or an empty list.',
  }
}

function nameOf(type: SchemaType): string {
  if ((type.kind as string) === 'late')
    return `${(type as unknown as LateName).fullName}, which is defined further down: before its definition only an object can be its default`
  if (type.kind === 'union') return type.branches.map(nameOf).join(' or ')
  return 'fullName' in type ? `${type.kind} ${type.fullName}` : type.kind
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : typeof value === 'string' ? 'text' : `a ${typeof value}`
}
