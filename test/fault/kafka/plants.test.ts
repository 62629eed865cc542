// Bugs planted into the Kafka log: each must be found by the scene that is there to find it, or these tests prove nothing.
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  lateRequest,
  loseAnswers,
  outlasted,
  twoRounds,
  watchTransactions,
  zombie,
} from '../../support/kafka-faults.ts'
import { type KafkaProxy, openKafkaProxy } from '../../support/kafka-proxy.ts'
import { type KafkaScene, type KafkaSceneOptions, kafkaScene } from '../../support/kafka-scene.ts'
import type { kafkaPlants } from '../../support/plants.ts'
import { describeWith } from '../../support/services/for-tests.ts'

type Found = (plant: keyof typeof kafkaPlants) => Promise<void>

await describeWith(['apache-kafka', 'kcat'], 'planted bugs are found', ({ bootstrap, proxied }, kcat) => {
  let proxy: KafkaProxy
  beforeEach(async () => {
    proxy = await openKafkaProxy(proxied)
  })
  afterEach(() => proxy?.[Symbol.asyncDispose]())

  const sceneOf = (options: Partial<KafkaSceneOptions>): KafkaScene =>
    kafkaScene({
      bootstrap,
      brokers: proxy.address,
      kcat,
      lines: 6_000,
      malformedEvery: 100,
      consumes: false,
      ...options,
    })
  const scenes: Readonly<Record<keyof typeof kafkaPlants, Found>> = {
    'the end of a transaction is asked for again in the same epoch': async plant => {
      await using scene = sceneOf(twoRounds)
      const { result } = await lateRequest(proxy, scene, 'endTxn', { plant })
      expect(result.code).toBe(0)
      expect(await scene.audit()).toMatchObject({ ok: false, report: expect.stringMatching(/^duplicate /m) })
    },
    'after a doubt the cursor is taken from memory': async plant => {
      await using scene = sceneOf({ lines: 12_000 })
      loseAnswers(proxy, watchTransactions(proxy, scene))
      expect(await scene.drain({ plant })).toMatchObject({ code: 0 })
      expect(await scene.audit()).toMatchObject({ ok: false, report: expect.stringMatching(/^duplicate /m) })
    },
    'the cursor is stored in a transaction of its own': async plant => {
      await using scene = sceneOf({})
      expect(await scene.drain({ plant, failpoint: 'append.after_commit:3:kill' })).toMatchObject({ signal: 'SIGKILL' })
      expect(await scene.drain({ plant })).toMatchObject({ code: 0 })
      expect(await scene.audit()).toMatchObject({ ok: false, report: expect.stringMatching(/^duplicate /m) })
    },
    'whoever was paused takes a new epoch without asking whether it still belongs': async plant => {
      await using scene = sceneOf(outlasted)
      const { rows, result } = await zombie(proxy, scene, { plant })
      expect(rows[1] - rows[0], `${result.err}\n${result.out.slice(-3_000)}`).toBeGreaterThan(0)
    },
  }
  test.each(Object.keys(scenes) as (keyof typeof kafkaPlants)[])('%s', { timeout: 240_000 }, plant =>
    scenes[plant](plant),
  )
})
