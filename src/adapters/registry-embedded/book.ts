// The embedded registry as Confluent's contract sees it: each operation one transaction or one snapshot of the store. What it refuses is a
// RegistryRefusal. The port (registry.ts) and the REST server (registry-server/) are two views of it.
import { openStore, type Sql, type Store, type StoreOptions } from '../embedded-store/store.ts'
import { wholeText } from './avro.ts'
import type { Objection } from './compatibility.ts'
import { deleteSubject, deleteVersion } from './deleting.ts'
import { resolve } from './references.ts'
import { refusals } from './refusal.ts'
import { check, find, register, type SchemaRequest } from './registering.ts'
import {
  everyVersion,
  hasVersions,
  highestId,
  isUsed,
  type Mode,
  oneVersion,
  placesOf,
  referringTo,
  type SchemaContent,
  type SchemaPlace,
  type Setting,
  type StoredVersion,
  schemaById,
  subjectNames,
  type VersionHead,
  type VersionQuery,
  versionHeads,
} from './rows.ts'
import { type Effect, inEffect, ownSetting, removeConfig, removeMode, setConfig, setMode } from './settings.ts'

/** A version number, or the newest one. */
export type VersionName = number | 'latest'
/** Which versions count: those that are there, softly deleted ones too, or only these. */
export type Which = 'live' | 'all' | 'deleted'

const registerPoints = { before: 'register.before_commit', after: 'register.after_commit' } as const

/** Opens the registry of a data directory. @throws log.unavailable, log.busy, log.version, log.corrupt */
export async function openSchemaBook(options: StoreOptions): Promise<SchemaBook> {
  return new SchemaBook(await openStore(options))
}

export class SchemaBook implements AsyncDisposable {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  /** Idempotent: a schema that is there is given back, also in a mode that takes no new one. @throws 40901, 42201, 42205, 42207 */
  async register(subject: string, request: SchemaRequest): Promise<StoredVersion> {
    const known = await this.#read(sql => this.#known(sql, subject, request))
    return known ?? this.#store.write(sql => register(sql, subject, request), registerPoints)
  }

  #known(sql: Sql, subject: string, request: SchemaRequest): StoredVersion | null {
    if (request.version !== null || request.schema === null || request.schema.trim() === '') return null
    const known = find(sql, subject, request, false)
    return known !== null && (request.id === null || request.id === known.id) ? known : null
  }

  /** null when the subject does not have this schema. @throws 42201 */
  lookup(subject: string, request: SchemaRequest, withDeleted = false): Promise<StoredVersion | null> {
    return this.#read(sql => find(sql, subject, request, withDeleted))
  }

  /**
   * What the level in effect has against a schema. `against`: one version, or all.
   * An unknown subject stands against nothing. @throws 40402, 42201
   */
  check(subject: string, request: SchemaRequest, against: VersionName | 'all'): Promise<Objection> {
    return this.#read(sql => {
      if (against === 'all') return check(sql, subject, request, 'all')
      const version = oneVersion(sql, subject, against, false)
      if (version === null && against !== 'latest') throw refusals.unknownVersion(against)
      return check(sql, subject, request, version === null ? [] : [version])
    })
  }

  subjects(which: Which): Promise<string[]> {
    return this.#read(sql => subjectNames(sql, which))
  }

  /** @throws 40401 */
  versions(subject: string, which: Which): Promise<VersionHead[]> {
    return this.#read(sql => {
      const all = versionHeads(sql, subject)
      const seen = which === 'live' ? all.filter(each => !each.deleted) : all
      if (seen.length === 0) throw refusals.unknownSubject(subject)
      return which === 'deleted' ? all.filter(each => each.deleted) : seen
    })
  }

  hasSubject(subject: string, withDeleted: boolean): Promise<boolean> {
    return this.#read(sql => hasVersions(sql, subject, withDeleted))
  }

  /** Versions of all subjects, by name and version. */
  everything(query: VersionQuery): Promise<StoredVersion[]> {
    return this.#read(sql => everyVersion(sql, query))
  }

  /** @throws 40401, 40402 */
  version(subject: string, version: VersionName, withDeleted = false): Promise<StoredVersion> {
    return this.#read(sql => versionIn(sql, subject, version, withDeleted))
  }

  /** Ids of the schemas that refer to a version. @throws 40401, 40402 */
  referencedBy(subject: string, version: VersionName, withDeleted = false): Promise<number[]> {
    return this.#read(sql => {
      const found = versionIn(sql, subject, version, true)
      return [...new Set(referringTo(sql, subject, found.version, withDeleted).map(each => each.id))]
    })
  }

  /**
   * The text behind an id, whole in itself; null for one that was never given out. It stays when every version with it is gone: values
   * written under it are still read.
   */
  wholeText(id: number): Promise<string | null> {
    return this.#read(sql => {
      const content = schemaById(sql, id)
      return content && wholeText(content.text, resolve(sql, content.references))
    })
  }

  /** The schema behind an id. @throws 40403 when it stands nowhere */
  content(id: number): Promise<SchemaContent> {
    return this.#read(sql => {
      const content = isUsed(sql, id) ? schemaById(sql, id) : null
      if (content === null) throw refusals.unknownSchema(id)
      return content
    })
  }

  /** Where an id stands, softly deleted versions too. @throws 40403 when it stands nowhere */
  places(id: number): Promise<SchemaPlace[]> {
    return this.#read(sql => {
      const places = placesOf(sql, id)
      if (places.length === 0) throw refusals.unknownSchema(id)
      return places
    })
  }

  highestId(): Promise<number> {
    return this.#read(highestId)
  }

  /** null: global. */
  own(subject: string | null): Promise<Setting> {
    return this.#read(sql => ownSetting(sql, subject))
  }

  inEffect(subject: string | null): Promise<Effect> {
    return this.#read(sql => inEffect(sql, subject))
  }

  setConfig(subject: string | null, change: Parameters<typeof setConfig>[2]): Promise<Setting> {
    return this.#store.write(sql => setConfig(sql, subject, change))
  }

  removeConfig(subject: string | null): Promise<Setting> {
    return this.#store.write(sql => removeConfig(sql, subject))
  }

  setMode(subject: string | null, mode: Mode | null, force: boolean): Promise<void> {
    return this.#store.write(sql => setMode(sql, subject, mode, force))
  }

  removeMode(subject: string | null): Promise<Mode> {
    return this.#store.write(sql => removeMode(sql, subject))
  }

  deleteVersion(subject: string, version: VersionName, permanent: boolean): Promise<number> {
    return this.#store.write(sql => deleteVersion(sql, subject, version, permanent))
  }

  deleteSubject(subject: string, permanent: boolean): Promise<number[]> {
    return this.#store.write(sql => deleteSubject(sql, subject, permanent))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#store[Symbol.asyncDispose]()
  }

  #read<T>(work: (sql: Sql) => T): Promise<T> {
    return this.#store.read(work)
  }
}

function versionIn(sql: Sql, subject: string, version: VersionName, withDeleted: boolean): StoredVersion {
  const found = oneVersion(sql, subject, version, withDeleted)
  if (found) return found
  throw hasVersions(sql, subject, withDeleted)
    ? refusals.unknownVersion(version === 'latest' ? -1 : version)
    : refusals.unknownSubject(subject)
}
