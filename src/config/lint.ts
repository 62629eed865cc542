// One pipeline file: YAML text to a checked definition, with everything that is wrong in it at once (I12).
// Reads the file, the schema it names and the files of its ${file:…}; connects to nothing.
import { dirname, resolve } from 'node:path'
import { toWeirError } from '../core/errors.ts'
import { isObject } from '../core/json-text.ts'
import { fetchSpec } from '../fetch/settings.ts'
import { compileDeletedKey } from '../mapping/deleted-key.ts'
import { valueSubject } from '../schema/subject.ts'
import type { Catalogue } from './catalogue.ts'
import { decodeValue } from './decode.ts'
import type { ConsumeDefinition, PipelineDefinition, ProcessStep, Schedule, WorkspaceDefinition } from './definition.ts'
import { checkKeepRaw, rawRecordBytes, rawTopic } from './keep-raw.ts'
import { type PipelineFields, pipelineSpec } from './pipeline-spec.ts'
import { DefinitionError, type LocatedProblem, Problems } from './problem.ts'
import { readPart } from './read.ts'
import type { Reading } from './resolve.ts'
import { checkRules, deadLetterTopic, type PartlyFields } from './rules.ts'
import { checkAgainst, readSchemaFile, type SchemaFile } from './schema-file.ts'
import { shapeOf } from './shape.ts'
import { type Chosen, choicesOf, readSlot } from './slot.ts'
import { type ChosenSource, readSource } from './source-slot.ts'
import { checkText, readText } from './text.ts'
import { checkUrls } from './urls.ts'
import { knownVersion } from './version.ts'
import { parseYaml } from './yaml.ts'

export interface LintOptions {
  readonly catalogue: Catalogue
  readonly env: Readonly<Record<string, string | undefined>>
  /** Warnings become errors. */
  readonly strict?: boolean
  /** How a variable that is not set counts; `warning` is for checking where the secrets are not. Default error. */
  readonly unsetVariables?: 'error' | 'warning'
  /** The day, YYYY-MM-DD in UTC, by which waivers of the policy run out; omitted: none has. */
  readonly today?: string
  /** What the pipeline would run on, for warnings; null or omitted: not known. */
  readonly broker?: WorkspaceDefinition['broker']['kind'] | null
}

export interface LintResult {
  /** There when nothing is wrong but warnings. */
  readonly definition?: PipelineDefinition
  readonly problems: readonly LocatedProblem[]
}

/** A file as it was read, for the rules between files. */
export interface LintedPipeline {
  readonly file: string
  readonly problems: Problems
  readonly fields: PartlyFields
  readonly definition: PipelineDefinition | undefined
}

/** A pipeline file, or its text under a file name that need not exist: what an editor has open. */
export type PipelineInput = string | { readonly file: string; readonly text: string }

/** Everything that is wrong in a pipeline, and its definition when nothing is. Never throws for what the file holds. */
export function lintPipeline(input: PipelineInput, options: LintOptions): LintResult {
  const { definition, problems } = examine(input, options)
  return { ...(definition ? { definition } : {}), problems: problems.list() }
}

/** The definition of a file. @throws DefinitionError (config.*) with every problem; warnings go to `warn` */
export function loadPipeline(
  file: string,
  options: LintOptions & { readonly warn?: (problem: LocatedProblem) => void },
): PipelineDefinition {
  const { definition, problems } = lintPipeline(file, options)
  if (!definition) throw new DefinitionError(problems)
  for (const problem of problems) options.warn?.(problem)
  return definition
}

/** Reads and checks one file, keeping what the rules between files need. */
export function examine(input: PipelineInput, options: LintOptions): LintedPipeline {
  const given = typeof input === 'string' ? { file: input } : input
  const file = resolve(given.file)
  const { problems, value } = readDefinitionText({ ...given, file }, options.strict ?? false)
  if (!value) return { file, problems, fields: {}, definition: undefined }
  const reading: Reading = {
    problems,
    variables: { env: options.env, baseDir: dirname(file) },
    unset: options.unsetVariables ?? 'error',
    resolved: new Map(),
    urls: new Map(),
    lost: new Set(),
  }
  const read = (readPart(knownVersion(value, problems), pipelineSpec, '', reading) ?? {}) as PartlyFields
  const strict = options.strict ?? false
  const source = isObject(read.source)
    ? readSource(read.source, value['fetch'], options.catalogue, strict, reading)
    : undefined
  const fields = withOwnRate(withVendorFetch(read, source, reading), source, value['fetch'])
  const sinks = (fields.consume ?? []).map((consumer, i) =>
    isObject(consumer?.sink)
      ? readSlot(consumer.sink, choicesOf(options.catalogue.sinks), 'sink', [], `/consume/${i}/sink`, reading)
      : undefined,
  )
  checkRules(fields, problems)
  checkUrls(reading.urls, fields.fetch?.allow_private ?? [], problems)
  warnOnReplay(source, problems)
  checkKeepRaw(fields, source, problems)
  if (fields.on_broker_down === 'spool' && options.broker === 'embedded')
    problems.add({
      code: 'config.warning',
      message: '`spool` has no effect: the broker is the embedded one, which is always at hand.',
      pointer: '/on_broker_down',
      hint: 'Remove it, or name a cluster: `broker: { kafka: … }` in weir.yaml, or WEIR_BROKER.',
    })
  const schema =
    fields.topic?.schema === undefined ? undefined : readSchemaFile(fields.topic.schema, '/topic/schema', reading)
  for (const sink of sinks) checkSinkSchema(sink, reading)
  if (schema) checkMap(fields, source, schema, problems)
  if (schema && source?.usable && !problems.failed) checkDeletes(fields, source, schema, problems)
  const complete =
    !problems.failed && reading.lost.size === 0 && source && schema && sinks.every(sink => sink !== undefined)
  const definition = complete ? define(file, fields as PipelineFields, source, sinks, schema) : undefined
  return { file, problems, fields, definition }
}

/** The fields with the `fetch` that a vendor asks for where the pipeline does not say. */
function withVendorFetch(fields: PartlyFields, source: ChosenSource | undefined, reading: Reading): PartlyFields {
  if (!source || Object.keys(source.fetch).length === 0) return fields
  return { ...fields, fetch: decodeValue(source.fetch, shapeOf(fetchSpec), '/fetch', reading) as PartlyFields['fetch'] }
}

/** The fields with the rate of calls that the connector asks for where the pipeline, `fetch` as written, does not say. */
function withOwnRate(fields: PartlyFields, source: ChosenSource | undefined, fetch: unknown): PartlyFields {
  const rate = source?.connector.rate
  if (!rate || !fields.fetch || (isObject(fetch) && 'rate_limit' in fetch)) return fields
  return { ...fields, fetch: { ...fields.fetch, rate_limit: { ...fields.fetch.rate_limit, ...rate } } }
}

/** The text of a definition file as plain values, places kept. */
export function readDefinitionText(
  given: { readonly file: string; readonly text?: string },
  strict: boolean,
): { readonly problems: Problems; readonly value: Record<string, unknown> | undefined } {
  const read = given.text === undefined ? readText(given.file) : checkText(given.text)
  if ('failure' in read) {
    const { code, message, hint, text, offset = 0 } = read.failure
    const problems = new Problems(given.file, text ?? null, strict)
    problems.add({ code, message, hint, pointer: '', span: { start: offset, end: offset + 1 } })
    return { problems, value: undefined }
  }
  const problems = new Problems(given.file, read.text, strict)
  return { problems, value: parseYaml(read.text, problems) }
}

type ChosenSink = Chosen<Catalogue['sinks'][string]>

function warnOnReplay(source: ChosenSource | undefined, problems: Problems): void {
  if (!source || source.connector.replayable) return
  problems.add({
    code: 'config.warning',
    message: `\`${source.name}\` cannot give the same items again: records are stored at least once, not exactly once.`,
    pointer: source.pointer,
    on: 'key',
    hint: 'After a crash the records in flight may be lost or doubled at the source; keep what must not be with another source.',
  })
}

/** A sink may name the schema of what it writes. */
function checkSinkSchema(sink: ChosenSink | undefined, reading: Reading): void {
  const schema = sink?.usable && isObject(sink.config) ? sink.config['schema'] : undefined
  if (sink && typeof schema === 'string') readSchemaFile(schema, `${sink.pointer}/schema`, reading)
}

function checkMap(
  fields: PartlyFields,
  source: ChosenSource | undefined,
  schema: SchemaFile,
  problems: Problems,
): void {
  const texts = (map: object) => Object.fromEntries(Object.entries(map).filter(([, text]) => typeof text === 'string'))
  if (fields.map !== undefined) {
    if (isObject(fields.map)) checkAgainst(texts(fields.map), schema, { pointer: '/map', own: true }, problems)
    return
  }
  const map = source?.map ?? source?.connector.mapping
  if (source && map) checkAgainst(map, schema, { pointer: source.pointer, own: false }, problems)
}

/** Where the source tells what is gone, the key must be one that is still known then. */
function checkDeletes(fields: PartlyFields, source: ChosenSource, schema: SchemaFile, problems: Problems): void {
  const id = source.connector.deletedId?.(source.config)
  if (id === undefined) return
  const { key } = fields.topic ?? {}
  if (key === undefined) {
    problems.add({
      code: 'config.conflict',
      message: '`deletes: tombstone` needs a key: a tombstone says of its key that it is gone.',
      pointer: '/topic',
      on: 'key',
      hint: `Add key: ${id}.`,
    })
    return
  }
  try {
    const map = (fields.map as Readonly<Record<string, string>> | undefined) ?? source.map ?? source.connector.mapping
    compileDeletedKey(id, map ?? null, key, schema.text)
  } catch (thrown) {
    const { code, message, hint } = toWeirError(thrown)
    problems.add({ code, message, pointer: '/topic/key', ...(hint ? { hint } : {}) })
  }
}

function define(
  file: string,
  fields: PipelineFields,
  source: ChosenSource,
  sinks: readonly (ChosenSink | undefined)[],
  schema: SchemaFile,
): PipelineDefinition {
  const { topic, dead_letter: dead } = fields
  return {
    file,
    baseDir: dirname(file),
    pipeline: fields.pipeline,
    description: fields.description ?? null,
    owner: fields.owner ?? null,
    source: {
      connector: source.name,
      vendor: source.vendor,
      config: source.config,
      schedule: scheduleOf(fields.source),
      concurrency: fields.source.concurrency,
      ...(source.cluster ? { cluster: source.cluster } : {}),
      provenance: fields.source.provenance,
    },
    fetch: fields.fetch,
    map: fields.map ?? source.map,
    topic: {
      name: topic.name,
      key: topic.key ?? null,
      schemaFile: schema.file,
      schemaText: schema.text,
      subject: topic.subject ?? valueSubject(topic.name),
      partitions: topic.partitions,
      retentionMs: topic.retention?.time ?? null,
      retentionBytes: topic.retention?.size ?? null,
      maxRecordBytes: topic.max_record,
    },
    deadLetter: {
      topic: dead.topic ?? deadLetterTopic(topic.name),
      stopAfter: dead.stop_after ? { records: dead.stop_after.records, perMs: dead.stop_after.per } : null,
      retentionMs: dead.retention?.time ?? null,
    },
    raw:
      fields.source.keep_raw === undefined
        ? null
        : { topic: rawTopic(topic.name), maxRecordBytes: rawRecordBytes(fields.fetch.max_body) },
    consume: fields.consume.map((consumer, i) => consumeOf(consumer, sinks[i]!)),
    onBrokerDown: fields.on_broker_down,
    shutdownTimeoutMs: fields.shutdown_timeout,
  }
}

function scheduleOf({ every, cron }: PipelineFields['source']): Schedule {
  if (every !== undefined) return { everyMs: every }
  return cron === undefined ? null : { cron }
}

function consumeOf(consumer: PipelineFields['consume'][number], sink: ChosenSink): ConsumeDefinition {
  const { retry, batch } = consumer
  return {
    group: consumer.group,
    start: consumer.start,
    outOfRange: consumer.out_of_range,
    process: consumer.process as readonly ProcessStep[],
    sink: { connector: sink.name, config: sink.config },
    retry: { attempts: retry.attempts, minMs: retry.backoff.min, maxMs: retry.backoff.max },
    batch: { records: batch.records, bytes: batch.size },
  }
}
