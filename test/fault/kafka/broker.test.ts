// Brokers that end, die, hang and lose their leaders under load (faults 25 to 29): weir goes on by itself within 30 s, and the audit finds nothing.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DriverName } from '../../../src/adapters/event-log-kafka/options.ts'
import { countingLoad, miscounts } from '../../support/counting-load.ts'
import { eventually } from '../../support/eventually.ts'
import { openKafkaLog } from '../../support/kafka-log.ts'
import { type KafkaScene, kafkaScene, type Running } from '../../support/kafka-scene.ts'
import { describeWith } from '../../support/services/for-tests.ts'
import type { Kafka } from '../../support/services/kafka.ts'
import type { Kcat } from '../../support/services/kcat.ts'
import { freePort } from '../../support/services/ports.ts'

const recoveryMs = 30_000
/** Three brokers and weir share what may be two processors; the recovery itself is that of the elections. */
const slowRecoveryMs = 60_000
const files = 8
const drivers: readonly DriverName[] = ['kafkajs', 'platformatic']

/** 2,000 records a second in transactions of 50. */
function underLoad(kafka: Kafka, kcat: Kcat, args: readonly string[] = []) {
  const scene = kafkaScene({
    bootstrap: kafka.bootstrap,
    kcat,
    lines: 100,
    malformedEvery: 100,
    files,
    follow: true,
    sessionTimeout: 10,
  })
  const feed = scene.feed(50, 200)
  return { scene, feed, running: scene.start({ args, deadlineMs: 400_000 }) }
}

/** All that is served by now is stored, and each group goes on. */
async function goesOn(scene: KafkaScene, running: Running, withinMs: number): Promise<void> {
  const served = scene.files.ends()
  const more = (type: string) => running.told(type, running.events(type).length + 6, withinMs)
  const endMs = performance.now() + withinMs
  await Promise.all([more('batch_appended'), more('batch_consumed')])
  while (!(await scene.covers(served).catch(() => false))) {
    if (performance.now() > endMs) throw new Error(`what was served is not stored within ${withinMs} ms`)
    await delay(500)
  }
}

async function endsSound(scene: KafkaScene, feed: Disposable, running: Running): Promise<void> {
  feed[Symbol.dispose]()
  const { code, err } = await running.end()
  expect({ code, err }).toMatchObject({ code: 0, err: expect.not.stringContaining('[') })
  expect((await scene.drain()).code).toBe(0)
  expect(await scene.audit()).toEqual({ ok: true, report: expect.stringMatching(/^\d+ served = /) })
}

await describeWith(['own-kafka', 'kcat'], 'one broker, under load', (startKafka, kcat) => {
  let kafka: Kafka
  beforeAll(async () => {
    kafka = await startKafka()
  }, 120_000)
  afterAll(() => kafka?.[Symbol.asyncDispose]())

  test.each([
    ['25: ends in good order and starts again', 'SIGTERM'],
    ['26: is killed and starts again', 'SIGKILL'],
  ] as const)('%s', { timeout: 180_000 }, async (_, signal) => {
    const { scene, feed, running } = underLoad(kafka, kcat)
    await using _scene = scene
    await goesOn(scene, running, 60_000)
    await kafka.process.kill(signal)
    await kafka.process.restart()
    await goesOn(scene, running, recoveryMs)
    await endsSound(scene, feed, running)
  })

  // The broker writes the markers of a transaction nowhere when it decides it on its way out: see "What the broker must keep" in
  // docs/decisions/0007-spool.md. Many small transactions are on their way at any moment here.
  test.each(drivers)(
    '25, I1, %s: ends again and again between any two requests: each number is there once',
    {
      timeout: 240_000,
    },
    async driver => {
      const topic = `counted-${driver}`
      await using log = await openKafkaLog(kafka.bootstrap, {
        driver,
        sessionTimeoutMs: 10_000,
        requestTimeoutMs: 5_000,
      })
      const load = await countingLoad(log, topic)
      const goesOn = async () => {
        const { written, copied } = load.done
        const isOn = () => load.done.written >= written + 50 && load.done.copied >= copied + 3
        await eventually('both go on', isOn, 60_000)
      }
      await goesOn()
      for (let i = 0; i < 3; i++) {
        await kafka.process.kill('SIGTERM')
        await kafka.process.restart()
        await goesOn()
      }
      await load.end()
      expect(load.failures).toEqual([])
      expect(await miscounts(log, topic, topic)).toEqual([])
      expect(await miscounts(log, `${topic}_copy`, topic)).toEqual([])
    },
  )

  test('27: hangs for 20 s: not ready within 10 s, ready again and writing within 30 s', {
    timeout: 180_000,
  }, async () => {
    const port = await freePort()
    const { scene, feed, running } = underLoad(kafka, kcat, ['--port', String(port)])
    await using _scene = scene
    const ready = async () => (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null))?.status
    await goesOn(scene, running, 60_000)
    await eventually('ready', async () => (await ready()) === 200)
    try {
      kafka.process.stop()
      const endMs = performance.now() + 20_000
      await eventually('not ready', async () => (await ready()) === 503, 10_000)
      // The fault is the time itself.
      await delay(Math.max(0, endMs - performance.now()))
    } finally {
      kafka.process.continue()
    }
    await Promise.all([
      goesOn(scene, running, recoveryMs),
      eventually('ready again', async () => (await ready()) === 200, recoveryMs),
    ])
    await endsSound(scene, feed, running)
  })
})

await describeWith(['own-kafka', 'kcat'], 'three brokers, under load', (startKafka, kcat) => {
  let kafka: Kafka
  beforeAll(async () => {
    kafka = await startKafka({ nodes: 3 })
  }, 180_000)
  afterAll(() => kafka?.[Symbol.asyncDispose]())

  test('28, 29: the leader of a partition and the coordinator of a transaction are killed, one after the other', {
    timeout: 400_000,
  }, async () => {
    const { scene, feed, running } = underLoad(kafka, kcat)
    await using _scene = scene
    await goesOn(scene, running, 60_000)
    for (const find of [leaderOf, coordinatorOf]) {
      const node = kafka.nodes[(await find(kafka, kcat, scene)) - 1]!
      await node.kill()
      await goesOn(scene, running, slowRecoveryMs)
      await node.restart()
      await goesOn(scene, running, slowRecoveryMs)
    }
    await endsSound(scene, feed, running)
  })
})

async function leaderOf({ bootstrap }: Kafka, kcat: Kcat, { topic }: KafkaScene): Promise<number> {
  const { topics } = JSON.parse(String(await kcat(['-b', bootstrap, '-L', '-J', '-t', topic]))) as {
    topics: { partitions: { leader: number }[] }[]
  }
  return topics[0]!.partitions[0]!.leader
}

async function coordinatorOf(kafka: Kafka, _: Kcat, scene: KafkaScene): Promise<number> {
  const id = scene.transactionalId(0)
  const said = await kafka.tool('org.apache.kafka.tools.TransactionsCommand', 'describe', '--transactional-id', id)
  const [titles, values] = said
    .trim()
    .split('\n')
    .map(line => line.trim().split(/\s+/))
  return Number(values![titles!.indexOf('CoordinatorId')])
}
