// What a schema means for bytes, as a text and as fingerprints of it: https://avro.apache.org/docs/1.12.0/specification/#schema-fingerprints
import { createHash } from 'node:crypto'
import { ordered, parseSchemaJson, printJson } from '../schema/json-text.ts'
import { readNamedSchema } from './named-schema.ts'
import type { NamedSchema, SchemaType } from './schema-tree.ts'

/** Lower-case hex. */
export interface Fingerprints {
  /** CRC-64-AVRO (Rabin) as a number of 64 bits: the bytes in a single-object encoding stand the other way round. */
  readonly crc64: string
  readonly md5: string
  readonly sha256: string
}

/** The Parsing Canonical Form: what matters for reading bytes, always in the same words. */
export function parsingCanonicalForm(schema: NamedSchema): string {
  return canonical(schema.root, new Set())
}

/** Of the Parsing Canonical Form. */
export function fingerprintsOf(schema: NamedSchema): Fingerprints {
  const form = Buffer.from(parsingCanonicalForm(schema))
  const digest = (algorithm: string) => createHash(algorithm).update(form).digest('hex')
  return { crc64: rabin(form).toString(16).padStart(16, '0'), md5: digest('md5'), sha256: digest('sha256') }
}

/**
 * True when both texts describe the same bytes and values: equal Parsing Canonical Forms, and equal logical types, precisions and scales,
 * which change what values mean. A text that is no schema counts as it stands.
 */
export function sameSchema(a: string, b: string): boolean {
  return a === b || meaningOf(a) === meaningOf(b)
}

function canonical(type: SchemaType, named: Set<SchemaType | string>): string {
  switch (type.kind) {
    case 'array':
      return `{"type":"array","items":${canonical(type.items, named)}}`
    case 'map':
      return `{"type":"map","values":${canonical(type.values, named)}}`
    case 'union':
      return `[${type.branches.map(branch => canonical(branch, named)).join(',')}]`
    case 'record':
    case 'enum':
    case 'fixed': {
      const name = JSON.stringify(type.fullName)
      if (named.has(type.fullName)) return name
      named.add(type.fullName)
      const start = `{"name":${name},"type":"${type.kind}"`
      if (type.kind === 'fixed') return `${start},"size":${type.size}}`
      if (type.kind === 'enum') return `${start},"symbols":${JSON.stringify([...type.symbols])}}`
      const fields = [...type.fields.values()].map(
        field => `{"name":${JSON.stringify(field.name)},"type":${canonical(field.type, named)}}`,
      )
      return `${start},"fields":[${fields.join(',')}]}`
    }
    default:
      return `"${type.kind}"`
  }
}

const empty = 0xc15d213aa4d7a795n
let table: readonly bigint[] | undefined

function rabin(bytes: Uint8Array): bigint {
  table ??= Array.from({ length: 256 }, (_, byte) => {
    let value = BigInt(byte)
    for (let i = 0; i < 8; i++) value = (value >> 1n) ^ (value & 1n ? empty : 0n)
    return value
  })
  let result = empty
  for (const byte of bytes) result = (result >> 8n) ^ table[Number(result & 0xffn) ^ byte]!
  return result
}

function meaningOf(text: string): string {
  const { schema } = readNamedSchema(text)
  if (schema) return `${parsingCanonicalForm(schema)} ${logicOf(schema.json).join(' ')}`
  try {
    return printJson(ordered(parseSchemaJson(text)))
  } catch {
    return text
  }
}

const logicKeys = ['logicalType', 'precision', 'scale']

/** The logical attributes in the order in which they stand. Defaults are data and do not count. */
function logicOf(json: unknown): string[] {
  if (Array.isArray(json)) return json.flatMap(logicOf)
  if (typeof json !== 'object' || json === null) return []
  return Object.entries(json).flatMap(([key, value]) =>
    logicKeys.includes(key) ? [`${key}=${String(value)}`] : key === 'default' ? [] : logicOf(value),
  )
}
