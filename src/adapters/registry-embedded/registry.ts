// The embedded schema registry: ids, versions and levels in the file of the embedded store. Keeps I14: what is not proven compatible is refused.
// A schema is what its canonical text says; the same text has the same id in every subject.
import { WeirError } from '../../core/errors.ts'
import {
  type CompatibilityLevel,
  type CompatibilityVerdict,
  compatibilityLevels,
  type RegisteredSchema,
  type SchemaRegistry,
} from '../../pipeline/ports.ts'
import { canonicalText } from '../../schema/parse.ts'
import { openStore, type Row, type Sql, type Store, type StoreOptions } from '../embedded-store/store.ts'
import { checkLevel } from './level-check.ts'

export interface EmbeddedRegistryOptions extends StoreOptions {
  /** The canonical text of a schema. @throws schema.invalid. Default: src/schema/parse.ts */
  readonly validate?: (text: string) => string
}

const defaultLevel: CompatibilityLevel = 'BACKWARD'
const maxSubjectLength = 255
const registerPoints = { before: 'register.before_commit', after: 'register.after_commit' } as const
const selectVersions = `SELECT v.subject, v.version, v.schema, s.text FROM subject_version v JOIN schema s ON s.id = v.schema WHERE v.subject = ?`

/** Opens the registry of a data directory. @throws log.unavailable, log.busy, log.version, log.corrupt */
export async function openEmbeddedRegistry(options: EmbeddedRegistryOptions): Promise<SchemaRegistry> {
  return new EmbeddedRegistry(await openStore(options), options.validate ?? canonicalText)
}

class EmbeddedRegistry implements SchemaRegistry {
  readonly kind = 'embedded'
  readonly #store: Store
  readonly #validate: (text: string) => string

  constructor(store: Store, validate: (text: string) => string) {
    this.#store = store
    this.#validate = validate
  }

  async register(subject: string, schema: string): Promise<RegisteredSchema> {
    checkSubject(subject)
    const text = this.#validate(schema)
    const known = await this.#store.read(sql => find(sql, subject, text))
    if (known) return known
    return this.#store.write(sql => {
      const there = find(sql, subject, text) // Another process may have been first.
      if (there) return there
      const versions = versionsOf(sql, subject)
      refuse(subject, levelFor(sql, subject), checkLevel(levelFor(sql, subject), text, versions))
      sql.run('INSERT INTO schema (text) VALUES (?) ON CONFLICT DO NOTHING', text)
      const id = sql.get('SELECT id FROM schema WHERE text = ?', text)!['id'] as number
      const version = (versions.at(-1)?.version ?? 0) + 1
      sql.run('INSERT INTO subject_version (subject, version, schema) VALUES (?, ?, ?)', subject, version, id)
      return { subject, version, id, schema: text }
    }, registerPoints)
  }

  async byId(id: number): Promise<string> {
    const row = await this.#store.read(sql =>
      sql.get('SELECT text FROM schema WHERE id = ?', Number.isSafeInteger(id) ? id : -1),
    )
    if (row) return row['text'] as string
    throw new WeirError('registry.unknown_id', `No schema has the id ${id}.`, {
      hint: 'The value was written with another registry, or the registry was replaced.',
    })
  }

  async latest(subject: string): Promise<RegisteredSchema | null> {
    const row = await this.#store.read(sql => sql.get(`${selectVersions} ORDER BY v.version DESC LIMIT 1`, subject))
    return row === undefined ? null : registered(row)
  }

  async version(subject: string, version: number): Promise<RegisteredSchema> {
    const versions = await this.#known(subject)
    const found = versions.find(each => each.version === version)
    if (found) return found
    throw new WeirError('registry.unknown_version', `Subject ${subject} has no version ${version}.`, {
      hint: `It has versions ${versions[0]!.version} to ${versions.at(-1)!.version}.`,
    })
  }

  async versions(subject: string): Promise<readonly number[]> {
    return (await this.#known(subject)).map(each => each.version)
  }

  async lookup(subject: string, schema: string): Promise<RegisteredSchema | null> {
    const text = this.#validate(schema)
    return this.#store.read(sql => find(sql, subject, text))
  }

  async subjects(): Promise<readonly string[]> {
    const rows = await this.#store.read(sql => sql.all('SELECT DISTINCT subject FROM subject_version ORDER BY subject'))
    return rows.map(row => row['subject'] as string)
  }

  async check(subject: string, schema: string): Promise<CompatibilityVerdict> {
    checkSubject(subject)
    const text = this.#validate(schema)
    return this.#store.read(sql =>
      find(sql, subject, text)
        ? { verdict: 'compatible', reasons: [] }
        : checkLevel(levelFor(sql, subject), text, versionsOf(sql, subject)),
    )
  }

  async level(subject?: string): Promise<CompatibilityLevel | null> {
    const own = await this.#store.read(sql => ownLevel(sql, subject ?? ''))
    return own ?? (subject === undefined ? defaultLevel : null)
  }

  async setLevel(level: CompatibilityLevel, subject?: string): Promise<void> {
    if (subject !== undefined) checkSubject(subject)
    if (!compatibilityLevels.includes(level))
      throw new WeirError('usage.invalid', `There is no compatibility level ${level}.`, {
        hint: `Choose one of ${compatibilityLevels.join(', ')}.`,
      })
    await this.#store.write(sql =>
      sql.run(
        'INSERT INTO subject_level (subject, level) VALUES (?, ?) ON CONFLICT DO UPDATE SET level = excluded.level',
        subject ?? '',
        level,
      ),
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#store[Symbol.asyncDispose]()
  }

  /** @throws registry.unknown_subject */
  async #known(subject: string): Promise<RegisteredSchema[]> {
    const versions = await this.#store.read(sql => versionsOf(sql, subject))
    if (versions.length > 0) return versions
    throw new WeirError('registry.unknown_subject', `There is no subject ${subject}.`, {
      hint: 'A pipeline registers the subject of its topic when it starts.',
    })
  }
}

function checkSubject(subject: string): void {
  if (
    subject.length >= 1 &&
    subject.length <= maxSubjectLength &&
    !/[\u0000-\u001f\u007f]/.test(subject) &&
    subject.isWellFormed()
  )
    return
  throw new WeirError(
    'usage.invalid',
    `A subject's name has 1 to ${maxSubjectLength} characters and no control characters.`,
    { hint: 'The subject of a topic is its name and `-value`.' },
  )
}

function registered(row: Row): RegisteredSchema {
  return {
    subject: row['subject'] as string,
    version: row['version'] as number,
    id: row['schema'] as number,
    schema: row['text'] as string,
  }
}

function versionsOf(sql: Sql, subject: string): RegisteredSchema[] {
  return sql.all(`${selectVersions} ORDER BY v.version`, subject).map(registered)
}

function find(sql: Sql, subject: string, text: string): RegisteredSchema | null {
  const row = sql.get(`${selectVersions} AND s.text = ?`, subject, text)
  return row === undefined ? null : registered(row)
}

function ownLevel(sql: Sql, subject: string): CompatibilityLevel | null {
  return (
    (sql.get('SELECT level FROM subject_level WHERE subject = ?', subject)?.['level'] as
      | CompatibilityLevel
      | undefined) ?? null
  )
}

function levelFor(sql: Sql, subject: string): CompatibilityLevel {
  return ownLevel(sql, subject) ?? ownLevel(sql, '') ?? defaultLevel
}

function refuse(subject: string, level: CompatibilityLevel, { verdict, reasons }: CompatibilityVerdict): void {
  if (verdict === 'compatible') return
  const why = reasons.slice(0, 3).join('; ')
  if (verdict === 'incompatible')
    throw new WeirError('registry.incompatible', `The schema breaks ${level} compatibility of ${subject}: ${why}.`, {
      hint: 'Give new fields a default, and keep the types of fields that are there; or choose a new subject.',
    })
  throw new WeirError(
    'registry.unproven',
    `The embedded registry cannot prove the schema ${level} compatible with ${subject}: ${why}.`,
    {
      hint: 'Make a simpler change, or set the level of the subject to NONE for this one registration after checking it by hand.',
    },
  )
}
