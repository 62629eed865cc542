// Registering, looking up and checking a schema: what it is, whether it is there, whether it may come in.
import type { Sql } from '../embedded-store/store.ts'
import { type AvroText, readAvro } from './avro.ts'
import { type Objection, objectionTo } from './compatibility.ts'
import { Incompatible } from './port-errors.ts'
import { normalReferences, resolve } from './references.ts'
import { refusals } from './refusal.ts'
import {
  addSchema,
  addVersion,
  allVersions,
  findVersion,
  hardDelete,
  idOf,
  oneVersion,
  referringTo,
  type SchemaContent,
  type SchemaMetadata,
  type SchemaReference,
  type StoredVersion,
  schemaById,
  type VersionHead,
  versionHeads,
} from './rows.ts'
import { inEffect, requireRegistrable, takesForeignIds } from './settings.ts'

export interface SchemaRequest {
  /** null: the text of the latest version. */
  readonly schema: string | null
  readonly references: readonly SchemaReference[]
  /** null: that of the latest version. */
  readonly metadata: SchemaMetadata | null
  readonly normalize: boolean
  /** With an id of elsewhere; in modes IMPORT and FORWARD only. */
  readonly id: number | null
  /** null: the next one. */
  readonly version: number | null
}

export const plainRequest = (schema: string): SchemaRequest => ({
  schema,
  references: [],
  metadata: null,
  normalize: false,
  id: null,
  version: null,
})

interface Candidate {
  readonly content: SchemaContent
  readonly avro: AvroText
}

/** The version that is there already, or null. @throws 42201 */
export function find(sql: Sql, subject: string, request: SchemaRequest, withDeleted: boolean): StoredVersion | null {
  return findVersion(sql, subject, candidateOf(sql, subject, request).content, withDeleted)
}

/** @throws 40901, 42201, 42205, 42207 */
export function register(sql: Sql, subject: string, request: SchemaRequest): StoredVersion {
  const { mode } = inEffect(sql, subject)
  const foreign = takesForeignIds(mode)
  requireRegistrable(sql, subject, request.id !== null)
  const heads = versionHeads(sql, subject)
  const latest = oneVersion(sql, subject, 'latest', false)
  const { content, avro } = candidateOf(sql, subject, foreign ? request : filledFrom(request, latest))
  if (request.version === null) {
    const known = findVersion(sql, subject, content, false)
    if (known && (request.id === null || request.id === known.id)) return known
  }
  if (!foreign) {
    const objection = objectionOf(sql, subject, avro, 'all')
    if (objection.breaks.length > 0) throw new Incompatible(subject, objection)
  }
  const next = (heads.at(-1)?.version ?? 0) + 1
  const version = request.version ?? next
  if (version !== next && !foreign) throw refusals.invalidSchema('Version is not one more than previous version')
  const id = idFor(sql, content, request.id)
  if (oneVersion(sql, subject, version, true)) hardDelete(sql, subject, version)
  dropDeletedTwins(sql, subject, heads, { id, version })
  addVersion(sql, subject, version, id)
  return { ...content, subject, version, id, deleted: false }
}

/** What the level in effect has against a schema: of one version, or of all that count. @throws 42201 */
export function check(
  sql: Sql,
  subject: string,
  request: SchemaRequest,
  against: readonly StoredVersion[] | 'all',
): Objection {
  return objectionOf(sql, subject, candidateOf(sql, subject, request).avro, against)
}

function objectionOf(sql: Sql, subject: string, avro: AvroText, against: readonly StoredVersion[] | 'all'): Objection {
  const { level } = inEffect(sql, subject)
  if (against !== 'all') return objectionTo(sql, level, avro, against)
  if (level.endsWith('_TRANSITIVE'))
    return objectionTo(
      sql,
      level,
      avro,
      allVersions(sql, subject).filter(each => !each.deleted),
    )
  const latest = oneVersion(sql, subject, 'latest', false)
  return objectionTo(sql, level, avro, latest === null ? [] : [latest])
}

function candidateOf(sql: Sql, subject: string, request: SchemaRequest): Candidate {
  if (request.schema === null || request.schema.trim() === '') throw refusals.invalidSchema('Empty schema')
  const normalize = request.normalize || inEffect(sql, subject).normalize
  const avro = readAvro(request.schema, resolve(sql, request.references), normalize)
  const references = normalize ? normalReferences(request.references) : request.references
  return { avro, content: { text: avro.text, references, metadata: request.metadata } }
}

/** What a request leaves out is taken from the latest version. */
function filledFrom(request: SchemaRequest, latest: StoredVersion | null): SchemaRequest {
  if (latest === null) return request
  const empty = request.schema === null || request.schema.trim() === ''
  return {
    ...request,
    ...(empty ? { schema: latest.text, references: latest.references } : {}),
    metadata: request.metadata ?? latest.metadata,
  }
}

/** The wire format has four bytes for it. */
const maxId = 2 ** 31 - 1

/** @throws 42205, 42207, 50001 */
function idFor(sql: Sql, content: SchemaContent, wanted: number | null): number {
  const has = idOf(sql, content)
  if (has !== null && wanted !== null && has !== wanted) throw refusals.otherId(has, wanted)
  if (has !== null) return has
  if (wanted !== null && schemaById(sql, wanted))
    throw refusals.notPermitted(`Overwrite new schema with id ${wanted} in context . is not permitted.`)
  const id = addSchema(sql, content, wanted)
  if (id > maxId) throw refusals.noIds()
  return id
}

/** A schema that comes back has one row: the softly deleted ones before it go, unless something refers to them. */
function dropDeletedTwins(
  sql: Sql,
  subject: string,
  heads: readonly VersionHead[],
  back: Pick<VersionHead, 'id' | 'version'>,
): void {
  for (const { version, id, deleted } of heads)
    if (deleted && id === back.id && version < back.version && referringTo(sql, subject, version, true).length === 0)
      hardDelete(sql, subject, version)
}
