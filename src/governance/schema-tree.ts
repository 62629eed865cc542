// An Avro schema as a registry sees it: every type with the place where it is written. A recursive schema is a cyclic graph of these.
import type { PrimitiveKind } from '../schema/tree.ts'

interface Written {
  /** JSON pointer of the definition in the text it is written in; '' is the root. */
  readonly pointer: string
  /** The name of the schema reference whose text holds it; null for the schema itself. */
  readonly reference: string | null
  /** As written: the attributes, or a type's name. */
  readonly json: unknown
  /** Its number among the types of its schema, from 0. */
  readonly index: number
}

interface Named extends Written {
  /** With the namespace. */
  readonly fullName: string
  /** Without the namespace. */
  readonly name: string
  /** Full names. */
  readonly aliases: ReadonlySet<string>
}

export interface PrimitiveType extends Written {
  readonly kind: PrimitiveKind
}

export interface ArrayType extends Written {
  readonly kind: 'array'
  readonly items: SchemaType
}

export interface MapType extends Written {
  readonly kind: 'map'
  readonly values: SchemaType
}

export interface UnionType extends Written {
  readonly kind: 'union'
  readonly branches: readonly SchemaType[]
}

export interface EnumType extends Named {
  readonly kind: 'enum'
  readonly symbols: ReadonlySet<string>
  readonly default: string | null
}

export interface FixedType extends Named {
  readonly kind: 'fixed'
  /** Bytes. */
  readonly size: number
}

export interface RecordField {
  readonly name: string
  /** JSON pointer of the field. Its type stands at `/type` below it. */
  readonly pointer: string
  readonly type: SchemaType
  readonly aliases: ReadonlySet<string>
  readonly doc: string | null
  readonly hasDefault: boolean
  /** As written; whole numbers beyond 2^53 are bigint. undefined without a default. */
  readonly default: unknown
  readonly order: 'ascending' | 'descending' | 'ignore'
  readonly json: Readonly<Record<string, unknown>>
}

export interface RecordType extends Named {
  /** An `error` of a protocol is a record too. */
  readonly kind: 'record'
  readonly doc: string | null
  readonly fields: ReadonlyMap<string, RecordField>
}

export type NamedType = RecordType | EnumType | FixedType
export type SchemaType = PrimitiveType | ArrayType | MapType | UnionType | NamedType

/** A schema whose names are all resolved. */
export interface NamedSchema {
  readonly text: string
  /** The text as JSON; whole numbers beyond 2^53 are bigint. */
  readonly json: unknown
  readonly root: SchemaType
  /** By full name, in the order in which they are defined, those of references first. */
  readonly types: ReadonlyMap<string, NamedType>
}

/** A schema that another one refers to by the names it defines. */
export interface ReferencedSchema {
  readonly name: string
  readonly text: string
}

/** The name of a type as a branch of a union: its full name, or its kind. */
export function branchNameOf(type: SchemaType): string {
  return 'fullName' in type ? type.fullName : type.kind
}
