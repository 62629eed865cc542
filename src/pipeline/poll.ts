// Producer, first step and its loop: passes over the splits of owned buckets, each batch mapped, encoded and committed before the next (I1, I3, I4, I13).
// A bucket moves: assigned -> passes -> (revoked | lost | unknown outcome -> renewed -> passes again).
import { toWeirError, type WeirError } from '../core/errors.ts'
import { bucketOf } from '../core/murmur2.ts'
import type { SourceBatch, Split } from '../core/record.ts'
import { ahead, forEachLimited } from '../core/stream.ts'
import type { Mapping } from '../mapping/mapping.ts'
import type { RetryDeps } from './append.ts'
import type { DeadLetterOffice } from './dead-letter.ts'
import type { EncodeBatch } from './encode.ts'
import type { FloodGuard } from './flood.ts'
import { Gathered, ReadAgain } from './gather.ts'
import type { PageKeeper } from './kept-page.ts'
import type { Bucket, Source } from './ports.ts'

export interface ProduceOptions extends RetryDeps {
  readonly source: Source
  readonly mapping: Mapping
  readonly encode: EncodeBatch
  readonly office: DeadLetterOffice
  /** Stores the pages that the source gives with its batches; omitted: they are not kept. */
  readonly keeper?: PageKeeper
  readonly flood: FloodGuard
  readonly topic: string
  readonly buckets: number
  readonly concurrency: number
  readonly version: string
}

/** What a pass over the splits of a bucket came to. */
export interface PassResult {
  /** Splits of the bucket. */
  readonly splits: number
  readonly fetched: number
  readonly failures: readonly WeirError[]
}

/** Ends the pass of every split of the bucket: the bucket is not ours any more, or its state is in doubt. */
function isBucketError(error: WeirError): boolean {
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
  const own = splits.filter(split => bucketOf(split.id, options.buckets) === bucket.number)
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
  return { splits: own.length, fetched, failures }
}

async function readSplit(
  bucket: Bucket,
  cursors: Map<string, string>,
  split: Split,
  options: ProduceOptions,
  signal: AbortSignal,
): Promise<number> {
  const { emit, clock, pipeline } = options
  const startedMs = clock.monotonic()
  emit({ type: 'poll_started', pipeline, split: split.id })
  const gathered = new Gathered(bucket, split, options, cursor => cursors.set(split.id, cursor))
  while (await mustReadAgain(gathered, split, cursors.get(split.id) ?? null, options, signal));
  const items = gathered.itemsStored
  emit({ type: 'poll_finished', pipeline, split: split.id, items, ms: Math.round(clock.monotonic() - startedMs) })
  return items
}

const isBarrier = (batch: SourceBatch) => batch.barrier === true

/** Reads from the cursor to the end for now. @returns true when what was read last must be read again, from the cursor of then */
async function mustReadAgain(
  gathered: Gathered,
  split: Split,
  cursor: string | null,
  { source }: ProduceOptions,
  signal: AbortSignal,
): Promise<boolean> {
  // Leaving early must end a source that waits for more: its `return` alone would stand behind the call that waits.
  const over = new AbortController()
  const batches = ahead(source.read(split, cursor, AbortSignal.any([signal, over.signal])), 1, isBarrier)
  try {
    for (;;) {
      const next = await batches.next().catch(async error => {
        // What came before the failure is sound and is kept.
        await gathered.commit(signal)
        throw error
      })
      if (next.done || (signal.aborted && !next.value.owed)) break
      await gathered.add(next.value, signal)
    }
    await gathered.commit(signal)
    return false
  } catch (thrown) {
    if (!(thrown instanceof ReadAgain)) throw thrown
    return true
  } finally {
    over.abort()
    await Promise.all([batches.return(undefined), gathered.settled()])
  }
}
