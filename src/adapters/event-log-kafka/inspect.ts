// Looks at a cluster for `weir doctor`: is each address there and does it let us in, how well are topics kept. Changes nothing.
import { toWeirError, type WeirError } from '../../core/errors.ts'
import { openCluster } from './cluster.ts'
import { drivers } from './event-log.ts'
import { toLogError } from './log-errors.ts'
import type { KafkaEventLogOptions } from './options.ts'
import { BrokerRefusal } from './refusal.ts'
import { brokersIn, replicationNotes } from './topics.ts'

export interface BrokerReach {
  /** host:port */
  readonly address: string
  /** Until logged in. */
  readonly ms: number
  /** Why it cannot be used; null when it can. */
  readonly error: WeirError | null
}

export interface InspectedTopic {
  readonly topic: string
  readonly partitions: number
  /** Of the partition that has the fewest. */
  readonly replicas: number
  /** What keeps it from surviving the loss of a broker; one sentence each. */
  readonly notes: readonly string[]
}

export interface ClusterReport {
  /** Brokers that the metadata shows at work. */
  readonly brokers: number
  /** Those of the asked for topics that are there. */
  readonly topics: readonly InspectedTopic[]
}

/** Connects and logs in to each of the addresses, one after the other. */
export async function reachBrokers(options: KafkaEventLogOptions): Promise<readonly BrokerReach[]> {
  const driver = (await drivers[options.driver]())(options)
  const reaches: BrokerReach[] = []
  for (const address of options.brokers) {
    const startedMs = options.clock.monotonic()
    const error = await reach(address)
    reaches.push({ address, ms: Math.round(options.clock.monotonic() - startedMs), error })
  }
  return reaches

  async function reach(address: string): Promise<WeirError | null> {
    const [, host, port] = /^\[?(.*?)\]?:(\d+)$/.exec(address)!
    try {
      await using _ = await driver.connect(host!, Number(port))
      return null
    } catch (thrown) {
      return toWeirError(thrown, 'log.unavailable')
    }
  }
}

/** How these topics stand. @throws log.unavailable, log.login_refused, log.denied */
export async function inspectTopics(options: KafkaEventLogOptions, names: readonly string[]): Promise<ClusterReport> {
  try {
    await using cluster = await openCluster(options, (await drivers[options.driver]())(options))
    await using client = cluster.lane()
    const all = await client.metadata(null)
    const found = all.filter(({ topic }) => names.includes(topic))
    const configs = found.length === 0 ? new Map() : await client.topicConfigs(found.map(({ topic }) => topic))
    const brokers = brokersIn(all)
    return {
      brokers,
      topics: found.map(each => ({
        topic: each.topic,
        partitions: each.partitions.length,
        replicas: Math.min(...each.partitions.map(({ replicas }) => replicas)),
        notes: replicationNotes(each, configs.get(each.topic) ?? new Map(), brokers),
      })),
    }
  } catch (thrown) {
    throw thrown instanceof BrokerRefusal ? toLogError(thrown) : thrown
  }
}
