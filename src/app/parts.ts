// The parts of a pipeline that more than one command needs, made from its definition: topics, schemas, mapping, encoders, the dead-letter office.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openBreakerFile } from '../adapters/breaker-file/breaker-file.ts'
import type { ConsumeDefinition, PipelineDefinition } from '../config/definition.ts'
import type { Clock, Random } from '../core/clock.ts'
import { WeirError } from '../core/errors.ts'
import type { Emit } from '../core/event.ts'
import { packageFolder } from '../core/shipped.ts'
import { type FetchGuardOptions, openFetchGuard } from '../fetch/open.ts'
import { compileDeletedKey } from '../mapping/deleted-key.ts'
import { compileExpression } from '../mapping/expression.ts'
import { compileMapping, identityMapping, type Mapping } from '../mapping/mapping.ts'
import { pathsRead } from '../mapping/paths.ts'
import { createOffice, type DeadLetterOffice, envelopeBytes } from '../pipeline/dead-letter.ts'
import { createEncode, type EncodeBatch } from '../pipeline/encode.ts'
import { createPageKeeper, type PageKeeper } from '../pipeline/kept-page.ts'
import type { EventLog, RegisteredSchema, SchemaRegistry, Sink, Source } from '../pipeline/ports.ts'
import { type ProcessStep, processVariables } from '../pipeline/process.ts'
import { compileEncoder } from '../schema/codec.ts'
import { valueSubject } from '../schema/subject.ts'
import { sinks } from '../sinks/index.ts'
import type { SinkConnector } from '../sinks/sink.ts'
import { sources } from '../sources/index.ts'
import type { SourceConnector } from '../sources/source.ts'
import { clusterOpener } from './source-cluster.ts'

/** A broker and its registry as they were opened. */
export interface OpenBroker {
  readonly log: EventLog
  readonly registry: SchemaRegistry
}

/** What the parts of a pipeline need of them: `governedBroker` puts the policy before the registry. */
export interface Broker {
  readonly log: EventLog
  readonly registry: Pick<SchemaRegistry, 'byId' | 'lookup' | 'register'>
}

export interface AppDeps {
  readonly clock: Clock
  readonly random: Random
  readonly emit: Emit
  /** Absolute path of the folder where small local state may live: breakers. */
  readonly dataDir: string
}

/** A dead letter keeps its original whole up to this size. */
const largestOriginalBytes = 16 * 1024 * 1024

/** The text of schemas/dead-letter.avsc, as shipped. */
export function deadLetterSchemaText(): Promise<string> {
  return readFile(join(packageFolder, 'schemas/dead-letter.avsc'), 'utf8')
}

/** The text of schemas/raw-page.avsc, as shipped. */
export function rawPageSchemaText(): Promise<string> {
  return readFile(join(packageFolder, 'schemas/raw-page.avsc'), 'utf8')
}

/** Creates the topics of a pipeline, or checks them. @throws log.topic_conflict */
export async function ensureTopics(definition: PipelineDefinition, { log }: Broker, emit: Emit): Promise<void> {
  const { topic, deadLetter, raw } = definition
  const specs = [
    {
      name: topic.name,
      partitions: topic.partitions,
      retentionMs: topic.retentionMs,
      retentionBytes: topic.retentionBytes,
      maxRecordBytes: topic.maxRecordBytes,
    },
    {
      name: deadLetter.topic,
      partitions: 1,
      retentionMs: deadLetter.retentionMs,
      retentionBytes: null,
      maxRecordBytes: deadLetterRecordBytes(definition),
    },
    // A raw page is kept as long as the records that came of it.
    ...(raw
      ? [
          {
            ...raw,
            name: raw.topic,
            partitions: 1,
            retentionMs: topic.retentionMs,
            retentionBytes: topic.retentionBytes,
          },
        ]
      : []),
  ]
  for (const spec of specs) {
    const { info, created, notes = [] } = await log.ensureTopic(spec)
    emit({ type: 'topic_ready', topic: info.name, partitions: info.partitions, created })
    for (const message of notes)
      emit({ type: 'warning', pipeline: definition.pipeline, code: 'config.warning', message })
  }
}

const deadLetterRecordBytes = ({ topic }: PipelineDefinition) =>
  Math.max(largestOriginalBytes, topic.maxRecordBytes) + 2 * envelopeBytes

/** Registers a subject's schema. @throws registry.incompatible (I14) */
export async function registerSchema(
  subject: string,
  text: string,
  { registry }: Broker,
  emit: Emit,
): Promise<RegisteredSchema> {
  const registered = await registry.register(subject, text)
  emit({ type: 'schema_ready', subject, id: registered.id, version: registered.version })
  return registered
}

/**
 * The id of the schema of today, topics and schema made ready. In a dry run nothing is: it encodes with an id that is known, or with none, and
 * nothing it encodes is stored. @throws log.*, registry.*
 */
export async function schemaToWrite(
  definition: PipelineDefinition,
  broker: Broker,
  { emit }: Pick<AppDeps, 'emit'>,
  dryRun: boolean,
): Promise<number> {
  const { subject, schemaText } = definition.topic
  if (dryRun) return (await broker.registry.lookup(subject, schemaText))?.id ?? 0
  await ensureTopics(definition, broker, emit)
  return (await registerSchema(subject, schemaText, broker, emit)).id
}

/** The office of a pipeline's dead letters, its schema registered. */
export async function openOffice(
  definition: PipelineDefinition,
  broker: Broker,
  emit: Emit,
): Promise<DeadLetterOffice> {
  const text = await deadLetterSchemaText()
  const { id } = await registerSchema(valueSubject(definition.deadLetter.topic), text, broker, emit)
  const maxRecordBytes = deadLetterRecordBytes(definition)
  return createOffice({
    topic: definition.deadLetter.topic,
    // A letter is about something broken: text that is no Unicode must not keep it from being written.
    encoder: compileEncoder(text, { maxBytes: maxRecordBytes, repairText: true }),
    schemaId: id,
    maxRecordBytes,
    emit,
  })
}

/** What stores the raw pages of a pipeline, their schema registered; null where it keeps none. */
export async function openKeeper(
  { raw, pipeline }: PipelineDefinition,
  broker: Broker,
  emit: Emit,
): Promise<PageKeeper | null> {
  if (raw === null) return null
  const text = await rawPageSchemaText()
  const { id } = await registerSchema(valueSubject(raw.topic), text, broker, emit)
  const encoder = compileEncoder(text, { maxBytes: raw.maxRecordBytes, repairText: true })
  return createPageKeeper({ topic: raw.topic, pipeline, encoder, schemaId: id })
}

function sourceConnector(definition: PipelineDefinition): SourceConnector {
  return connectorOf(sources, definition.source.connector)
}

function sinkConnector(consume: ConsumeDefinition): SinkConnector {
  return connectorOf(sinks, consume.sink.connector)
}

function connectorOf<T>(catalogue: Readonly<Record<string, unknown>>, name: string): T {
  if (!Object.hasOwn(catalogue, name)) throw new WeirError('config.invalid', `There is no connector ${name}.`)
  return catalogue[name] as T
}

/** How calls are made where it is not as a run makes them: recorded, or replayed. */
export type Calls = Pick<FetchGuardOptions, 'store' | 'transport'>

export interface OpenSourceOptions {
  /** Of weir, where records are made that may name it. */
  readonly version?: string
  readonly calls?: Calls
  /** Where the cursors of the source are stored, when it is read. */
  readonly log?: Pick<EventLog, 'cursors'>
}

/** Opens the pipeline's source; its fetch guard and its cluster are made on first use and closed with it. */
export function openSource(
  definition: PipelineDefinition,
  { clock, random, emit, dataDir }: AppDeps,
  { version, calls, log }: OpenSourceOptions = {},
): Source {
  const { pipeline, fetch, baseDir, source: chosen, raw } = definition
  let guard: ReturnType<typeof openFetchGuard> | undefined
  const cluster = chosen.cluster && clusterOpener(chosen.cluster, clock, random)
  const source = sourceConnector(definition).open(definition.source.config, {
    pipeline,
    clock,
    random,
    emit,
    baseDir,
    reads: pathsRead(mapOf(definition), definition.topic.schemaText),
    ...(version !== undefined && chosen.provenance
      ? { origin: `${chosen.vendor ?? chosen.connector}@${version}` }
      : {}),
    keepsRaw: raw !== null,
    fetch: () =>
      (guard ??= openFetchGuard({
        settings: fetch,
        pipeline,
        clock,
        random,
        emit,
        ...(calls ?? { store: openBreakerFile({ dataDir, pipeline }) }),
      })),
    ...(cluster ? { cluster: cluster.open } : {}),
    ...(log
      ? { cursors: async () => new Map((await log.cursors(pipeline)).map(each => [each.split, each.value])) }
      : {}),
  })
  const close = source[Symbol.asyncDispose].bind(source)
  source[Symbol.asyncDispose] = async () => {
    await close()
    await guard?.[Symbol.asyncDispose]()
    await cluster?.[Symbol.asyncDispose]()
  }
  return source
}

/** The mapping of a definition: its own, else that of its connector; null: fields of the same name. */
export const mapOf = (definition: PipelineDefinition) => definition.map ?? sourceConnector(definition).mapping ?? null

/** The definition's mapping, else the connector's own, else fields of the same name. */
export function mappingOf(definition: PipelineDefinition): Mapping {
  const map = mapOf(definition)
  return map ? compileMapping(map, definition.topic.schemaText) : identityMapping(definition.topic.schemaText)
}

export function encodeOf(definition: PipelineDefinition, schemaId: number): EncodeBatch {
  const { topic, source } = definition
  const id = sourceConnector(definition).deletedId?.(source.config as never)
  return createEncode({
    encoder: compileEncoder(topic.schemaText, { maxBytes: topic.maxRecordBytes }),
    schemaId,
    key: topic.key === null ? null : compileExpression(topic.key, ['record', 'this', 'split']),
    ...(id === undefined || topic.key === null
      ? {}
      : { deletedKey: compileDeletedKey(id, mapOf(definition), topic.key, topic.schemaText) }),
    maxRecordBytes: topic.maxRecordBytes,
  })
}

export function stepsOf({ process }: ConsumeDefinition): ProcessStep[] {
  return process.map(step =>
    'filter' in step
      ? { kind: 'filter', expression: compileExpression(step.filter, processVariables) }
      : {
          kind: 'map',
          fields: Object.entries(step.map).map(
            ([name, text]) => [name, compileExpression(text, processVariables)] as const,
          ),
        },
  )
}

export function openSink(
  consume: ConsumeDefinition,
  definition: PipelineDefinition,
  broker: Broker,
  { clock, emit }: AppDeps,
): Promise<Sink> {
  return sinkConnector(consume).open(consume.sink.config, {
    pipeline: definition.pipeline,
    group: consume.group,
    clock,
    emit,
    baseDir: definition.baseDir,
    log: broker.log,
    registry: broker.registry,
  })
}
