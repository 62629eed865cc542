// The event log on a Kafka cluster, Redpanda or Apache Kafka: topics, transactions, groups and cursors over one driver.
// Keeps I1 (one producer transaction), I3 (order of the partition), I7 (transactional ids fence former owners).
import type {
  BrowseOptions,
  Consumer,
  ConsumerOptions,
  CursorWrite,
  EventLog,
  GroupInfo,
  LogRecord,
  Producer,
  ProducerOptions,
  StoredCursor,
  TopicInfo,
  TopicSpec,
} from '../../pipeline/ports.ts'
import { checkCursorWrites, checkName, checkTopicName, checkTopicSpec } from '../log-names.ts'
import { browse } from './browse.ts'
import { type KafkaCluster, openCluster } from './cluster.ts'
import { joinConsumers } from './consumers.ts'
import { type CursorReading, cursorsOf, listPipelines, overwriteCursors } from './cursors.ts'
import type { OpenDriver } from './driver.ts'
import { listGroups } from './groups.ts'
import { Lanes } from './lanes.ts'
import { asLogErrors } from './log-errors.ts'
import type { DriverName, KafkaEventLogOptions } from './options.ts'
import type { LogParts } from './parts.ts'
import { joinProducers } from './producers.ts'
import { TopicTable } from './topic-table.ts'
import { allTopics, ensureTopic, topicInfo } from './topics.ts'

/** How long the members of a group wait for one whose work is still draining. */
const rebalanceTimeoutMs = 60_000

/** Drivers are loaded when they are chosen. */
export const drivers: Readonly<Record<DriverName, () => Promise<OpenDriver>>> = {
  kafkajs: async () => (await import('./driver-kafkajs.ts')).openKafkaJsDriver,
  platformatic: async () => (await import('./driver-platformatic.ts')).openPlatformaticDriver,
}

/** Opens the log of a cluster: reaches one of its brokers and logs in. @throws log.unavailable, log.login_refused */
export async function openKafkaEventLog(options: KafkaEventLogOptions): Promise<EventLog> {
  const openDriver = await drivers[options.driver]()
  return new KafkaEventLog(await openCluster(options, openDriver(options)), options)
}

class KafkaEventLog implements EventLog {
  readonly kind = 'kafka'
  readonly #cluster: KafkaCluster
  readonly #parts: LogParts
  readonly #reading: CursorReading
  readonly #members = new Set<AsyncDisposable>()

  constructor(cluster: KafkaCluster, options: KafkaEventLogOptions) {
    this.#cluster = cluster
    const client = cluster.lane()
    const topics = new TopicTable(client, options.clock)
    const lanes = new Lanes({ ...options, open: () => cluster.lane(), topics })
    this.#parts = { ...options, rebalanceTimeoutMs, lanes, client, topics }
    this.#reading = { client, clock: options.clock, deadlineMs: options.requestTimeoutMs }
  }

  async ensureTopic(spec: TopicSpec): Promise<{ info: TopicInfo; created: boolean }> {
    checkTopicSpec(spec)
    return asLogErrors(spec.name, () => ensureTopic(this.#parts, spec))
  }

  topics(): Promise<readonly TopicInfo[]> {
    return asLogErrors('the cluster', () => allTopics(this.#parts))
  }

  async topic(name: string): Promise<TopicInfo | null> {
    checkTopicName(name)
    return asLogErrors(name, () => topicInfo(this.#parts, name))
  }

  async joinProducers(options: ProducerOptions): Promise<Producer> {
    return this.#remember(await joinProducers(this.#parts, options))
  }

  async joinConsumers(options: ConsumerOptions): Promise<Consumer> {
    return this.#remember(await joinConsumers(this.#parts, options))
  }

  browse(topic: string, options: BrowseOptions): AsyncIterable<readonly LogRecord[]> {
    return browse(this.#parts, topic, options)
  }

  groups(): Promise<readonly GroupInfo[]> {
    return asLogErrors('the cluster', () => listGroups(this.#parts))
  }

  pipelines(): Promise<readonly { pipeline: string; splits: number; running: boolean }[]> {
    return asLogErrors('the cluster', () => listPipelines(this.#reading))
  }

  cursors(pipeline: string): Promise<readonly StoredCursor[]> {
    return asLogErrors(pipeline, () => cursorsOf(this.#reading, pipeline))
  }

  async writeCursors(pipeline: string, writes: readonly CursorWrite[]): Promise<void> {
    checkName('pipeline', pipeline)
    checkCursorWrites(writes)
    await asLogErrors(pipeline, () => this.#overwrite(pipeline, writes))
  }

  #overwrite(pipeline: string, writes: readonly CursorWrite[]): Promise<void> {
    const { replicationFactor, lanes } = this.#parts
    return overwriteCursors(this.#reading, pipeline, writes, { replicationFactor, open: id => lanes.producer(id) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#members].map(member => member[Symbol.asyncDispose]()))
    await this.#parts.client[Symbol.asyncDispose]()
    await this.#cluster[Symbol.asyncDispose]()
  }

  #remember<T extends AsyncDisposable>(member: T): T {
    this.#members.add(member)
    return member
  }
}
