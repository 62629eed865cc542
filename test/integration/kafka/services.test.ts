// The real services of the tests: each can be reached, hurt and ended in the ways that fault tests count on.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { connect as connectTls } from 'node:tls'
import type { KafkaConfig, Kafka as KafkaJs } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, holds } from '../../support/eventually.ts'
import { apis, openKafkaProxy } from '../../support/kafka-proxy.ts'
import { kafkajsClient, withAdmin } from '../../support/kafkajs-client.ts'
import { describeWith } from '../../support/services/for-tests.ts'
import type { Kafka } from '../../support/services/kafka.ts'
import { oauthToken, users } from '../../support/services/kafka-logins.ts'
import { readCommitted } from '../../support/services/kcat.ts'

let topics = 0
const uniqueTopic = () => `services-${process.pid}-${topics++}`

async function send(kafka: KafkaJs, topic: string, value: string): Promise<void> {
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  try {
    await producer.send({ topic, messages: [{ value }] })
  } finally {
    await producer.disconnect()
  }
}

const endOf = async (kafka: KafkaJs, topic: string) =>
  Number((await withAdmin(kafka, admin => admin.fetchTopicOffsets(topic)))[0]!.offset)

await describeWith(['kafka'], 'the shared broker', ({ bootstrap }) => {
  test('creates topics that are asked for, and no others', () =>
    withAdmin(kafkajsClient(bootstrap), async admin => {
      const topic = uniqueTopic()
      await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] })
      expect((await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]!.partitions).toHaveLength(3)
      await expect(admin.fetchTopicMetadata({ topics: [`${topic}-no`] })).rejects.toThrow('does not host')
    }))
})

await describeWith(['kafka', 'kcat'], 'kcat', ({ bootstrap }, kcat) => {
  test('reads what is committed, and not what is aborted', async () => {
    const kafka = kafkajsClient(bootstrap)
    const topic = uniqueTopic()
    await withAdmin(kafka, admin => admin.createTopics({ topics: [{ topic }], waitForLeaders: true }))
    const producer = kafka.producer({ transactionalId: topic, maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    for (const end of ['abort', 'commit'] as const) {
      const transaction = await producer.transaction()
      await transaction.send({ topic, messages: [{ key: end, value: 'three' }] })
      await transaction[end]()
    }
    await producer.disconnect()
    // Two records and two markers, which follow the answer to a commit.
    await eventually('both markers are written', async () => (await endOf(kafka, topic)) === 4)
    expect((await kcat(readCommitted(bootstrap, topic))).toString()).toBe('0 2 commit 5\n')
  })
})

await describeWith(['apache-kafka'], 'the Kafka proxy before the shared broker', ({ bootstrap, proxied }) => {
  test('sees all requests of a client, and can hold the end of a transaction past its client', async () => {
    await using proxy = await openKafkaProxy(proxied)
    const topic = uniqueTopic()
    await withAdmin(kafkajsClient(bootstrap), admin =>
      admin.createTopics({ topics: [{ topic }], waitForLeaders: true }),
    )
    const rule = proxy.on({ apiKey: apis.endTxn, direction: 'request' }, { do: 'hold' })
    const kafka = kafkajsClient(proxy.address)
    const producer = kafka.producer({ transactionalId: topic, maxInFlightRequests: 1, idempotent: true })
    await producer.connect()
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value: 'held' }] })
    await expect(transaction.commit()).rejects.toThrow()
    expect([proxy.frames(apis.produce), proxy.frames(apis.addPartitionsToTxn)]).toEqual([1, 1])
    await producer.disconnect()
    // EndTxn v1: throttle time, then the error code; after it the marker takes an offset of its own.
    expect((await rule.release()).readInt16BE(12)).toBe(0)
    await eventually('the transaction is committed', async () => (await endOf(kafkajsClient(bootstrap), topic)) === 2)
  })
})

await describeWith(['registry'], 'the shared registry', ({ url }) => {
  test('answers as a Confluent registry', async () => {
    expect(Array.isArray(await (await fetch(`${url}/subjects`)).json())).toBe(true)
  })
})

await describeWith(['own-apicurio'], 'an Apicurio of its own', startApicurio => {
  test('is empty again after a restart', async () => {
    await using registry = await startApicurio()
    const subjects = async () => (await fetch(`${registry.url}/subjects`)).json()
    await fetch(`${registry.url}/subjects/a-value/versions`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      body: JSON.stringify({ schema: '"string"' }),
    })
    expect(await subjects()).toEqual(['a-value'])
    await registry.process.restart()
    expect(await subjects()).toEqual([])
  }, 60_000)
})

await describeWith(['own-kafka'], 'a broker of its own', startKafka => {
  let broker: Kafka
  beforeAll(async () => {
    broker = await startKafka()
  }, 60_000)
  afterAll(() => broker?.[Symbol.asyncDispose]())

  test('keeps its data and its port when it is killed and started again', async () => {
    const kafka = kafkajsClient(broker.bootstrap)
    const topic = uniqueTopic()
    await withAdmin(kafka, admin => admin.createTopics({ topics: [{ topic }], waitForLeaders: true }))
    await send(kafka, topic, 'before')
    const { pid } = broker.process
    await broker.process.kill('SIGKILL')
    expect(broker.process.running).toBe(false)
    await expect(
      withAdmin(kafkajsClient(broker.bootstrap, { retry: { retries: 0 } }), admin => admin.listTopics()),
    ).rejects.toThrow()
    await broker.process.restart()
    expect(broker.process.pid).not.toBe(pid)
    expect(await endOf(kafka, topic)).toBe(1)
  }, 60_000)

  test('answers nothing while it is stopped, and goes on', async () => {
    const kafka = kafkajsClient(broker.bootstrap)
    await withAdmin(kafka, async admin => {
      broker.process.stop()
      let answered = false
      const listed = admin.listTopics().then(() => {
        answered = true
      })
      await holds('no answer', () => !answered, 300)
      broker.process.continue()
      await listed
    })
  })

  test('an abandoned transaction is aborted soon after its time', async () => {
    const kafka = kafkajsClient(broker.bootstrap)
    const topic = uniqueTopic()
    await withAdmin(kafka, admin => admin.createTopics({ topics: [{ topic }], waitForLeaders: true }))
    const producer = kafka.producer({
      transactionalId: topic,
      maxInFlightRequests: 1,
      idempotent: true,
      transactionTimeout: 2_000,
    })
    await producer.connect()
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value: 'abandoned' }] })
    await eventually('the marker is written', async () => (await endOf(kafka, topic)) === 2)
    await producer.disconnect()
  })
})

await describeWith(['own-kafka'], 'a broker that wants logins and shows certificates', startKafka => {
  let broker: Kafka
  beforeAll(async () => {
    broker = await startKafka({
      acl: true,
      listeners: ['SSL', 'SASL_SSL', 'SASL_PLAINTEXT', 'EXPIRED', 'WRONG_HOST', 'SELF_SIGNED'],
    })
  }, 60_000)
  afterAll(() => broker?.[Symbol.asyncDispose]())

  const secured = (sasl: NonNullable<KafkaConfig['sasl']>, listener: 'SASL_SSL' | 'SASL_PLAINTEXT' = 'SASL_SSL') =>
    kafkajsClient(broker.addresses[listener]!, {
      ...(listener === 'SASL_SSL' ? { ssl: { ca: broker.certificates!.ca } } : {}),
      sasl,
      retry: { retries: 0 },
    })
  const as = (username: string, password = users[username]!) => ({ username, password })

  test.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    'logs in with %s, and refuses a wrong password',
    async mechanism => {
      const login = (password?: string) =>
        withAdmin(secured({ mechanism, ...as('admin', password) } as NonNullable<KafkaConfig['sasl']>), admin =>
          admin.listTopics(),
        )
      expect(await login()).toBeInstanceOf(Array)
      await expect(login('wrong')).rejects.toThrow(/[Aa]uthentication failed|SASL/)
    },
  )

  test('logs in with an unsigned token, and refuses one that is over', async () => {
    const login = (lifeMs: number) =>
      withAdmin(
        secured({
          mechanism: 'oauthbearer',
          oauthBearerProvider: async () => ({ value: oauthToken('admin', lifeMs) }),
        }),
        admin => admin.listTopics(),
      )
    expect(await login(60_000)).toBeInstanceOf(Array)
    await expect(login(-60_000)).rejects.toThrow()
  })

  test('lets alice do what an ACL allows, and nothing else', async () => {
    const topic = uniqueTopic()
    await withAdmin(kafkajsClient(broker.bootstrap), admin =>
      admin.createTopics({ topics: [{ topic }], waitForLeaders: true }),
    )
    const alice = secured({ mechanism: 'plain', ...as('alice') }, 'SASL_PLAINTEXT')
    await expect(send(alice, topic, 'no')).rejects.toThrow(/not authorized/i)
    await broker.tool(
      'org.apache.kafka.tools.AclCommand',
      '--add',
      '--allow-principal',
      'User:alice',
      '--producer',
      '--topic',
      topic,
    )
    await eventually('the ACL holds', () =>
      send(alice, topic, 'yes').then(
        () => true,
        () => false,
      ),
    )
  }, 30_000)

  test.each([
    ['SSL', null],
    ['SASL_SSL', null],
    ['EXPIRED', 'CERT_HAS_EXPIRED'],
    ['WRONG_HOST', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['SELF_SIGNED', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ] as const)('a client that trusts the authority says of %s: %s', async (listener, code) => {
    const [host, port] = broker.addresses[listener]!.split(':')
    const said = await new Promise(done => {
      const socket = connectTls({ host, port: Number(port), ca: broker.certificates!.ca }, () => {
        socket.destroy()
        done(null)
      })
      socket.on('error', error => done((error as NodeJS.ErrnoException).code))
    })
    expect(said).toBe(code)
  })
})

await describeWith(['own-kafka'], 'three brokers', startKafka => {
  test('the leader of a partition moves when its broker is killed', async () => {
    await using cluster = await startKafka({ nodes: 3 })
    const kafka = kafkajsClient(cluster.bootstrap)
    const topic = uniqueTopic()
    const leader = () =>
      withAdmin(
        kafka,
        async admin => (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]!.partitions[0]!.leader,
      )
    await withAdmin(kafka, admin =>
      admin.createTopics({ topics: [{ topic, replicationFactor: 3 }], waitForLeaders: true }),
    )
    const first = await leader()
    await cluster.nodes[first - 1]!.kill()
    const second = await eventually('another leads', async () => {
      const now = await leader().catch(() => first)
      return now !== first && now > 0 && now
    })
    await send(kafka, topic, 'after')
    expect(second).not.toBe(first)
  }, 90_000)
})

await describeWith(['own-kafka'], 'services of a process that is killed', () => {
  test('end, and leave no file behind', async () => {
    const main = resolve(import.meta.dirname, '../../support/services/main.ts')
    const child = spawn(process.execPath, [main, 'kafka'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ready = Promise.withResolvers<{ pid: number; dir: string }>()
    createInterface({ input: child.stdout }).on('line', line => {
      const process_ = /^kafka process (\d+) in (.+)$/.exec(line)
      if (process_) ready.resolve({ pid: Number(process_[1]), dir: process_[2]! })
    })
    const { pid, dir } = await ready.promise
    expect(existsSync(dir)).toBe(true)
    child.kill('SIGKILL')
    await eventually('the broker has ended', () => !existsSync(`/proc/${pid}`))
    await eventually('its folder is gone', () => !existsSync(dirname(dir)))
  }, 60_000)
})
