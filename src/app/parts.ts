// The parts of a pipeline that more than one command needs, made from its definition: topics, schemas, mapping, encoders, the dead-letter office.
import { readFile } from 'node:fs/promises'
import { openBreakerFile } from '../adapters/breaker-file/breaker-file.ts'
import type { ConsumeDefinition, PipelineDefinition } from '../config/definition.ts'
import type { Clock, Random } from '../core/clock.ts'
import { WeirError } from '../core/errors.ts'
import type { Emit } from '../core/event.ts'
import { openFetchGuard } from '../fetch/open.ts'
import { compileExpression } from '../mapping/expression.ts'
import { compileMapping, identityMapping, type Mapping } from '../mapping/mapping.ts'
import { createOffice, type DeadLetterOffice, envelopeBytes } from '../pipeline/dead-letter.ts'
import { createEncode, type EncodeBatch } from '../pipeline/encode.ts'
import type { EventLog, RegisteredSchema, SchemaRegistry, Sink, Source } from '../pipeline/ports.ts'
import { type ProcessStep, processVariables } from '../pipeline/process.ts'
import { compileEncoder } from '../schema/codec.ts'
import { valueSubject } from '../schema/subject.ts'
import { sinks } from '../sinks/index.ts'
import type { SinkConnector } from '../sinks/sink.ts'
import { sources } from '../sources/index.ts'
import type { SourceConnector } from '../sources/source.ts'

export interface Broker {
  readonly log: EventLog
  readonly registry: SchemaRegistry
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
  return readFile(new URL('../../schemas/dead-letter.avsc', import.meta.url), 'utf8')
}

/** Creates the topics of a pipeline, or checks them. @throws log.topic_conflict */
export async function ensureTopics(definition: PipelineDefinition, { log }: Broker, emit: Emit): Promise<void> {
  const { topic, deadLetter } = definition
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
  ]
  for (const spec of specs) {
    const { info, created } = await log.ensureTopic(spec)
    emit({ type: 'topic_ready', topic: info.name, partitions: info.partitions, created })
  }
}

const deadLetterRecordBytes = ({ topic }: PipelineDefinition) =>
  Math.max(largestOriginalBytes, topic.maxRecordBytes) + 2 * envelopeBytes

/** Registers a subject's schema. @throws registry.incompatible, registry.unproven (I14) */
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

/** Opens the pipeline's source; its fetch guard is made on first use and closed with it. */
export function openSource(definition: PipelineDefinition, { clock, random, emit, dataDir }: AppDeps): Source {
  const { pipeline, fetch, baseDir } = definition
  let guard: ReturnType<typeof openFetchGuard> | undefined
  const source = sourceConnector(definition).open(definition.source.config, {
    pipeline,
    clock,
    random,
    emit,
    baseDir,
    fetch: () =>
      (guard ??= openFetchGuard({
        settings: fetch,
        pipeline,
        clock,
        random,
        emit,
        store: openBreakerFile({ dataDir, pipeline }),
      })),
  })
  const close = source[Symbol.asyncDispose].bind(source)
  source[Symbol.asyncDispose] = async () => {
    await close()
    await guard?.[Symbol.asyncDispose]()
  }
  return source
}

/** The definition's mapping, else the connector's own, else fields of the same name. */
export function mappingOf(definition: PipelineDefinition): Mapping {
  const map = definition.map ?? sourceConnector(definition).mapping
  return map ? compileMapping(map, definition.topic.schemaText) : identityMapping(definition.topic.schemaText)
}

export function encodeOf({ topic }: PipelineDefinition, schemaId: number): EncodeBatch {
  return createEncode({
    encoder: compileEncoder(topic.schemaText, { maxBytes: topic.maxRecordBytes }),
    schemaId,
    key: topic.key === null ? null : compileExpression(topic.key, ['record', 'this', 'split']),
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
