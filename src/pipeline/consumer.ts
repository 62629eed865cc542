// The consumer stage: read, decode, process, deliver, commit, one batch after the other (I1, I5, L8).
// A sink with its own offset record gets a batch after the group's offsets and dead letters are committed, and is asked where it stands at
// the start; any other gets it before. So a crash between the two neither loses nor doubles a record or a dead letter of the first kind.
import { toWeirError } from '../core/errors.ts'
import { failpoint } from '../core/failpoint.ts'
import { commitUntilDurable, renewUntilSure } from './append.ts'
import { type DeadLetter, type DeadLetterOffice, errorFields, originFields } from './dead-letter.ts'
import type { Decode, RecordFailure } from './decode.ts'
import { type DeliverOptions, deliver, prepare } from './deliver.ts'
import type { FloodGuard } from './flood.ts'
import { identityHeader } from './identity.ts'
import type { Append, Consumer, Delivery, EventLog, Fetched, Sink } from './ports.ts'
import { type ProcessStep, processRecords } from './process.ts'

export interface ConsumerStageOptions extends DeliverOptions {
  readonly log: EventLog
  readonly topic: string
  readonly start: 'earliest' | 'latest'
  readonly outOfRange: 'stop' | 'earliest'
  readonly sink: Sink
  readonly decode: Decode
  readonly steps: readonly ProcessStep[]
  readonly office: DeadLetterOffice
  readonly flood: FloodGuard
  readonly batch: { readonly records: number; readonly bytes: number }
  readonly version: string
  /** Asked when nothing is left to read: true ends the stage. */
  readonly enough: () => boolean
}

const pollWaitMs = 200
const lagEveryMs = 5_000
const retryWaitMs = 1_000

/** Runs until `signal` aborts or there is `enough`; the batch in work is finished. @throws log.offset_out_of_range, log.corrupt, dead_letter.flood, internal */
export async function runConsumer(options: ConsumerStageOptions, signal: AbortSignal): Promise<void> {
  const { log, group, topic, start, outOfRange, sink, batch, clock, enough } = options
  /** Below these offsets the dead letters are committed already. */
  const lettersFrom = new Map<number, bigint>()
  const inWork = new Map<number, Promise<void>>()
  await using consumer = await log.joinConsumers({
    group,
    topic,
    start,
    outOfRange,
    exclusive: sink.exclusive,
    startAt: (partition, committed) => {
      lettersFrom.set(partition, sink.startAt ? (committed ?? 0n) : 0n)
      return sink.startAt?.(topic, partition) ?? null
    },
    revoked: async partition => inWork.get(partition),
  })
  let lagToldMs = Number.NEGATIVE_INFINITY
  while (!signal.aborted) {
    if (clock.monotonic() - lagToldMs > lagEveryMs) {
      lagToldMs = clock.monotonic()
      await tellLag(consumer, options)
    }
    const fetched = await pollUntilStopped(consumer, batch, signal)
    if (fetched === null) {
      if (enough() && (await consumer.settled()) && (await consumer.lag()) === 0n) break
      continue
    }
    const work = Promise.withResolvers<void>()
    inWork.set(fetched.partition, work.promise)
    try {
      await handle(consumer, fetched, lettersFrom.get(fetched.partition) ?? 0n, options, signal)
    } catch (thrown) {
      await recover(thrown, consumer, fetched, options, signal)
    } finally {
      inWork.delete(fetched.partition)
      work.resolve()
    }
  }
  await tellLag(consumer, options)
}

/** null when nothing came, or when told to stop while waiting. */
async function pollUntilStopped(
  consumer: Consumer,
  batch: ConsumerStageOptions['batch'],
  signal: AbortSignal,
): Promise<Fetched | null> {
  try {
    return await consumer.poll({ maxRecords: batch.records, maxBytes: batch.bytes, maxWaitMs: pollWaitMs, signal })
  } catch (error) {
    if (signal.aborted) return null
    throw error
  }
}

/** Decides what an error of one batch means for the stage. */
async function recover(
  thrown: unknown,
  consumer: Consumer,
  fetched: Fetched,
  options: ConsumerStageOptions,
  signal: AbortSignal,
): Promise<void> {
  const { emit, pipeline, group, clock } = options
  if (signal.aborted) {
    consumer.release(fetched.partition)
    return
  }
  const error = toWeirError(thrown)
  switch (error.code) {
    case 'log.fenced':
      emit({
        type: 'warning',
        pipeline,
        code: error.code,
        message: `${group}: partition ${fetched.partition} has another reader now; its batch is dropped here.`,
      })
      return
    case 'log.outcome_unknown':
      emit({ type: 'commit_unknown', pipeline, message: error.message })
      await renewUntilSure(() => consumer.renew(), options, signal).catch(failure => {
        if (!signal.aborted) throw failure
      })
      return
    case 'registry.unavailable':
      emit({ type: 'warning', pipeline, code: error.code, message: error.message })
      consumer.release(fetched.partition)
      await clock.sleep(retryWaitMs, signal).catch(() => {})
      return
    default:
      throw thrown
  }
}

async function handle(
  consumer: Consumer,
  fetched: Fetched,
  lettersFrom: bigint,
  options: ConsumerStageOptions,
  signal: AbortSignal,
): Promise<void> {
  const { sink, steps, emit, pipeline, group, flood, office, clock } = options
  const startedMs = clock.monotonic()
  const { decoded, failures } = await options.decode(fetched.records)
  failpoint('consume.decoded')
  const processed = processRecords(steps, decoded)
  const failed: RecordFailure[] = [...failures, ...processed.failures].filter(
    failure => failure.log.offset >= lettersFrom,
  )
  const delivery: Delivery = {
    topic: fetched.topic,
    partition: fetched.partition,
    records: processed.passed,
    nextOffset: fetched.nextOffset,
  }
  if (sink.startAt?.(fetched.topic, fetched.partition) === null) {
    // The sink must know where it starts before the group's offset passes that place, or a crash would leave a hole.
    await deliver(sink, { ...delivery, records: [], nextOffset: fetched.records[0]!.offset }, options, signal)
  }
  const appends: Append[] = []
  if (sink.prepare) {
    const prepared = await prepare(sink, delivery)
    appends.push(...prepared.appends)
    failed.push(...prepared.failures)
  }
  if (!sink.startAt && !sink.prepare) {
    failed.push(...(await deliver(sink, delivery, options, signal)))
    failpoint('consume.delivered')
  }
  admit(flood, failed.length, options)
  const letters = failed.map(failure => consumerLetter(failure, options))
  if (letters.length > 0)
    appends.push({
      topic: office.topic,
      records: letters.map((letter, i) => office.write(letter, identityIn(failed[i]!))),
    })
  const next = [{ topic: fetched.topic, partition: fetched.partition, offset: fetched.nextOffset }]
  await commitUntilDurable(() => consumer.commit(next, appends), options, signal)
  flood.count(letters.length)
  office.tell(letters)
  if (sink.startAt) {
    await deliver(sink, delivery, options, signal)
    failpoint('consume.delivered')
  }
  emit({
    type: 'batch_consumed',
    pipeline,
    group,
    topic: fetched.topic,
    partition: fetched.partition,
    records: processed.passed.length,
    filtered: processed.filtered,
    deadLetters: letters.length,
    ms: Math.round(clock.monotonic() - startedMs),
  })
}

function admit(flood: FloodGuard, count: number, { emit, pipeline }: ConsumerStageOptions): void {
  try {
    flood.admit(count)
  } catch (error) {
    emit({ type: 'flood_stopped', pipeline, records: count, message: toWeirError(error).message })
    throw error
  }
}

async function tellLag(consumer: Consumer, { emit, pipeline, group, topic }: ConsumerStageOptions): Promise<void> {
  emit({ type: 'lag', pipeline, group, topic, lag: Number(await consumer.lag()) })
}

function consumerLetter(
  { log, stage, error, attempts, schemaId }: RecordFailure,
  { pipeline, group, clock, version }: ConsumerStageOptions,
): DeadLetter {
  const now = clock.now()
  return {
    ...errorFields(error),
    ...originFields(log),
    stage,
    pipeline,
    split: null,
    source_position: null,
    source_place: null,
    context: null,
    topic: log.topic,
    consumer_group: group,
    schema_id: schemaId,
    attempts,
    first_failed_at: now,
    last_failed_at: now,
    weir_version: version,
  }
}

/** The identity the producer gave the record, or its place in the topic where another program wrote it. */
function identityIn({ log }: RecordFailure): string {
  const header = log.headers.find(([name]) => name === identityHeader)
  return header ? Buffer.from(header[1]).toString('utf8') : `${log.topic}/${log.partition}/${log.offset}`
}
