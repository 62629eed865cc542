// Readers in trouble: a consumer that is stopped past its session comes back with a batch in hand (42); records that are damaged on their way
// (44). What another has taken over is not committed twice, and what does not fit its checksum is never decoded.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DriverName } from '../../../src/adapters/event-log-kafka/options.ts'
import { eventually } from '../../support/eventually.ts'
import { errorPosition, type KafkaFrame } from '../../support/fault-proxy/kafka-frames.ts'
import { apis, type KafkaProxy, openKafkaProxy } from '../../support/kafka-proxy.ts'
import { type KafkaScene, type KafkaSceneOptions, kafkaScene, type Running } from '../../support/kafka-scene.ts'
import { describeWith } from '../../support/services/for-tests.ts'
import type { Kafka } from '../../support/services/kafka.ts'
import { steady } from '../../support/services/kafka-settings.ts'

const drivers: readonly DriverName[] = ['kafkajs', 'platformatic']
/** ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID. */
const notOfTheGroup = [22, 25]

await describeWith(['own-kafka', 'kcat'], 'readers in trouble', (startKafka, kcat) => {
  let kafka: Kafka
  let proxy: KafkaProxy
  beforeAll(async () => {
    kafka = await startKafka({ listeners: ['PROXIED'], properties: steady })
    proxy = await openKafkaProxy(kafka.proxied[0]!)
  }, 120_000)
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]()
    await kafka?.[Symbol.asyncDispose]()
  })

  const sceneOf = (options: Partial<KafkaSceneOptions>): KafkaScene =>
    kafkaScene({
      bootstrap: kafka.bootstrap,
      brokers: proxy.address,
      kcat,
      lines: 600,
      malformedEvery: 100,
      ...options,
    })
  const consumed = (runs: readonly Running[], group: string) =>
    runs
      .flatMap(run => run.events('batch_consumed'))
      .filter(event => event['group'] === group)
      .reduce((sum, { records }) => sum + (records as number), 0)

  // All of them wait more than they work: side by side, each with names of its own.
  test.concurrent.each([
    ['before the broker has its offsets', apis.txnOffsetCommit],
    ['before its transaction is ended', apis.endTxn],
  ] as const)(
    '42, I1: a consumer stopped past its session %s commits nothing twice when it comes back',
    {
      timeout: 240_000,
    },
    async (_, apiKey) => {
      await using scene = sceneOf({ partitions: 1, transactionTimeout: 8, follow: true })
      const toFile = / {2}- group: \S+-export.*?(?= {2}- group)/s.exec(
        readFileSync(join(scene.dir, 'pipeline.yaml'), 'utf8'),
      )![0]
      scene.edit(toFile, '')
      const group = `${scene.pipeline}-copy`
      expect(await scene.drain({ args: ['--stage', 'producer'] })).toMatchObject({ code: 0, err: '' })

      const ofGroup = (frame: KafkaFrame) => frame.bytes.includes(`weir.${group}`)
      const held = proxy.on({ apiKey, direction: 'request', nth: 1, where: ofGroup }, { do: 'hold', client: 'hang' })
      let resumed = false
      let answered: number | null = null
      const first = scene.start({ args: ['--stage', 'consumer'] })
      await held.hit
      first.child.kill('SIGSTOP')
      const { correlationId } = await held.hit
      proxy.on(
        {
          apiKey,
          direction: 'answer',
          where: frame => {
            if (resumed && frame.correlationId === correlationId && answered === null)
              answered = frame.bytes.readInt16BE(errorPosition(frame))
            return false
          },
        },
        { do: 'copy' },
      )
      const second = scene.start({ args: ['--stage', 'consumer'] })
      await eventually('the other has read all', () => consumed([second], group) === 594, 40_000)
      resumed = true
      held.resume()
      await eventually('the broker has answered', () => answered !== null)
      first.child.kill('SIGCONT')
      if (apiKey === apis.txnOffsetCommit) expect(notOfTheGroup).toContain(answered)
      else expect(answered).not.toBe(0)
      const knows = () =>
        apiKey === apis.endTxn
          ? first.events('commit_unknown').length > 0
          : first.events('warning').some(({ code }) => code === 'log.fenced')
      await eventually('it knows', knows, 20_000)
      scene.files.serve(100)
      expect(await scene.drain({ args: ['--stage', 'producer'] })).toMatchObject({ code: 0, err: '' })
      await eventually('the rest', () => consumed([first, second], group) === 693, 30_000)
      for (const run of [first, second]) expect(await run.end()).toMatchObject({ code: 0, err: '' })
      scene.edit('consume:\n', `consume:\n${toFile}`)
      expect(await scene.drain()).toMatchObject({ code: 0, err: '' })
      expect(await scene.audit()).toEqual({ ok: true, report: '700 served = 693 records + 7 dead letters' })
    },
  )

  describe.concurrent.each(drivers)('%s', driver => {
    test('44: records damaged on their way are fetched again, and never decoded', { timeout: 240_000 }, async () => {
      await using scene = sceneOf({ driver })
      expect(await scene.drain({ args: ['--stage', 'producer'] })).toMatchObject({ code: 0, err: '' })
      let flipped = 0
      proxy.on(
        {
          apiKey: apis.fetch,
          direction: 'answer',
          // Every second answer that carries records of the topic, at most four: not the same one until it is given up.
          where: ({ bytes }) =>
            bytes.includes(scene.topic) && bytes.length > 1_000 && flipped++ < 8 && flipped % 2 === 1,
        },
        {
          do: 'rewrite',
          with: ({ bytes }) => {
            bytes[bytes.length >> 1]! ^= 1 << (flipped % 8)
            return bytes
          },
        },
      )
      expect(await scene.drain()).toMatchObject({ code: 0, err: '' })
      expect(flipped).toBeGreaterThan(2)
      expect(await scene.audit()).toEqual({ ok: true, report: '600 served = 594 records + 6 dead letters' })
    })
  })
})
