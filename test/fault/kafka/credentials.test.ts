// Credentials that change while a pipeline runs (38): a password that is rotated on the broker, a token that expires. The run is refused, says so
// and is not ready; once the secret's file is rewritten it goes on, without a restart. No value of a secret, old or new, reaches any output (I9).
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DriverName } from '../../../src/adapters/event-log-kafka/options.ts'
import { eventually } from '../../support/eventually.ts'
import { type KafkaScene, kafkaScene } from '../../support/kafka-scene.ts'
import { describeWith } from '../../support/services/for-tests.ts'
import type { Kafka } from '../../support/services/kafka.ts'
import { oauthToken } from '../../support/services/kafka-logins.ts'
import { steady } from '../../support/services/kafka-settings.ts'
import { freePort } from '../../support/services/ports.ts'

const drivers: readonly DriverName[] = ['kafkajs', 'platformatic']
/** Long enough for a login and a request on a busy machine. */
const sessionMs = 10_000

await describeWith(['own-kafka', 'kcat'], 'credentials that change', (startKafka, kcat) => {
  let kafka: Kafka
  beforeAll(async () => {
    kafka = await startKafka({
      listeners: ['SASL_SSL'],
      // Sessions end soon, so that each connection has to log in again.
      properties: { ...steady, 'listener.name.sasl_ssl.connections.max.reauth.ms': sessionMs },
    })
  }, 120_000)
  afterAll(() => kafka?.[Symbol.asyncDispose]())

  const sceneOf = (driver: DriverName, sasl: string): KafkaScene => {
    const scene = kafkaScene({
      ...{ bootstrap: kafka.bootstrap, brokers: kafka.addresses.SASL_SSL!, kcat, driver },
      ...{ lines: 300, malformedEvery: 100, follow: true, requestTimeout: 10 },
      more: `    tls: { ca: ca.pem }\n    sasl: { ${sasl} }\n`,
    })
    writeFileSync(join(scene.dir, 'ca.pem'), kafka.certificates!.ca)
    return scene
  }
  const setPassword = (user: string, password: string) =>
    kafka.tool(
      ...(['kafka.admin.ConfigCommand', '--alter', '--entity-type', 'users', '--entity-name', user] as const),
      ...['--add-config', `SCRAM-SHA-512=[password=${password}]`],
    )

  /** Runs until refused, mends, runs until all is there; what the run has said. */
  const outlives = async (scene: KafkaScene, spoil: () => Promise<unknown>, mend: () => void): Promise<string> => {
    const port = await freePort()
    const run = scene.start({ args: ['--port', String(port)] })
    const ready = async () => (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null))?.status
    await run.told('batch_appended')
    await eventually('all of the first', async () => (await scene.rows()) === 300)
    await eventually('ready', async () => (await ready()) === 200)
    await spoil()
    // The fault is the time itself: what logged in before may write until its session ends.
    await delay(sessionMs + 3_000)
    scene.files.serve(100)
    await eventually('not ready', async () => (await ready()) === 503, 20_000)
    const refusals = () => ['commit_retried', 'log_unreachable'].flatMap(type => run.events(type))
    await eventually('refused', () => refusals().some(({ code }) => code === 'log.login_refused'))
    expect(await scene.rows()).toBeLessThan(400)
    mend()
    await eventually('all of it', async () => (await scene.rows()) === 400, 30_000)
    await eventually('ready again', async () => (await ready()) === 200, 15_000)
    scene.files.serve(100)
    await eventually('more', async () => (await scene.rows()) === 500, 15_000)
    expect(run.events('commit_retried').length).toBeLessThan(60)
    const { code, out, err } = await run.end()
    expect(code).toBe(0)
    expect(await scene.drain()).toMatchObject({ code: 0, err: '' })
    expect(await scene.audit()).toEqual({ ok: true, report: '500 served = 495 records + 5 dead letters' })
    return out + err
  }

  // They wait more than they work: side by side.
  describe.concurrent.each(drivers)('%s', driver => {
    test('38, I9: a password that is rotated on the broker: waits, and goes on once its file is rewritten', {
      timeout: 240_000,
    }, async () => {
      const [before, after] = [`before-${driver}`, `after-${driver}`]
      const user = `rotated-${driver}`
      await using scene = sceneOf(driver, `scram_sha_512: { username: ${user}, password: "\${file:password}" }`)
      const write = (password: string) => writeFileSync(join(scene.dir, 'password'), `${password}\n`)
      await setPassword(user, before)
      write(before)
      const said = await outlives(
        scene,
        () => setPassword(user, after),
        () => write(after),
      )
      for (const secret of [before, after]) expect(said).not.toContain(secret)
    })

    test('38, I9: a token that expires: waits, and goes on once its file is rewritten', {
      timeout: 240_000,
    }, async () => {
      await using scene = sceneOf(driver, 'oauthbearer: { token: "${file:token}" }')
      const given: string[] = []
      const write = (lifeMs: number) => {
        given.push(oauthToken('alice', lifeMs))
        writeFileSync(join(scene.dir, 'token'), given.at(-1)!)
      }
      write(600_000)
      const said = await outlives(
        scene,
        async () => write(-600_000),
        () => write(3_600_000),
      )
      for (const token of given) expect(said).not.toContain(token)
    })
  })
})
