// Dead letters for the commands: listing, counting, replaying and discarding, on a definition or on a topic alone.
import type { PipelineDefinition } from '../config/definition.ts'
import { WeirError } from '../core/errors.ts'
import type { Emit } from '../core/event.ts'
import { compileExpression } from '../mapping/expression.ts'
import { createLogger, type Logger } from '../observe/logger.ts'
import type { DeadLetter } from '../pipeline/dead-letter.ts'
import { createDecode } from '../pipeline/decode.ts'
import { letterVariables, readLetters, readMarks, type Selection, type StoredLetter } from '../pipeline/letters.ts'
import type { LetterState } from '../pipeline/marks.ts'
import type { EventLog } from '../pipeline/ports.ts'
import { discard, type ReplayConsumer, type ReplayOutcome, replay } from '../pipeline/replay.ts'
import { governedBroker } from './governance/gate.ts'
import {
  type AppDeps,
  type Broker,
  deadLetterSchemaText,
  encodeOf,
  mappingOf,
  type OpenBroker,
  openSink,
  openSource,
  schemaToWrite,
  stepsOf,
} from './parts.ts'
import { findTopic } from './reading.ts'

/** A selection as commands give it: `where` is CEL text. */
export type LetterQuery = Omit<Selection, 'where'> & { readonly where?: string }

/** A dead letter for people and programs. Field names are those of the JSON output. */
export interface ShownLetter {
  readonly id: string
  readonly state: LetterState
  readonly code: string
  readonly stage: string
  readonly message: string
  readonly path: string | null
  readonly hint: string | null
  readonly pipeline: string
  readonly split: string | null
  readonly position: string | null
  readonly place: string | null
  readonly topic: string
  readonly group: string | null
  readonly key: string | null
  readonly schema_id: number | null
  readonly attempts: number
  /** Milliseconds since the epoch. */
  readonly first_failed_at: number
  readonly last_failed_at: number
  readonly weir_version: string
  /** As text where it is UTF-8. */
  readonly original: string | null
  readonly original_base64: string
}

export function showLetter({ id, state, attempts, letter }: StoredLetter): ShownLetter {
  const bytes = Buffer.from(letter.original)
  const text = bytes.toString('utf8')
  return {
    id,
    state,
    code: letter.error_code,
    stage: letter.stage,
    message: letter.error_message,
    path: letter.error_path,
    hint: letter.error_hint,
    pipeline: letter.pipeline,
    split: letter.split,
    position: letter.source_position,
    place: letter.source_place,
    topic: letter.topic,
    group: letter.consumer_group,
    key: letter.original_key === null ? null : Buffer.from(letter.original_key).toString('utf8'),
    schema_id: letter.schema_id,
    attempts,
    first_failed_at: Number(letter.first_failed_at),
    last_failed_at: Number(letter.last_failed_at),
    weir_version: letter.weir_version,
    original: Buffer.from(text).equals(bytes) ? text : null,
    original_base64: bytes.toString('base64'),
  }
}

/** The chosen letters of a dead-letter topic, oldest first. @throws log.topic_unknown, config.expression */
export async function* selectLetters(
  { log, registry }: Broker,
  topic: string,
  query: LetterQuery,
  signal: AbortSignal,
): AsyncGenerator<StoredLetter> {
  await findTopic(log, topic)
  const { where, ...rest } = query
  const selection: Selection =
    where === undefined ? rest : { ...rest, where: compileExpression(where, letterVariables) }
  yield* readLetters(
    log,
    topic,
    createDecode(registry, await deadLetterSchemaText()),
    await readMarks(log, topic),
    selection,
    signal,
  )
}

export interface LetterStats {
  readonly total: number
  readonly by_state: Record<string, number>
  readonly by_code: Record<string, number>
  readonly by_stage: Record<string, number>
  /** Milliseconds since the epoch; null when there is none. */
  readonly first: number | null
  readonly last: number | null
}

/** Counts the chosen letters. */
export async function countLetters(
  broker: Broker,
  topic: string,
  query: LetterQuery,
  signal: AbortSignal,
): Promise<LetterStats> {
  const stats = {
    total: 0,
    by_state: {} as Record<string, number>,
    by_code: {} as Record<string, number>,
    by_stage: {} as Record<string, number>,
    first: null as number | null,
    last: null as number | null,
  }
  const add = (counts: Record<string, number>, name: string) => {
    counts[name] = (counts[name] ?? 0) + 1
  }
  for await (const { letter, state, record } of selectLetters(broker, topic, query, signal)) {
    stats.total++
    add(stats.by_state, state)
    add(stats.by_code, letter.error_code)
    add(stats.by_stage, letter.stage)
    stats.first ??= record.timestampMs
    stats.last = record.timestampMs
  }
  return stats
}

export interface ReplaySettings {
  readonly dryRun: boolean
  readonly maxAttempts: number
}

/** Replays the chosen letters of a pipeline with its definition of today. @throws usage.refused, log.*, registry.* */
export async function* replayLetters(
  definition: PipelineDefinition,
  opened: OpenBroker,
  deps: AppDeps,
  query: LetterQuery,
  settings: ReplaySettings,
  signal: AbortSignal,
): AsyncGenerator<ReplayOutcome & { letter: DeadLetter }> {
  const broker = governedBroker(opened, definition, deps.clock)
  await using stack = new AsyncDisposableStack()
  const told: AppDeps = { ...deps, emit: tellRecords(deps, stack) }
  const schema = await schemaToWrite(definition, broker, deps, settings.dryRun)
  const source = stack.use(openSource(definition, deps))
  const consumers = new Map<string, Promise<ReplayConsumer>>()
  const openConsumer = async (group: string): Promise<ReplayConsumer> => {
    const consume = definition.consume.find(each => each.group === group)
    if (!consume)
      throw new WeirError('replay.failed', `The definition has no consumer ${group} any more.`, {
        hint: 'Discard these letters, or add the consumer again.',
      })
    return {
      // A dry run opens no sink: opening one may lock or create something.
      sink: settings.dryRun ? noSink : stack.use(await openSink(consume, definition, broker, told)),
      decode: createDecode(broker.registry, definition.topic.schemaText),
      steps: stepsOf(consume),
    }
  }
  const consumer = (group: string) => {
    let opened = consumers.get(group)
    if (!opened) consumers.set(group, (opened = openConsumer(group)))
    return opened
  }
  const letters = new Map<string, DeadLetter>()
  const chosen = remember(selectLetters(broker, definition.deadLetter.topic, query, signal), letters)
  const outcomes = replay(
    chosen,
    {
      ...deps,
      ...settings,
      consumer,
      log: broker.log,
      pipeline: definition.pipeline,
      topic: definition.topic.name,
      deadLetterTopic: definition.deadLetter.topic,
      producer: { source, mapping: mappingOf(definition), encode: encodeOf(definition, schema) },
    },
    signal,
  )
  for await (const outcome of outcomes) {
    yield { ...outcome, letter: letters.get(outcome.id)! }
    letters.delete(outcome.id)
  }
}

/** What a log sink writes goes to the log, which is standard error here: the command's own output is on the other one. */
function tellRecords({ emit, clock }: AppDeps, stack: AsyncDisposableStack): Emit {
  let logger: Logger | undefined
  return event => {
    emit(event)
    if (event.type !== 'record_logged') return
    logger ??= stack.use(createLogger({ clock, destination: 2 }))
    logger.emit(event)
  }
}

const noSink: ReplayConsumer['sink'] = {
  guarantee: 'at_least_once',
  exclusive: false,
  deliver: async () => {},
  [Symbol.asyncDispose]: async () => {},
}

async function* remember(
  stored: AsyncIterable<StoredLetter>,
  letters: Map<string, DeadLetter>,
): AsyncGenerator<StoredLetter> {
  for await (const each of stored) {
    letters.set(each.id, each.letter)
    yield each
  }
}

/** Discards the chosen letters; gives how many. @throws usage.refused */
export async function discardLetters(
  broker: Broker,
  topic: string,
  query: LetterQuery,
  deps: AppDeps,
  signal: AbortSignal,
): Promise<number> {
  return await discard(
    selectLetters(broker, topic, { ...query, states: ['open'] }, signal),
    { ...deps, log: broker.log, pipeline: topic, deadLetterTopic: topic },
    signal,
  )
}

/** Topics that hold dead letters, as far as names tell: those of definitions end in _dlq unless they say otherwise. */
export async function deadLetterTopics(log: EventLog): Promise<readonly string[]> {
  return (await log.topics()).map(({ name }) => name).filter(name => name.endsWith('_dlq'))
}
