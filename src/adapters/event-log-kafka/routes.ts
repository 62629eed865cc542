// Which broker leads which partition, and which coordinates which group or transactional id: what all lanes of a cluster know together.
// What an answer shows to be stale is forgotten, and looked up again by whoever asks next.
import type { TopicPartition } from './client.ts'
import type { Address, ClusterMetadata, CoordinatorOf } from './messages/cluster.ts'

export class Routes {
  #nodes: readonly Address[] = []
  #controller: Address | null = null
  /** By topic, then partition; null: without a leader. */
  readonly #leaders = new Map<string, ReadonlyMap<number, Address | null>>()
  readonly #coordinators = new Map<string, Address>()

  /** Brokers that the newest metadata names. */
  get nodes(): readonly Address[] {
    return this.#nodes
  }

  get controller(): Address | null {
    return this.#controller
  }

  learn({ nodes, controller, topics }: ClusterMetadata): void {
    this.#nodes = [...nodes.values()]
    this.#controller = nodes.get(controller) ?? null
    for (const { topic, partitions } of topics)
      this.#leaders.set(topic, new Map(partitions.map(each => [each.partition, nodes.get(each.leader) ?? null])))
  }

  /** undefined: not known (the topic may not exist); null: known to have none. */
  leader({ topic, partition }: TopicPartition): Address | null | undefined {
    return this.#leaders.get(topic)?.get(partition)
  }

  forgetLeaders(topic: string): void {
    this.#leaders.delete(topic)
  }

  coordinator(of: CoordinatorOf, key: string): Address | undefined {
    return this.#coordinators.get(`${of} ${key}`)
  }

  learnCoordinator(of: CoordinatorOf, key: string, address: Address): void {
    this.#coordinators.set(`${of} ${key}`, address)
  }

  forgetCoordinator(of: CoordinatorOf, key: string): void {
    this.#coordinators.delete(`${of} ${key}`)
  }
}
