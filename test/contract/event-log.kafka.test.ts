// The Kafka event log under the contract of the port, over each driver, on a real broker.
import { randomBytes } from 'node:crypto'
import type { DriverName } from '../../src/adapters/event-log-kafka/options.ts'
import type { EventLog } from '../../src/pipeline/ports.ts'
import { freezableClock } from '../support/freezable-clock.ts'
import { openKafkaLog } from '../support/kafka-log.ts'
import { describeWith } from '../support/services/for-tests.ts'
import { type EventLogPlace, eventLogContract } from './event-log.ts'

/** Members tell six times as often that they live. */
const sessionTimeoutMs = 1_500
const drivers: readonly DriverName[] = ['kafkajs', 'platformatic']

await describeWith(['kafka'], 'Kafka', ({ bootstrap, from }) => {
  for (const driver of drivers)
    eventLogContract(
      `${from} through ${driver}`,
      { freeze: true, quickRetention: false, denseOffsets: false },
      async (): Promise<EventLogPlace> => {
        const logs: EventLog[] = []
        return {
          prefix: `t${randomBytes(5).toString('hex')}-`,
          connect: async () => {
            const { clock, freeze, thaw } = freezableClock(sessionTimeoutMs / 6)
            const log = await openKafkaLog(bootstrap, { driver, sessionTimeoutMs, clock })
            logs.push(log)
            return { log, freeze, thaw }
          },
          [Symbol.asyncDispose]: async () => {
            for (const log of logs) await log[Symbol.asyncDispose]()
          },
        }
      },
    )
})
