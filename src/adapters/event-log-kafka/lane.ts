// How a lane finds the broker to ask, and what it does when that broker turns out to be the wrong one: forget the route, so that the
// next question looks it up. It repeats a question by itself only inside `waiting`, and never one whose outcome is in doubt (L2).
import { WeirError, weirErrorOf } from '../../core/errors.ts'
import type { TopicPartition } from './client.ts'
import { type AskOptions, Connections } from './connections.ts'
import type { Driver } from './driver.ts'
import {
  type Address,
  type ClusterMetadata,
  type CoordinatorOf,
  findCoordinator,
  metadata,
} from './messages/cluster.ts'
import type { KafkaEventLogOptions } from './options.ts'
import type { Api } from './protocol/api.ts'
import { BrokerRefusal, refusals } from './refusal.ts'
import type { Routes } from './routes.ts'

type RefusalName = keyof typeof refusals

/** Answers that say that somebody else coordinates now. */
const coordinatorMoved: readonly RefusalName[] = [
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
]
/** Answers that say that somebody else leads now, or that the topic is another one. */
const leaderMoved: readonly number[] = [
  refusals.UNKNOWN_TOPIC_OR_PARTITION,
  refusals.LEADER_NOT_AVAILABLE,
  refusals.NOT_LEADER_OR_FOLLOWER,
]
const firstPauseMs = 1
const longestPauseMs = 100

export class Lane {
  readonly options: KafkaEventLogOptions
  readonly routes: Routes
  readonly #connections: Connections
  readonly #closing = new AbortController()

  constructor(options: KafkaEventLogOptions, driver: Driver, routes: Routes) {
    this.options = options
    this.routes = routes
    this.#connections = new Connections(driver)
  }

  async ask<Request, Answer>(address: Address, api: Api<Request, Answer>, request: Request, options?: AskOptions) {
    if (this.#closing.signal.aborted) throw this.#closing.signal.reason
    return await this.#connections.ask(address, api, request, options)
  }

  /**
   * Asks one broker after the other until one answers: for questions that may be asked twice. Those connected already come first, then
   * those of the definition, then those of the metadata. @throws log.unavailable with the last failure; log.login_refused
   */
  async askAny<Request, Answer>(api: Api<Request, Answer>, request: Request): Promise<Answer> {
    const known = [...this.routes.nodes.filter(node => this.#connections.has(node)), ...this.#bootstrap()]
    const addresses = new Map([...known, ...this.routes.nodes].map(each => [`${each.host}:${each.port}`, each]))
    let last: unknown
    for (const address of addresses.values()) {
      try {
        return await this.ask(address, api, request)
      } catch (error) {
        if (this.#closing.signal.aborted || weirErrorOf(error)?.code !== 'log.unavailable') throw error
        last = error
      }
    }
    const failure = weirErrorOf(last)
    throw new WeirError('log.unavailable', `no broker answers ${api.name}; the last: ${failure?.message}`, {
      ...(failure?.hint && { hint: failure.hint }),
      cause: last,
    })
  }

  /** Fresh metadata of topics (null: of all), from any broker; all lanes learn from it. */
  async lookUp(topics: readonly string[] | null): Promise<ClusterMetadata> {
    const found = await this.askAny(metadata, topics)
    this.routes.learn(found)
    return found
  }

  /** Partitions by their leaders; null holds those without one, undefined those that do not exist. */
  async byLeader<T extends TopicPartition>(items: readonly T[]): Promise<Map<Address | null | undefined, T[]>> {
    const lacking = new Set(items.filter(each => !this.routes.leader(each)).map(each => each.topic))
    if (lacking.size > 0) await this.lookUp([...lacking])
    const keys = new Map<string, Address>()
    return Map.groupBy(items, item => {
      const leader = this.routes.leader(item)
      if (!leader) return leader
      const key = `${leader.host}:${leader.port}`
      if (!keys.has(key)) keys.set(key, leader)
      return keys.get(key)
    })
  }

  /** Forgets who leads a partition whose answer says that it is not so. */
  checkLeader({ topic, error }: { readonly topic: string; readonly error: number }): void {
    if (leaderMoved.includes(error)) this.routes.forgetLeaders(topic)
  }

  /** Asks leaders of partitions; where one cannot be asked, all routes to it are forgotten. */
  async askLeader<Request, Answer>(
    leader: Address,
    partitions: readonly TopicPartition[],
    api: Api<Request, Answer>,
    request: Request,
    options?: AskOptions,
  ): Promise<Answer> {
    try {
      return await this.ask(leader, api, request, options)
    } catch (error) {
      for (const { topic } of partitions) this.routes.forgetLeaders(topic)
      throw error
    }
  }

  /**
   * Runs `work` with the coordinator; where its outcome says that it has moved or cannot be reached, the route is forgotten. `patienceMs`:
   * how long one that is being chosen (15) is waited for, by default as long as for any answer.
   */
  async atCoordinator<T>(
    of: CoordinatorOf,
    key: string,
    work: (address: Address) => Promise<T>,
    patienceMs = this.options.requestTimeoutMs,
  ): Promise<T> {
    const address = this.routes.coordinator(of, key) ?? (await this.#findCoordinator(of, key, patienceMs))
    return await this.withCoordinator(of, key, () => work(address))
  }

  /** The same within `deadlineMs`, repeated while it is refused with one of `codes` or nobody coordinates. */
  async atCoordinatorWaiting<T>(
    [of, key]: readonly [of: CoordinatorOf, key: string],
    codes: readonly RefusalName[],
    deadlineMs: number,
    work: (address: Address) => Promise<T>,
  ): Promise<T> {
    return await this.waiting([...codes, ...coordinatorMoved], deadlineMs, () => this.atCoordinator(of, key, work, 0))
  }

  /** Runs `work`, which has spoken to a coordinator, and forgets the route when its outcome says so. */
  async withCoordinator<T>(of: CoordinatorOf, key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof BrokerRefusal ? error.is(...coordinatorMoved) : true) this.routes.forgetCoordinator(of, key)
      throw error
    }
  }

  /** Repeats `work` while it is refused with one of `codes`, until `deadlineMs` have passed; then throws that refusal. */
  async waiting<T>(codes: readonly RefusalName[], deadlineMs: number, work: () => Promise<T>): Promise<T> {
    const { clock, random } = this.options
    const until = clock.monotonic() + deadlineMs
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        return await work()
      } catch (error) {
        const jittered = pauseMs * (0.5 + random() / 2)
        const waits = error instanceof BrokerRefusal && error.is(...codes)
        if (!waits || clock.monotonic() + jittered > until) throw error
        await clock.sleep(jittered, this.#closing.signal)
      }
    }
  }

  drop(): void {
    this.#connections.drop()
  }

  close(): void {
    this.#closing.abort(new WeirError('log.unavailable', 'this lane to the cluster is closed'))
    this.drop()
  }

  async #findCoordinator(of: CoordinatorOf, key: string, patienceMs: number): Promise<Address> {
    return await this.waiting(['COORDINATOR_NOT_AVAILABLE'], patienceMs, async () => {
      const { error, reason, address } = await this.askAny(findCoordinator, { of, key })
      if (error !== 0) throw new BrokerRefusal(error, findCoordinator.name, key, reason)
      this.routes.learnCoordinator(of, key, address)
      return address
    })
  }

  #bootstrap(): Address[] {
    return this.options.brokers.map(broker => {
      const at = broker.lastIndexOf(':')
      return { host: broker.slice(0, at).replace(/^\[(.*)\]$/, '$1'), port: Number(broker.slice(at + 1)) }
    })
  }
}

/** @throws BrokerRefusal unless the code is 0 */
export function accept(error: number, api: Api<never, unknown>, subject: string, reason: string | null = null): void {
  if (error !== 0) throw new BrokerRefusal(error, api.name, subject, reason)
}

/** @throws BrokerRefusal of the first partition that is refused for a reason of its own; log.unavailable when one has no answer */
export function acceptAll(
  asked: readonly TopicPartition[],
  outcomes: readonly (TopicPartition & { readonly error: number })[],
  api: Api<never, unknown>,
): void {
  const refused = outcomes.filter(each => each.error !== 0)
  const first = refused.find(each => each.error !== operationNotAttempted) ?? refused[0]
  if (first) throw new BrokerRefusal(first.error, api.name, label(first))
  answersFor(asked, outcomes, api)
}

/** The answer for each partition that was asked about, in that order. @throws log.unavailable when one is missing */
export function answersFor<T extends TopicPartition>(
  asked: readonly TopicPartition[],
  answers: readonly T[],
  api: Api<never, unknown>,
): T[] {
  const byPartition = new Map(answers.map(each => [label(each), each]))
  return asked.map(each => {
    const answer = byPartition.get(label(each))
    if (answer) return answer
    throw new WeirError('log.unavailable', `the answer of ${api.name} says nothing of ${label(each)}`)
  })
}

/** A partition as messages name it. */
export const label = ({ topic, partition }: TopicPartition): string => `${topic}[${partition}]`

/** What the other partitions of a request are answered when one is refused. */
const operationNotAttempted = 55
