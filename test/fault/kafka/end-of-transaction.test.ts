// The end of a transaction in doubt, on a real Kafka, through each driver (faults 30, 31): answers that are lost, and requests that arrive when
// the next transaction of a new epoch has begun (Jepsen's case). Nothing is lost, doubled or torn, and no epoch is used after a doubt (L2).
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DriverName } from '../../../src/adapters/event-log-kafka/options.ts'
import { lateRequest, loseAnswers, twoRounds, watchTransactions } from '../../support/kafka-faults.ts'
import { type KafkaProxy, openKafkaProxy } from '../../support/kafka-proxy.ts'
import { type KafkaScene, type KafkaSceneOptions, kafkaScene } from '../../support/kafka-scene.ts'
import { describeWith } from '../../support/services/for-tests.ts'

const drivers: readonly DriverName[] = ['kafkajs', 'platformatic']
/** What a broker says to an epoch that is over: INVALID_PRODUCER_EPOCH, PRODUCER_FENCED. */
const fencedCodes = [47, 90]

await describeWith(['apache-kafka', 'kcat'], 'the end of a transaction', ({ bootstrap, proxied }, kcat) => {
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
      lines: 1_000,
      malformedEvery: 100,
      consumes: false,
      ...options,
    })

  describe.each(drivers)('%s', driver => {
    test('30, I1, L2: of 50 commits 10 answers are lost: nothing is lost or doubled, no epoch goes on after a doubt', {
      timeout: 240_000,
    }, async () => {
      await using scene = sceneOf({ driver, lines: 104_000, requestTimeout: 3 })
      const watched = watchTransactions(proxy, scene)
      const answers = loseAnswers(proxy, watched)
      const { code, err, out } = await scene.drain()
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(answers.lost).toBe(10)
      // Where the broker is slow, an answer that nobody lost may be one too.
      expect(out.split('"event":"commit_unknown"').length - 1).toBeGreaterThanOrEqual(10)
      expect(watched.requests.filter(({ api }) => api === 'end').length).toBeGreaterThanOrEqual(50)
      expect(watched.afterDoubt()).toEqual([])
      expect(await scene.audit()).toEqual({ ok: true, report: '104000 served = 102960 records + 1040 dead letters' })
    })

    test.each(['endTxn', 'produce', 'addPartitionsToTxn'] as const)(
      '31, I1, L2: %s arrives in the middle of the next transaction: the broker refuses it, nothing is torn or lost',
      { timeout: 240_000 },
      async api => {
        await using scene = sceneOf({ driver, ...twoRounds })
        const { result, code } = await lateRequest(proxy, scene, api)
        expect({ code: result.code, err: result.err }).toEqual({ code: 0, err: '' })
        expect(fencedCodes).toContain(code)
        expect(await scene.audit()).toEqual({ ok: true, report: '10000 served = 9900 records + 100 dead letters' })
      },
    )
  })
})
