// Our own avsc types, where avsc's lose data: longs over the whole 64-bit range, records and maps as plain objects, strings that
// must be Unicode, enums and unions whose lookups see no inherited members. Made from checked nodes, with full names throughout.
import { isUtf8 } from 'node:buffer'
import avro from 'avsc'
import { WeirError } from '../core/errors.ts'
import { isAmbiguous, type RecordNode, type SchemaNode } from './tree.ts'

/** What avsc hands to the methods below: bytes and a position that moves. */
interface Tap {
  buf: Buffer
  pos: number
  readLong(): number
  writeLong(value: number): void
  writeString(value: string): void
  writeBytes(value: Buffer): void
  writeFixed(value: Buffer, size: number): void
  readString(): string
}

interface Resolver {
  _read: ((tap: Tap) => unknown) | null
}

interface ResolveOptions {
  ignoreNamespaces: boolean
}

type Hook = ((value: unknown, type: unknown) => void) | undefined

/** The part of avsc's types that weir uses; its own typings leave the underscored methods out. */
export interface AvroType {
  readonly typeName: string
  decode(buf: Buffer, pos: number, resolver?: unknown): { value: unknown; offset: number }
  encode(value: unknown, buf: Buffer, pos: number): number
  isValid(value: unknown, options: { errorHook: (path: string[], value: unknown, type: AvroType) => void }): boolean
  createResolver(writer: AvroType, options: ResolveOptions): unknown
  _check(value: unknown, flags?: number, hook?: Hook, path?: string[]): boolean
  _read(tap: Tap): unknown
  _write(tap: Tap, value: unknown): void
  _update(resolver: Resolver, type: AvroType, options?: ResolveOptions): void
  _copy(value: unknown, options?: unknown): unknown
}

interface AvroTypeConstructor {
  new (schema?: unknown, options?: unknown): AvroType
}

const base = avro.types as unknown as Record<
  | 'LongType'
  | 'FloatType'
  | 'DoubleType'
  | 'StringType'
  | 'BytesType'
  | 'FixedType'
  | 'EnumType'
  | 'MapType'
  | 'RecordType'
  | 'UnwrappedUnionType'
  | 'WrappedUnionType',
  AvroTypeConstructor
>

const minLong = -(2n ** 63n)
const maxLong = 2n ** 63n - 1n

class Refused extends Error {}

function refuse(hook: Hook, value: unknown, type: unknown): false {
  hook?.(value, type)
  return false
}

class Long extends base.LongType {
  override _check(value: unknown, _flags?: number, hook?: Hook): boolean {
    if (typeof value === 'bigint' ? value >= minLong && value <= maxLong : Number.isSafeInteger(value)) return true
    return refuse(hook, value, this)
  }

  override _write(tap: Tap, value: unknown): void {
    if (typeof value === 'number') {
      if (!Number.isSafeInteger(value)) throw new Refused()
      // avsc's arithmetic is exact from -2^52 up.
      if (value > -4503599627370496) tap.writeLong(value)
      else writeBigLong(tap, BigInt(value))
    } else if (typeof value === 'bigint' && value >= minLong && value <= maxLong) writeBigLong(tap, value)
    else throw new Refused()
  }

  override _read(tap: Tap): bigint | number {
    return readBigLong(tap)
  }

  override _update(resolver: Resolver, type: AvroType): void {
    if (type.typeName === 'int') resolver._read = tap => BigInt(type._read(tap) as number)
    else if (type.typeName === 'long') resolver._read = tap => this._read(tap)
  }

  /** Defaults arrive as JSON. */
  override _copy(value: unknown): unknown {
    return typeof value === 'number' ? BigInt(value) : value
  }
}

class MillisLong extends Long {
  override _read(tap: Tap): bigint | number {
    const value = readBigLong(tap)
    const ms = Number(value)
    return Number.isSafeInteger(ms) ? ms : value
  }

  override _update(resolver: Resolver, type: AvroType): void {
    if (type.typeName === 'int') resolver._read = type._read.bind(type)
    else if (type.typeName === 'long') resolver._read = tap => this._read(tap)
  }

  override _copy(value: unknown): unknown {
    const ms = Number(value)
    return Number.isSafeInteger(ms) ? ms : value
  }
}

function readBigLong(tap: Tap): bigint {
  const { buf } = tap
  const start = tap.pos
  let last = start
  while (buf[last]! >= 0x80) last++
  if (last - start < 7) return BigInt(tap.readLong())
  let raw = 0n
  for (let i = last; i >= start; i--) raw = (raw << 7n) | BigInt(buf[i]! & 0x7f)
  tap.pos = last + 1
  raw = BigInt.asUintN(64, raw)
  return raw & 1n ? -(raw >> 1n) - 1n : raw >> 1n
}

function writeBigLong(tap: Tap, value: bigint): void {
  let raw = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
  const { buf } = tap
  while (raw >= 0x80n) {
    buf[tap.pos++] = Number(raw & 0x7fn) | 0x80
    raw >>= 7n
  }
  buf[tap.pos++] = Number(raw)
}

function readAsNumber(tap: Tap): number {
  return Number(readBigLong(tap))
}

class Float extends base.FloatType {
  override _update(resolver: Resolver, type: AvroType): void {
    if (type.typeName === 'long') resolver._read = tap => Math.fround(readAsNumber(tap))
    else super._update(resolver, type)
  }
}

class Double extends base.DoubleType {
  override _update(resolver: Resolver, type: AvroType): void {
    if (type.typeName === 'long') resolver._read = readAsNumber
    else super._update(resolver, type)
  }
}

class Text extends base.StringType {
  override _check(value: unknown, _flags?: number, hook?: Hook): boolean {
    return (typeof value === 'string' && value.isWellFormed()) || refuse(hook, value, this)
  }

  override _write(tap: Tap, value: unknown): void {
    if (typeof value !== 'string' || !value.isWellFormed()) throw new Refused()
    tap.writeString(value)
  }

  override _read(tap: Tap): string {
    const start = tap.pos
    const text = tap.readString()
    if (text.includes('\ufffd')) checkUtf8(tap, start)
    return text
  }

  override _update(resolver: Resolver, type: AvroType): void {
    if (type.typeName === 'string' || type.typeName === 'bytes') resolver._read = tap => this._read(tap)
  }
}

/** U+FFFD stands in the text, or stands for bytes that are not UTF-8. */
function checkUtf8(tap: Tap, start: number): void {
  const end = tap.pos
  tap.pos = start
  const length = tap.readLong()
  tap.pos = end
  if (isUtf8(tap.buf.subarray(end - length, end))) return
  throw new WeirError('decode.invalid', 'a string is not valid UTF-8', {
    at: `byte ${end - length}`,
    hint: 'The writer put other bytes where its schema says string.',
  })
}

function bufferOf(value: unknown): Buffer | null {
  if (Buffer.isBuffer(value)) return value
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : null
}

class Bytes extends base.BytesType {
  override _check(value: unknown, _flags?: number, hook?: Hook): boolean {
    return value instanceof Uint8Array || refuse(hook, value, this)
  }

  override _write(tap: Tap, value: unknown): void {
    const bytes = bufferOf(value)
    if (bytes === null) throw new Refused()
    tap.writeBytes(bytes)
  }
}

class Fixed extends base.FixedType {
  declare readonly size: number

  override _check(value: unknown, _flags?: number, hook?: Hook): boolean {
    return (value instanceof Uint8Array && value.length === this.size) || refuse(hook, value, this)
  }

  override _write(tap: Tap, value: unknown): void {
    const bytes = bufferOf(value)
    if (bytes === null || bytes.length !== this.size) throw new Refused()
    if (this.size > 0) tap.writeFixed(bytes, this.size)
  }
}

class Enum extends base.EnumType {
  declare readonly _indices: Record<string, number>

  constructor(schema: unknown, options: unknown) {
    super(schema, options)
    Object.setPrototypeOf(this._indices, null)
  }

  override _check(value: unknown, _flags?: number, hook?: Hook): boolean {
    return (typeof value === 'string' && this._indices[value] !== undefined) || refuse(hook, value, this)
  }

  override _write(tap: Tap, value: unknown): void {
    const index = typeof value === 'string' ? this._indices[value] : undefined
    if (index === undefined) throw new Refused()
    tap.writeLong(index)
  }
}

class PlainMap extends base.MapType {
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

function nullObject(entries: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const result: Record<string, unknown> = Object.create(null)
  for (const [key, value] of entries) result[key] = value
  return result
}

function isWellFormedKeys(value: object): boolean {
  for (const key of Object.keys(value)) if (!key.isWellFormed()) return false
  return true
}

class PlainRecord extends base.RecordType {
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
}

interface UnionInternals {
  readonly types: readonly AvroType[]
  readonly _bucketIndices: Record<string, number | undefined>
  readonly _branchIndices: Record<string, number | undefined>
}

class Union extends base.UnwrappedUnionType {
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
class NamedUnion extends base.WrappedUnionType {
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

interface Made {
  readonly make: (options: unknown) => AvroType
}

/** The avsc type of a record. Types of two calls share nothing. @throws schema.invalid */
export function toAvroType(root: RecordNode): AvroType {
  const defined = new Set<string>()
  const typeHook = (schema: unknown, options: unknown) =>
    typeof schema === 'object' && schema !== null && 'make' in schema ? (schema as Made).make(options) : undefined
  try {
    return avro.Type.forSchema(toSchema(root, defined) as never, { typeHook } as never) as unknown as AvroType
  } catch (error) {
    throw new WeirError('schema.invalid', 'the schema cannot be compiled', { cause: error })
  }
}

/** The node in avsc's terms: our types by a hook, names in full, each definition once. */
function toSchema(node: SchemaNode, defined: Set<string>): unknown {
  switch (node.kind) {
    case 'null':
    case 'boolean':
    case 'int':
      return node.kind
    case 'long':
      return made(isMillis(node.logicalType) ? MillisLong : Long, undefined)
    case 'float':
      return made(Float, undefined)
    case 'double':
      return made(Double, undefined)
    case 'string':
      return made(Text, undefined)
    case 'bytes':
      return made(Bytes, undefined)
    case 'array':
      return { type: 'array', items: toSchema(node.items, defined) }
    case 'map':
      return made(PlainMap, { type: 'map', values: toSchema(node.values, defined) })
    case 'union':
      return made(
        isAmbiguous(node) ? NamedUnion : Union,
        node.branches.map(branch => toSchema(branch, defined)),
      )
  }
  if (defined.has(node.fullName)) return node.fullName
  defined.add(node.fullName)
  const name = { name: node.fullName, namespace: '', aliases: node.aliases }
  if (node.kind === 'enum')
    return made(Enum, {
      type: 'enum',
      ...name,
      symbols: node.symbols,
      ...(node.default === null ? {} : { default: node.default }),
    })
  if (node.kind === 'fixed') return made(Fixed, { type: 'fixed', ...name, size: node.size })
  const fields = node.fields.map(field => ({
    name: field.name,
    aliases: field.aliases,
    type: toSchema(field.node, defined),
    ...(field.hasDefault ? { default: toDefault(field.default, field.node) } : {}),
  }))
  return made(PlainRecord, { type: 'record', ...name, fields })
}

function made(Type: AvroTypeConstructor, schema: unknown): Made {
  return { make: options => new Type(schema, options) }
}

function isMillis(logicalType: string | null): boolean {
  return logicalType === 'timestamp-millis' || logicalType === 'local-timestamp-millis'
}

/** Whole numbers beyond 2^53 stay bigint only where a long takes them. */
function toDefault(value: unknown, node: SchemaNode): unknown {
  switch (node.kind) {
    case 'float':
    case 'double':
      return typeof value === 'bigint' ? Number(value) : value
    case 'array':
      return (value as unknown[]).map(item => toDefault(item, node.items))
    case 'map':
      return nullObject(Object.entries(value as object).map(([key, item]) => [key, toDefault(item, node.values)]))
    case 'union':
      return toDefault(value, node.branches[0]!)
    case 'record':
      return nullObject(
        node.fields
          .filter(field => Object.hasOwn(value as object, field.name))
          .map(field => [field.name, toDefault((value as Record<string, unknown>)[field.name], field.node)]),
      )
    default:
      return value
  }
}
