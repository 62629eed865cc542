// A topic that changes under a running pipeline: limits lowered (34, 40), deleted (35), records removed before a group
// has read them (43). What a record is refused for costs that record alone (I5); what may pass is waited for (L8); nothing loops hot.
import { createHash, randomBytes } from 'node:crypto'
import { type Admin, Kafka as KafkaJs, logLevel } from 'kafkajs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { OutRecord } from '../../../src/core/record.ts'
import type { Bucket } from '../../../src/pipeline/ports.ts'
import { eventually } from '../../support/eventually.ts'
import { openKafkaLog } from '../../support/kafka-log.ts'
import { type KafkaScene, type KafkaSceneOptions, kafkaScene } from '../../support/kafka-scene.ts'
import { describeWith } from '../../support/services/for-tests.ts'
import type { Kafka } from '../../support/services/kafka.ts'
import { steady } from '../../support/services/kafka-settings.ts'
import { freePort } from '../../support/services/ports.ts'

const ofTopic = 2
const hour = 3_600_000

await describeWith(['own-kafka', 'kcat'], 'a topic that changes under a pipeline', (startKafka, kcat) => {
  let kafka: Kafka
  let client: KafkaJs
  // Of topics that stay: what an admin knows of its topics is lost for a moment when one of them is deleted.
  let admin: Admin
  beforeAll(async () => {
    kafka = await startKafka({ properties: steady })
    client = new KafkaJs({ brokers: [kafka.bootstrap], logLevel: logLevel.NOTHING })
    admin = client.admin()
    await admin.connect()
  }, 120_000)
  afterAll(async () => {
    await admin?.disconnect()
    await kafka?.[Symbol.asyncDispose]()
  })

  // Each has a topic of its own, and waits more than it works: side by side.
  const sceneOf = (options: Partial<KafkaSceneOptions>): KafkaScene =>
    kafkaScene({ bootstrap: kafka.bootstrap, kcat, lines: 500, malformedEvery: 100, ...options })
  const ownAdmin = async (): Promise<Admin & AsyncDisposable> => {
    const own = client.admin()
    await own.connect()
    return Object.assign(own, { [Symbol.asyncDispose]: () => own.disconnect() })
  }
  const configure = (topic: string, settings: Readonly<Record<string, string | number>>) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: ofTopic,
          name: topic,
          configEntries: Object.entries(settings).map(([name, value]) => ({ name, value: String(value) })),
        },
      ],
    })
  /** Until each partition refuses it: the broker answers that a setting is changed before its logs know it. Nothing of this can be read. */
  const refuses = async (topic: string, record: { readonly bytes: number; readonly timestamp?: string }) => {
    const { partitions } = (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]!
    const producer = client.producer({ transactionalId: `asks-${topic}`, idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const { bytes, ...more } = record
    for (const { partitionId } of partitions)
      await eventually(`${topic}[${partitionId}] refuses it`, async () => {
        const asking = await producer.transaction()
        const message = { partition: partitionId, value: randomBytes(bytes), ...more }
        const isRefused = await asking.send({ topic, messages: [message] }).then(
          () => false,
          (error: Error) => /larger than the max|timestamp of the message/.test(error.message),
        )
        await asking.abort()
        return isRefused
      })
    await producer.disconnect()
  }
  const refused = { from: 500, every: 50, bytes: 3_000 }
  const lettersIn = async ({ weir, deadTopic }: KafkaScene, code: string): Promise<readonly Letter[]> =>
    (await weir(['dlq', 'list', deadTopic, '--code', code, '--json'])).out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Letter)

  test.concurrent('34, I5: a limit is lowered: what is too large now is dead with its original bytes, the rest of each batch stands', {
    timeout: 240_000,
  }, async () => {
    await using scene = sceneOf({ refused, follow: true })
    const run = scene.start()
    await run.told('batch_appended', 1)
    await eventually('all of the first', async () => (await scene.rows()) === 500)
    await configure(scene.topic, { 'max.message.bytes': 1_024 })
    await refuses(scene.topic, { bytes: 2_000 })
    scene.files.serve(500)
    await eventually('all of it', async () => (await scene.rows()) === 1_000)
    expect(await run.end()).toMatchObject({ code: 0, err: '' })
    // What its consumers had not read by then.
    expect(await scene.drain()).toMatchObject({ code: 0, err: '' })
    expect(await scene.audit()).toEqual({ ok: true, report: '1000 served = 980 records + 20 dead letters' })
    expect(run.events('record_dead').filter(({ code }) => code === 'log.record_too_large')).toHaveLength(10)
    const letters = await lettersIn(scene, 'log.record_too_large')
    expect(letters).toHaveLength(10)
    const shown = JSON.parse((await scene.weir(['dlq', 'show', scene.deadTopic, letters[0]!.id, '--json'])).out)
    expect(JSON.stringify(shown)).toContain('x'.repeat(refused.bytes))
  })

  test.concurrent('34: where the dead letter is too large as well, the run ends before anything is lost, and goes on when it is put right', {
    timeout: 240_000,
  }, async () => {
    await using scene = sceneOf({ refused, follow: true, consumes: false })
    const run = scene.start()
    await run.told('batch_appended', 1)
    await eventually('all of the first', async () => (await scene.rows()) === 500)
    await configure(scene.topic, { 'max.message.bytes': 1_024 })
    await configure(scene.deadTopic, { 'max.message.bytes': 200 })
    await refuses(scene.topic, { bytes: 2_000 })
    await refuses(scene.deadTopic, { bytes: 400 })
    scene.files.serve(500)
    const { code, err } = await run.result
    expect(code).toBe(2)
    expect(err).toMatch(/log\.record_too_large/)
    expect(err).toMatch(new RegExp(`A dead letter cannot be stored: .*${scene.deadTopic}`))
    expect(run.events('commit_retried').length).toBeLessThan(5)
    expect(await scene.rows()).toBe(500)
    // A start sets the limits of the definition again, so this time the records fit: there is nothing left to refuse.
    expect(await scene.drain()).toMatchObject({ code: 0, err: '' })
    expect(await scene.rows()).toBe(1_000)
  })

  test.concurrent('40, I5: of a transaction those records are named whose time the topic refuses, whatever batch they are in', async () => {
    await using log = await openKafkaLog(kafka.bootstrap, {
      sessionTimeoutMs: 60_000,
      requestTimeoutMs: 60_000,
      transactionTimeoutMs: 120_000,
    })
    const topic = unique()
    const limits = { retentionMs: null, retentionBytes: null, maxRecordBytes: 100_000 }
    await log.ensureTopic({ name: topic, partitions: 3, ...limits })
    await configure(topic, { 'message.timestamp.after.max.ms': hour })
    await refuses(topic, { bytes: 10, timestamp: String(Date.now() + 2 * hour) })
    const assigned = Promise.withResolvers<Bucket>()
    await log.joinProducers({
      pipeline: topic,
      buckets: 1,
      assigned: assigned.resolve,
      revoked: async () => {},
      lost: (_, error) => assigned.reject(error),
    })
    const bucket = await assigned.promise
    const at = (i: number, timestampMs: number): OutRecord => {
      const key = Buffer.from(`k${i}`)
      // Incompressible, so that a partition has several batches.
      const value = Buffer.concat(
        Array.from({ length: 500 }, (_, n) => createHash('sha512').update(`${i} ${n}`).digest()),
      )
      return { key, value, headers: [], timestampMs }
    }
    const nowMs = Date.now()
    const early = new Set([3, 41, 77, 78, 119])
    let records = Array.from({ length: 120 }, (_, i) => ({ i, record: at(i, early.has(i) ? nowMs + 2 * hour : nowMs) }))
    const named: number[] = []
    for (let round = 0; round < 10 && named.length < early.size; round++) {
      const thrown = await bucket
        .transact({ appends: [{ topic, records: records.map(({ record }) => record) }], cursors: [] })
        .catch(error => error)
      expect(thrown).toMatchObject({ code: 'log.timestamp_refused', hint: expect.stringContaining('clock') })
      const places = thrown.records as { append: number; record: number }[]
      expect(places.length).toBeGreaterThan(0)
      named.push(...places.map(({ record }) => records[record]!.i))
      records = records.filter((_, index) => !places.some(({ record }) => record === index))
    }
    expect(new Set(named)).toEqual(early)
    await bucket.transact({ appends: [{ topic, records: records.map(({ record }) => record) }], cursors: [] })
    const info = await log.topic(topic)
    expect(info!.partitionInfo.reduce((sum, { latest }) => sum + Number(latest), 0)).toBeGreaterThanOrEqual(115)
  })

  test.concurrent('35: a topic that is deleted ends the run with its name; the next start makes it again and goes on from the cursor', {
    timeout: 240_000,
  }, async () => {
    await using scene = sceneOf({ follow: true, consumes: false })
    await using own = await ownAdmin()
    const run = scene.start()
    await run.told('batch_appended', 1)
    await eventually('all of the first', async () => (await scene.rows()) === 500)
    await own.deleteTopics({ topics: [scene.topic] })
    await eventually('gone', async () => !(await own.listTopics()).includes(scene.topic))
    scene.files.serve(100)
    const { code, err } = await run.result
    expect(code).toBe(2)
    expect(err).toMatch(/log\.topic_unknown/)
    expect(err).toContain(scene.topic)
    expect(run.events('commit_retried').length).toBeLessThan(16)
    expect(await scene.drain()).toMatchObject({ code: 0, err: '' })
    const left = await kcat([
      '-b',
      kafka.bootstrap,
      '-C',
      '-t',
      scene.topic,
      '-o',
      'beginning',
      '-e',
      '-q',
      '-f',
      '%k\n',
    ])
    expect(left.toString().trim().split('\n')).toHaveLength(99)
  })

  test.concurrent('43: records removed before a group has read them stop it, unless it is told to go on; then they are told and counted', {
    timeout: 240_000,
  }, async () => {
    await using scene = sceneOf({ partitions: 1 })
    await using own = await ownAdmin()
    const group = `${scene.pipeline}-export`
    scene.edit(/consume:.*/s, `consume: [{ group: ${group}, sink: { log: {} } }]\n`)
    expect(await scene.drain()).toMatchObject({ code: 0, err: '' })
    scene.files.serve(500)
    expect(await scene.drain({ args: ['--stage', 'producer'] })).toMatchObject({ code: 0, err: '' })
    const { high } = (await own.fetchTopicOffsets(scene.topic))[0]!
    const { offset } = (await own.fetchOffsets({ groupId: group }))[0]!.partitions[0]!
    const from = Number(offset) + 200
    expect(from).toBeLessThan(Number(high))
    await own.deleteTopicRecords({ topic: scene.topic, partitions: [{ partition: 0, offset: String(from) }] })

    const stopped = await scene.drain({ args: ['--stage', 'consumer'] })
    expect(stopped.code).toBe(3)
    expect(stopped.err).toMatch(new RegExp(`log\\.offset_out_of_range.*offset ${offset} of ${scene.topic}`, 's'))
    expect(stopped.err).toContain('`out_of_range: earliest`')

    scene.edit(`${group},`, `${group}, out_of_range: earliest,`)
    const port = await freePort()
    const run = scene.start({ args: ['--stage', 'consumer', '--port', String(port)] })
    await run.told('records_missed')
    expect(run.events('records_missed')).toMatchObject([
      { level: 'error', group, partition: 0, from: offset, to: String(from), count: 200 },
    ])
    const metrics = async () => (await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => null))?.text()
    const counted = `weir_records_missed_total{pipeline="${scene.pipeline}",group="${group}"} 200`
    const [text] = await Promise.all([metrics(), run.result])
    if (text !== undefined) expect(text).toContain(counted)
    expect(await run.result).toMatchObject({ code: 0 })
    expect(run.events('record_logged')[0]).toMatchObject({ offset: String(from) })
  })
})

interface Letter {
  readonly id: string
}

const unique = () => `t${Math.floor(performance.now() * 1_000).toString(36)}${process.pid.toString(36)}`
