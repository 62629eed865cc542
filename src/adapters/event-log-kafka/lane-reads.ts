// The calls of readers: fetch (lane-fetch.ts) and offsets of partitions, each from its leader. Reading twice harms nobody, so offsets are
// asked for once more where a route was stale.
import { WeirError } from '../../core/errors.ts'
import type { Isolation, KafkaClient, PartitionOffset, TopicPartition } from './client.ts'
import { accept, answersFor, type Lane, label } from './lane.ts'
import { Fetcher } from './lane-fetch.ts'
import { allOf, withoutLeader } from './lane-transactions.ts'
import { earliest, latest, listOffsets } from './messages/fetch.ts'
import { BrokerRefusal } from './refusal.ts'

type ReadCalls = Pick<KafkaClient, 'fetch' | 'listOffsets'>

export function readCalls(lane: Lane): ReadCalls {
  const fetcher = new Fetcher(lane)

  return {
    fetch: (request, signal) => fetcher.fetch(request, signal),

    listOffsets: async (partitions, at, isolation) => {
      const time = at === 'earliest' ? earliest : at === 'latest' ? latest : BigInt(Math.trunc(at.timeMs))
      const found = await retryOnce(() => offsetsAt(lane, partitions, time, isolation))
      const without = found.filter(each => each.offset < 0n)
      if (without.length === 0) return found
      const ends = await retryOnce(() => offsetsAt(lane, without, latest, isolation))
      return answersFor(partitions, [...found.filter(each => each.offset >= 0n), ...ends], listOffsets)
    },
  }
}

/**
 * Offsets at a time (or `latest`, `earliest`) from the leaders, in the order of `partitions`; -1 where nothing is at or after it.
 * @throws BrokerRefusal of the first partition that is refused
 */
export async function offsetsAt(
  lane: Lane,
  partitions: readonly TopicPartition[],
  time: bigint,
  isolation: Isolation,
): Promise<PartitionOffset[]> {
  const asked = [...(await lane.byLeader(partitions))].map(async ([leader, those]) => {
    if (!leader) throw withoutLeader(those[0]!, leader)
    const answers = await lane.askLeader(leader, those, listOffsets, { partitions: those, time, isolation })
    for (const answer of answers) lane.checkLeader(answer)
    return answers.map(({ error, topic, partition, offset }): PartitionOffset => {
      accept(error, listOffsets, label({ topic, partition }))
      return { topic, partition, offset }
    })
  })
  return answersFor(partitions, await allOf(asked), listOffsets)
}

/** Once more after a route that was stale: the first attempt has forgotten it. */
async function retryOnce<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const stale =
      error instanceof BrokerRefusal
        ? error.is('LEADER_NOT_AVAILABLE', 'NOT_LEADER_OR_FOLLOWER')
        : error instanceof WeirError && error.code === 'log.unavailable'
    if (!stale) throw error
    return await work()
  }
}
