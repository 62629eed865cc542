// The embedded registry as pipelines see it. Keeps I14: what breaks the level in effect is refused.
import { WeirError } from '../../core/errors.ts'
import type {
  CompatibilityLevel,
  CompatibilityVerdict,
  RegisteredSchema,
  SchemaRegistry,
} from '../../pipeline/ports.ts'
import type { StoreOptions } from '../embedded-store/store.ts'
import { checkLevelName, checkSubject } from '../registry-names.ts'
import { openSchemaBook, type SchemaBook } from './book.ts'
import { sentencesOf } from './compatibility.ts'
import { asWeirError } from './port-errors.ts'
import { RegistryRefusal } from './refusal.ts'
import { plainRequest } from './registering.ts'
import type { StoredVersion } from './rows.ts'

/** Opens the registry of a data directory. @throws log.unavailable, log.busy, log.version, log.corrupt */
export async function openEmbeddedRegistry(options: StoreOptions): Promise<SchemaRegistry> {
  return new EmbeddedRegistry(await openSchemaBook(options))
}

class EmbeddedRegistry implements SchemaRegistry {
  readonly kind = 'embedded'
  readonly #book: SchemaBook

  constructor(book: SchemaBook) {
    this.#book = book
  }

  async register(subject: string, schema: string): Promise<RegisteredSchema> {
    checkSubject(subject)
    return plain(await asked(this.#book.register(subject, plainRequest(schema))))
  }

  async byId(id: number): Promise<string> {
    const text = await asked(this.#book.wholeText(Number.isSafeInteger(id) ? id : -1))
    if (text !== null) return text
    throw new WeirError('registry.unknown_id', `No schema has the id ${id}.`, {
      hint: 'The value was written with another registry, or the registry was replaced.',
    })
  }

  async latest(subject: string): Promise<RegisteredSchema | null> {
    const stored = await this.#book.version(subject, 'latest').catch(nullIfUnknown)
    return stored && this.#whole(stored)
  }

  async version(subject: string, version: number): Promise<RegisteredSchema> {
    const stored = await this.#book.version(subject, version).catch(nullIfUnknown)
    if (stored) return await this.#whole(stored)
    const versions = await this.versions(subject)
    throw new WeirError('registry.unknown_version', `Subject ${subject} has no version ${version}.`, {
      hint:
        versions.length === 1
          ? `It has version ${versions[0]}.`
          : `It has versions ${versions[0]} to ${versions.at(-1)}.`,
    })
  }

  async versions(subject: string): Promise<readonly number[]> {
    const versions = await this.#book.versions(subject, 'live').catch(nullIfUnknown)
    if (versions !== null) return versions.map(each => each.version)
    throw new WeirError('registry.unknown_subject', `There is no subject ${subject}.`, {
      hint: 'A pipeline registers the subject of its topic when it starts.',
    })
  }

  async deletedVersions(subject: string): Promise<readonly number[]> {
    return (await this.#book.versions(subject, 'deleted').catch(nullIfUnknown))?.map(each => each.version) ?? []
  }

  async lookup(subject: string, schema: string): Promise<RegisteredSchema | null> {
    const stored = await asked(this.#book.lookup(subject, plainRequest(schema)))
    return stored && plain(stored)
  }

  subjects(): Promise<readonly string[]> {
    return this.#book.subjects('live')
  }

  async check(subject: string, schema: string): Promise<CompatibilityVerdict> {
    checkSubject(subject)
    const request = plainRequest(schema)
    const known = await asked(this.#book.lookup(subject, request))
    if (known) return { verdict: 'compatible', reasons: [] }
    const objection = await asked(this.#book.check(subject, request, 'all'))
    return { verdict: objection.breaks.length === 0 ? 'compatible' : 'incompatible', reasons: sentencesOf(objection) }
  }

  async level(subject?: string): Promise<CompatibilityLevel | null> {
    if (subject === undefined) return (await this.#book.inEffect(null)).level
    return (await this.#book.own(subject)).level
  }

  async setLevel(level: CompatibilityLevel, subject?: string): Promise<void> {
    if (subject !== undefined) checkSubject(subject)
    checkLevelName(level)
    await asked(this.#book.setConfig(subject ?? null, { level }))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#book[Symbol.asyncDispose]()
  }

  /** With what it refers to written out: a schema that is not whole can be held against nothing. */
  async #whole(stored: StoredVersion): Promise<RegisteredSchema> {
    if (stored.references.length === 0) return plain(stored)
    return { ...plain(stored), schema: await this.byId(stored.id) }
  }
}

const plain = ({ subject, version, id, text }: StoredVersion): RegisteredSchema => ({
  subject,
  version,
  id,
  schema: text,
})

const asked = <T>(work: Promise<T>): Promise<T> =>
  work.catch(thrown => {
    throw asWeirError(thrown)
  })

function nullIfUnknown(thrown: unknown): null {
  if (thrown instanceof RegistryRefusal && (thrown.errorCode === 40401 || thrown.errorCode === 40402)) return null
  throw thrown
}
