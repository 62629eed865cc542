// Logins and TLS of both drivers against a real broker: who is let in, and what those read who are not.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCluster } from '../../../src/adapters/event-log-kafka/cluster.ts'
import { openKafkaJsDriver } from '../../../src/adapters/event-log-kafka/driver-kafkajs.ts'
import { openPlatformaticDriver } from '../../../src/adapters/event-log-kafka/driver-platformatic.ts'
import { toLogError } from '../../../src/adapters/event-log-kafka/log-errors.ts'
import type { KafkaEventLogOptions, SaslOptions, TlsOptions } from '../../../src/adapters/event-log-kafka/options.ts'
import type { BrokerRefusal } from '../../../src/adapters/event-log-kafka/refusal.ts'
import { systemClock, systemRandom } from '../../../src/core/clock.ts'
import { Secret } from '../../../src/core/secret.ts'
import { eventually } from '../../support/eventually.ts'
import { describeWith } from '../../support/services/for-tests.ts'
import type { Kafka } from '../../support/services/kafka.ts'
import { oauthToken, users } from '../../support/services/kafka-logins.ts'
import type { Listener } from '../../support/services/kafka-settings.ts'

const secret = (text: string) => () => new Secret(text)
const alice = { mechanism: 'plain', username: 'alice', password: secret(users['alice']!) } as const
const bearer = (lifeMs: number): SaslOptions => ({
  mechanism: 'oauthbearer',
  token: secret(oauthToken('alice', lifeMs)),
})

await describeWith(['own-kafka'], 'logins', startKafka => {
  let kafka: Kafka
  beforeAll(async () => {
    kafka = await startKafka({
      listeners: ['SASL_PLAINTEXT', 'SASL_SSL', 'SSL', 'EXPIRED', 'WRONG_HOST', 'SELF_SIGNED'],
      acl: true,
      properties: { 'listener.name.sasl_ssl.connections.max.reauth.ms': 1_000 },
    })
  }, 60_000)
  afterAll(() => kafka[Symbol.asyncDispose]())

  const tls = (more: Partial<TlsOptions> = {}): TlsOptions => ({
    ca: kafka.certificates!.ca,
    cert: null,
    key: null,
    serverName: null,
    verify: true,
    ...more,
  })
  const optionsOf = (listener: Listener, of: { tls?: TlsOptions | null; sasl?: SaslOptions | null }) =>
    ({
      clientId: 'weir-tests',
      tls: of.tls ?? null,
      sasl: of.sasl ?? null,
      connectTimeoutMs: 5_000,
      requestTimeoutMs: 5_000,
      brokers: kafka.addresses[listener]!.split(','),
      driver: 'kafkajs',
      replicationFactor: null,
      compression: 'none',
      transactionTimeoutMs: 60_000,
      sessionTimeoutMs: 6_000,
      clock: systemClock,
      random: systemRandom,
    }) satisfies KafkaEventLogOptions

  describe.each([
    ['kafkajs', openKafkaJsDriver],
    ['platformatic', openPlatformaticDriver],
  ] as const)('%s', (_, openDriver) => {
    const open = (options: KafkaEventLogOptions) => openCluster(options, openDriver(options))
    const failure = (options: KafkaEventLogOptions) =>
      open(options).then(
        () => null,
        error => error,
      )

    test.each<[string, Listener, () => { tls?: TlsOptions; sasl?: SaslOptions }]>([
      ['PLAIN', 'SASL_PLAINTEXT', () => ({ sasl: alice })],
      ['SCRAM-SHA-256', 'SASL_PLAINTEXT', () => ({ sasl: { ...alice, mechanism: 'scram-sha-256' } })],
      ['SCRAM-SHA-512 over TLS', 'SASL_SSL', () => ({ tls: tls(), sasl: { ...alice, mechanism: 'scram-sha-512' } })],
      ['OAUTHBEARER', 'SASL_PLAINTEXT', () => ({ sasl: bearer(60_000) })],
      ['TLS', 'SSL', () => ({ tls: tls() })],
      [
        'TLS with a certificate of its own',
        'SSL',
        () => ({ tls: tls({ cert: kafka.certificates!.client.cert, key: secret(kafka.certificates!.client.key) }) }),
      ],
      ['TLS that is told not to verify', 'SELF_SIGNED', () => ({ tls: tls({ verify: false }), sasl: alice })],
    ])('%s is let in', async (_, listener, of) => {
      await using cluster = await open(optionsOf(listener, of()))
      await using lane = cluster.lane()
      await lane.metadata(null)
    })

    test.each<[string, SaslOptions, RegExp]>([
      ['PLAIN', { ...alice, password: secret('not-her-password') }, /user "alice" by PLAIN/],
      ['SCRAM', { ...alice, mechanism: 'scram-sha-512', password: secret('not-her-password') }, /by SCRAM-SHA-512/],
      ['SCRAM of nobody', { ...alice, mechanism: 'scram-sha-256', username: 'x=,y' }, /user "x=,y" by SCRAM-SHA-256/],
      ['OAUTHBEARER that has expired', bearer(-600_000), /the token by OAUTHBEARER/],
    ])('I9: %s that is wrong is log.login_refused, and the secret is not told', async (_, sasl, message) => {
      const error = await failure(optionsOf('SASL_PLAINTEXT', { sasl }))
      expect(error).toMatchObject({ code: 'log.login_refused', message: expect.stringMatching(message) })
      expect(error.hint).toBeTruthy()
      expect(error.stack).not.toContain('not-her-password')
    })

    test('a login where none is asked for says that the broker offers none', async () => {
      const error = await failure(optionsOf('PLAINTEXT', { sasl: alice }))
      expect(error).toMatchObject({ code: 'log.login_refused', message: expect.stringContaining('does not offer') })
    })

    test.each<[string, Listener, () => { tls?: TlsOptions; sasl?: SaslOptions }, RegExp]>([
      ['no login', 'SASL_PLAINTEXT', () => ({}), /closed the connection/],
      ['no TLS', 'SSL', () => ({}), /answers in TLS/],
      ['TLS on a plain port', 'PLAINTEXT', () => ({ tls: tls() }), /closed the connection/],
      ['a certificate that has expired', 'EXPIRED', () => ({ tls: tls(), sasl: alice }), /has expired/],
      ['a certificate of another host', 'WRONG_HOST', () => ({ tls: tls(), sasl: alice }), /for another host/],
      ['another name than asked for', 'SSL', () => ({ tls: tls({ serverName: 'other.example' }) }), /for another host/],
      ['a self-signed certificate', 'SELF_SIGNED', () => ({ tls: tls(), sasl: alice }), /self-signed/],
      ['an authority that is not trusted', 'SSL', () => ({ tls: tls({ ca: null }) }), /not trusted/],
    ])('%s is log.unavailable and says why', async (_, listener, of, message) => {
      const error = await failure(optionsOf(listener, of()))
      expect(error).toMatchObject({ code: 'log.unavailable', message: expect.stringMatching(message) })
    })

    test('a session that ends does not end the lane: it logs in again, with the credential of now', async () => {
      let asked = 0
      const password = () => {
        asked++
        return new Secret(users['alice']!)
      }
      await using cluster = await open(
        optionsOf('SASL_SSL', { tls: tls(), sasl: { ...alice, mechanism: 'scram-sha-256', password } }),
      )
      await using lane = cluster.lane()
      await eventually('three sessions were had', async () => {
        await lane.metadata([])
        return asked >= 4
      })
    })

    test('what access rules do not allow is denied with what to allow', async () => {
      await using cluster = await open(optionsOf('SASL_PLAINTEXT', { sasl: alice }))
      await using lane = cluster.lane()
      const name = 'forbidden'
      const refused = async (work: Promise<unknown>) =>
        toLogError(
          await work.then(
            () => expect.unreachable(),
            (error: BrokerRefusal) => error,
          ),
        )
      const producer = { transactionTimeoutMs: 60_000, current: null, deadlineMs: 5_000 }
      expect(await refused(lane.initProducer(name, producer))).toMatchObject({
        code: 'log.denied',
        hint: expect.stringContaining('on transactional id forbidden'),
      })
      const topic = { name, partitions: 1, replicationFactor: null, configs: {} }
      expect(await refused(lane.createTopic(topic))).toMatchObject({
        code: 'log.denied',
        hint: expect.stringContaining('Allow Create on'),
      })
      expect(await refused(lane.groupOffsets(name, null, 1_000))).toMatchObject({
        code: 'log.denied',
        hint: expect.stringContaining('on group forbidden'),
      })
    })
  })
})
