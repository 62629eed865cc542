// Opens a Kafka cluster: lanes over one driver, which share what is known of leaders and coordinators and nothing else.
import type { KafkaClient } from './client.ts'
import type { Driver } from './driver.ts'
import { Lane } from './lane.ts'
import { endingCalls } from './lane-endings.ts'
import { groupCalls } from './lane-groups.ts'
import { readCalls } from './lane-reads.ts'
import { topicCalls } from './lane-topics.ts'
import { transactionCalls } from './lane-transactions.ts'
import type { KafkaEventLogOptions } from './options.ts'
import { Routes } from './routes.ts'

export interface KafkaCluster extends AsyncDisposable {
  /** A new lane. It opens connections when it is first used, and is closed by whoever took it, or with the cluster. */
  lane(): KafkaClient
}

/** A cluster of which at least one broker answers. @throws log.unavailable, log.login_refused */
export async function openCluster(options: KafkaEventLogOptions, driver: Driver): Promise<KafkaCluster> {
  const routes = new Routes()
  const lanes = new Set<Lane>()
  const first = new Lane(options, driver, routes)
  try {
    await first.lookUp([])
  } finally {
    first.close()
  }
  return {
    lane() {
      const lane = new Lane(options, driver, routes)
      lanes.add(lane)
      return {
        ...transactionCalls(lane),
        ...endingCalls(lane),
        ...groupCalls(lane),
        ...readCalls(lane),
        ...topicCalls(lane),
        drop: () => lane.drop(),
        async [Symbol.asyncDispose]() {
          lanes.delete(lane)
          lane.close()
        },
      }
    },
    async [Symbol.asyncDispose]() {
      for (const lane of lanes) lane.close()
      lanes.clear()
    },
  }
}
