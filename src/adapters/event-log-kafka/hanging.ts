// Transactions that the coordinator has ended and some partition was not told of. A broker that stops or starts may write no markers (decision
// 0007, "What the broker must keep"): the records stand open, and go whichever way the next transaction of the producer in that partition goes.
// Keeps I1: nothing is begun before the end of the last has arrived everywhere; what hangs is ended as was decided, by a transaction with nothing
// of its own, before the producer writes on.
import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/errors.ts'
import type { Decision, KafkaClient, ProducerIdentity, TopicPartition } from './client.ts'
import { keyOf } from './ends.ts'
import { refusalIn } from './refusal.ts'

export interface HangingOptions {
  readonly client: KafkaClient
  readonly clock: Clock
  readonly transactionalId: string
  readonly requestTimeoutMs: number
}

const offsetsTopic = '__consumer_offsets'
const firstWaitMs = 2
const longestWaitMs = 100

export class HangingTransactions {
  readonly #options: HangingOptions
  /** All that transactions under this id may have written to, as far as this process knows. */
  readonly #touched = new Map<string, TopicPartition>()
  /** Where nothing of the epochs before stands open. */
  readonly #sound = new Set<string>()
  #group: string | null = null
  #offsetsPartitions = 0
  /** How the newest transaction of this process ended, which may hang where it has written. */
  #decision: Decision | null = null
  /** The same of the owner before: for what this process touches for the first time. */
  #inherited: Decision | null = null
  readonly #own = new Set<string>()
  #hasBegun = false
  /** How the transaction ends that ends what hangs, while it is not known to have ended: it holds nothing of its own. */
  #ending: Decision | null = null

  constructor(options: HangingOptions) {
    this.#options = options
  }

  get ending(): Decision | null {
    return this.#ending
  }

  /** These will be written to, or were by an owner before. */
  touch(partitions: readonly TopicPartition[], group: string | null = null): void {
    for (const each of partitions) this.#touched.set(keyOf(each), { topic: each.topic, partition: each.partition })
    this.#group = group ?? this.#group
  }

  /** Before an epoch is asked for: it makes the coordinator forget how the last transaction ended. */
  async beforeEpoch(): Promise<void> {
    if (this.#ending !== null) return
    const { client, transactionalId, requestTimeoutMs } = this.#options
    const decision = await client.decisionOf(transactionalId, requestTimeoutMs)
    if (this.#hasBegun) this.#decision = decision ?? this.#decision
    else this.#inherited = decision ?? this.#inherited
  }

  newEpoch(): void {
    this.#hasBegun = true
    this.#sound.clear()
  }

  /** True where something touched has not been looked at under this epoch. */
  get isUnsure(): boolean {
    return this.#sound.size < this.#touched.size
  }

  /** Resolves when the end of a transaction has arrived in all that it touched. @throws log.unavailable, BrokerRefusal when that is not so in time */
  async arrival(identity: ProducerIdentity, partitions: readonly TopicPartition[], group: string | null) {
    const { client, clock, requestTimeoutMs } = this.#options
    const asked = [...partitions, ...(group === null ? [] : await this.#ofGroup())]
    const untilMs = clock.monotonic() + requestTimeoutMs
    for (let waitMs = firstWaitMs; asked.length > 0; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      const open = await client.openIn(identity.producerId, asked)
      if (open.length === 0) return
      if (clock.monotonic() > untilMs) throw this.#stuck(open, 'its end did not arrive there')
      await clock.sleep(waitMs)
    }
  }

  /** Ends what hangs of the epochs before. @throws log.unavailable, BrokerRefusal: the epoch is spent then */
  async end(identity: ProducerIdentity): Promise<void> {
    const { client, clock, requestTimeoutMs } = this.#options
    const unsure = [...this.#touched].flatMap(([key, each]) => (this.#sound.has(key) ? [] : [each]))
    const asked = unsure.length === 0 ? [] : [...unsure, ...(await this.#ofGroup())]
    const written = new Set<string>()
    const untilMs = clock.monotonic() + requestTimeoutMs
    for (let waitMs = firstWaitMs; ; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      const open = asked.length === 0 ? [] : await client.openIn(identity.producerId, asked)
      if (open.length === 0) break
      const next = open.filter(each => !written.has(keyOf(each)))
      if (clock.monotonic() > untilMs) throw this.#stuck(open, 'its end was written again, and did not arrive there')
      if (next.length === 0) await clock.sleep(waitMs)
      else for (const each of await this.#write(identity, next)) written.add(keyOf(each))
    }
    this.#ending = null
    for (const each of unsure) {
      this.#sound.add(keyOf(each))
      this.#own.add(keyOf(each))
    }
  }

  /** Those of them whose end it has written. */
  async #write(identity: ProducerIdentity, open: readonly TopicPartition[]): Promise<readonly TopicPartition[]> {
    const { client, requestTimeoutMs } = this.#options
    const decision = this.#decisionIn(open[0]!)
    const those = open.filter(each => this.#decisionIn(each) === decision)
    if (decision === null) throw this.#stuck(those, 'how it was decided is not known any more')
    this.#ending = decision
    const records = those.filter(({ topic }) => topic !== offsetsTopic)
    if (records.length > 0) await client.addPartitions(identity, records, requestTimeoutMs)
    if (this.#group !== null) await client.addOffsets(identity, this.#group, requestTimeoutMs)
    await client.endTransaction(identity, decision === 'commit')
    return those
  }

  #decisionIn(place: TopicPartition): Decision | null {
    return place.topic === offsetsTopic || this.#own.has(keyOf(place)) ? this.#decision : this.#inherited
  }

  /** Where the offsets of the group stand, as Kafka places them; nowhere to be looked at by whoever may not see that topic, as few may. */
  async #ofGroup(): Promise<readonly TopicPartition[]> {
    if (this.#group === null) return []
    if (this.#offsetsPartitions === 0) {
      const [found] = await this.#options.client.metadata([offsetsTopic]).catch(unlessDenied)
      this.#offsetsPartitions = found?.partitions.length ?? 0
      if (this.#offsetsPartitions === 0) return []
    }
    return [{ topic: offsetsTopic, partition: (javaHash(this.#group) & 0x7fff_ffff) % this.#offsetsPartitions }]
  }

  #stuck(open: readonly TopicPartition[], why: string): WeirError {
    const { transactionalId } = this.#options
    const places = open.map(({ topic, partition }) => `${topic}[${partition}]`).join(', ')
    return new WeirError('log.unavailable', `An ended transaction of ${transactionalId} hangs in ${places}: ${why}.`, {
      at: transactionalId,
      hint: 'Nothing is written behind it. `kafka-transactions.sh find-hanging` shows it, and `abort` ends it.',
    })
  }
}

function unlessDenied(thrown: unknown): readonly [] {
  if (refusalIn(thrown)?.is('TOPIC_AUTHORIZATION_FAILED')) return []
  throw thrown
}

function javaHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}
