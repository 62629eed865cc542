// The same contract over SASL_SSL: SCRAM under TLS, with sessions that end every few seconds, so that members log in again while they work.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll } from 'vitest'
import type { DriverName } from '../../src/adapters/event-log-kafka/options.ts'
import { Secret } from '../../src/core/secret.ts'
import type { EventLog } from '../../src/pipeline/ports.ts'
import { freezableClock } from '../support/freezable-clock.ts'
import { openKafkaLog } from '../support/kafka-log.ts'
import { describeWith } from '../support/services/for-tests.ts'
import type { Kafka } from '../support/services/kafka.ts'
import { users } from '../support/services/kafka-logins.ts'
import { type EventLogPlace, eventLogContract } from './event-log.ts'

const sessionTimeoutMs = 1_500
const drivers = { kafkajs: 'scram-sha-512', platformatic: 'scram-sha-256' } as const

await describeWith(['own-kafka'], 'Kafka over SASL_SSL', startKafka => {
  let kafka: Kafka
  beforeAll(async () => {
    kafka = await startKafka({
      listeners: ['SASL_SSL'],
      properties: { 'listener.name.sasl_ssl.connections.max.reauth.ms': 3_000 },
    })
  }, 120_000)
  afterAll(() => kafka?.[Symbol.asyncDispose]())

  for (const [driver, mechanism] of Object.entries(drivers) as [DriverName, (typeof drivers)[DriverName]][])
    eventLogContract(
      `${mechanism} through ${driver}`,
      { freeze: true, quickRetention: false, denseOffsets: false },
      async (): Promise<EventLogPlace> => {
        const logs: EventLog[] = []
        const tls = { ca: kafka.certificates!.ca, cert: null, key: null, serverName: null, verify: true }
        const password = () => new Secret(users['admin']!)
        return {
          prefix: `t${randomBytes(5).toString('hex')}-`,
          connect: async () => {
            const { clock, freeze, thaw } = freezableClock(sessionTimeoutMs / 6)
            const sasl = { mechanism, username: 'admin', password }
            const log = await openKafkaLog(kafka.addresses.SASL_SSL!, {
              ...{ driver, sessionTimeoutMs, clock, tls, sasl },
            })
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
