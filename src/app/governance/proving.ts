// Proof on data: what the records of a topic, and its dead letters, do under a schema that is not registered yet.
import { relative } from 'node:path'
import { deadLetterTopic } from '../../config/rules.ts'
import { WeirError } from '../../core/errors.ts'
import type { LogRecord } from '../../core/record.ts'
import { DataProof, type RetainedValue } from '../../governance/data-proof.ts'
import { readByVersions } from '../../governance/made-up-readers.ts'
import { parseNamedSchema, readNamedSchema } from '../../governance/named-schema.ts'
import { everythingIn, outlineOf } from '../../governance/outline.ts'
import { personalPaths } from '../../governance/personal.ts'
import type { DataCheck, Review } from '../../governance/review.ts'
import type { Evidence } from '../../governance/review-schema.ts'
import type { NamedSchema } from '../../governance/schema-tree.ts'
import type { BrowseFrom, EventLog, RegisteredSchema, SchemaRegistry } from '../../pipeline/ports.ts'
import type { CompatibilityLevel } from '../../schema/compatibility-level.ts'
import { readSchemaId } from '../../schema/wire.ts'
import { selectLetters } from '../dead-letters.ts'
import { findTopic, storedRecords } from '../reading.ts'
import { type Bench, reviewOne } from './checking.ts'
import { readHistory } from './state.ts'
import type { WorkspaceSubject } from './subjects.ts'
import { historyFrom } from './versions.ts'

interface Store {
  readonly log: EventLog
  readonly registry: SchemaRegistry
}

export interface ProofSettings {
  /** The most records to read, the oldest first. */
  readonly records: number
  readonly from: BrowseFrom
  readonly deadLetters: boolean
  readonly signal: AbortSignal
  readonly onRead: (done: number, total: number) => void
}

/** The topic that holds values of a subject, by the usual naming. */
export const topicOf = (subject: string): string => subject.replace(/-value$/, '')

/** What is proven: a candidate for a subject whose values are in a topic. */
export interface ProofTarget {
  readonly subject: string
  readonly topic: string
  readonly candidate: NamedSchema
  readonly base: NamedSchema | null
  /** Of the subject, as registered. */
  readonly versions: readonly RegisteredSchema[]
}

/** Reads the topic under the candidate. @throws log.topic_unknown, registry.*, log.* */
async function evidenceFrom(
  bench: Bench,
  store: Store,
  target: ProofTarget,
  settings: ProofSettings,
): Promise<Evidence> {
  const { topic, subject, candidate, base, versions } = target
  const info = await findTopic(store.log, topic)
  const retained = Number(info.partitionInfo.reduce((sum, { earliest, latest }) => sum + (latest - earliest), 0n))
  const rules = bench.rules(subject)
  const proof = new DataProof({ topic, candidate, base, kinds: rules.pii?.values ?? [] })
  const total = Math.min(retained, settings.records)
  let done = 0
  for await (const record of storedRecords(store.log, info, settings)) {
    await take(proof, store.registry, record, versions)
    settings.onRead(++done, total)
    if (done >= settings.records) break
  }
  const letters = settings.deadLetters ? await lettersUnder(bench, store, target, settings.signal) : null
  const { data, personalValues, sharedValues, examples, changed } = proof.evidence()
  const masked = personalPaths({
    rule: rules.pii,
    fields: [candidate, ...(base ? [base] : [])].flatMap(schema => everythingIn(outlineOf(schema)).fields),
    metadata: {},
    values: personalValues,
  })
  const latest = versions.at(-1)?.version
  const live = historyFrom(versions.filter(({ version }) => version === latest || proof.versions.has(version)))
  return {
    personalValues,
    sharedValues,
    examples: examples(masked),
    data: {
      ...data,
      topic,
      retained,
      changed: changed(masked),
      readers: readByVersions(candidate, live.versions),
      deadLetters: letters,
    },
  }
}

async function take(
  proof: DataProof,
  registry: SchemaRegistry,
  record: LogRecord | (RetainedValue & { readonly value: Uint8Array }),
  versions: readonly RegisteredSchema[],
): Promise<void> {
  if (record.value === null) return proof.tombstone()
  const retained = { partition: record.partition, offset: record.offset, value: record.value }
  let id: number
  try {
    id = readSchemaId(record.value)
  } catch (error) {
    if (!(error instanceof WeirError)) throw error
    return proof.unframed(retained, error.message)
  }
  if (!proof.knows(id)) {
    if (!proof.takesMoreIds) {
      proof.unframed(retained, 'the topic has too many schema ids for this one to be looked up')
      return
    }
    const version = versions.find(each => each.id === id)?.version ?? null
    proof.learn(id, await schemaOf(registry, id), version)
  }
  proof.add(retained, id)
}

/** The schema of an id, or why there is none. */
async function schemaOf(registry: SchemaRegistry, id: number): Promise<NamedSchema | string> {
  try {
    const { schema, problems } = readNamedSchema(await registry.byId(id))
    return schema ?? `the schema of id ${id} breaks the rules of Avro: ${problems[0]?.message ?? ''}`
  } catch (error) {
    if (error instanceof WeirError && error.code === 'registry.unknown_id')
      return `the registry does not know the schema id ${id}`
    throw error
  }
}

/** The dead letters that hold a record of the topic: those of consumers. Others hold what never became a record. */
async function lettersUnder(
  bench: Bench,
  { log, registry }: Store,
  { topic, candidate, base, versions }: ProofTarget,
  signal: AbortSignal,
): Promise<DataCheck['deadLetters']> {
  const name = deadLettersOf(bench, topic)
  if ((await log.topic(name)) === null) return { topic: name, letters: 0, records: 0, failed: 0, failures: [] }
  const proof = new DataProof({ topic: name, candidate, base, kinds: [] })
  let letters = 0
  for await (const { record, letter } of selectLetters({ log, registry }, name, {}, signal)) {
    letters++
    if (letter.original_topic !== topic) continue
    const value = letter.original
    await take(proof, registry, { partition: record.partition, offset: record.offset, value }, versions)
  }
  const { records, damaged, failed, failures } = proof.evidence().data
  return { topic: name, letters, records: records - damaged.records, failed, failures }
}

/** Where the dead letters of a topic go, as far as the workspace says. */
export function deadLettersOf({ workspace }: Bench, topic: string): string {
  const writer = workspace.pipelines.find(({ fields }) => fields.topic?.name === topic)
  return writer?.fields.dead_letter?.topic ?? deadLetterTopic(topic)
}

export interface ProveRequest {
  readonly wanted: WorkspaceSubject
  readonly topic: string
  /** Instead of the level of the policy. */
  readonly level: CompatibilityLevel | null
  readonly strict: boolean
  readonly today: string
  readonly settings: ProofSettings
}

/** The review of a subject against the registry, with the proof on its topic. @throws schema.invalid, log.topic_unknown, registry.*, log.* */
export async function proveSubject(bench: Bench, store: Store, request: ProveRequest): Promise<Review> {
  const { wanted, topic, level, strict, today, settings } = request
  const { subject, file } = wanted
  const { registry } = store
  const candidate = parseNamedSchema(wanted.schema)
  const history = await readHistory(registry, subject)
  const { versions } = history
  const found = versions.length === 0 ? null : ((await registry.lookup(subject, wanted.schema))?.version ?? null)
  const before = historyFrom(found === null ? versions : versions.filter(each => each.version < found)).versions
  const base = before.at(-1)?.schema ?? null
  const evidence = await evidenceFrom(bench, store, { subject, topic, candidate, base, versions }, settings)
  const own = bench.rules(subject).level
  return reviewOne(bench, {
    subject,
    file: file && relative(bench.cwd, file),
    schema: candidate,
    history: before,
    level: level ?? own ?? history.level ?? (await registry.level()) ?? 'BACKWARD',
    levelFrom: level ? 'flag' : own ? 'policy' : history.level ? 'subject' : 'global',
    strict,
    today,
    lookup: { found, latest: versions.at(-1)?.version ?? null, normalized: null },
    evidence,
  })
}

/** Proves a candidate on the topic of its subject; null where there is no such topic. */
export type Prove = (subject: string, candidate: NamedSchema, base: NamedSchema | null) => Promise<Evidence | null>

/** For reviews that are made elsewhere: of files, and of plans. */
export function proverOn(bench: Bench, store: Store, settings: ProofSettings): Prove {
  return async (subject, candidate, base) => {
    const topic = topicOf(subject)
    if ((await store.log.topic(topic)) === null) return null
    const { versions } = await readHistory(store.registry, subject)
    return evidenceFrom(bench, store, { subject, topic, candidate, base, versions }, settings)
  }
}
