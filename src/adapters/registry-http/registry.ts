// Any Confluent-compatible schema registry over HTTP: Confluent, Redpanda, Karapace, Apicurio. Keeps I14: the registry decides on
// compatibility, and a level is written by `setLevel` only. An id is believed after the schema under it was compared (see memory.ts).
// Where registries differ:
// - the level of a subject that has none: 404 with 40408 or 40401, or, from Apicurio, 200 NONE. So NONE is believed when the level in effect
//   is NONE as well. Where the global level is NONE too, a subject without a level cannot be told from one set to NONE: it is NONE.
// - a check of a subject that is not there: true, or 404. Both mean that nothing is in the way.
// - a check over all versions exists in some only, so a transitive level is checked version by version.
// - reasons: Confluent's carry rule and path, Karapace's words, Apicurio none but in the refusal to register.
import { WeirError } from '../../core/errors.ts'
import { sameSchema } from '../../governance/fingerprint.ts'
import {
  type CompatibilityLevel,
  type CompatibilityVerdict,
  compatibilityLevels,
  type RegisteredSchema,
  type SchemaRegistry,
} from '../../pipeline/ports.ts'
import { canonicalText } from '../../schema/parse.ts'
import { checkLevelName, checkSubject } from '../registry-names.ts'
import { idIn, listIn, misshapen, type Refusal, refused, schemaIn, verdictIn } from './answers.ts'
import { RegistryClient } from './client.ts'
import { mismatch, SchemaMemory } from './memory.ts'
import type { HttpRegistryOptions } from './options.ts'

const maxReasons = 20
/** A registry of several nodes may take a moment to know everywhere what one of them has taken. */
const settleTries = 5
const settleWaitMs = 100

/** Opens the registry; it is first asked when something is wanted of it. @throws config.invalid for an address it cannot use */
export async function openHttpRegistry(options: HttpRegistryOptions): Promise<SchemaRegistry> {
  checkAddress(options)
  return new HttpRegistry(options)
}

class HttpRegistry implements SchemaRegistry {
  readonly kind = 'http'
  readonly #options: HttpRegistryOptions
  readonly #client: RegistryClient
  readonly #memory: SchemaMemory

  constructor(options: HttpRegistryOptions) {
    this.#options = options
    this.#client = new RegistryClient(options)
    this.#memory = new SchemaMemory(this.#client, options)
  }

  /** Looks first, so that a start that changes nothing needs no right to write. */
  async register(subject: string, schema: string): Promise<RegisteredSchema> {
    checkSubject(subject)
    canonicalText(schema)
    const registered = (await this.#find(subject, schema)) ?? (await this.#add(subject, schema))
    const text = await this.#settled(() => this.byId(registered.id).catch(nullIf('registry.unknown_id')))
    if (text === null || !sameSchema(text, schema))
      throw mismatch(
        text === null
          ? `The registry gives schema id ${registered.id} to the schema of ${subject}, and does not know that id`
          : `The registry gives schema id ${registered.id} to the schema of ${subject}, and another schema has that id`,
        this.#client.place,
      )
    return registered
  }

  byId(id: number): Promise<string> {
    return this.#memory.textOf(id)
  }

  async latest(subject: string): Promise<RegisteredSchema | null> {
    checkSubject(subject)
    const { refusal, value } = await this.#client.ask('latest', { subject })
    if (refusal === null) return this.#registered(subject, value)
    if (isMissing(refusal)) return null
    throw refused(refusal, `to give the latest version of ${subject}`, this.#client.place)
  }

  async version(subject: string, version: number): Promise<RegisteredSchema> {
    checkSubject(subject)
    const { refusal, value } = await this.#client.ask('version', { subject, version })
    if (refusal === null) {
      const registered = this.#registered(subject, value)
      if (registered.version !== version) throw misshapen('the version that was asked for', this.#client.place)
      return registered
    }
    if (refusal.code === 40401) throw unknownSubject(subject)
    if (refusal.code === 40402 || refusal.code === 42202)
      throw new WeirError('registry.unknown_version', `Subject ${subject} has no version ${version}.`, {
        at: this.#client.place,
      })
    throw refused(refusal, `to give version ${version} of ${subject}`, this.#client.place)
  }

  async versions(subject: string): Promise<readonly number[]> {
    checkSubject(subject)
    const { refusal, value } = await this.#client.ask('versions', { subject })
    const versions = refusal === null ? listIn(value, 'number', this.#client.place) : []
    if (refusal !== null && !isMissing(refusal))
      throw refused(refusal, `to list the versions of ${subject}`, this.#client.place)
    if (versions.length === 0) throw unknownSubject(subject)
    return versions.sort((a, b) => a - b)
  }

  /** A registry that does not know the parameter gives those that are there: none of them is deleted. */
  async deletedVersions(subject: string): Promise<readonly number[]> {
    checkSubject(subject)
    const { refusal, value } = await this.#client.ask('allVersions', { subject })
    if (refusal !== null) {
      if (isMissing(refusal)) return []
      throw refused(refusal, `to list the deleted versions of ${subject}`, this.#client.place)
    }
    const live = (await this.versions(subject).catch(nullIf('registry.unknown_subject'))) ?? []
    return listIn(value, 'number', this.#client.place)
      .filter(version => !live.includes(version))
      .sort((a, b) => a - b)
  }

  async lookup(subject: string, schema: string): Promise<RegisteredSchema | null> {
    checkSubject(subject)
    canonicalText(schema)
    return await this.#find(subject, schema)
  }

  async subjects(): Promise<readonly string[]> {
    const { refusal, value } = await this.#client.ask('subjects')
    if (refusal !== null) throw refused(refusal, 'to list the subjects', this.#client.place)
    return listIn(value, 'string', this.#client.place).sort()
  }

  async check(subject: string, schema: string): Promise<CompatibilityVerdict> {
    checkSubject(subject)
    canonicalText(schema)
    if (await this.#find(subject, schema)) return { verdict: 'compatible', reasons: [] }
    const level = await this.#levelInEffect(subject)
    const versions = level.endsWith('_TRANSITIVE')
      ? ((await this.versions(subject).catch(nullIf('registry.unknown_subject'))) ?? [])
      : ['latest']
    const reasons: string[] = []
    for (const version of versions.toReversed()) {
      const { refusal, value } = await this.#client.ask('check', { subject, version, verbose: true, body: { schema } })
      if (refusal !== null) {
        if (isMissing(refusal)) continue
        throw refused(refusal, `to check the schema against ${subject}`, this.#client.place)
      }
      const verdict = verdictIn(value, this.#client.place)
      if (verdict.compatible) continue
      const against = version === 'latest' ? 'the latest version' : `version ${version}`
      const found =
        verdict.reasons.length > 0 ? verdict.reasons : ['it breaks the level; the registry does not say where']
      reasons.push(...found.map(reason => `${level} against ${against}: ${reason}`))
      if (reasons.length >= maxReasons) break
    }
    return { verdict: reasons.length === 0 ? 'compatible' : 'incompatible', reasons: reasons.slice(0, maxReasons) }
  }

  async level(subject?: string): Promise<CompatibilityLevel | null> {
    if (subject === undefined) return this.#globalLevel()
    checkSubject(subject)
    const { refusal, value } = await this.#client.ask('level', { subject })
    if (refusal === null) {
      const level = levelIn(value, this.#client.place)
      return level === 'NONE' && (await this.#levelInEffect(subject)) !== 'NONE' ? null : level
    }
    if (isMissing(refusal)) return null
    throw refused(refusal, `to give the level of ${subject}`, this.#client.place)
  }

  async setLevel(level: CompatibilityLevel, subject?: string): Promise<void> {
    checkLevelName(level)
    if (subject !== undefined) checkSubject(subject)
    const body = { compatibility: level }
    const { refusal } = await (subject === undefined
      ? this.#client.ask('setGlobalLevel', { body })
      : this.#client.ask('setLevel', { subject, body }))
    if (refusal !== null) throw refused(refusal, `to set the level of ${subject ?? 'all'}`, this.#client.place)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]()
  }

  /** The version this schema has, null when it has none. @throws registry.mismatch when another schema is given for it */
  async #find(subject: string, schema: string): Promise<RegisteredSchema | null> {
    const { refusal, value } = await this.#client.ask('lookup', { subject, body: { schema } })
    if (refusal === null) {
      const found = this.#registered(subject, value)
      if (sameSchema(found.schema, schema)) return found
      throw mismatch(`Asked for a schema of ${subject}, the registry gives another one`, this.#client.place)
    }
    if (isMissing(refusal)) return null
    throw refused(refusal, `to look the schema of ${subject} up`, this.#client.place)
  }

  /** @throws registry.incompatible */
  async #add(subject: string, schema: string): Promise<RegisteredSchema> {
    const { place } = this.#client
    const { refusal, value } = await this.#client.ask('register', { subject, body: { schema } })
    if (refusal !== null) {
      if (refusal.status !== 409) throw refused(refusal, `to register the schema of ${subject}`, place)
      throw new WeirError(
        'registry.incompatible',
        `The schema breaks the compatibility of ${subject}: ${refusal.message}.`,
        {
          at: place,
          hint: 'Give new fields a default, and keep the types of fields that are there; or choose a new subject.',
        },
      )
    }
    const id = idIn(value, place)
    const found = await this.#settled(() => this.#find(subject, schema))
    if (found?.id === id) return found
    throw mismatch(
      `The registry took the schema of ${subject} as id ${id}, and ${found === null ? 'does not find it' : `finds it as id ${found.id}`}`,
      place,
    )
  }

  /** The first answer that is not null, asked for a few times. */
  async #settled<T>(look: () => Promise<T | null>): Promise<T | null> {
    for (let tried = 1; ; tried++) {
      const found = await look()
      if (found !== null || tried === settleTries) return found
      await this.#options.clock.sleep(settleWaitMs * tried)
    }
  }

  #registered(subject: string, value: unknown): RegisteredSchema {
    const { id, version, text } = schemaIn(value, this.#client.place)
    if (id === null || version === null) throw misshapen('a version', this.#client.place)
    this.#memory.witness(id, text)
    return { subject, version, id, schema: text }
  }

  async #levelInEffect(subject: string): Promise<CompatibilityLevel> {
    const { refusal, value } = await this.#client.ask('level', { subject, defaultToGlobal: true })
    if (refusal === null) return levelIn(value, this.#client.place)
    if (isMissing(refusal)) return this.#globalLevel()
    throw refused(refusal, `to give the level of ${subject}`, this.#client.place)
  }

  async #globalLevel(): Promise<CompatibilityLevel> {
    const { refusal, value } = await this.#client.ask('globalLevel')
    if (refusal === null) return levelIn(value, this.#client.place)
    throw refused(refusal, 'to give its level', this.#client.place)
  }
}

function checkAddress({ url, tls }: HttpRegistryOptions): void {
  const wrong = (why: string, hint: string) =>
    new WeirError('config.invalid', `The address of the schema registry ${why}.`, { hint })
  const address = URL.parse(url)
  if (address === null || (address.protocol !== 'http:' && address.protocol !== 'https:'))
    throw wrong('is no http or https address', 'Write it as https://registry.example:8081.')
  if (address.username !== '' || address.password !== '')
    throw wrong('holds credentials', 'Write them under `auth`, where they stay secret.')
  if (address.search !== '' || address.hash !== '')
    throw wrong('has a query', 'Write scheme, host, port and path only.')
  if (tls !== null && address.protocol === 'http:')
    throw wrong('begins with http, but TLS is asked for', 'Write https, or leave `tls` out.')
}

const isMissing = ({ code }: Refusal) => code >= 40400 && code <= 40499

const nullIf = (code: string) => (error: unknown) => {
  if (error instanceof WeirError && error.code === code) return null
  throw error
}

function unknownSubject(subject: string): WeirError {
  return new WeirError('registry.unknown_subject', `There is no subject ${subject}.`, {
    hint: 'A pipeline registers the subject of its topic when it starts.',
  })
}

function levelIn(value: unknown, place: string): CompatibilityLevel {
  const { compatibilityLevel, compatibility } = (value ?? {}) as Record<string, unknown>
  const level = String(compatibilityLevel ?? compatibility).toUpperCase() as CompatibilityLevel
  if (compatibilityLevels.includes(level)) return level
  throw misshapen('a level', place)
}
