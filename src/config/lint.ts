// One pipeline file: YAML text to a checked definition, with everything that is wrong in it at once (I12).
// Reads the file, the schema it names and the files of its ${file:…}; connects to nothing.
import { dirname, resolve } from 'node:path'
import { isObject } from '../core/json-text.ts'
import { valueSubject } from '../schema/subject.ts'
import type { Catalogue } from './catalogue.ts'
import type { ConsumeDefinition, PipelineDefinition, ProcessStep, Schedule } from './definition.ts'
import { type PipelineFields, pipelineSpec } from './pipeline-spec.ts'
import { DefinitionError, type LocatedProblem, Problems } from './problem.ts'
import { readPart } from './read.ts'
import type { Reading } from './resolve.ts'
import { checkRules, deadLetterTopic, type PartlyFields } from './rules.ts'
import { checkAgainst, readSchemaFile, type SchemaFile } from './schema-file.ts'
import { type Chosen, readSlot } from './slot.ts'
import { checkText, readText } from './text.ts'
import { checkUrls } from './urls.ts'
import { parseYaml } from './yaml.ts'

export interface LintOptions {
  readonly catalogue: Catalogue
  readonly env: Readonly<Record<string, string | undefined>>
  /** Warnings become errors. */
  readonly strict?: boolean
  /** How a variable that is not set counts; `warning` is for checking where the secrets are not. Default error. */
  readonly unsetVariables?: 'error' | 'warning'
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
  const fields = (readPart(knownVersion(value, problems), pipelineSpec, '', reading) ?? {}) as PartlyFields
  const source = isObject(fields.source)
    ? readSlot(
        fields.source,
        options.catalogue.sources,
        'connector',
        ['every', 'cron', 'concurrency'],
        '/source',
        reading,
      )
    : undefined
  const sinks = (fields.consume ?? []).map((consumer, i) =>
    isObject(consumer?.sink)
      ? readSlot(consumer.sink, options.catalogue.sinks, 'sink', [], `/consume/${i}/sink`, reading)
      : undefined,
  )
  checkRules(fields, problems)
  checkUrls(reading.urls, fields.fetch?.allow_private ?? [], problems)
  warnOnReplay(source, problems)
  const schema =
    fields.topic?.schema === undefined ? undefined : readSchemaFile(fields.topic.schema, '/topic/schema', reading)
  for (const sink of sinks) checkSinkSchema(sink, reading)
  if (schema) checkMap(fields, source, schema, problems)
  const complete =
    !problems.failed && reading.lost.size === 0 && source && schema && sinks.every(sink => sink !== undefined)
  const definition = complete ? define(file, fields as PipelineFields, source, sinks, schema) : undefined
  return { file, problems, fields, definition }
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

/** Without the version, after a word about one that this weir does not read. */
export function knownVersion(value: Record<string, unknown>, problems: Problems): Record<string, unknown> {
  const { version, ...rest } = value
  if (typeof version !== 'number' || version === 1) return value
  problems.add({
    code: 'config.invalid',
    message: `The file is of version ${version}; this weir reads version 1.`,
    pointer: '/version',
    hint: version > 1 ? 'It comes from the future: use a newer weir.' : 'Write `version: 1`, or leave it out.',
  })
  return rest
}

type ChosenSource = Chosen<Catalogue['sources'][string]>
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
  } else if (source?.connector.mapping)
    checkAgainst(source.connector.mapping, schema, { pointer: source.pointer, own: false }, problems)
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
      config: source.config,
      schedule: scheduleOf(fields.source),
      concurrency: fields.source.concurrency,
    },
    fetch: fields.fetch,
    map: fields.map ?? null,
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
    consume: fields.consume.map((consumer, i) => consumeOf(consumer, sinks[i]!)),
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
