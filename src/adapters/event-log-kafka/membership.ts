// One member of a consumer group: joins, tells that it lives, takes and gives up partitions cooperatively (I7).
// A partition here: free -> held (assigned) -> draining (revoked) -> free. It goes to the next member only after it has drained here.
import { setTimeout as delay } from 'node:timers/promises'
import type { Clock, Random } from '../../core/clock.ts'
import { toWeirError, WeirError } from '../../core/errors.ts'
import {
  type Claim,
  decodeAssignments,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  shareOut,
} from './assignment.ts'
import type { GroupMember, JoinAnswer, KafkaClient } from './client.ts'
import { toLogError } from './log-errors.ts'
import { BrokerRefusal } from './refusal.ts'

export interface MembershipOptions {
  /** A lane that nothing else uses: joining waits for the other members. The membership disposes it. */
  readonly client: KafkaClient
  /** A lane for what is answered at once: on the other it would stand behind a join. */
  readonly ask: KafkaClient
  readonly clock: Clock
  readonly random: Random
  readonly group: string
  readonly topic: string
  /** One member holds all partitions, the others stand by. */
  readonly exclusive: boolean
  /** How many partitions there are; asked by the leader at each share-out. */
  readonly partitions: () => Promise<number>
  readonly sessionTimeoutMs: number
  /** How long the others wait for this member to join again. */
  readonly rebalanceTimeoutMs: number
  /** Partitions that are this member's from now on. */
  readonly assigned: (partitions: readonly number[]) => void
  /** Asked back, or no longer sure to be this member's: resolve when nothing of them is in work. They are given up then. */
  readonly revoked: (partitions: readonly number[]) => Promise<void>
  /** Taken away for good: this process was paused past its session, or is not allowed to take part. */
  readonly lost: (partitions: readonly number[], error: WeirError) => void
}

const protocol = 'weir-cooperative'
const longestBeatMs = 1_000
const firstWaitMs = 100
const longestWaitMs = 5_000
const leaveWithinMs = 2_000
const joinWithinMs = 15_000

export class Membership implements AsyncDisposable {
  readonly #options: MembershipOptions
  readonly #held = new Set<number>()
  readonly #draining = new Map<number, Promise<void>>()
  readonly #stop = new AbortController()
  #memberId = ''
  #generation = -1
  /** What the leader gave last: a partition that comes back while it drains is assigned anew. */
  #target: ReadonlySet<number> = new Set()
  #beatMs = Number.NEGATIVE_INFINITY
  /** This process itself stood still for longer than a session since it joined: stopped, frozen or starved. */
  #stoodStill = false
  /** Ends the wait before the next heartbeat: this member is to join again. */
  #rejoin = new AbortController()
  #loop: Promise<void> = Promise.resolve()
  #closing: Promise<void> | null = null

  private constructor(options: MembershipOptions) {
    this.#options = options
  }

  /** Joins and takes its share; waits a while for a coordinator that is still getting ready. @throws log.unavailable, log.denied, log.login_refused, log.invalid */
  static async join(options: MembershipOptions): Promise<Membership> {
    const { clock, random, group } = options
    const member = new Membership(options)
    const untilMs = clock.monotonic() + joinWithinMs
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      try {
        await member.#joinOnce()
        break
      } catch (thrown) {
        const error = logError(thrown, group)
        // A coordinator that has just moved may not know the id it gave.
        const passing = error.retry || error.code === 'log.fenced'
        if (!passing || clock.monotonic() > untilMs) {
          await options.client[Symbol.asyncDispose]()
          throw error
        }
        if (error.code === 'log.fenced') member.#forget()
        await clock.sleep(waitMs * (0.5 + random() / 2))
      }
    }
    member.#loop = Promise.all([member.#run(), member.#watchStandstill()]).then(() => {})
    return member
  }

  /** What a commit of offsets carries; null between two memberships. */
  get member(): GroupMember | null {
    const { group } = this.#options
    return this.#memberId === '' ? null : { group, memberId: this.#memberId, generation: this.#generation }
  }

  holds(partition: number): boolean {
    return this.#held.has(partition)
  }

  /** Drops a partition that a commit found to be another owner's. */
  lose(partition: number, error: WeirError): void {
    if (this.#held.delete(partition)) this.#options.lost([partition], error)
  }

  /**
   * Asks the coordinator whether this member still belongs. @throws log.fenced when it does not because this process stood still, log.unavailable
   * when it does not because the brokers were away for too long: the membership is about to give up what it holds (`revoked`) and joins again
   */
  async check(): Promise<void> {
    const { group } = this.#options
    const { member } = this
    if (member === null) throw this.#stoodStill ? paused(group) : expelled(group)
    try {
      await this.#options.ask.heartbeat(member)
    } catch (thrown) {
      // A rebalance takes nothing away before this member has drained.
      if (thrown instanceof BrokerRefusal && thrown.is('REBALANCE_IN_PROGRESS')) return
      const error = logError(thrown, group)
      throw error.code === 'log.fenced' && !this.#stoodStill ? expelled(group, error) : error
    }
  }

  /** Joins again under a new generation, so that what is still on its way under the old one is refused. */
  async rejoin(): Promise<void> {
    const generation = this.#generation
    this.#rejoin.abort()
    while (this.#generation === generation && !this.#stop.signal.aborted)
      await this.#options.clock.sleep(10, this.#stop.signal).catch(() => {})
  }

  /** True when the group is at rest and every partition has an owner, here or elsewhere. @throws log.unavailable */
  async settled(): Promise<boolean> {
    const { ask, group, topic, partitions } = this.#options
    try {
      const [described] = await ask.describeGroups([group])
      if (described?.state !== 'Stable') return false
      const owned = new Set<number>()
      for (const { assignment } of described.members)
        for (const given of decodeAssignments(assignment)) {
          if (given.topic === topic) for (const partition of given.partitions) owned.add(partition)
          for (const partition of given.draining) owned.add(partition)
        }
      return owned.size >= (await partitions())
    } catch (thrown) {
      throw logError(thrown, group)
    }
  }

  /** Leaves at once; what was in work must have drained. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#stop.abort()
    this.#rejoin.abort()
    await this.#loop
    const { member } = this
    this.#held.clear()
    this.#draining.clear()
    if (member !== null)
      await Promise.race([
        this.#options.client.leaveGroup(member).catch(() => {}),
        delay(leaveWithinMs, undefined, { ref: false }),
      ])
    await this.#options.client[Symbol.asyncDispose]()
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#options
    const { signal } = this.#stop
    let waitMs = firstWaitMs
    let joined = true
    while (!signal.aborted) {
      try {
        if (!joined) await this.#joinOnce()
        joined = true
        waitMs = firstWaitMs
        await this.#beat()
        joined = false
      } catch (thrown) {
        if (signal.aborted) return
        if (!(await this.#survives(thrown))) return
        // The first refusal asks this member to join; whoever is refused again waits as for one that does not answer.
        if (!(thrown instanceof BrokerRefusal) || waitMs > firstWaitMs)
          await clock.sleep(waitMs * (0.5 + random() / 2), signal).catch(() => {})
        waitMs = Math.min(waitMs * 2, longestWaitMs)
        // A coordinator that cannot be asked may still know this member; one that answered with a refusal wants it to join.
        joined = joined && !(thrown instanceof BrokerRefusal) && this.member !== null
      }
    }
  }

  /** Tells that this member lives, until it has to join again. */
  async #beat(): Promise<void> {
    const { client, clock, sessionTimeoutMs } = this.#options
    const everyMs = Math.min(longestBeatMs, sessionTimeoutMs / 6)
    for (;;) {
      try {
        await clock.sleep(everyMs, this.#rejoin.signal)
      } catch {
        return
      }
      const pausedMs = clock.monotonic() - this.#beatMs
      const stoodStill = this.#stoodStill
      try {
        await client.heartbeat(this.member!)
        this.#beatMs = clock.monotonic()
        // Only what was asked after the standstill tells that this member still belongs.
        if (stoodStill) this.#stoodStill = false
      } catch (thrown) {
        if (thrown instanceof BrokerRefusal && thrown.is('REBALANCE_IN_PROGRESS')) return
        const isExpelled = thrown instanceof BrokerRefusal && thrown.is('UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION')
        // Silent for longer than the session because it stood still itself, not because nobody answered: others have taken over.
        if (isExpelled && (pausedMs > sessionTimeoutMs || this.#stoodStill)) throw paused(this.#options.group)
        this.#beatMs = clock.monotonic()
        throw thrown
      }
    }
  }

  /** One join and its share-out. */
  async #joinOnce(): Promise<void> {
    const { client, clock, group, topic, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options
    this.#rejoin = new AbortController()
    if (this.#stop.signal.aborted) this.#rejoin.abort()
    const owned = [...this.#held, ...this.#draining.keys()]
    const answer = await client.joinGroup(
      {
        group,
        memberId: this.#memberId,
        protocolType: 'consumer',
        protocol,
        metadata: encodeSubscription({ topic, owned, generation: this.#generation }),
        sessionTimeoutMs,
        rebalanceTimeoutMs,
      },
      this.#stop.signal,
    )
    this.#memberId = answer.memberId
    const member = { group, memberId: answer.memberId, generation: answer.generation }
    const given = decodeAssignments(await client.syncGroup(member, await this.#shares(answer)))
    this.#generation = answer.generation
    this.#beatMs = clock.monotonic()
    this.#stoodStill = false
    this.#take(given.flatMap(each => (each.topic === topic ? each.partitions : [])))
  }

  /** A wait that takes longer than a session, though it was for less, tells that this process did not run. */
  async #watchStandstill(): Promise<void> {
    const { clock, sessionTimeoutMs } = this.#options
    for (;;) {
      const beganMs = clock.monotonic()
      try {
        await clock.sleep(Math.min(longestBeatMs, sessionTimeoutMs / 6), this.#stop.signal)
      } catch {
        return
      }
      if (clock.monotonic() - beganMs > sessionTimeoutMs) this.#stoodStill = true
    }
  }

  async #shares(answer: JoinAnswer): Promise<{ memberId: string; assignment: Buffer }[]> {
    if (answer.leader !== answer.memberId) return []
    const { topic, exclusive, partitions } = this.#options
    const claims: Claim[] = answer.members.map(({ memberId, metadata }) => ({
      memberId,
      ...decodeSubscription(metadata),
    }))
    const shares = shareOut(topic, await partitions(), exclusive, claims)
    return [...shares].map(([memberId, share]) => ({ memberId, assignment: encodeAssignment(share) }))
  }

  #take(target: readonly number[]): void {
    this.#target = new Set(target)
    const added = target.filter(partition => !this.#held.has(partition) && !this.#draining.has(partition))
    const asked = [...this.#held].filter(partition => !this.#target.has(partition))
    for (const partition of added) this.#held.add(partition)
    if (added.length > 0) this.#options.assigned(added)
    if (asked.length > 0) void this.#drain(asked)
  }

  /** Waits until nothing of them is in work, then gives them up by joining without them. */
  #drain(partitions: readonly number[]): Promise<void> {
    const drained = this.#options
      .revoked(partitions)
      .catch(() => {})
      .then(() => {
        for (const partition of partitions) this.#draining.delete(partition)
        if (this.#stop.signal.aborted) return
        const back = partitions.filter(partition => this.#target.has(partition))
        for (const partition of back) this.#held.add(partition)
        if (back.length > 0) this.#options.assigned(back)
        if (back.length < partitions.length) this.#rejoin.abort()
      })
    for (const partition of partitions) {
      this.#held.delete(partition)
      this.#draining.set(partition, drained)
    }
    return drained
  }

  /** The coordinator knows this member no more. */
  #forget(): void {
    this.#memberId = ''
    this.#generation = -1
    this.#target = new Set()
  }

  /** What a failure means for what is held. False: there is no point in going on. */
  async #survives(thrown: unknown): Promise<boolean> {
    const error = logError(thrown, this.#options.group)
    if (error.code === 'log.unavailable' || error.code === 'log.login_refused') return true
    // Who held nothing while it stood still can have done no harm: it stands by again.
    const isHarmless = thrown instanceof BrokerRefusal || this.#held.size + this.#draining.size === 0
    if (error.code === 'log.fenced' && isHarmless) {
      this.#forget()
      await this.#drain([...this.#held])
      await Promise.all(this.#draining.values())
      return true
    }
    const all = [...this.#held]
    this.#held.clear()
    this.#options.lost(all, error)
    return false
  }
}

function expelled(group: string, cause?: WeirError): WeirError {
  return new WeirError('log.unavailable', `This process is no member of group ${group} for now; it joins again.`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'The brokers did not hear of it for longer than its session. Nothing is to be done.',
  })
}

function paused(group: string): WeirError {
  return new WeirError(
    'log.fenced',
    `This member of group ${group} was silent for longer than its session; its share has been given to others.`,
    {
      hint: 'This process was paused, or starved of CPU. Start it again: it goes on where the others stand.',
    },
  )
}

function logError(thrown: unknown, group: string): WeirError {
  return thrown instanceof BrokerRefusal ? toLogError(thrown, `group ${group}`) : toWeirError(thrown)
}
