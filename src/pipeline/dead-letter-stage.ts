// The dead-letter stage: watches the dead-letter topic as a group of its own and tells of each letter, wherever it was written.
import { toWeirError } from '../core/errors.ts'
import type { LogRecord } from '../core/record.ts'
import { commitUntilDurable, type RetryDeps, renewUntilSure } from './append.ts'
import { deadLetterHeaders, identityHeader } from './identity.ts'
import { isReadToEnd } from './lag.ts'
import type { EventLog } from './ports.ts'

export interface DeadLetterStageOptions extends RetryDeps {
  readonly log: EventLog
  readonly topic: string
  readonly enough: () => boolean
}

const pollWaitMs = 200

export function watchGroup(pipeline: string): string {
  return `${pipeline}.dead-letter-watch`
}

/** Runs until `signal` aborts, or nothing is left and there is `enough`. */
export async function runDeadLetterStage(options: DeadLetterStageOptions, signal: AbortSignal): Promise<void> {
  const { log, pipeline, topic, emit, enough } = options
  await using consumer = await log.joinConsumers({
    group: watchGroup(pipeline),
    topic,
    start: 'earliest',
    outOfRange: 'earliest',
  })
  while (!signal.aborted) {
    const fetched = await consumer
      .poll({ maxRecords: 500, maxBytes: 8 * 1024 * 1024, maxWaitMs: pollWaitMs, signal })
      .catch(error => {
        if (signal.aborted) return null
        throw error
      })
    if (fetched === null) {
      if (enough() && (await isReadToEnd(consumer))) return
      continue
    }
    for (const record of fetched.records) {
      emit({
        type: 'dead_letter_seen',
        pipeline,
        topic,
        offset: `${record.partition}/${record.offset}`,
        stage: header(record, deadLetterHeaders.stage),
        code: header(record, deadLetterHeaders.code),
        identity: header(record, identityHeader),
      })
    }
    try {
      const next = [{ topic, partition: fetched.partition, offset: fetched.nextOffset }]
      await commitUntilDurable(() => consumer.commit(next, []), options, signal)
    } catch (error) {
      if (signal.aborted) return
      const { code } = toWeirError(error)
      if (code === 'log.outcome_unknown')
        await renewUntilSure(() => consumer.renew(), options, signal).catch(failure => {
          if (!signal.aborted) throw failure
        })
      else if (code !== 'log.fenced') throw error
    }
  }
}

/** A header as text, '' when it is missing. */
export function header(record: LogRecord, name: string): string {
  const found = record.headers.find(([key]) => key === name)
  return found ? Buffer.from(found[1]).toString('utf8') : ''
}
