// Where partitions begin and end. What a producer was told is durable counts as committed here, although the broker writes the markers
// that make it visible a moment later: whoever reads right after a commit sees it.
import type { Clock } from '../../core/clock.ts'
import { toWeirError } from '../../core/errors.ts'
import type { KafkaClient, PartitionOffset, TopicPartition } from './client.ts'
import { toLogError } from './log-errors.ts'
import { BrokerRefusal } from './refusal.ts'

export interface PartitionEnds {
  readonly earliest: bigint
  readonly latest: bigint
}

/** A transaction of somebody else may stand open for longer: then the end is before it. */
const settleMs = 1_000
const patienceMs = 10_000

/**
 * Asks again while the cluster looks for a leader or a coordinator.
 * @throws log.unavailable when that takes longer than 10 s, or when no broker answers; the WeirError of any other refusal
 */
export async function patiently<T>(clock: Clock, subject: string, ask: () => Promise<T>): Promise<T> {
  const endMs = clock.monotonic() + patienceMs
  for (let waitMs = 20; ; waitMs = Math.min(waitMs * 2, 500)) {
    try {
      return await ask()
    } catch (thrown) {
      if (!(thrown instanceof BrokerRefusal)) throw toWeirError(thrown)
      const error = toLogError(thrown, subject)
      if (error.code !== 'log.unavailable' || clock.monotonic() > endMs) throw error
      await clock.sleep(waitMs)
    }
  }
}

export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}

/** Offsets by `keyOf`. `latest`: what a reader of committed records reaches. */
export async function endsOf(
  client: KafkaClient,
  clock: Clock,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<string, PartitionEnds>> {
  if (partitions.length === 0) return new Map()
  return patiently(clock, 'the ends of partitions', async () => {
    const [earliest, latest] = await Promise.all([
      client.listOffsets(partitions, 'earliest', 'committed'),
      settledEnds(client, clock, partitions),
    ])
    return joined(earliest, latest)
  })
}

/** As `endsOf`, but `latest` is the next offset to be written: records of open transactions count until they are decided. */
export async function writtenEndsOf(
  client: KafkaClient,
  clock: Clock,
  partitions: readonly TopicPartition[],
): Promise<ReadonlyMap<string, PartitionEnds>> {
  if (partitions.length === 0) return new Map()
  return patiently(clock, 'the ends of partitions', async () => {
    const [earliest, latest] = await Promise.all([
      client.listOffsets(partitions, 'earliest', 'uncommitted'),
      client.listOffsets(partitions, 'latest', 'uncommitted'),
    ])
    return joined(earliest, latest)
  })
}

/** The ends of what is committed, once they reach what was written when it was asked; after a second, as far as they are. */
export async function settledEnds(
  client: KafkaClient,
  clock: Clock,
  partitions: readonly TopicPartition[],
): Promise<readonly PartitionOffset[]> {
  const written = await client.listOffsets(partitions, 'latest', 'uncommitted')
  const endMs = clock.monotonic() + settleMs
  for (let waitMs = 2; ; waitMs = Math.min(waitMs * 2, 50)) {
    const ends = await client.listOffsets(partitions, 'latest', 'committed')
    const offsets = new Map(ends.map(each => [keyOf(each), each.offset]))
    const reached = written.every(each => (offsets.get(keyOf(each)) ?? 0n) >= each.offset)
    if (reached || clock.monotonic() > endMs) return ends
    await clock.sleep(waitMs)
  }
}

function joined(
  earliest: readonly PartitionOffset[],
  latest: readonly PartitionOffset[],
): ReadonlyMap<string, PartitionEnds> {
  const ends = new Map(latest.map(each => [keyOf(each), each.offset]))
  return new Map(
    earliest.map(each => [keyOf(each), { earliest: each.offset, latest: ends.get(keyOf(each)) ?? each.offset }]),
  )
}
