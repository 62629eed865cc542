// What writers know of topics: partitions and limits, asked once and again after a while or when the broker shows they have changed.
import type { Clock } from '../../core/clock.ts'
import { WeirError } from '../../core/errors.ts'
import type { PlacingTopic } from '../placing.ts'
import type { KafkaClient } from './client.ts'
import { BrokerRefusal, refusals } from './refusal.ts'

/** A topic as a writer needs it. */
export interface WritableTopic extends PlacingTopic {
  /** The broker refuses a record batch that is larger, as it stands after compression. */
  readonly maxBatchBytes: number
}

const freshMs = 60_000
/** The broker's own default, where the topic's setting may not be read. */
const defaultBatchBytes = 1_048_588

export class TopicTable {
  readonly #client: KafkaClient
  readonly #clock: Clock
  readonly #known = new Map<string, { readonly topic: WritableTopic; readonly askedMs: number }>()
  /** Topics that were there. */
  readonly #seen = new Set<string>()
  /** Limits of records that this process was told when it made sure of its topics: a broker knows limits of batches only. */
  readonly #recordBytes = new Map<string, number>()

  constructor(client: KafkaClient, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  /** Key, value and headers of one record of the topic are limited to this by its definition. */
  limit(topic: string, maxRecordBytes: number): void {
    this.#recordBytes.set(topic, maxRecordBytes)
    this.#seen.add(topic)
    this.#known.delete(topic)
  }

  limitOf(topic: string): number | undefined {
    return this.#recordBytes.get(topic)
  }

  /** Asks anew the next time. */
  forget(topic: string): void {
    this.#known.delete(topic)
  }

  /** @throws log.topic_unknown when the topic was never there, BrokerRefusal UNKNOWN_TOPIC_OR_PARTITION when it was, log.unavailable */
  async get(name: string): Promise<WritableTopic> {
    const known = this.#known.get(name)
    if (known && this.#clock.monotonic() - known.askedMs < freshMs) return known.topic
    const [found] = await this.#client.metadata([name])
    if (found === undefined || found.partitions.length === 0) {
      if (this.#seen.has(name)) throw new BrokerRefusal(refusals.UNKNOWN_TOPIC_OR_PARTITION, 'Metadata', name)
      throw unknownTopic(name)
    }
    this.#seen.add(name)
    const maxBatchBytes = await this.#maxBatchBytes(name)
    const topic = {
      name,
      partitions: found.partitions.length,
      maxBatchBytes,
      maxRecordBytes: Math.min(this.#recordBytes.get(name) ?? Number.MAX_SAFE_INTEGER, maxBatchBytes),
    }
    this.#known.set(name, { topic, askedMs: this.#clock.monotonic() })
    return topic
  }

  async #maxBatchBytes(name: string): Promise<number> {
    try {
      const limit = Number((await this.#client.topicConfigs([name])).get(name)?.get('max.message.bytes'))
      return Number.isInteger(limit) && limit > 0 ? limit : defaultBatchBytes
    } catch (error) {
      if (error instanceof BrokerRefusal) return defaultBatchBytes
      throw error
    }
  }
}

export function unknownTopic(name: string): WeirError {
  return new WeirError('log.topic_unknown', `There is no topic ${name}.`, {
    hint: 'A pipeline makes its topics when it starts; `weir topic list` shows those there are.',
  })
}
