// A Kafka cluster made of scripts: a driver whose brokers answer what a test tells them to, and a record of who was asked what.
import type { KafkaClient } from '../../src/adapters/event-log-kafka/client.ts'
import { openCluster } from '../../src/adapters/event-log-kafka/cluster.ts'
import type { Driver, DriverConnection, DriverRequest } from '../../src/adapters/event-log-kafka/driver.ts'
import type { KafkaEventLogOptions } from '../../src/adapters/event-log-kafka/options.ts'
import { Reader } from '../../src/adapters/event-log-kafka/protocol/reader.ts'
import { Writer } from '../../src/adapters/event-log-kafka/protocol/writer.ts'
import { systemClock } from '../../src/core/clock.ts'
import { WeirError } from '../../src/core/errors.ts'

/** Writes an answer; a promise delays it, a throw breaks the connection. */
export type Reply = (to: Writer, request: Reader, raw: DriverRequest) => unknown

export interface ScriptedCluster extends AsyncDisposable {
  readonly lane: KafkaClient
  /** Another lane of the same cluster. */
  open(): KafkaClient
  /** What was asked so far: `broker Api`, such as `b1 Metadata`; ApiVersions left out. Empties itself. */
  asked(): string[]
  /** How this broker (or each) answers from now on: one reply for all requests of that API, or one after the other and then the last. */
  on(api: string, ...replies: readonly Reply[]): void
  /** Brokers that cannot be connected to. */
  readonly down: Set<string>
  /** Connections opened and not closed. */
  readonly connections: ReadonlySet<DriverConnection>
  /** Versions the brokers speak, by API key. */
  readonly versions: Map<number, readonly [number, number]>
}

/** Reply of Metadata: brokers b1 to b3 at ports 1 to 3, the first the controller; topics by the leaders of their partitions (0: none). */
export const metadataOf =
  (topics: Readonly<Record<string, readonly number[]>>, error = 0): Reply =>
  to => {
    to.int32(0).array([1, 2, 3], node => to.int32(node).string(`b${node}`).int32(node).string(null))
    to.string('id')
      .int32(1)
      .array(Object.entries(topics), ([topic, leaders]) => {
        to.int16(leaders.length === 0 ? 3 : error)
          .string(topic)
          .boolean(topic.startsWith('__'))
        to.array([...leaders.keys()], partition => {
          const leader = leaders[partition]!
          to.int16(leader === 0 ? 5 : 0)
            .int32(partition)
            .int32(leader === 0 ? -1 : leader)
          to.array([1], each => to.int32(each))
            .array([1], each => to.int32(each))
            .array([], () => {})
        })
      })
  }

/** Reply of FindCoordinator. */
export const coordinatorAt =
  (node: number, error = 0): Reply =>
  to =>
    to
      .int32(0)
      .int16(error)
      .string(null)
      .int32(node)
      .string(error === 0 ? `b${node}` : '')
      .int32(error === 0 ? node : -1)

/** Reply of what answers with nothing but an error code. */
export const code =
  (error: number): Reply =>
  to =>
    to.int32(0).int16(error)

const everyVersion = new Map(Array.from({ length: 80 }, (_, key) => [key, [0, 20]] as const))

/** A cluster whose metadata knows no topics until `on` says otherwise. `options`: what differs from a quick test's. */
export async function openScripted(options: Partial<KafkaEventLogOptions> = {}): Promise<ScriptedCluster> {
  const replies = new Map<string, Reply[]>([['Metadata', [metadataOf({})]]])
  const asked: string[] = []
  const connections = new Set<ScriptedConnection>()
  const down = new Set<string>()
  const versions = new Map<number, readonly [number, number]>(everyVersion)

  class ScriptedConnection implements DriverConnection {
    usable = true
    readonly #host: string
    readonly #fail: ((error: Error) => void)[] = []

    constructor(host: string) {
      this.#host = host
      connections.add(this)
    }

    async send(request: DriverRequest): Promise<Buffer> {
      const flexible = request.flexible
      const to = new Writer(flexible)
      if (request.name === 'ApiVersions') {
        to.int16(0).array([...versions], ([key, [min, max]]) => to.int16(key).int16(min).int16(max))
        return to.finish()
      }
      asked.push(`${this.#host} ${request.name}`)
      const reply = replies.get(`${this.#host} ${request.name}`) ?? replies.get(request.name)
      const next = reply && (reply.length > 1 ? reply.shift() : reply[0])
      if (!next) throw new Error(`nobody told ${this.#host} how to answer ${request.name}`)
      const closed = new Promise<never>((_, reject) => this.#fail.push(reject))
      try {
        await Promise.race([closed, next(to, new Reader(Buffer.from(request.body), flexible), request)])
      } catch (error) {
        this.break()
        throw error
      }
      return to.finish()
    }

    break(): void {
      this.usable = false
      connections.delete(this)
      for (const fail of this.#fail.splice(0)) fail(new WeirError('log.unavailable', 'the connection broke'))
    }

    async [Symbol.asyncDispose](): Promise<void> {
      this.break()
    }
  }

  const driver: Driver = {
    name: 'scripted',
    async connect(host) {
      if (down.has(host)) throw new WeirError('log.unavailable', `no connection to ${host}`)
      return new ScriptedConnection(host)
    },
  }
  const cluster = await openCluster(
    {
      clientId: 'weir',
      tls: null,
      sasl: null,
      connectTimeoutMs: 1_000,
      requestTimeoutMs: 1_000,
      brokers: ['b1:1', 'b2:2'],
      driver: 'kafkajs',
      replicationFactor: null,
      compression: 'none',
      transactionTimeoutMs: 60_000,
      sessionTimeoutMs: 6_000,
      clock: systemClock,
      random: () => 0.5,
      ...options,
    },
    driver,
  )
  asked.length = 0
  return {
    lane: cluster.lane(),
    open: () => cluster.lane(),
    asked: () => asked.splice(0),
    on: (api, ...those) => void replies.set(api, [...those]),
    down,
    connections,
    versions,
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  }
}
