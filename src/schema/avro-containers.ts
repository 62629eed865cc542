// Our avsc types that hold others: records and maps as plain objects, unions that take bigints and look at own members only.
import { WeirError } from '../core/errors.ts'
import {
  type AvroType,
  base,
  type Hook,
  nullObject,
  Refused,
  type ResolveOptions,
  type Resolver,
  refuse,
  type Tap,
} from './avro-base.ts'
import { checkUtf8 } from './avro-scalars.ts'

export class PlainMap extends base.MapType {
  declare readonly valuesType: AvroType

  override _read(tap: Tap): Record<string, unknown> {
    const values = this.valuesType
    // Without a prototype every key is data, `__proto__` too.
    const result: Record<string, unknown> = Object.create(null)
    for (let count = tap.readLong(); count !== 0; count = tap.readLong()) {
      if (count < 0) {
        count = -count
        tap.readLong()
      }
      while (count-- > 0) {
        const at = tap.pos
        const key = tap.readString()
        if (key.includes('\ufffd')) checkUtf8(tap, at)
        if (key in result)
          throw new WeirError('decode.invalid', 'a key stands twice in a map', {
            at: `byte ${at}`,
            hint: 'The writer must write each key once: which value counts is not defined.',
          })
        result[key] = values._read(tap)
      }
    }
    return result
  }

  override _check(value: unknown, flags?: number, hook?: Hook, path?: string[]): boolean {
    return super._check(value, flags, hook, path) && (isWellFormedKeys(value as object) || refuse(hook, value, this))
  }

  override _write(tap: Tap, value: unknown): void {
    if (typeof value === 'object' && value !== null && !isWellFormedKeys(value)) throw new Refused()
    super._write(tap, value)
  }

  override _copy(value: unknown, options?: unknown): unknown {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Refused()
    return nullObject(Object.entries(value).map(([key, item]) => [key, this.valuesType._copy(item, options)]))
  }
}

function isWellFormedKeys(value: object): boolean {
  for (const key of Object.keys(value)) if (!key.isWellFormed()) return false
  return true
}

interface RecordField {
  readonly name: string
  readonly type: AvroType
  readonly aliases: readonly string[]
  defaultValue(): unknown
}

interface Reading {
  read(tap: Tap): unknown
  /** The field of the reader, -1 for bytes to pass over. */
  readonly target: number
  /** True when the same bytes are read again for another field of the reader. */
  readonly again: boolean
}

export class PlainRecord extends base.RecordType {
  declare readonly name: string
  declare readonly aliases: readonly string[]
  declare readonly fields: readonly RecordField[]
  declare readonly recordConstructor: new (
    ...values: unknown[]
  ) => unknown

  // avsc names its generated functions after the record, where a name could shadow a field.
  _getConstructorName(): string {
    return 'Record$'
  }

  _createConstructor(): unknown {
    const inherited = Object.getPrototypeOf(PlainRecord.prototype) as {
      _createConstructor(a: unknown, b: boolean): unknown
    }
    const create = inherited._createConstructor.call(this, undefined, true) as { prototype: unknown }
    create.prototype = Object.prototype
    return create
  }

  /** avsc's own looks fields up in objects with inherited members. */
  override _update(resolver: Resolver, writer: AvroType, options: ResolveOptions): void {
    if (!(writer instanceof PlainRecord)) return
    if (!namesOf(this).has(unqualified(writer.name))) throw new Error(`the records have different names`)
    const readings = this.#readings(writer, options)
    const count = this.fields.length
    const create = this.recordConstructor
    resolver._read = tap => {
      // A field left undefined gets its default from the constructor.
      const values = new Array<unknown>(count).fill(undefined)
      for (let i = 0; i < readings.length; i++) {
        const { read, target, again } = readings[i]!
        const start = tap.pos
        const value = read(tap)
        if (target !== -1) values[target] = value
        if (again) tap.pos = start
      }
      return new create(...values)
    }
  }

  #readings(writer: PlainRecord, options: ResolveOptions): readonly Reading[] {
    const targets = new Map<RecordField, number[]>()
    const written = new Map(writer.fields.map(field => [field.name, field]))
    this.fields.forEach((field, index) => {
      const source = [field.name, ...field.aliases].map(name => written.get(name)).find(found => found !== undefined)
      if (source) targets.set(source, [...(targets.get(source) ?? []), index])
      else if (field.defaultValue() === undefined)
        throw new Error(`the field ${field.name} is not written and has no default`)
    })
    return writer.fields.flatMap((field): Reading[] => {
      const indices = targets.get(field)
      if (!indices) return [{ read: tap => field.type._skip(tap), target: -1, again: false }]
      return indices.map((target, i) => {
        const inner = this.fields[target]!.type.createResolver(field.type, options) as { _read(tap: Tap): unknown }
        return { read: tap => inner._read(tap), target, again: i < indices.length - 1 }
      })
    })
  }
}

function unqualified(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

function namesOf(record: PlainRecord): ReadonlySet<string> {
  return new Set([record.name, ...record.aliases].map(unqualified))
}

interface UnionInternals {
  readonly types: readonly AvroType[]
  readonly _bucketIndices: Record<string, number | undefined>
  readonly _branchIndices: Record<string, number | undefined>
}

export class Union extends base.UnwrappedUnionType {
  declare readonly types: UnionInternals['types']
  declare readonly _bucketIndices: UnionInternals['_bucketIndices']

  /** Which branch takes the value. */
  _getIndex(value: unknown): number | undefined {
    switch (typeof value) {
      case 'string':
        return this._bucketIndices['string']
      case 'number':
      case 'bigint':
        return this._bucketIndices['number']
      case 'boolean':
        return this._bucketIndices['boolean']
      case 'object':
        if (value === null) return this._bucketIndices['null']
        if (Array.isArray(value)) return this._bucketIndices['array']
        return this._bucketIndices[value instanceof Uint8Array ? 'buffer' : 'object']
    }
    return undefined
  }

  override _update(resolver: Resolver, writer: AvroType, options: ResolveOptions): void {
    const found = firstMatch(this.types, writer, options)
    if (found) resolver._read = tap => found.inner._read(tap)
  }
}

/** The branch of the same name where there is one, so that nothing is promoted without need; else the first that can read the writer's type. */
function firstMatch(types: readonly AvroType[], writer: AvroType, options: ResolveOptions) {
  const name = branchNameOf(writer)
  for (const type of [...types].sort((a, b) => Number(branchNameOf(b) === name) - Number(branchNameOf(a) === name))) {
    try {
      return { type, inner: type.createResolver(writer, options) as { _read(tap: Tap): unknown } }
    } catch {}
  }
  return null
}

function branchNameOf(type: AvroType): string {
  return (type as unknown as { branchName: string }).branchName
}

/** Values of a union whose branches look alike: null, or an object whose one key is the name of the branch. */
export class NamedUnion extends base.WrappedUnionType {
  declare readonly types: UnionInternals['types']

  constructor(schema: unknown, options: unknown) {
    super(schema, options)
    Object.setPrototypeOf((this as unknown as UnionInternals)._branchIndices, null)
  }

  override _read(tap: Tap): unknown {
    const type = this.types[tap.readLong()]!
    return type.typeName === 'null' ? null : named(type, type._read(tap))
  }

  override _write(tap: Tap, value: unknown): void {
    if (value !== null && typeof value !== 'object') throw new Refused()
    super._write(tap, value)
  }

  override _update(resolver: Resolver, writer: AvroType, options: ResolveOptions): void {
    const found = firstMatch(this.types, writer, options)
    if (!found) return
    const { type, inner } = found
    resolver._read = type.typeName === 'null' ? () => null : tap => named(type, inner._read(tap))
  }

  override _copy(value: unknown, options?: unknown): unknown {
    const copy = super._copy(value, options)
    return copy === null ? null : { ...(copy as object) }
  }
}

function named(type: AvroType, value: unknown): Record<string, unknown> {
  return { [branchNameOf(type)]: value }
}
