// Definition to running pipeline: opens every part, joins the stages, and says when all of it is done.
import type { PipelineDefinition } from '../config/definition.ts'
import type { WeirError } from '../core/errors.ts'
import { runConsumer } from '../pipeline/consumer.ts'
import type { DeadLetterOffice } from '../pipeline/dead-letter.ts'
import { header, runDeadLetterStage } from '../pipeline/dead-letter-stage.ts'
import { createDecode } from '../pipeline/decode.ts'
import { createFloodGuard, type FloodGuard } from '../pipeline/flood.ts'
import { deadLetterHeaders } from '../pipeline/identity.ts'
import { runProducer } from '../pipeline/producer.ts'
import { governedBroker } from './governance/gate.ts'
import { watchIdle } from './idle.ts'
import {
  type AppDeps,
  type Broker,
  encodeOf,
  ensureTopics,
  mappingOf,
  type OpenBroker,
  openKeeper,
  openOffice,
  openSource,
  registerSchema,
  stepsOf,
} from './parts.ts'
import { nextPassOf } from './schedule.ts'
import { producerLog } from './spooling.ts'
import { openSinkInTurn } from './standby.ts'

export const stageNames = ['producer', 'consumer', 'dead-letter'] as const
export type Stage = (typeof stageNames)[number]

export interface RunOptions {
  readonly stages: readonly Stage[]
  /** `end`: each split read once to its end, then all of it consumed. `idle`: nothing new for `idleForMs`. null: until told to stop. */
  readonly until: 'end' | 'idle' | null
  readonly idleForMs: number
  readonly version: string
}

export interface RunResult {
  /** Calls that were given up in the last pass: the run ended, but not all of the source was read. */
  readonly failures: readonly WeirError[]
}

/**
 * The number of shares a pipeline's splits are divided into: as many processes can share one pipeline. Changing it would move splits
 * between shares, so it is no setting.
 */
const buckets = 8

/** Runs the pipeline until `signal` aborts (drain) or the `until` condition holds. @throws what stopped it */
export async function runPipeline(
  definition: PipelineDefinition,
  opened: OpenBroker,
  deps: AppDeps,
  options: RunOptions,
  signal: AbortSignal,
): Promise<RunResult> {
  const broker = governedBroker(opened, definition, deps.clock)
  const idle = watchIdle(deps.emit, deps.clock, options.idleForMs)
  const watched: AppDeps = { ...deps, emit: idle.emit }
  // First what may be refused: a pipeline that must not start leaves no topic behind.
  const schema = await registerSchema(definition.topic.subject, definition.topic.schemaText, broker, deps.emit)
  await ensureTopics(definition, broker, deps.emit)
  const office = await openOffice(definition, broker, deps.emit)
  const flood = createFloodGuard(
    definition.deadLetter.stopAfter,
    deps.clock,
    await recentLetters(definition, broker, deps),
  )
  const stop = new AbortController()
  const all = AbortSignal.any([signal, stop.signal])

  const producing = options.stages.includes('producer')
    ? produce(definition, broker, watched, options, schema.id, office, flood, all)
    : Promise.resolve({ failures: [] })
  let produced = false
  const consuming = Promise.all(
    options.stages.includes('consumer')
      ? definition.consume.map(consume =>
          consumeWith(
            consume,
            definition,
            broker,
            watched,
            options,
            office,
            flood,
            () => options.until === 'end' && produced,
            all,
          ),
        )
      : [],
  )
  let consumed = false
  const enough = () => options.until === 'end' && produced && consumed
  const watching = options.stages.includes('dead-letter')
    ? runDeadLetterStage(
        {
          log: broker.log,
          pipeline: definition.pipeline,
          topic: office.topic,
          emit: watched.emit,
          clock: deps.clock,
          random: deps.random,
          enough,
        },
        all,
      )
    : Promise.resolve()

  const stopOnError = <T>(work: Promise<T>): Promise<T> => {
    work.catch(error => stop.abort(error))
    return work
  }
  const idling = options.until === 'idle' ? idle.wait(all).then(() => stop.abort()) : undefined
  const results = await Promise.allSettled([
    stopOnError(producing).then(result => {
      produced = true
      return result
    }),
    stopOnError(consuming).then(() => {
      consumed = true
    }),
    stopOnError(watching),
  ])
  stop.abort()
  await idling?.catch(() => {})
  for (const result of results) if (result.status === 'rejected') throw result.reason
  return results[0].status === 'fulfilled' ? { failures: results[0].value.failures } : { failures: [] }
}

async function produce(
  definition: PipelineDefinition,
  broker: Broker,
  deps: AppDeps,
  options: RunOptions,
  schemaId: number,
  office: DeadLetterOffice,
  flood: FloodGuard,
  signal: AbortSignal,
): Promise<RunResult> {
  await using stack = new AsyncDisposableStack()
  const log = await producerLog(definition, broker.log, deps, stack)
  const keeper = await openKeeper(definition, broker, deps.emit)
  const source = stack.use(openSource(definition, deps, { version: options.version, log: broker.log }))
  return await runProducer(
    {
      ...deps,
      log,
      source,
      office,
      flood,
      ...(keeper ? { keeper } : {}),
      buckets,
      pipeline: definition.pipeline,
      topic: definition.topic.name,
      mapping: mappingOf(definition),
      encode: encodeOf(definition, schemaId),
      concurrency: definition.source.concurrency,
      nextPass: nextPassOf(definition.source.schedule, deps.clock, deps.random),
      once: options.until === 'end',
      version: options.version,
    },
    signal,
  )
}

async function consumeWith(
  consume: PipelineDefinition['consume'][number],
  definition: PipelineDefinition,
  broker: Broker,
  deps: AppDeps,
  options: RunOptions,
  office: DeadLetterOffice,
  flood: FloodGuard,
  enough: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  await using sink = await openSinkInTurn(consume, definition, broker, deps, enough, signal)
  if (sink === null) return
  await runConsumer(
    {
      ...deps,
      log: broker.log,
      sink,
      office,
      flood,
      enough,
      pipeline: definition.pipeline,
      group: consume.group,
      sinkName: consume.sink.connector,
      topic: definition.topic.name,
      start: consume.start,
      outOfRange: consume.outOfRange,
      decode: createDecode(broker.registry, definition.topic.schemaText),
      steps: stepsOf(consume),
      retry: consume.retry,
      batch: consume.batch,
      version: options.version,
    },
    signal,
  )
}

/** Times of the pipeline's dead letters within the flood window, so that a restart loop does not get a new allowance each time. */
async function recentLetters(
  { pipeline, deadLetter: { topic, stopAfter } }: PipelineDefinition,
  { log }: Broker,
  { clock }: AppDeps,
): Promise<number[]> {
  if (stopAfter === null) return []
  const times: number[] = []
  const sinceMs = clock.now() - stopAfter.perMs
  for await (const records of log.browse(topic, { from: { timeMs: sinceMs } })) {
    for (const record of records)
      if (record.timestampMs >= sinceMs && header(record, deadLetterHeaders.pipeline) === pipeline)
        times.push(record.timestampMs)
    if (times.length >= stopAfter.records) break
  }
  return times.sort((a, b) => a - b)
}
