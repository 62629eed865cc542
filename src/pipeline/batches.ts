// Consumer, first step: what is read at once. a batch of one partition, or with it what is ready of others.
import type { Consumer, Fetched } from './ports.ts'

interface BatchLimits {
  readonly records: number
  readonly bytes: number
}

/** What is taken together ends at the first of these, or at the bytes of one batch. */
const together = { batches: 8, records: 2_000 } as const

/**
 * The next batch, and where several are taken those of other partitions that are ready, within bounds; none when nothing came in time, or when told to
 * stop while waiting. `taken` is told each at once: a partition may be asked back while others are looked at. @throws as Consumer.poll
 */
export async function nextBatches(
  consumer: Consumer,
  limits: BatchLimits,
  maxWaitMs: number,
  takesSeveral: boolean,
  taken: (batch: Fetched) => void,
  signal: AbortSignal,
): Promise<readonly Fetched[]> {
  const batches: Fetched[] = []
  let records = 0
  let bytes = 0
  const most = takesSeveral ? together.batches : 1
  while (batches.length < most && records < together.records && bytes < limits.bytes) {
    const next = await poll(consumer, limits, batches.length === 0 ? maxWaitMs : 0, signal)
    if (next === null) break
    batches.push(next)
    taken(next)
    records += next.records.length
    for (const { value } of next.records) bytes += value?.length ?? 0
  }
  return batches
}

async function poll(
  consumer: Consumer,
  limits: BatchLimits,
  maxWaitMs: number,
  signal: AbortSignal,
): Promise<Fetched | null> {
  try {
    return await consumer.poll({ maxRecords: limits.records, maxBytes: limits.bytes, maxWaitMs, signal })
  } catch (error) {
    if (signal.aborted) return null
    throw error
  }
}
