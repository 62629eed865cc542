// Consumer, last step: records to the sink, with retries; what the sink will never take becomes a dead letter with the reason (I5, L8).
import { toWeirError, type WeirError } from '../core/errors.ts'
import type { RetryDeps } from './append.ts'
import type { RecordFailure } from './decode.ts'
import type { Append, Delivery, OutRecord, Sink } from './ports.ts'

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

/**
 * What a sink that writes to the log adds to the transaction. Where it rejects a record, each is prepared alone: those rejected are returned.
 * @throws what is not sink.rejected
 */
export async function prepare(
  sink: Sink,
  delivery: Delivery,
): Promise<{ readonly appends: readonly Append[]; readonly failures: readonly RecordFailure[] }> {
  const rejected = (thrown: unknown): WeirError => {
    const error = toWeirError(thrown)
    if (error.code !== 'sink.rejected') throw thrown
    return error
  }
  try {
    return { appends: await sink.prepare!(delivery), failures: [] }
  } catch (thrown) {
    const error = rejected(thrown)
    if (delivery.records.length === 1) return { appends: [], failures: [failureOf(delivery, 0, error, 1)] }
  }
  const byTopic = new Map<string, OutRecord[]>()
  const failures: RecordFailure[] = []
  for (let i = 0; i < delivery.records.length; i++) {
    try {
      for (const { topic, records } of await sink.prepare!({ ...delivery, records: [delivery.records[i]!] })) {
        const all = byTopic.get(topic)
        if (all) all.push(...records)
        else byTopic.set(topic, [...records])
      }
    } catch (thrown) {
      failures.push(failureOf(delivery, i, rejected(thrown), 1))
    }
  }
  return { appends: [...byTopic].map(([topic, records]) => ({ topic, records })), failures }
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
