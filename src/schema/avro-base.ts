// The part of avsc that our own types extend: its typings leave the methods out that a type is made of.
import avro from 'avsc'

/** What avsc hands to the methods below: bytes and a position that moves. */
export interface Tap {
  buf: Buffer
  pos: number
  readLong(): number
  writeLong(value: number): void
  writeString(value: string): void
  writeBytes(value: Buffer): void
  writeFixed(value: Buffer, size: number): void
  readString(): string
}

export interface Resolver {
  _read: ((tap: Tap) => unknown) | null
}

export interface ResolveOptions {
  ignoreNamespaces: boolean
}

export type Hook = ((value: unknown, type: unknown) => void) | undefined

/** The part of avsc's types that weir uses; its own typings leave the underscored methods out. */
export interface AvroType {
  readonly typeName: string
  decode(buf: Buffer, pos: number, resolver?: unknown): { value: unknown; offset: number }
  encode(value: unknown, buf: Buffer, pos: number): number
  isValid(value: unknown, options: { errorHook: (path: string[], value: unknown, type: AvroType) => void }): boolean
  createResolver(writer: AvroType, options: ResolveOptions): unknown
  _check(value: unknown, flags?: number, hook?: Hook, path?: string[]): boolean
  _read(tap: Tap): unknown
  _skip(tap: Tap): unknown
  _write(tap: Tap, value: unknown): void
  _update(resolver: Resolver, type: AvroType, options?: ResolveOptions): void
  _copy(value: unknown, options?: unknown): unknown
}

export interface AvroTypeConstructor {
  new (schema?: unknown, options?: unknown): AvroType
}

export const base = avro.types as unknown as Record<
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

/** A value that the type does not take; pinpoint.ts says which. */
export class Refused extends Error {}

export function refuse(hook: Hook, value: unknown, type: unknown): false {
  hook?.(value, type)
  return false
}

/** An object in which every key is data, `__proto__` too. */
export function nullObject(entries: Iterable<readonly [string, unknown]>): Record<string, unknown> {
  const result: Record<string, unknown> = Object.create(null)
  for (const [key, value] of entries) result[key] = value
  return result
}
