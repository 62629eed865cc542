// What a client sent: path, query and body as values, or a refusal in Confluent's numbers.
import { RegistryRefusal, refusals } from '../adapters/registry-embedded/refusal.ts'
import type { SchemaRequest } from '../adapters/registry-embedded/registering.ts'
import type { SchemaMetadata, SchemaReference } from '../adapters/registry-embedded/rows.ts'
import { isObject } from '../core/json-text.ts'
import { maxSchemaBytes } from '../schema/json-text.ts'

type Json = Record<string, unknown>

export interface Query {
  /** True for `true`, in any case; anything else is false. */
  flag(name: string): boolean
  text(name: string): string
  /** @throws 404 for what is no whole number */
  whole(name: string, otherwise: number): number
}

const maxInt = 2 ** 31 - 1
const maxSubjectLength = 255

export function queryOf(query: unknown): Query {
  const one = (name: string) => {
    const value = isObject(query) ? query[name] : undefined
    const first = Array.isArray(value) ? value[0] : value
    return typeof first === 'string' ? first : ''
  }
  return {
    flag: name => one(name).toLowerCase() === 'true',
    text: one,
    whole: (name, otherwise) => {
      const text = one(name)
      if (text === '') return otherwise
      if (!/^-?\d{1,9}$/.test(text)) throw noSuchRoute()
      return Number(text)
    },
  }
}

/** As the framework of Confluent's registry says it. */
export const noSuchRoute = () => new RegistryRefusal(404, 'HTTP 404 Not Found')

/** @throws 42202 */
export function versionIn(text: string): number | 'latest' {
  const word = text.trim().toLowerCase()
  if (word === 'latest' || word === '-1') return 'latest'
  const version = /^\+?\d{1,10}$/.test(word) ? Number(word) : 0
  if (version < 1 || version > maxInt) throw refusals.invalidVersion(text)
  return version
}

/** @throws 404 */
export function idIn(text: string): number {
  if (!/^[+-]?\d{1,10}$/.test(text) || Math.abs(Number(text)) > maxInt) throw noSuchRoute()
  return Number(text)
}

/** A subject that may come to be. @throws 42208 */
export function subjectIn(subject: string): string {
  if (
    subject.length >= 1 &&
    subject.length <= maxSubjectLength &&
    subject !== '.' &&
    subject !== '..' &&
    subject !== '__GLOBAL' &&
    subject !== '__EMPTY' &&
    // One of another context. This registry has one only.
    !subject.startsWith(':.') &&
    !/[\u0000-\u001f\u007f-\u009f]/.test(subject) &&
    subject.isWellFormed()
  )
    return subject
  throw refusals.invalidSubject(subject.length > maxSubjectLength ? `${subject.slice(0, 40)}…` : subject)
}

/** @throws 400, 422, 42201, 42210 */
export function schemaRequestIn(body: unknown, normalize: boolean): SchemaRequest {
  const json = objectIn(body)
  const { schema, schemaType, references, metadata, ruleSet, id, version } = json
  if (given(schemaType) && (typeof schemaType !== 'string' || schemaType !== 'AVRO'))
    throw refusals.invalidSchema(`Invalid schema type ${shown(schemaType)}`)
  if (given(ruleSet) && !(isObject(ruleSet) && Object.values(ruleSet).every(isEmpty))) throw refusals.noRules()
  return {
    schema: given(schema) ? schemaTextIn(schema) : null,
    references: given(references) ? referencesIn(references) : [],
    metadata: given(metadata) ? metadataIn(metadata) : null,
    normalize,
    id: given(id) ? numberOf(id, 'id', -1) : null,
    version: given(version) ? numberOf(version, 'version', 0) : null,
  }
}

export interface ConfigRequest {
  readonly level?: string
  readonly normalize?: boolean
}

const unsupportedConfig = [
  'alias',
  'validateFields',
  'validateRules',
  'compatibilityGroup',
  'compatibilityPolicy',
  'defaultMetadata',
  'overrideMetadata',
  'defaultRuleSet',
  'overrideRuleSet',
]

/** @throws 400, 422, 42203 */
export function configRequestIn(body: unknown): ConfigRequest {
  const json = objectIn(body)
  for (const field of unsupportedConfig)
    if (given(json[field]) && json[field] !== false) throw refusals.unsupported(field)
  const { compatibility, normalize } = json
  if (given(compatibility) && typeof compatibility !== 'string') throw refusals.invalidLevel()
  if (given(normalize) && typeof normalize !== 'boolean') throw malformed('`normalize` is no boolean')
  return {
    ...(given(compatibility) ? { level: compatibility as string } : {}),
    ...(given(normalize) ? { normalize: normalize as boolean } : {}),
  }
}

/** The mode by its name; null takes away what is set. @throws 400, 422, 42204 */
export function modeRequestIn(body: unknown): string | null {
  const { mode } = objectIn(body)
  if (mode === null) return null
  if (typeof mode !== 'string') throw refusals.invalidMode()
  return mode
}

export const malformed = (message: string) => new RegistryRefusal(400, message)
const unprocessable = (message: string) => new RegistryRefusal(422, message)

const given = (value: unknown) => value !== undefined && value !== null
const isEmpty = (value: unknown) => !given(value) || (Array.isArray(value) && value.length === 0)
const shown = (value: unknown) => (typeof value === 'string' ? value.slice(0, 60) : typeof value)

function objectIn(body: unknown): Json {
  if (body === undefined || body === null) throw unprocessable('The request has no body')
  if (!isObject(body)) throw malformed('The body is no JSON object')
  return body
}

/** @throws 42209 */
function schemaTextIn(value: unknown): string {
  const text = textOf(value, 'schema')
  if (text.length > maxSchemaBytes || Buffer.byteLength(text) > maxSchemaBytes) throw refusals.tooLarge()
  return text
}

/** A number is taken for its digits, as Confluent's JSON reader does; no such text is a schema. */
function textOf(value: unknown, field: string): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw malformed(`\`${field}\` is no string`)
}

/** null for `none`, the value that stands for nothing. */
function numberOf(value: unknown, field: string, none: number): number | null {
  if (value === -1 || value === none) return null
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= maxInt) return value
  throw malformed(`\`${field}\` is no whole number from 0 to ${maxInt}`)
}

const maxReferences = 1000

function referencesIn(value: unknown): SchemaReference[] {
  if (!Array.isArray(value)) throw malformed('`references` is no list')
  if (value.length > maxReferences) throw refusals.invalidSchema(`A schema has ${maxReferences} references at most`)
  return value.map(each => {
    const { name, subject, version } = isObject(each) ? each : ({} as Json)
    if (typeof name !== 'string' || typeof subject !== 'string' || name === '' || subject === '')
      throw refusals.invalidSchema('A reference needs `name`, `subject` and `version`')
    if (
      typeof version !== 'number' ||
      !Number.isSafeInteger(version) ||
      version > maxInt ||
      version < -1 ||
      version === 0
    )
      throw refusals.invalidSchema(`Invalid version in the reference to "${subject}"`)
    return { name, subject, version }
  })
}

const sortedEntries = <T>(record: Json, convert: (value: unknown, key: string) => T): Record<string, T> =>
  Object.fromEntries(
    Object.keys(record)
      .sort()
      .map(key => [key, convert(record[key], key)]),
  )

/** In a form in which the same metadata is the same text. null where it says nothing. */
function metadataIn(value: unknown): SchemaMetadata | null {
  if (!isObject(value)) throw malformed('`metadata` is no object')
  const { tags, properties, sensitive } = value
  const metadata = {
    ...(given(tags) ? { tags: sortedEntries(part(tags, 'tags'), texts) } : {}),
    ...(given(properties) ? { properties: sortedEntries(part(properties, 'properties'), textOf) } : {}),
    ...(given(sensitive) ? { sensitive: texts(sensitive, 'sensitive') } : {}),
  }
  const filled = Object.entries(metadata).filter(([, each]) => Object.keys(each).length > 0)
  return filled.length === 0 ? null : Object.fromEntries(filled)
}

function part(value: unknown, name: string): Json {
  if (isObject(value)) return value
  throw malformed(`\`metadata.${name}\` is no object`)
}

function texts(value: unknown, name: string): string[] {
  if (Array.isArray(value) && value.every(each => typeof each === 'string')) return [...new Set(value)].sort()
  throw malformed(`\`${name}\` is no list of strings`)
}
