// Opens lanes through a cluster, and transactional producers on lanes of their own.
import type { Clock } from '../../core/clock.ts'
import type { KafkaClient } from './client.ts'
import type { Compression } from './options.ts'
import type { TopicTable } from './topic-table.ts'
import { TransactionalProducer } from './transaction.ts'

export interface LaneOptions {
  readonly open: () => KafkaClient
  readonly topics: TopicTable
  readonly clock: Clock
  readonly compression: Compression
  readonly transactionTimeoutMs: number
  readonly requestTimeoutMs: number
}

export class Lanes {
  readonly #options: LaneOptions

  constructor(options: LaneOptions) {
    this.#options = options
  }

  /** A lane of the caller's own. */
  open(): KafkaClient {
    return this.#options.open()
  }

  producer(transactionalId: string): TransactionalProducer {
    return new TransactionalProducer({ ...this.#options, client: this.open(), transactionalId })
  }
}
