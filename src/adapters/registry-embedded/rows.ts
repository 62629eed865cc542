// What the tables of the registry hold, read and written: no rule of the contract is here.
import type { CompatibilityLevel } from '../../pipeline/ports.ts'
import type { Row, Sql } from '../embedded-store/store.ts'

export interface SchemaReference {
  /** Full name under which the schema uses it. */
  readonly name: string
  readonly subject: string
  readonly version: number
}

/** What a schema says beside its types. Kept and answered as it is; weir acts on none of it. */
export interface SchemaMetadata {
  /** Path to tags, as in `**.ssn`. */
  readonly tags?: Readonly<Record<string, readonly string[]>>
  readonly properties?: Readonly<Record<string, string>>
  /** Names of properties that are not for everyone. */
  readonly sensitive?: readonly string[]
}

/** A schema apart from any subject: what has an id. */
export interface SchemaContent {
  readonly text: string
  readonly references: readonly SchemaReference[]
  readonly metadata: SchemaMetadata | null
}

export interface StoredVersion extends SchemaContent {
  readonly subject: string
  readonly version: number
  readonly id: number
  /** Softly. */
  readonly deleted: boolean
}

export const modes = ['READWRITE', 'READONLY', 'READONLY_OVERRIDE', 'IMPORT', 'FORWARD'] as const
export type Mode = (typeof modes)[number]

/** What is set for a subject, or, under '', for all. */
export interface Setting {
  readonly level: CompatibilityLevel | null
  readonly normalize: boolean | null
  readonly mode: Mode | null
}

const noSetting: Setting = { level: null, normalize: null, mode: null }
const columns = 'v.subject, v.version, v.schema, v.deleted, s.text, s.refs, s.metadata'
const joined = `SELECT ${columns} FROM subject_version v JOIN schema s ON s.id = v.schema`

const textOf = (value: readonly unknown[] | object | null): string =>
  value === null || (Array.isArray(value) && value.length === 0) ? '' : JSON.stringify(value)

function contentOf(row: Row): SchemaContent {
  const { text, refs, metadata } = row as Record<string, string>
  return {
    text: text!,
    references: refs === '' ? [] : (JSON.parse(refs!) as SchemaReference[]),
    metadata: metadata === '' ? null : (JSON.parse(metadata!) as SchemaMetadata),
  }
}

function versionOf(row: Row): StoredVersion {
  return {
    ...contentOf(row),
    subject: row['subject'] as string,
    version: row['version'] as number,
    id: row['schema'] as number,
    deleted: row['deleted'] === 1,
  }
}

/** The versions of a subject in ascending order, softly deleted ones too. */
export function allVersions(sql: Sql, subject: string): StoredVersion[] {
  return sql.all(`${joined} WHERE v.subject = ? ORDER BY v.version`, subject).map(versionOf)
}

export type VersionHead = Pick<StoredVersion, 'version' | 'id' | 'deleted'>

/** The same without their texts: a subject may have many, and large ones. */
export function versionHeads(sql: Sql, subject: string): VersionHead[] {
  return sql
    .all('SELECT version, schema, deleted FROM subject_version WHERE subject = ? ORDER BY version', subject)
    .map(row => ({
      version: row['version'] as number,
      id: row['schema'] as number,
      deleted: row['deleted'] === 1,
    }))
}

/** A part of all versions there are. */
export interface VersionQuery {
  readonly withDeleted: boolean
  /** Of each subject the newest of those that count. */
  readonly latestOnly: boolean
  /** How the subject begins. */
  readonly prefix: string
  readonly offset: number
  readonly limit: number
}

/** Of all subjects, by name and version. */
export function everyVersion(sql: Sql, query: VersionQuery): StoredVersion[] {
  const { withDeleted, latestOnly, prefix, offset, limit } = query
  const live = withDeleted ? '' : ' AND v.deleted = 0'
  const newest = latestOnly
    ? ` AND v.version = (SELECT max(m.version) FROM subject_version m WHERE m.subject = v.subject${withDeleted ? '' : ' AND m.deleted = 0'})`
    : ''
  return sql
    .all(
      `${joined} WHERE substr(v.subject, 1, length(?)) = ?${live}${newest} ORDER BY v.subject, v.version LIMIT ? OFFSET ?`,
      prefix,
      prefix,
      limit,
      offset,
    )
    .map(versionOf)
}

/** One version; `latest` is the highest. */
export function oneVersion(
  sql: Sql,
  subject: string,
  version: number | 'latest',
  withDeleted: boolean,
): StoredVersion | null {
  const live = withDeleted ? '' : ' AND v.deleted = 0'
  const row =
    version === 'latest'
      ? sql.get(`${joined} WHERE v.subject = ?${live} ORDER BY v.version DESC LIMIT 1`, subject)
      : sql.get(`${joined} WHERE v.subject = ? AND v.version = ?${live}`, subject, version)
  return row === undefined ? null : versionOf(row)
}

export function hasVersions(sql: Sql, subject: string, withDeleted: boolean): boolean {
  const live = withDeleted ? '' : ' AND deleted = 0'
  return sql.get(`SELECT 1 FROM subject_version WHERE subject = ?${live} LIMIT 1`, subject) !== undefined
}

/** The newest version of a subject with this text and these references, and this metadata unless it is null: then any. */
export function findVersion(
  sql: Sql,
  subject: string,
  { text, references, metadata }: SchemaContent,
  withDeleted: boolean,
): StoredVersion | null {
  const live = withDeleted ? '' : ' AND v.deleted = 0'
  const row = sql.get(
    `${joined} WHERE s.text = ? AND s.refs = ? AND (? = '' OR s.metadata = ?) AND v.subject = ?${live} ORDER BY v.version DESC LIMIT 1`,
    text,
    textOf(references),
    textOf(metadata),
    textOf(metadata),
    subject,
  )
  return row === undefined ? null : versionOf(row)
}

export function subjectNames(sql: Sql, which: 'live' | 'all' | 'deleted'): string[] {
  const having = which === 'all' ? '' : which === 'live' ? ' HAVING min(deleted) = 0' : ' HAVING min(deleted) = 1'
  return sql
    .all(`SELECT subject FROM subject_version GROUP BY subject${having} ORDER BY subject`)
    .map(row => row['subject'] as string)
}

/** The id of a schema, or null when it has none yet. */
export function idOf(sql: Sql, { text, references, metadata }: SchemaContent): number | null {
  const row = sql.get(
    'SELECT id FROM schema WHERE text = ? AND refs = ? AND metadata = ?',
    text,
    textOf(references),
    textOf(metadata),
  )
  return row === undefined ? null : (row['id'] as number)
}

/** Gives a schema the next id, or the one that is wanted. */
export function addSchema(sql: Sql, { text, references, metadata }: SchemaContent, id: number | null): number {
  const { lastInsertRowid } = sql.run(
    'INSERT INTO schema (id, text, refs, metadata) VALUES (?, ?, ?, ?)',
    id,
    text,
    textOf(references),
    textOf(metadata),
  )
  return Number(lastInsertRowid)
}

export function schemaById(sql: Sql, id: number): SchemaContent | null {
  const row = sql.get('SELECT text, refs, metadata FROM schema WHERE id = ?', id)
  return row === undefined ? null : contentOf(row)
}

export type SchemaPlace = Pick<StoredVersion, 'subject' | 'version' | 'deleted'>

/** The subjects and versions that have an id, softly deleted ones too, without their text: it is the same for all. */
export function placesOf(sql: Sql, id: number): SchemaPlace[] {
  return sql
    .all('SELECT subject, version, deleted FROM subject_version WHERE schema = ? ORDER BY subject, version', id)
    .map(row => ({
      subject: row['subject'] as string,
      version: row['version'] as number,
      deleted: row['deleted'] === 1,
    }))
}

/** True when some version has the id, softly deleted ones too. */
export function isUsed(sql: Sql, id: number): boolean {
  return sql.get('SELECT 1 FROM subject_version WHERE schema = ? LIMIT 1', id) !== undefined
}

export function highestId(sql: Sql): number {
  return (sql.get('SELECT coalesce(max(id), 0) AS id FROM schema') as { id: number }).id
}

export function addVersion(sql: Sql, subject: string, version: number, id: number): void {
  sql.run('INSERT INTO subject_version (subject, version, schema) VALUES (?, ?, ?)', subject, version, id)
}

export function softDelete(sql: Sql, subject: string, version: number): void {
  sql.run('UPDATE subject_version SET deleted = 1 WHERE subject = ? AND version = ?', subject, version)
}

export function hardDelete(sql: Sql, subject: string, version: number): void {
  sql.run('DELETE FROM subject_version WHERE subject = ? AND version = ?', subject, version)
}

/** The versions whose schemas refer to this one. */
export function referringTo(sql: Sql, subject: string, version: number, withDeleted: boolean): StoredVersion[] {
  const live = withDeleted ? '' : ' AND v.deleted = 0'
  return sql
    .all(
      `${joined} WHERE s.refs <> '' AND EXISTS (SELECT 1 FROM json_each(s.refs) r
       WHERE r.value ->> 'subject' = ? AND r.value ->> 'version' = ?)${live} ORDER BY v.schema`,
      subject,
      version,
    )
    .map(versionOf)
}

export function settingOf(sql: Sql, subject: string): Setting {
  const row = sql.get('SELECT level, normalize, mode FROM subject_setting WHERE subject = ?', subject)
  if (row === undefined) return noSetting
  const { level, normalize, mode } = row
  return {
    level: level as Setting['level'],
    normalize: normalize === null ? null : normalize === 1,
    mode: mode as Setting['mode'],
  }
}

export function putSetting(sql: Sql, subject: string, { level, normalize, mode }: Setting): void {
  if (level === null && normalize === null && mode === null)
    sql.run('DELETE FROM subject_setting WHERE subject = ?', subject)
  else
    sql.run(
      'INSERT OR REPLACE INTO subject_setting (subject, level, normalize, mode) VALUES (?, ?, ?, ?)',
      subject,
      level,
      normalize === null ? null : Number(normalize),
      mode,
    )
}
