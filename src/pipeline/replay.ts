// Failures, second step: dead letters go again through the stage that refused them, with the definition of today. The record and the mark of its
// letter are one transaction, so replaying twice gives one record (I8); a letter that keeps failing is left alone after `maxAttempts`.
import { toWeirError, WeirError } from '../core/errors.ts'
import type { Emit } from '../core/event.ts'
import { failpoint } from '../core/failpoint.ts'
import type { Claim as GuaranteeClaim } from '../core/guarantee.ts'
import type { Item, OutRecord } from '../core/record.ts'
import type { Mapping } from '../mapping/mapping.ts'
import { commitUntilDurable, type RetryDeps } from './append.ts'
import { claimScope, type ScopeClaim } from './claim.ts'
import type { Decode } from './decode.ts'
import type { EncodeBatch } from './encode.ts'
import { identityPrefix, replayedFromHeader } from './identity.ts'
import type { StoredLetter } from './letters.ts'
import { mapItems } from './map.ts'
import { marksScope, TopicMarks } from './marks.ts'
import type { Append, Bucket, EventLog, Sink, Source } from './ports.ts'
import { type ProcessStep, processRecords } from './process.ts'

export interface ReplayProducer {
  readonly source: Source
  readonly mapping: Mapping
  readonly encode: EncodeBatch
}

export interface ReplayConsumer {
  readonly sink: Sink
  readonly decode: Decode
  readonly steps: readonly ProcessStep[]
}

export interface ReplayOptions extends RetryDeps {
  readonly log: EventLog
  readonly deadLetterTopic: string
  readonly topic: string
  readonly producer: ReplayProducer
  /** By consumer group; opened on first use. */
  readonly consumer: (group: string) => Promise<ReplayConsumer>
  readonly dryRun: boolean
  /** A letter that failed this often is skipped, so that a replay in a loop stops by itself. */
  readonly maxAttempts: number
  readonly emit: Emit
}

export interface ReplayOutcome {
  readonly id: string
  /** `passed` is replayed, or would be in a dry run. */
  readonly result: 'passed' | 'failed' | 'skipped'
  readonly error?: WeirError
  readonly why?: string
}

/** Whether a letter passes today, and what it becomes. */
interface Attempt {
  readonly records: readonly OutRecord[]
  /** Appends of a sink that writes to the log. */
  readonly appends: readonly Append[]
  /** Hands the record to a sink outside the log; done before the mark is stored. */
  readonly deliver?: () => Promise<void>
}

/** What holds for dead letters that go into the topic again, for `weir lint --explain`. */
export const replaying: GuaranteeClaim = {
  guarantee: 'exactly_once',
  why: 'The record and the mark of its letter are one transaction, so that a second replay finds the mark.',
  proof: { file: 'test/fault/replay-kill.test.ts', test: 'at %s, into the topic' },
}

/** A transaction is closed at the first of these. */
const lettersPerTransaction = 200
const bytesPerTransaction = 4 * 1024 * 1024

/**
 * Replays the letters one after the other and tells what became of each.
 * @throws usage.refused when another replay of the topic is at work, log.*
 */
export async function* replay(
  letters: AsyncIterable<StoredLetter>,
  options: ReplayOptions,
  signal: AbortSignal,
): AsyncGenerator<ReplayOutcome> {
  if (options.dryRun) {
    for await (const stored of letters) yield (await tryLetter(stored, options, signal)).outcome
    return
  }
  const owner = await claimMarks(options, signal)
  const totals = { replayed: 0, failed: 0, skipped: 0 }
  try {
    const marks = new TopicMarks(owner.bucket.cursors.values())
    let batch: StoredLetter[] = []
    let bytes = 0
    const flush = async () => {
      const outcomes = await replayBatch(batch, owner.bucket, marks, options, signal)
      batch = []
      bytes = 0
      for (const { result } of outcomes) totals[result === 'passed' ? 'replayed' : result]++
      return outcomes
    }
    for await (const stored of letters) {
      batch.push(stored)
      bytes += stored.letter.original.length
      if (batch.length === lettersPerTransaction || bytes >= bytesPerTransaction) yield* await flush()
    }
    if (batch.length > 0) yield* await flush()
  } finally {
    await owner.release()
    options.emit({ type: 'replayed', pipeline: options.pipeline, topic: options.deadLetterTopic, ...totals })
  }
}

async function replayBatch(
  batch: readonly StoredLetter[],
  bucket: Bucket,
  marks: TopicMarks,
  options: ReplayOptions,
  signal: AbortSignal,
): Promise<ReplayOutcome[]> {
  const outcomes: ReplayOutcome[] = []
  const records: OutRecord[] = []
  const appends: Append[] = []
  const touched = new Set<number>()
  let ended: { readonly by: unknown } | undefined
  for (const stored of batch) {
    const { partition, offset } = stored.record
    const mark = marks.of(partition)
    try {
      // The state is read again under the claim: what was chosen may have been replayed since.
      const { outcome, attempt } = await tryLetter(
        {
          ...stored,
          state: mark.stateOf(offset),
          attempts: stored.letter.attempts + (mark.tries.get(offset) ?? 0),
        },
        options,
        signal,
      )
      const final = attempt ? await deliverOnce(attempt, outcome) : outcome
      if (final.result === 'passed') {
        records.push(...(attempt?.records ?? []))
        appends.push(...(attempt?.appends ?? []))
        mark.close(offset, 'replayed')
      }
      if (final.result === 'failed') mark.tries.set(offset, (mark.tries.get(offset) ?? 0) + 1)
      if (final.result !== 'skipped') touched.add(partition)
      outcomes.push(final)
    } catch (thrown) {
      // What was delivered before has its marks stored all the same, or it would be delivered again.
      ended = { by: thrown }
      break
    }
  }
  if (touched.size > 0) {
    const cursors = marks.writes(touched)
    failpoint('replay.before_commit')
    await commitUntilDurable(
      () =>
        bucket.transact({
          appends: records.length > 0 ? [{ topic: options.topic, records }, ...appends] : appends,
          cursors,
        }),
      options,
      signal,
    )
    failpoint('replay.after_commit')
  }
  if (ended) throw ended.by
  return outcomes
}

/** Hands the record to a sink outside the log. @throws what is not about this record */
async function deliverOnce(attempt: Attempt, outcome: ReplayOutcome): Promise<ReplayOutcome> {
  try {
    await attempt.deliver?.()
    return outcome
  } catch (thrown) {
    const error = toWeirError(thrown)
    if (error.code !== 'sink.failed' && error.code !== 'sink.rejected') throw thrown
    return { id: outcome.id, result: 'failed', error }
  }
}

async function tryLetter(
  stored: StoredLetter,
  options: ReplayOptions,
  signal: AbortSignal,
): Promise<{ outcome: ReplayOutcome; attempt?: Attempt }> {
  const { id, state, letter } = stored
  // Deliveries before the letter was written do not count: a sink that was down for long must not bury its letters.
  const runs = 1 + stored.attempts - letter.attempts
  if (state !== 'open') return { outcome: { id, result: 'skipped', why: `already ${state}` } }
  if (runs >= options.maxAttempts)
    return {
      outcome: { id, result: 'skipped', why: `failed ${runs} times; --max-attempts ${options.maxAttempts}` },
    }
  const consumer = letter.consumer_group === null ? null : await openedConsumer(letter.consumer_group, options)
  if (consumer instanceof WeirError) return { outcome: { id, result: 'failed', error: consumer } }
  try {
    const attempt =
      consumer === null ? await again(stored, options, signal) : await consumeAgain(stored, consumer, signal)
    return { outcome: { id, result: 'passed' }, attempt }
  } catch (error) {
    if (signal.aborted) throw error
    const known = toWeirError(error, 'replay.failed')
    // Nothing was found out about the letter: a try that does not count.
    if (known.code === 'registry.mismatch' || (known.retry && /^(registry|log)\./.test(known.code))) throw error
    return { outcome: { id, result: 'failed', error: known } }
  }
}

/** A letter of the producer: decoded by the source, mapped and encoded as an item of today. All items in it pass, or none. */
async function again(
  { letter, id }: StoredLetter,
  { producer, pipeline, clock, deadLetterTopic }: ReplayOptions,
  signal: AbortSignal,
): Promise<Attempt> {
  const now = clock.now()
  const split = letter.split ?? ''
  const vars = (await splitVars(producer.source, split, signal)) ?? {}
  const position = letter.source_position ?? id
  const values = await producer.source.reparse(letter.original, letter.context ?? undefined)
  const items: Item[] = values.map((value, i) => ({
    value,
    raw: letter.original,
    position: values.length === 1 ? position : `${position}#${i}`,
  }))
  const { mapped, failures } = mapItems(producer.mapping, items, vars, now)
  if (failures[0]) throw failures[0].error
  const encoded = producer.encode(mapped, vars, identityPrefix(pipeline, split), now, [
    ...letter.original_headers.map(({ name, value }) => [name, value] as const),
    [replayedFromHeader, `${deadLetterTopic}/${id}`],
  ])
  if (encoded.failures[0]) throw encoded.failures[0].error
  return { records: encoded.records, appends: [] }
}

async function splitVars(
  source: Source,
  split: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    return (await source.splits(signal)).find(({ id }) => id === split)?.vars
  } catch {
    // A source that is gone, such as a deleted file, still has letters worth replaying.
    return undefined
  }
}

/** The consumer of the group, or why there is none. @throws what is not about the letter: a sink that is locked or cannot be opened */
async function openedConsumer(group: string, { consumer }: ReplayOptions): Promise<ReplayConsumer | WeirError> {
  try {
    return await consumer(group)
  } catch (thrown) {
    const error = toWeirError(thrown)
    if (error.code === 'replay.failed') return error
    throw thrown
  }
}

/** A letter of a consumer: decoded, processed and delivered to that consumer's sink. */
async function consumeAgain(
  { letter, record }: StoredLetter,
  { sink, decode, steps }: ReplayConsumer,
  signal: AbortSignal,
): Promise<Attempt> {
  const log = {
    topic: letter.original_topic ?? letter.topic,
    partition: letter.original_partition ?? record.partition,
    offset: letter.original_offset ?? record.offset,
    timestampMs: record.timestampMs,
    key: letter.original_key,
    value: letter.original,
    headers: letter.original_headers.map(({ name, value }) => [name, value] as const),
  }
  const { decoded, failures } = await decode([log])
  const processed = processRecords(steps, decoded)
  const failure = failures[0] ?? processed.failures[0]
  if (failure) throw failure.error
  const delivery = { topic: log.topic, partition: log.partition, records: processed.passed, nextOffset: null }
  if (sink.prepare) return { records: [], appends: await sink.prepare(delivery) }
  return { records: [], appends: [], deliver: () => sink.deliver!(delivery, signal) }
}

/** Marks letters as discarded: they are left out of lists and replays, and stay in the topic until its retention ends. */
export async function discard(
  letters: AsyncIterable<StoredLetter>,
  options: Omit<ReplayOptions, 'producer' | 'consumer' | 'dryRun' | 'maxAttempts' | 'topic'>,
  signal: AbortSignal,
): Promise<number> {
  const owner = await claimMarks(options, signal)
  try {
    const marks = new TopicMarks(owner.bucket.cursors.values())
    const touched = new Set<number>()
    let count = 0
    for await (const { record } of letters) {
      const mark = marks.of(record.partition)
      if (mark.stateOf(record.offset) !== 'open') continue
      mark.close(record.offset, 'discarded')
      touched.add(record.partition)
      count++
    }
    const cursors = marks.writes(touched)
    if (count > 0) await commitUntilDurable(() => owner.bucket.transact({ appends: [], cursors }), options, signal)
    return count
  } finally {
    await owner.release()
  }
}

/** Becomes the one process that may change the marks of the topic. @throws usage.refused when another one is at work */
function claimMarks(
  { log, deadLetterTopic, clock }: Pick<ReplayOptions, 'log' | 'deadLetterTopic' | 'clock'>,
  signal: AbortSignal,
): Promise<ScopeClaim> {
  return claimScope(log, marksScope(deadLetterTopic), `replay of ${deadLetterTopic}`, clock, signal)
}
