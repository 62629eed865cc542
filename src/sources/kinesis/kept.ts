// Whether a shard still keeps what follows a cursor. Kinesis itself goes on at its oldest record without saying that others are gone, and its
// sequence numbers have gaps, so this asks where the shard begins now.
import type { Clock } from '../../core/clock.ts'
import type { Bookmark } from './bookmark.ts'
import type { Stream } from './stream.ts'

/** The shortest time that a stream keeps its records is 24 hours: what was seen within this time has lost nothing since. */
export const surelyKeptMs = 20 * 60 * 60 * 1000
/** Empty answers in a row on the way to the oldest record. */
const maxEmpty = 100

/**
 * True when nothing between the cursor and the oldest record of the shard can be gone. False is no proof that something is: then what the
 * cursor names is gone, and nobody knows what came after it.
 * @throws fetch.*
 */
export async function isAllKept(
  stream: Stream,
  shard: string,
  { after, began }: Bookmark,
  pace: { readonly clock: Clock; readonly ms: number },
  signal: AbortSignal,
): Promise<boolean> {
  let iterator: string | undefined = await stream.iterator(shard, {}, signal)
  for (let empty = 0; iterator !== undefined && empty < maxEmpty; empty++) {
    const page = await stream.records(iterator, signal, 1)
    await pace.clock.sleep(pace.ms, signal)
    const [oldest] = page?.Records ?? []
    if (oldest !== undefined) {
      if (after !== undefined) return BigInt(oldest.SequenceNumber ?? -1) <= BigInt(after)
      return (oldest.ApproximateArrivalTimestamp?.getTime() ?? Number.POSITIVE_INFINITY) <= (began ?? 0)
    }
    if (page?.MillisBehindLatest === 0) return false
    iterator = page?.NextShardIterator ?? undefined
  }
  return false
}
