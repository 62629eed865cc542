// Keeps a process a member of its consumer group: comes back after a loss, notices partitions that were added, takes a new generation when asked.
import { toWeirError, WeirError } from '../../core/errors.ts'
import type { GroupMember } from './client.ts'
import { patiently } from './ends.ts'
import { Membership } from './membership.ts'
import type { LogParts } from './parts.ts'
import { unknownTopic } from './topic-table.ts'

export interface LastingMembershipOptions {
  readonly group: string
  readonly topic: string
  readonly exclusive: boolean
  /** Partitions that are this member's from now on. */
  readonly assigned: (partitions: readonly number[]) => void
  /** Asked back: resolve when nothing of them is in work. */
  readonly revoked: (partitions: readonly number[]) => Promise<void>
  /** Taken away: what is in work of them can not be committed any more. */
  readonly lost: (partitions: readonly number[]) => void
  /** It can not be a member, now or later. */
  readonly failed: (error: WeirError) => void
}

const firstWaitMs = 50
const longestWaitMs = 2_000
const lookEveryMs = 10
/** Partitions that somebody adds are noticed within this time. */
const partitionsEveryMs = 60_000

export class LastingMembership implements AsyncDisposable {
  readonly #parts: LogParts
  readonly #options: LastingMembershipOptions
  readonly #stop = new AbortController()
  #membership: Membership | null = null
  #partitions: number
  /** This side gives a partition up itself; the membership goes on. */
  #dropping = false
  #watch: Promise<void> = Promise.resolve()
  #entering: Promise<void> = Promise.resolve()

  private constructor(parts: LogParts, options: LastingMembershipOptions, partitions: number) {
    this.#parts = parts
    this.#options = options
    this.#partitions = partitions
  }

  /** Not yet a member: `join` makes it one. @throws log.topic_unknown, log.unavailable, log.denied */
  static async of(parts: LogParts, options: LastingMembershipOptions): Promise<LastingMembership> {
    const { topic } = options
    const [found] = await patiently(parts.clock, `topic ${topic}`, () => parts.client.metadata([topic]))
    if (found === undefined || found.partitions.length === 0) throw unknownTopic(topic)
    return new LastingMembership(parts, options, found.partitions.length)
  }

  /** @throws log.unavailable, log.denied */
  async join(): Promise<void> {
    this.#membership = await this.#enter()
    this.#watch = this.#watchPartitions()
  }

  /** What a commit of offsets carries; null between two memberships. */
  get member(): GroupMember | null {
    return this.#membership?.member ?? null
  }

  /** Partitions of the topic, as far as it is known. */
  get partitions(): number {
    return this.#partitions
  }

  /** True when every partition has an owner, here or elsewhere. @throws log.unavailable */
  async settled(): Promise<boolean> {
    return (await this.#membership?.settled()) ?? false
  }

  /** A commit was refused: whoever gets the partition in the next share-out reads on where the group stands. */
  giveUp(partitions: readonly number[], error: WeirError): void {
    this.#dropping = true
    try {
      for (const partition of partitions) this.#membership?.lose(partition, error)
    } finally {
      this.#dropping = false
    }
    void this.#membership?.rejoin()
  }

  /** Resolves under a new generation: what is on its way under the old one is refused from now on. @throws log.unavailable when it takes longer */
  async newGeneration(withinMs: number): Promise<void> {
    const { clock } = this.#parts
    const late = () =>
      new WeirError('log.unavailable', `Group ${this.#options.group} does not share out anew in time.`, {
        hint: 'Its coordinator is away, or another member does not answer; the same call may be made again.',
      })
    if (this.#membership === null) throw late()
    const patience = new AbortController()
    const timeout = clock.sleep(withinMs, patience.signal).then(() => {
      throw late()
    })
    try {
      await Promise.race([this.#membership.rejoin(), timeout])
    } finally {
      patience.abort()
    }
  }

  /** Waits while the group shares out anew. @returns true when this member is under a newer generation than `member` */
  async hasMovedOn({ memberId, generation }: GroupMember, withinMs: number): Promise<boolean> {
    const { clock } = this.#parts
    const endMs = clock.monotonic() + withinMs
    while (!this.#stop.signal.aborted && clock.monotonic() < endMs) {
      const now = this.member
      if (now === null || now.memberId !== memberId) return false
      if (now.generation !== generation) return true
      await clock.sleep(lookEveryMs, this.#stop.signal).catch(() => {})
    }
    return false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#membership?.[Symbol.asyncDispose]()
    await Promise.all([this.#watch, this.#entering])
  }

  #enter(): Promise<Membership> {
    const { lanes, client, clock, random, sessionTimeoutMs, rebalanceTimeoutMs } = this.#parts
    const { group, topic, exclusive, assigned, revoked } = this.#options
    return Membership.join({
      client: lanes.open(),
      ask: client,
      clock,
      random,
      group,
      topic,
      exclusive,
      partitions: () => this.#count(),
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      assigned,
      revoked,
      lost: (partitions, error) => this.#lost(partitions, error),
    })
  }

  #lost(partitions: readonly number[], error: WeirError): void {
    this.#options.lost(partitions)
    if (this.#dropping || this.#stop.signal.aborted) return
    if (error.code === 'log.fenced') this.#entering = this.#enterAgain()
    else this.#options.failed(error)
  }

  /** The group has gone on without this member: it comes as a new one. */
  async #enterAgain(): Promise<void> {
    const { clock, random } = this.#parts
    const { signal } = this.#stop
    const former = this.#membership
    this.#membership = null
    await former?.[Symbol.asyncDispose]()
    for (let waitMs = firstWaitMs; !signal.aborted; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      try {
        const entered = await this.#enter()
        this.#membership = entered
        if (signal.aborted) await entered[Symbol.asyncDispose]()
        return
      } catch (thrown) {
        const error = toWeirError(thrown)
        if (!error.retry) return this.#options.failed(error)
        await clock.sleep(waitMs * (0.5 + random() / 2), signal).catch(() => {})
      }
    }
  }

  /** What was known before, where the cluster does not tell. */
  async #count(): Promise<number> {
    const [found] = await this.#parts.client.metadata([this.#options.topic])
    if (found !== undefined && found.partitions.length > 0) this.#partitions = found.partitions.length
    return this.#partitions
  }

  async #watchPartitions(): Promise<void> {
    const { clock } = this.#parts
    const { signal } = this.#stop
    while (!signal.aborted) {
      await clock.sleep(partitionsEveryMs, signal).catch(() => {})
      if (signal.aborted) return
      const before = this.#partitions
      const now = await this.#count().catch(() => before)
      if (now !== before) void this.#membership?.rejoin()
    }
  }
}
