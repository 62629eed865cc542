// What the reading half of the Kafka event log stands on.
import type { KafkaClient } from './client.ts'
import type { ProducerParts } from './producers.ts'
import type { TopicTable } from './topic-table.ts'

export interface LogParts extends ProducerParts {
  /** The lane for whatever is answered at once: metadata, offsets, settings. */
  readonly client: KafkaClient
  readonly topics: TopicTable
}
