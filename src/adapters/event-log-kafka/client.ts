// What the event log asks of a Kafka cluster, request by request. An implementation routes each to the right broker over a driver and
// decodes the answer; when to ask what, and what an answer proves, is decided by the callers (transaction.ts, members.ts, reader.ts).
// Nothing here is retried by itself unless its doc says so.
import type { BrokerRefusal } from './refusal.ts'

/** A partition of a topic. */
export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

export interface PartitionOffset extends TopicPartition {
  readonly offset: bigint
}

/** An offset of a group; null where it has none. */
export interface GroupOffset extends TopicPartition {
  readonly offset: bigint | null
}

export interface TopicMetadata {
  readonly topic: string
  readonly partitions: readonly {
    readonly partition: number
    readonly leader: number | null
    readonly replicas: number
    readonly inSync: number
  }[]
}

/** A producer's identity: what fences its predecessors and is fenced by its successors (I7). */
export interface ProducerIdentity {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly epoch: number
}

/** What a coordinator decides about a transaction. */
export type Decision = 'commit' | 'abort'

/** A member of a group, as the coordinator knows it. */
export interface GroupMember {
  readonly group: string
  readonly memberId: string
  readonly generation: number
}

export interface JoinRequest {
  readonly group: string
  /** Empty at first: the coordinator gives one. */
  readonly memberId: string
  readonly protocolType: string
  readonly protocol: string
  readonly metadata: Uint8Array
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
}

export interface JoinAnswer {
  readonly memberId: string
  readonly generation: number
  readonly leader: string
  readonly protocol: string
  /** Filled for the leader only. */
  readonly members: readonly { readonly memberId: string; readonly metadata: Buffer }[]
}

export interface ProduceBatch extends TopicPartition {
  /** One record batch (magic 2). */
  readonly batch: Uint8Array
}

/** How one partition's batch was refused; `records`: indexes in the batch that the broker named. */
export interface ProduceRefusal extends TopicPartition {
  readonly refusal: BrokerRefusal
  readonly records: readonly number[]
}

export interface FetchRequest {
  readonly partitions: readonly PartitionOffset[]
  readonly maxWaitMs: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly maxBytesPerPartition: number
}

export interface FetchedPartition extends TopicPartition {
  /** What the broker says of this partition instead of records, or null. */
  readonly refusal: BrokerRefusal | null
  readonly highWatermark: bigint
  readonly lastStableOffset: bigint
  readonly logStartOffset: bigint
  readonly aborted: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[]
  /** Whole record batches, and perhaps a cut one at the end. A view of the answer: it keeps all of it alive. */
  readonly bytes: Buffer
}

export interface DescribedGroup {
  readonly group: string
  /** Empty, Stable, PreparingRebalance, CompletingRebalance, Dead. */
  readonly state: string
  readonly protocolType: string
  readonly members: readonly { readonly memberId: string; readonly clientId: string; readonly assignment: Buffer }[]
}

/** Isolation of offsets: `committed` stops before the first open transaction. */
export type Isolation = 'committed' | 'uncommitted'

/**
 * A lane of its own through the cluster: connections of one lane are used by nobody else, so that what waits (joinGroup, fetch) holds up nobody.
 * Every call throws log.unavailable when no broker can be asked or none answers in time, BrokerRefusal when one answers with an error code.
 * Metadata and coordinators are looked up again after an answer says they have moved. The lane is closed by disposing it.
 */
export interface KafkaClient extends AsyncDisposable {
  /** Closes the connections of this lane, so that whatever is on its way over them is given up; the next call opens new ones. */
  drop(): void

  /** Fresh metadata; unknown topics are absent, none is created. null: all topics but internal ones. */
  metadata(topics: readonly string[] | null): Promise<readonly TopicMetadata[]>

  /**
   * Begins an epoch: fences the holder of the transactional id and ends what it left open. Waits, within `deadlineMs`, while the coordinator
   * still ends the earlier transaction (51), loads or moves (14, 15, 16).
   * With `current`, only when that is still the newest epoch (KIP-360); else BrokerRefusal 47 or 90. Where the broker is too old for that, as without.
   * BrokerRefusal 51 also where 47 or 90 came after a 51: the coordinator may have taken an epoch itself, to end what stood open under `current`.
   */
  initProducer(
    transactionalId: string,
    options: { transactionTimeoutMs: number; current: ProducerIdentity | null; deadlineMs: number },
  ): Promise<ProducerIdentity>
  /** Waits, within `deadlineMs`, while the markers of the transaction before are written (51), from 1 ms on. */
  addPartitions(producer: ProducerIdentity, partitions: readonly TopicPartition[], deadlineMs: number): Promise<void>
  /** Waits as addPartitions does. */
  addOffsets(producer: ProducerIdentity, group: string, deadlineMs: number): Promise<void>
  /** acks=all, to each leader at the same time. Resolves with what was refused; throws when it is not known whether a broker took it. */
  produce(producer: ProducerIdentity, batches: readonly ProduceBatch[]): Promise<readonly ProduceRefusal[]>
  /** Offsets under the member's generation (KIP-447). */
  commitOffsetsInTransaction(
    producer: ProducerIdentity,
    member: GroupMember,
    offsets: readonly PartitionOffset[],
  ): Promise<void>
  /** Sent once, never again (L2). BrokerRefusal and log.unavailable are the caller's to judge. */
  endTransaction(producer: ProducerIdentity, commit: boolean): Promise<void>
  /** Those of these partitions in which records of the producer stand open, as their leaders see it; none where a broker does not tell. */
  openIn(producerId: bigint, partitions: readonly TopicPartition[]): Promise<readonly TopicPartition[]>
  /**
   * How the newest transaction of the id ends or has ended: one that stands open will be aborted by whoever begins the next epoch. null: the
   * coordinator knows of none, or does not tell. Waits, within `deadlineMs`, while it loads or moves.
   */
  decisionOf(transactionalId: string, deadlineMs: number): Promise<Decision | null>

  joinGroup(request: JoinRequest, signal: AbortSignal): Promise<JoinAnswer>
  syncGroup(
    member: GroupMember,
    assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[],
  ): Promise<Buffer>
  heartbeat(member: GroupMember): Promise<void>
  leaveGroup(member: GroupMember): Promise<void>
  commitOffsets(member: GroupMember, offsets: readonly PartitionOffset[]): Promise<void>
  /** Without partitions: all the group has. Waits, within `deadlineMs`, while a transaction over them is open (88). */
  groupOffsets(
    group: string,
    partitions: readonly TopicPartition[] | null,
    deadlineMs: number,
  ): Promise<readonly GroupOffset[]>
  /** Names of the groups of all brokers, of all protocol types. */
  listGroups(): Promise<readonly { readonly group: string; readonly protocolType: string }[]>
  describeGroups(groups: readonly string[]): Promise<readonly DescribedGroup[]>

  /** Sees committed data only: `aborted` tells what to leave out. Partitions of one call may have different leaders; each answers for its own. */
  fetch(request: FetchRequest, signal: AbortSignal): Promise<readonly FetchedPartition[]>
  /** `timeMs`: the first offset at or after it, or the end when there is none. */
  listOffsets(
    partitions: readonly TopicPartition[],
    at: 'earliest' | 'latest' | { readonly timeMs: number },
    isolation: Isolation,
  ): Promise<readonly PartitionOffset[]>

  /** BrokerRefusal 36 when it is there already. Resolves when the metadata shows leaders for all its partitions. */
  createTopic(topic: {
    readonly name: string
    readonly partitions: number
    readonly replicationFactor: number | null
    readonly configs: Readonly<Record<string, string>>
  }): Promise<void>
  /** Settings of topics by name, defaults included. */
  topicConfigs(topics: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>>
  /** Sets these and leaves the others. */
  setTopicConfigs(topic: string, configs: Readonly<Record<string, string>>): Promise<void>
}
