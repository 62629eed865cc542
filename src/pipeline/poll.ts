// Producer, first step and its loop: passes over the splits of owned buckets, each batch mapped, encoded and committed before the next (I1, I3, I4, I13).
// A bucket moves: assigned -> passes -> (revoked | lost | unknown outcome -> renewed -> passes again).
import { toWeirError, type WeirError } from '../core/errors.ts'
import { partitionOf } from '../core/murmur2.ts'
import { rawOf, type SourceBatch, type Split } from '../core/record.ts'
import { ahead, forEachLimited } from '../core/stream.ts'
import type { Mapping } from '../mapping/mapping.ts'
import { commitUntilDurable, type RetryDeps } from './append.ts'
import { type DeadLetter, type DeadLetterOffice, errorFields } from './dead-letter.ts'
import type { EncodeBatch } from './encode.ts'
import type { FloodGuard } from './flood.ts'
import { identityOf, identityPrefix } from './identity.ts'
import { type ItemFailure, mapItems } from './map.ts'
import type { Append, Bucket, Source } from './ports.ts'

export interface ProduceOptions extends RetryDeps {
  readonly source: Source
  readonly mapping: Mapping
  readonly encode: EncodeBatch
  readonly office: DeadLetterOffice
  readonly flood: FloodGuard
  readonly topic: string
  readonly buckets: number
  readonly concurrency: number
  readonly version: string
}

/** What a pass over the splits of a bucket came to. */
export interface PassResult {
  readonly fetched: number
  readonly failures: readonly WeirError[]
}

/** Ends the pass of every split of the bucket: the bucket is not ours any more, or its state is in doubt. */
export function isBucketError(error: WeirError): boolean {
  return error.code.startsWith('log.') || error.code === 'dead_letter.flood' || error.code === 'internal'
}

/**
 * One pass over the splits that hash to the bucket: each is read to its end for now. A failed fetch ends the pass of its split only.
 * @throws log.*, dead_letter.flood, internal
 */
export async function pass(
  bucket: Bucket,
  cursors: Map<string, string>,
  splits: readonly Split[],
  options: ProduceOptions,
  signal: AbortSignal,
): Promise<PassResult> {
  const own = splits.filter(split => partitionOf(Buffer.from(split.id), options.buckets) === bucket.number)
  const failures: WeirError[] = []
  let fetched = 0
  const stopAll = new AbortController()
  const splitSignal = AbortSignal.any([signal, stopAll.signal])
  const limit = options.source.endless ? own.length : options.concurrency
  await forEachLimited(own, limit, async split => {
    if (splitSignal.aborted) return
    try {
      fetched += await readSplit(bucket, cursors, split, options, splitSignal)
    } catch (thrown) {
      if (splitSignal.aborted && thrown === splitSignal.reason) return
      const error = toWeirError(thrown)
      if (isBucketError(error)) {
        stopAll.abort(error)
        throw thrown
      }
      if (splitSignal.aborted) return
      failures.push(error)
      const { code, message, at, hint } = error
      options.emit({
        type: 'fetch_failed',
        pipeline: options.pipeline,
        split: split.id,
        code,
        message,
        ...(at === undefined ? {} : { at }),
        ...(hint === undefined ? {} : { hint }),
      })
    }
  })
  return { fetched, failures }
}

async function readSplit(
  bucket: Bucket,
  cursors: Map<string, string>,
  split: Split,
  options: ProduceOptions,
  signal: AbortSignal,
): Promise<number> {
  const { source, emit, clock, pipeline } = options
  const startedMs = clock.monotonic()
  let items = 0
  emit({ type: 'poll_started', pipeline, split: split.id })
  const batches = source.read(split, cursors.get(split.id) ?? null, signal)
  for await (const batch of ahead(batches, 1)) {
    if (signal.aborted) break
    await produce(bucket, split, batch, options, signal)
    cursors.set(split.id, batch.cursor)
    items += batch.items.length
  }
  emit({ type: 'poll_finished', pipeline, split: split.id, items, ms: Math.round(clock.monotonic() - startedMs) })
  return items
}

/** Maps, encodes and commits one batch; tells about it only once it is durable, so the counts are of what is stored (I2). */
async function produce(
  bucket: Bucket,
  split: Split,
  batch: SourceBatch,
  options: ProduceOptions,
  signal: AbortSignal,
): Promise<void> {
  const { mapping, encode, office, flood, clock, emit, pipeline, topic } = options
  const startedMs = clock.monotonic()
  const now = clock.now()
  const prefix = identityPrefix(pipeline, split.id)
  const { mapped, failures } = mapItems(mapping, batch.items, split.vars, now)
  const encoded = encode(mapped, split.vars, prefix, now)
  const allFailures = encoded.failures.length === 0 ? failures : [...failures, ...encoded.failures]
  admit(flood, allFailures.length, options)
  const letters = allFailures.map(failure => letterOf(failure, split, now, options))
  const appends: Append[] = []
  if (encoded.records.length > 0) appends.push({ topic, records: encoded.records })
  if (letters.length > 0)
    appends.push({
      topic: office.topic,
      records: letters.map(letter => office.write(letter, identityOf(prefix, letter.source_position))),
    })
  await commitUntilDurable(
    () => bucket.transact({ appends, cursors: [{ split: split.id, value: batch.cursor }] }),
    options,
    signal,
  )
  flood.count(letters.length)
  office.tell(letters)
  const dropped = Object.entries(batch.drops ?? {}) as [keyof NonNullable<SourceBatch['drops']>, number][]
  emit({
    type: 'records_fetched',
    pipeline,
    count: batch.items.length + dropped.reduce((sum, [, count]) => sum + count, 0),
  })
  for (const [reason, count] of dropped) if (count > 0) emit({ type: 'records_dropped', pipeline, reason, count })
  emit({
    type: 'batch_appended',
    pipeline,
    topic,
    records: encoded.records.length,
    deadLetters: letters.length,
    bytes: encoded.bytes,
    ms: Math.round(clock.monotonic() - startedMs),
  })
}

function admit(flood: FloodGuard, count: number, { emit, pipeline }: ProduceOptions): void {
  try {
    flood.admit(count)
  } catch (error) {
    emit({ type: 'flood_stopped', pipeline, records: count, message: toWeirError(error).message })
    throw error
  }
}

function letterOf(
  { item, stage, error }: ItemFailure,
  split: Split,
  now: number,
  { pipeline, topic, version }: ProduceOptions,
): DeadLetter & { source_position: string } {
  return {
    ...errorFields(error),
    stage,
    pipeline,
    split: split.id,
    source_position: item.position,
    source_place: item.place ?? null,
    context: item.context ?? null,
    topic,
    original_topic: null,
    original_partition: null,
    original_offset: null,
    consumer_group: null,
    original_key: null,
    original: rawOf(item),
    original_headers: [],
    schema_id: null,
    attempts: 1,
    first_failed_at: now,
    last_failed_at: now,
    weir_version: version,
  }
}
