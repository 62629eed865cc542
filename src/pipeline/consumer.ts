// The consumer stage: read, decode, process, deliver, commit, one batch after the other (I1, I5, L8).
// A sink with its own offset record gets a batch after the group's offsets and dead letters are committed, and is asked where it stands at
// the start; any other gets it before. So a crash between the two neither loses nor doubles a record or a dead letter of the first kind.
// The first kind makes deliveries that arrive together durable together, so it gets what is ready of several partitions at once.
import { toWeirError } from '../core/errors.ts'
import { failpoint } from '../core/failpoint.ts'
import { unlessAborted } from '../core/stream.ts'
import { commitUntilDurable, renewUntilSure } from './append.ts'
import { nextBatches } from './batches.ts'
import { type DeadLetter, type DeadLetterOffice, errorFields, originFields } from './dead-letter.ts'
import type { Decode, RecordFailure } from './decode.ts'
import { type DeliverOptions, deliver, type Prepared, prepare, prepareWithout } from './deliver.ts'
import type { FloodGuard } from './flood.ts'
import { identityHeader } from './identity.ts'
import { createLagTeller, isReadToEnd } from './lag.ts'
import type { Append, Consumer, Delivery, EventLog, Fetched, Sink } from './ports.ts'
import { type ProcessStep, processRecords } from './process.ts'
import { refusedRecords } from './refused.ts'

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

/** A batch between reading and commit. */
interface Work {
  readonly firstOffset: bigint
  readonly delivery: Delivery
  readonly filtered: number
  readonly failed: RecordFailure[]
}

const pollWaitMs = 200
/** The same where the answer may be that all is read. */
const lastPollWaitMs = 20
const retryWaitMs = 1_000
/** Runs until `signal` aborts or there is `enough`; the batch in work is finished. @throws log.offset_out_of_range, log.corrupt, registry.mismatch, dead_letter.flood, internal */
export async function runConsumer(options: ConsumerStageOptions, signal: AbortSignal): Promise<void> {
  const { log, pipeline, group, topic, start, outOfRange, sink, batch, enough, emit } = options
  /** Below these offsets the dead letters are committed already. */
  const lettersFrom = new Map<number, bigint>()
  /** Resolved when the batch of the partition is done with. */
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
    missed: (partition, from, to) =>
      emit({
        type: 'records_missed',
        pipeline,
        group,
        topic,
        partition,
        from: String(from),
        to: String(to),
        count: Number(to - from),
      }),
  })
  const lag = createLagTeller(consumer, options)
  while (!signal.aborted) {
    lag.tick()
    const waitMs = enough() ? lastPollWaitMs : pollWaitMs
    const done = Promise.withResolvers<void>()
    const taken = ({ partition }: Fetched) => void inWork.set(partition, done.promise)
    const batches = await nextBatches(consumer, batch, waitMs, sink.startAt !== undefined, taken, signal).catch(
      error => {
        done.resolve()
        throw error
      },
    )
    if (batches.length === 0) {
      if (enough() && (await isReadToEnd(consumer))) break
      continue
    }
    try {
      await handle(consumer, batches, partition => lettersFrom.get(partition) ?? 0n, options, signal)
    } catch (thrown) {
      await recover(thrown, consumer, batches, options, signal)
    } finally {
      for (const { partition } of batches) inWork.delete(partition)
      done.resolve()
    }
  }
  await lag.last()
}

/** Decides what an error of batches in work means for the stage. */
async function recover(
  thrown: unknown,
  consumer: Consumer,
  batches: readonly Fetched[],
  options: ConsumerStageOptions,
  signal: AbortSignal,
): Promise<void> {
  const { emit, pipeline, group, clock } = options
  const release = (): void => {
    for (const { partition } of batches) consumer.release(partition)
  }
  if (signal.aborted) return release()
  const error = toWeirError(thrown)
  switch (error.code) {
    case 'log.fenced':
      emit({
        type: 'warning',
        pipeline,
        code: error.code,
        message: `${group}: ${partitionsOf(batches)} another reader now; what was read is dropped here.`,
      })
      return release()
    case 'log.outcome_unknown':
      emit({ type: 'commit_unknown', pipeline, message: error.message })
      await renewUntilSure(() => consumer.renew(), options, signal).catch(failure => {
        if (!signal.aborted) throw failure
      })
      return
    default:
      // What may pass, such as a registry that is away or refuses the login, says nothing about the records: they wait.
      if (!error.retry) throw thrown
      emit({ type: 'warning', pipeline, code: error.code, message: error.message })
      release()
      await clock.sleep(retryWaitMs, signal).catch(() => {})
  }
}

function partitionsOf(batches: readonly Fetched[]): string {
  const numbers = batches.map(({ partition }) => partition)
  return numbers.length === 1 ? `partition ${numbers[0]} has` : `of partitions ${numbers.join(', ')} some have`
}

async function decodeAll(
  batches: readonly Fetched[],
  lettersFrom: (partition: number) => bigint,
  { decode, steps }: ConsumerStageOptions,
  signal: AbortSignal,
): Promise<readonly Work[]> {
  const works: Work[] = []
  for (const { topic, partition, nextOffset, records } of batches) {
    const { decoded, failures } = await unlessAborted(decode(records), signal)
    const { passed, filtered, failures: refused } = processRecords(steps, decoded)
    const from = lettersFrom(partition)
    works.push({
      firstOffset: records[0]!.offset,
      delivery: { topic, partition, records: passed, nextOffset },
      filtered,
      failed: [...failures, ...refused].filter(failure => failure.log.offset >= from),
    })
  }
  failpoint('consume.decoded')
  return works
}

/** Batches of different partitions, as one; several only for a sink with its own offset record. */
async function handle(
  consumer: Consumer,
  batches: readonly Fetched[],
  lettersFrom: (partition: number) => bigint,
  options: ConsumerStageOptions,
  signal: AbortSignal,
): Promise<void> {
  const { sink, emit, pipeline, group, flood, office, clock } = options
  const startedMs = clock.monotonic()
  const works = await decodeAll(batches, lettersFrom, options, signal)
  // The sink must know where it starts before the group's offset passes that place, or a crash would leave a hole.
  await deliverAll(
    works.flatMap(({ firstOffset, delivery }) =>
      sink.startAt?.(delivery.topic, delivery.partition) === null
        ? [{ ...delivery, records: [], nextOffset: firstOffset }]
        : [],
    ),
    options,
    signal,
  )
  if (!sink.startAt && !sink.prepare) {
    for (const { delivery, failed } of works) failed.push(...(await deliver(sink, delivery, options, signal)))
    failpoint('consume.delivered')
  }
  const letters = await commitBatches(consumer, works, options, signal)
  flood.count(letters.length)
  office.tell(letters)
  if (sink.startAt) {
    await deliverAll(
      works.map(({ delivery }) => delivery),
      options,
      signal,
    )
    failpoint('consume.delivered')
  }
  const ms = Math.round(clock.monotonic() - startedMs)
  for (const { delivery, filtered } of works) {
    const { topic, partition, records } = delivery
    const deadLetters = letters.filter(each => each.original_partition === partition).length
    emit({
      type: 'batch_consumed',
      pipeline,
      group,
      topic,
      partition,
      records: records.length,
      filtered,
      deadLetters,
      ms,
    })
  }
}

/** To a sink with its own offset record, at once; settled when none is on its way any more. */
async function deliverAll(
  deliveries: readonly Delivery[],
  options: ConsumerStageOptions,
  signal: AbortSignal,
): Promise<void> {
  const settled = await Promise.allSettled(deliveries.map(each => deliver(options.sink, each, options, signal)))
  for (const each of settled) if (each.status === 'rejected') throw each.reason
}

/** Offsets, dead letters and what the sink adds, in one transaction; of the latter, what the log will not take is a dead letter too. @returns the dead letters */
async function commitBatches(
  consumer: Consumer,
  works: readonly Work[],
  options: ConsumerStageOptions,
  signal: AbortSignal,
): Promise<readonly DeadLetter[]> {
  const { sink, flood, office } = options
  const next = works.map(({ delivery: { topic, partition, nextOffset } }) => ({
    topic,
    partition,
    offset: nextOffset!,
  }))
  const failed = works.flatMap(each => each.failed)
  const { delivery } = works[0]!
  let prepared = sink.prepare ? await unlessAborted(prepare(sink, delivery), signal) : nothing
  for (;;) {
    const failures = [...failed, ...prepared.failures]
    admit(flood, failures.length, options)
    const letters = failures.map(failure => consumerLetter(failure, options))
    const appends: Append[] = [...prepared.appends]
    if (letters.length > 0)
      appends.push({
        topic: office.topic,
        records: letters.map((letter, i) => office.write(letter, identityIn(failures[i]!))),
      })
    try {
      await commitUntilDurable(() => consumer.commit(next, appends), options, signal)
      return letters
    } catch (thrown) {
      const count = prepared.appends.length
      const refused = refusedRecords(thrown, count, letters.length > 0 ? count : -1)
      if (refused === null) throw thrown
      prepared = await unlessAborted(prepareWithout(refused, prepared, sink, delivery), signal)
    }
  }
}

const nothing: Prepared = { appends: [], failures: [], madeOf: null }

function admit(flood: FloodGuard, count: number, { emit, pipeline }: ConsumerStageOptions): void {
  try {
    flood.admit(count)
  } catch (error) {
    emit({ type: 'flood_stopped', pipeline, records: count, message: toWeirError(error).message })
    throw error
  }
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
