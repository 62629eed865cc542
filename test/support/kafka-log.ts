// The Kafka event log as tests open it.
import { openKafkaEventLog } from '../../src/adapters/event-log-kafka/event-log.ts'
import type { KafkaEventLogOptions } from '../../src/adapters/event-log-kafka/options.ts'
import { systemClock, systemRandom } from '../../src/core/clock.ts'
import type { EventLog } from '../../src/pipeline/ports.ts'

/** `bootstrap`: host:port, by commas. */
export function kafkaOptions(bootstrap: string, more: Partial<KafkaEventLogOptions> = {}): KafkaEventLogOptions {
  return {
    brokers: bootstrap.split(','),
    driver: 'kafkajs',
    clientId: 'weir-tests',
    tls: null,
    sasl: null,
    connectTimeoutMs: 5_000,
    requestTimeoutMs: 10_000,
    replicationFactor: null,
    compression: 'gzip',
    transactionTimeoutMs: 10_000,
    sessionTimeoutMs: 1_500,
    clock: systemClock,
    random: systemRandom,
    ...more,
  }
}

export function openKafkaLog(bootstrap: string, more: Partial<KafkaEventLogOptions> = {}): Promise<EventLog> {
  return openKafkaEventLog(kafkaOptions(bootstrap, more))
}
