// The schemas this process has met, by id. What was met once goes on working while the registry is away.
//
// An id must never come to stand for another schema; a registry that was wiped or exchanged breaks that, and old and new values of a topic
// cannot be told apart any more. So an id that is used is compared with what the registry says now: once it has not been compared for
// `recheckMs`, and at its first use after any time in which the registry did not answer. A difference breaks the id for good.
// What cannot be noticed: an id given out anew within `recheckMs` of the last comparison, while the registry answered all the time it was
// asked, or while it cannot be asked at all; an id that this process has not met before its meaning changed; and, until its next start, an
// id that a process only writes with, for then nobody asks for it.
import { codeOf, WeirError } from '../../core/errors.ts'
import { sameSchema } from '../../governance/fingerprint.ts'
import { refused, schemaIn } from './answers.ts'
import type { Effort, RegistryClient } from './client.ts'
import type { HttpRegistryOptions } from './options.ts'

interface Known {
  readonly text: string
  comparedAtMs: number
  /** The registry does not know the id any more: deleted, or wiped and not yet given out anew. */
  gone: boolean
  broken: WeirError | null
}

const maxSchemas = 1000
const maxCharacters = 32 * 1024 * 1024
const usualRecheckMs = 30_000
const recheckOfGoneMs = 1_000
/** While the registry is away, one comparison is tried after this long, and nobody waits for it. */
const probeMs = 5_000
const comparing: Effort = { timeoutMs: 2_000, tries: 1 }

export class SchemaMemory {
  readonly #client: RegistryClient
  readonly #clock: HttpRegistryOptions['clock']
  readonly #recheckMs: number
  /** Least recently used first. */
  readonly #known = new Map<number, Known>()
  #characters = 0
  readonly #asking = new Map<number, Promise<string>>()
  readonly #comparing = new Map<number, Promise<void>>()
  #lastComparedMs = Number.NEGATIVE_INFINITY

  constructor(client: RegistryClient, { clock, recheckMs = usualRecheckMs }: HttpRegistryOptions) {
    this.#client = client
    this.#clock = clock
    this.#recheckMs = recheckMs
  }

  /** @throws registry.unknown_id, registry.mismatch, registry.unavailable, registry.denied, schema.invalid */
  async textOf(id: number): Promise<string> {
    const known = this.#known.get(id)
    if (known === undefined) return this.#learn(id)
    this.#known.delete(id)
    this.#known.set(id, known)
    if (this.#isDue(known)) {
      const compared = this.#compare(id, known)
      if (!this.#client.away) await compared
    }
    if (known.broken !== null) throw known.broken
    return known.text
  }

  /** What the registry says of an id elsewhere. @throws registry.mismatch */
  witness(id: number, text: string): void {
    const known = this.#known.get(id)
    if (known === undefined) return
    if (known.broken === null && !sameSchema(known.text, text))
      known.broken = mismatch(`Schema id ${id} stands for another schema than before`, this.#client.place)
    if (known.broken !== null) throw known.broken
    known.gone = false
    known.comparedAtMs = this.#clock.monotonic()
  }

  #isDue(known: Known): boolean {
    if (known.broken !== null) return false
    const now = this.#clock.monotonic()
    if (this.#client.away) return now - this.#lastComparedMs >= Math.min(probeMs, this.#recheckMs)
    if (known.comparedAtMs <= this.#client.backAtMs) return true
    return now - known.comparedAtMs >= (known.gone ? recheckOfGoneMs : this.#recheckMs)
  }

  /** Callers at the same time share one question; a failure is forgotten. */
  #learn(id: number): Promise<string> {
    let asking = this.#asking.get(id)
    if (asking === undefined) {
      asking = this.#ask(id)
        .then(text => {
          this.#remember(id, text)
          return text
        })
        .finally(() => this.#asking.delete(id))
      this.#asking.set(id, asking)
    }
    return asking
  }

  /** Never rejects: while the registry cannot be asked, what is known holds. */
  #compare(id: number, known: Known): Promise<void> {
    let work = this.#comparing.get(id)
    if (work === undefined) {
      this.#lastComparedMs = this.#clock.monotonic()
      work = this.#ask(id, comparing)
        .then(
          text => this.witness(id, text),
          error => {
            if (codeOf(error) === 'registry.unknown_id') known.gone = true
            else if (codeOf(error) === 'schema.invalid')
              known.broken = mismatch(`Schema id ${id} stands for something that is no Avro schema`, this.#client.place)
            else return
            known.comparedAtMs = this.#clock.monotonic()
          },
        )
        .catch(() => {}) // witness has kept it
        .finally(() => this.#comparing.delete(id))
      this.#comparing.set(id, work)
    }
    return work
  }

  async #ask(id: number, effort?: Effort): Promise<string> {
    const { place } = this.#client
    const { refusal, value } = await this.#client.ask('schema', { id }, effort)
    if (refusal === null) return schemaIn(value, place).text
    if (refusal.code !== 40403) throw refused(refusal, `to give the schema with id ${id}`, place)
    throw new WeirError('registry.unknown_id', `No schema has the id ${id}.`, {
      at: place,
      hint: 'The value was written with another registry, or the registry was replaced.',
    })
  }

  #remember(id: number, text: string): void {
    this.#known.set(id, { text, comparedAtMs: this.#clock.monotonic(), gone: false, broken: null })
    this.#characters += text.length
    for (const [oldest, { text: old }] of this.#known) {
      if (this.#known.size <= maxSchemas && this.#characters <= maxCharacters) break
      this.#known.delete(oldest)
      this.#characters -= old.length
    }
  }
}

export function mismatch(what: string, place: string): WeirError {
  return new WeirError('registry.mismatch', `${what}.`, {
    at: place,
    hint: 'Was the registry wiped, restored or exchanged? Values written before and after cannot be told apart by their id: bring the old schemas back under their ids, or start with a new topic.',
  })
}
