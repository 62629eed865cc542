// What happens to topics behind weir's back, on a real Kafka: transactions that others abort (fault 45), compaction of the cursors (46),
// partitions that somebody adds (47).
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigResourceTypes, Kafka as KafkaJs, logLevel } from 'kafkajs'
import { expect, test } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { type KafkaScene, type KafkaSceneOptions, kafkaScene } from '../../support/kafka-scene.ts'
import { runAuditor } from '../../support/review-files.ts'
import { describeWith } from '../../support/services/for-tests.ts'

const sound = { ok: true, report: expect.stringMatching(/^\d+ served = /) }

await describeWith(['kafka', 'kcat'], 'topics that others touch', ({ bootstrap }, kcat) => {
  const client = new KafkaJs({ brokers: bootstrap.split(','), logLevel: logLevel.NOTHING })
  const sceneOf = (options: Partial<KafkaSceneOptions>): KafkaScene =>
    kafkaScene({ bootstrap, kcat, lines: 500, malformedEvery: 100, files: 4, follow: true, ...options })
  const read = async (topic: string, isolation: 'read_committed' | 'read_uncommitted') => {
    const args = ['-b', bootstrap, '-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-J']
    return String(await kcat([...args, '-X', `isolation.level=${isolation}`, '-X', 'enable.partition.eof=true']))
  }
  const count = (text: string, what: string) => text.split(what).length - 1

  test('45: aborted records between those of weir reach neither a consumer nor `topic cat`', {
    timeout: 240_000,
  }, async () => {
    await using scene = sceneOf({})
    const feed = scene.feed(20, 100)
    const running = scene.start()
    await running.told('batch_appended', 4)
    const producer = client.producer({ transactionalId: scene.pipeline, idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    for (let n = 0; n < 10; n++) {
      const transaction = await producer.transaction()
      const ids = Array.from({ length: 30 }, (_, i) => `aborted/${n}/${i}`)
      for (const id of ids) scene.files.note({ id, key: null, dead: false, aborted: true })
      // As weir would write them, but for the value.
      const messages = ids.map((id, i) => ({
        key: `B${i}`,
        value: Buffer.from([0, 0, 0, 0, 1, 0]),
        headers: { 'weir-id': id },
      }))
      await transaction.send({ topic: scene.topic, messages })
      await transaction.send({ topic: scene.deadTopic, messages })
      await running.told('batch_appended', running.events('batch_appended').length + 4)
      await transaction.abort()
    }
    await producer.disconnect()
    feed[Symbol.dispose]()
    expect((await running.end()).code).toBe(0)
    expect((await scene.drain()).code).toBe(0)
    for (const topic of [scene.topic, scene.deadTopic])
      expect(count(await read(topic, 'read_uncommitted'), '"aborted/')).toBe(300)
    expect(await scene.audit()).toEqual(sound)
    const cats = await Promise.all(
      [scene.topic, scene.deadTopic].map(async topic => {
        const path = join(scene.dir, `${topic}.cat.ndjson`)
        writeFileSync(path, (await scene.weir(['topic', 'cat', topic, '--json'])).out)
        return path
      }),
    )
    expect(await runAuditor(['--journal', scene.files.journal(), '--topic', cats[0]!, '--dead', cats[1]!])).toEqual(
      sound,
    )
  })

  test('46, I13: the cursor topic is compacted between and during runs: each goes on from the newest cursor', {
    timeout: 240_000,
  }, async () => {
    await using scene = sceneOf({})
    let commits = 0
    const feed = scene.feed(10, 100)
    for (const [i, signal] of (['SIGTERM', 'SIGKILL', 'SIGTERM', 'SIGKILL'] as const).entries()) {
      const running = scene.start()
      await running.told('batch_appended', 40)
      if (i === 0) await compactSoon(client, scene.cursorTopic)
      await running.end(signal)
      commits += running.events('batch_appended').length
      await eventually(
        'the log is compacted',
        async () => i === 0 || count(await read(scene.cursorTopic, 'read_committed'), '\n') < commits / 2,
        30_000,
      )
    }
    feed[Symbol.dispose]()
    expect((await scene.drain()).code).toBe(0)
    expect(await scene.audit()).toEqual(sound)
    const { out } = await scene.drain()
    expect(JSON.parse(out.trim().split('\n').at(-1)!)).toMatchObject({ event: 'summary', fetched: 0 })
  })

  test('47: partitions are added while weir runs: nothing is lost; the next start asks for a definition that says so', {
    timeout: 240_000,
  }, async () => {
    await using scene = sceneOf({})
    const feed = scene.feed(20, 100)
    const running = scene.start()
    await running.told('batch_consumed', 4)
    await admin(client, each => each.createPartitions({ topicPartitions: [{ topic: scene.topic, count: 6 }] }))
    await running.told('batch_appended', running.events('batch_appended').length + 20)
    expect((await running.end()).code).toBe(0)
    const refused = await scene.drain()
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('log.topic_conflict') })
    expect(refused.err).toContain('has 6 partitions')
    scene.edit('partitions: 3', 'partitions: 6')
    const after = scene.start()
    await after.told('batch_consumed', 20)
    feed[Symbol.dispose]()
    expect((await after.end()).code).toBe(0)
    expect((await scene.drain()).code).toBe(0)
    const used = new Set((await read(scene.topic, 'read_committed')).match(/"partition":\d+/g))
    expect(used.size).toBe(6)
    // A key goes to another partition from then on: its order holds in each of them.
    expect(await scene.audit('--keys-may-move')).toEqual(sound)
  })
})

type Admin = ReturnType<KafkaJs['admin']>

async function admin<T>(client: KafkaJs, use: (admin: Admin) => Promise<T>): Promise<T> {
  const opened = client.admin()
  await opened.connect()
  try {
    return await use(opened)
  } finally {
    await opened.disconnect()
  }
}

/** Closes a segment with nearly each write, and compacts what is closed at once. */
async function compactSoon(client: KafkaJs, topic: string): Promise<void> {
  const settings = { 'cleanup.policy': 'compact', 'segment.ms': '100', 'min.cleanable.dirty.ratio': '0.001' }
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
  await admin(client, each =>
    each.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
    }),
  )
}
