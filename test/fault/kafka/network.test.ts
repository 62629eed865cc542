// The network between weir and its broker, done wrong by a proxy (48 to 54): refused, reset, late, slow, silent, in slices, cut short. Through each
// driver at the same time. While it lasts weir is not ready and nothing is lost; after it, all of it is there, once and in order (P0), within 30 s.
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { DriverName } from '../../../src/adapters/event-log-kafka/options.ts'
import { eventually } from '../../support/eventually.ts'
import { type FaultProxy, openFaultProxy } from '../../support/fault-proxy.ts'
import { type KafkaScene, kafkaScene, type Running } from '../../support/kafka-scene.ts'
import { describeWith } from '../../support/services/for-tests.ts'
import type { Kafka } from '../../support/services/kafka.ts'
import { steady } from '../../support/services/kafka-settings.ts'
import { freePort } from '../../support/services/ports.ts'

const drivers: readonly DriverName[] = ['kafkajs', 'platformatic']
const malformedEvery = 100
const recoversWithinMs = 30_000
const shutdownMs = 8_000

const begun = (run: Running) => run.events('commit_started').length
const ended = (run: Running) => run.events('commit_finished').length

/** A pipeline that runs through the proxy. The same two processes live through all the faults, one after the other. */
interface Subject {
  readonly driver: DriverName
  readonly scene: KafkaScene
  readonly run: Running
  readonly readyz: () => Promise<number | undefined>
  hasEnded: boolean
}

await describeWith(['own-kafka', 'kcat'], 'the network to the broker', (startKafka, kcat) => {
  let kafka: Kafka
  let proxy: FaultProxy
  let subjects: Subject[] = []
  /** Commits tried again before the test. */
  let retriedBefore = new Map<Running, number>()
  beforeAll(async () => {
    kafka = await startKafka({ listeners: ['PROXIED'], properties: steady })
    proxy = await openFaultProxy(kafka.proxied[0]!)
  }, 120_000)
  afterAll(async () => {
    await end()
    await proxy?.[Symbol.asyncDispose]()
    await kafka?.[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    if (subjects.length === 0 || subjects.some(({ hasEnded }) => hasEnded)) {
      await end()
      subjects = await Promise.all(drivers.map(start))
    }
    retriedBefore = new Map(subjects.map(({ run }) => [run, run.events('commit_retried').length]))
  }, 60_000)
  afterEach(async () => {
    proxy.heal()
    await proxy.accept()
  })

  const end = () => Promise.all(subjects.map(({ scene }) => scene[Symbol.asyncDispose]()))
  const start = async (driver: DriverName): Promise<Subject> => {
    const scene = kafkaScene({
      ...{ bootstrap: kafka.bootstrap, brokers: proxy.address, kcat, driver, follow: true },
      ...{ lines: 300, malformedEvery, requestTimeout: 4 },
    })
    const port = await freePort()
    const run = scene.start({ args: ['--port', String(port)], deadlineMs: 600_000 })
    const readyz = async () => (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null))?.status
    const subject = { driver, scene, run, readyz, hasEnded: false }
    run.result.finally(() => Object.assign(subject, { hasEnded: true })).catch(() => {})
    await run.told('batch_appended')
    await sound(subject)
    return subject
  }
  const each = (work: (subject: Subject) => Promise<void>): Promise<unknown> => Promise.all(subjects.map(work))
  const unready = () =>
    each(async ({ driver, readyz }) => {
      await eventually(`${driver} is not ready`, async () => (await readyz()) === 503, 10_000)
    })
  /** Everything served is there, at once or soon, by the same process; it is ready. */
  const sound = async ({ driver, scene, run, readyz }: Subject) => {
    const { served } = scene.files
    await eventually(`${driver} has all`, async () => (await scene.rows()) === served, recoversWithinMs)
    await eventually(`${driver} is ready`, async () => (await readyz()) === 200, recoversWithinMs)
    await eventually(`${driver} has consumed all`, async () => (await scene.audit()).ok, recoversWithinMs)
    await intact(scene)
    // Waits grow: nothing is tried hot.
    expect(run.events('commit_retried').length - (retriedBefore.get(run) ?? 0)).toBeLessThan(60)
  }
  const intact = async (scene: KafkaScene) => {
    const { served } = scene.files
    const dead = Math.floor(served / malformedEvery)
    const report = `${served} served = ${served - dead} records + ${dead} dead letters`
    expect(await scene.audit()).toEqual({ ok: true, report })
  }
  const serve = (count = 200) => {
    for (const { scene } of subjects) scene.files.serve(count)
  }
  const messages = ({ run }: Subject) =>
    ['commit_retried', 'log_unreachable', 'commit_unknown'].flatMap(type =>
      run.events(type).map(event => String(event['message'])),
    )

  test('48: the broker refuses connections', { timeout: 240_000 }, async () => {
    await proxy.refuse()
    serve()
    await unready()
    for (const subject of subjects)
      expect(messages(subject).join()).toMatch(/nothing listens there|closed the connection/)
    await proxy.accept()
    await each(sound)
  })

  test('49: connections are reset, again and again, also in the middle of answers', { timeout: 240_000 }, async () => {
    for (let round = 0; round < 5; round++) {
      serve(100)
      proxy.resetAll()
      await delay(200)
    }
    proxy.resetAfter(700)
    serve()
    await delay(2_000)
    proxy.heal()
    await each(sound)
  })

  test('50: everything is 5 s late, more or less', { timeout: 240_000 }, async () => {
    proxy.latency(5_000, 1_000)
    serve()
    await unready()
    proxy.heal()
    await each(sound)
  })

  test('50: everything is a little late all the time: it goes on, only slower', { timeout: 240_000 }, async () => {
    const before = subjects.map(subject => messages(subject).length)
    proxy.latency(50, 50)
    for (let round = 0; round < 5; round++) serve(100)
    await each(sound)
    expect(subjects.map(subject => messages(subject).length)).toEqual(before)
  })

  test('51: a drip of 1 KB/s: the deadline is of the whole answer, not of its silence', {
    timeout: 240_000,
  }, async () => {
    proxy.bandwidth(1_024)
    serve(1_000)
    await unready()
    await each(async subject => {
      await eventually('a deadline', () => messages(subject).some(text => /within \d/.test(text)), 20_000)
    })
    proxy.heal()
    await each(sound)
  })

  test('52: silence that ends by itself', { timeout: 240_000 }, async () => {
    proxy.blackHole()
    serve()
    await unready()
    proxy.heal()
    await each(sound)
  })

  test('53: in slices of one byte the records are the same', { timeout: 240_000 }, async () => {
    proxy.slice(1)
    proxy.resetAll()
    // Few, for a request must pass byte by byte within its deadline on a busy machine too.
    serve(20)
    await each(sound)
  })

  test('54: answers that are cut short in good order', { timeout: 240_000 }, async () => {
    for (const bytes of [50, 400, 1_500]) {
      proxy.endAfter(bytes)
      proxy.resetAll()
      serve(100)
      await delay(1_000)
    }
    proxy.heal()
    await each(sound)
  })

  test('52: a stop in the midst of silence ends within the shutdown timeout, and the next start goes on', {
    timeout: 240_000,
  }, async () => {
    proxy.blackHole()
    serve()
    await eventually('commits on their way', () => subjects.every(({ run }) => begun(run) > ended(run)))
    await each(async ({ run }) => {
      const toldMs = performance.now()
      expect(await run.end()).toMatchObject({ code: 0 })
      expect(performance.now() - toldMs).toBeLessThan(shutdownMs + 1_500)
    })
    proxy.heal()
    await each(async ({ scene }) => {
      expect(await scene.drain()).toMatchObject({ code: 0, err: '' })
      await intact(scene)
    })
  })
})
