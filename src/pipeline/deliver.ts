// Consumer, last step: records to the sink, with retries; what the sink will never take becomes a dead letter with the reason (I5, L8).
import { toWeirError, type WeirError } from '../core/errors.ts'
import type { RetryDeps } from './append.ts'
import type { RecordFailure } from './decode.ts'
import type { Append, Delivery, OutRecord, Sink } from './ports.ts'
import type { RefusedRecords } from './refused.ts'

export interface DeliverOptions extends RetryDeps {
  readonly group: string
  readonly sinkName: string
  readonly retry: { readonly attempts: number; readonly minMs: number; readonly maxMs: number }
}

/**
 * Delivers the records. A sink that keeps its own offsets is retried without end, because a record it skipped could not come again.
 * Any other is retried `attempts` times with the whole delivery, then record by record: those that still fail are returned.
 * @throws the signal's reason while waiting; what is neither sink.failed nor sink.rejected
 */
export async function deliver(
  sink: Sink,
  delivery: Delivery,
  options: DeliverOptions,
  signal: AbortSignal,
): Promise<readonly RecordFailure[]> {
  if (sink.startAt) {
    await attempt(sink, delivery, Number.POSITIVE_INFINITY, options, signal)
    return []
  }
  if (delivery.records.length === 0) return []
  const failed = await attempt(sink, delivery, options.retry.attempts, options, signal)
  if (failed === null) return []
  if (delivery.records.length === 1) return [failureOf(delivery, 0, failed, attemptsOf(failed, options))]
  const failures: RecordFailure[] = []
  for (let i = 0; i < delivery.records.length; i++) {
    const single = { ...delivery, records: [delivery.records[i]!] }
    // Where the whole delivery has had its retries, a record alone gets one more try: a dead sink costs one wait and not one for each record.
    const tries = failed.code === 'sink.rejected' ? options.retry.attempts : 1
    const alone = await attempt(sink, single, tries, options, signal)
    if (alone !== null) failures.push(failureOf(delivery, i, alone, attemptsOf(alone, options) + 1))
  }
  return failures
}

/** What a sink that writes to the log adds to a transaction. */
export interface Prepared {
  readonly appends: readonly Append[]
  readonly failures: readonly RecordFailure[]
  /** By append and record, the index in the delivery it was made of; null: made of all at once. */
  readonly madeOf: readonly (readonly number[])[] | null
}

/**
 * What a sink that writes to the log adds to the transaction. Where it rejects a record, each is prepared alone: those rejected are failures.
 * @throws what is not sink.rejected
 */
export async function prepare(sink: Sink, delivery: Delivery): Promise<Prepared> {
  try {
    return { appends: await sink.prepare!(delivery), failures: [], madeOf: null }
  } catch (thrown) {
    const error = rejected(thrown)
    if (delivery.records.length === 1)
      return { appends: [], failures: [failureOf(delivery, 0, error, 1)], madeOf: null }
  }
  return await prepareEach(sink, delivery, new Map())
}

/** The same without what the log will not take. Where it is not known which records that was made of, the log is to be asked once more. */
export async function prepareWithout(
  { error, of }: RefusedRecords,
  before: Prepared,
  sink: Sink,
  delivery: Delivery,
): Promise<Prepared> {
  const refused = new Map<number, WeirError>()
  for (const [append, records] of before.madeOf === null ? [] : of)
    for (const record of records) refused.set(before.madeOf![append]![record]!, error)
  const known = new Map(
    before.failures.map(({ log, error }) => [delivery.records.findIndex(each => each.log === log), error]),
  )
  return await prepareEach(sink, delivery, new Map([...known, ...refused]))
}

async function prepareEach(sink: Sink, delivery: Delivery, refused: ReadonlyMap<number, WeirError>): Promise<Prepared> {
  const byTopic = new Map<string, { readonly records: OutRecord[]; readonly madeOf: number[] }>()
  const failures: RecordFailure[] = []
  for (let i = 0; i < delivery.records.length; i++) {
    const known = refused.get(i)
    if (known) {
      failures.push(failureOf(delivery, i, known, 1))
      continue
    }
    try {
      for (const { topic, records } of await sink.prepare!({ ...delivery, records: [delivery.records[i]!] })) {
        const all = byTopic.get(topic) ?? { records: [], madeOf: [] }
        byTopic.set(topic, all)
        all.records.push(...records)
        all.madeOf.push(...records.map(() => i))
      }
    } catch (thrown) {
      failures.push(failureOf(delivery, i, rejected(thrown), 1))
    }
  }
  return {
    appends: [...byTopic].map(([topic, { records }]) => ({ topic, records })),
    failures,
    madeOf: [...byTopic.values()].map(({ madeOf }) => madeOf),
  }
}

/** @throws what is not about a record */
function rejected(thrown: unknown): WeirError {
  const error = toWeirError(thrown)
  if (error.code !== 'sink.rejected') throw thrown
  return error
}

const attemptsOf = (error: WeirError, { retry }: DeliverOptions) =>
  error.code === 'sink.rejected' ? 1 : retry.attempts

const failureOf = (delivery: Delivery, index: number, error: WeirError, attempts: number): RecordFailure => {
  const { log, schemaId } = delivery.records[index]!
  return { log, stage: 'deliver', error, attempts, schemaId }
}

/** null when delivered; the last error when the attempts are used up or the sink rejects. */
async function attempt(
  sink: Sink,
  delivery: Delivery,
  attempts: number,
  options: DeliverOptions,
  signal: AbortSignal,
): Promise<WeirError | null> {
  const { clock, random, emit, pipeline, group, sinkName, retry } = options
  let backoffMs = retry.minMs
  for (let tried = 1; ; tried++) {
    try {
      await sink.deliver!(delivery, signal)
      return null
    } catch (thrown) {
      if (signal.aborted) throw signal.reason
      const error = toWeirError(thrown)
      if (error.code !== 'sink.failed' && error.code !== 'sink.rejected') throw thrown
      const last = error.code === 'sink.rejected' || tried >= attempts
      const waitMs = last ? 0 : Math.round(backoffMs * (0.5 + random() / 2))
      emit({
        type: 'sink_failed',
        pipeline,
        group,
        sink: sinkName,
        attempt: tried,
        waitMs,
        code: error.code,
        message: error.message,
      })
      if (last) return error
      await clock.sleep(waitMs, signal)
      backoffMs = Math.min(backoffMs * 2, retry.maxMs)
    }
  }
}
