// Batches that a broker refuses for what is in them: which records are to blame, and what to try where the broker does not say.
// A transaction with such a batch is never committed (I1); the records named are what the pipeline takes out (I5).
import { WeirError } from '../../core/errors.ts'
import type { OutRecord } from '../../core/record.ts'
import type { Append } from '../../pipeline/ports.ts'
import type { ProduceRefusal } from './client.ts'
import { toLogError } from './log-errors.ts'
import type { BrokerRefusal } from './refusal.ts'

/** `smaller`: as the topic's settings of now allow. `singly`: each record in a batch of its own, so that a refusal names it. */
export type Care = 'smaller' | 'singly'

/** A batch of one record or more, and what the broker said of it. */
export interface RefusedBatch extends ProduceRefusal {
  readonly batch: readonly OutRecord[]
}

/**
 * What refused batches mean. Where a record can be named: the error that names those of its topic. Where none can: log.unavailable, after
 * `care` was told what to do the next time. Any other refusal comes first, for it may be of what passes.
 */
export function errorOfRefused(
  refused: readonly RefusedBatch[],
  appends: readonly Append[],
  care: Map<string, Care>,
): WeirError | BrokerRefusal {
  const other = refused.find(({ refusal }) => !isTooLarge(refusal) && !isOfContent(refusal))
  if (other) return other.refusal
  const blamed = refused.map(({ batch, records, ...each }) => ({
    ...each,
    those: batch.length === 1 ? batch : records.flatMap(index => batch[index] ?? []),
  }))
  for (const { topic, refusal, those } of blamed)
    if (those.length === 0)
      care.set(topic, isOfContent(refusal) || care.get(topic) === 'smaller' ? 'singly' : 'smaller')
  const { topic, partition, refusal, those } = blamed.find(each => each.those.length > 0) ?? blamed[0]!
  const at = `${topic}/${partition}`
  if (those.length === 0)
    return new WeirError('log.unavailable', `${refusal.message}; it is tried in smaller batches.`, {
      at,
      cause: refusal,
    })
  const ofTopic = blamed.flatMap(each => (each.topic === topic ? each.those : []))
  return toLogError(refusal, at, placesOf(new Set(ofTopic), appends))
}

/** Where these records stand in a transaction. */
export function placesOf(records: ReadonlySet<OutRecord>, appends: readonly Append[]) {
  return appends.flatMap(({ records: all }, append) =>
    all.flatMap((each, record) => (records.has(each) ? [{ append, record }] : [])),
  )
}

const isTooLarge = (refusal: BrokerRefusal): boolean => refusal.is('MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE')

const isOfContent = (refusal: BrokerRefusal): boolean => refusal.is('INVALID_TIMESTAMP', 'INVALID_RECORD')
