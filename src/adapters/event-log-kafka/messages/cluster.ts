// Messages about the cluster itself: ApiVersions, Metadata, FindCoordinator.
import type { Api } from '../protocol/api.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** v0, the one version every broker answers: [api_key min_version max_version] */
export const apiVersions: Api<
  null,
  { error: number; ranges: ReadonlyMap<number, readonly [min: number, max: number]> }
> = {
  name: 'ApiVersions',
  key: 18,
  versions: [0],
  encode: () => {},
  decode: from => {
    const error = from.int16()
    return { error, ranges: new Map(from.array(() => [from.int16(), [from.int16(), from.int16()] as const] as const)) }
  },
}

export interface ClusterMetadata {
  readonly nodes: ReadonlyMap<number, Address>
  readonly controller: number
  readonly topics: readonly {
    readonly error: number
    readonly topic: string
    readonly internal: boolean
    readonly partitions: readonly {
      readonly partition: number
      /** -1: none. */
      readonly leader: number
      readonly replicas: number
      readonly inSync: number
    }[]
  }[]
}

/** v5: [topic] allow_auto_topic_creation; null asks for all topics. */
export const metadata: Api<readonly string[] | null, ClusterMetadata> = {
  name: 'Metadata',
  key: 3,
  versions: [5],
  encode: (to, topics) => to.array(topics, topic => to.string(topic)).boolean(false),
  decode: from => {
    from.int32()
    const nodes = from.array(() => {
      const node = [from.int32(), { host: from.string(), port: from.int32() }] as const
      from.nullableString() // rack
      return node
    })
    from.nullableString() // cluster_id
    const controller = from.int32()
    const topics = from.array(() => ({
      error: from.int16(),
      topic: from.string(),
      internal: from.boolean(),
      partitions: from.array(() => {
        from.int16() // error_code: what it says shows in the leader
        const partition = from.int32()
        const leader = from.int32()
        const replicas = from.array(() => from.int32()).length
        const inSync = from.array(() => from.int32()).length
        from.array(() => from.int32()) // offline_replicas
        return { partition, leader, replicas, inSync }
      }),
    }))
    return { nodes: new Map(nodes), controller, topics }
  },
}

/** What a coordinator is looked up for. */
export type CoordinatorOf = 'group' | 'transaction'

/** v1: key key_type */
export const findCoordinator: Api<
  { of: CoordinatorOf; key: string },
  { error: number; reason: string | null; address: Address }
> = {
  name: 'FindCoordinator',
  key: 10,
  versions: [1],
  encode: (to, { of, key }) => to.string(key).int8(of === 'group' ? 0 : 1),
  decode: from => {
    from.int32()
    const error = from.int16()
    const reason = from.nullableString()
    from.int32() // node_id
    return { error, reason, address: { host: from.string(), port: from.int32() } }
  },
}
