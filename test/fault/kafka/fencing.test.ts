// Transactions that somebody else ends, on a real Kafka, through each driver: the broker by its timeout (fault 32), another producer (33),
// another owner while this process stood still (6). Whoever is fenced writes nothing more, tries nothing again and says so.
import { Kafka as KafkaJs, logLevel } from 'kafkajs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DriverName } from '../../../src/adapters/event-log-kafka/options.ts'
import { hitOf, outlasted, stopAt, type Transactions, watchTransactions, zombie } from '../../support/kafka-faults.ts'
import { apis, type KafkaProxy, openKafkaProxy, withError } from '../../support/kafka-proxy.ts'
import { type KafkaScene, type KafkaSceneOptions, kafkaScene } from '../../support/kafka-scene.ts'
import { describeWith } from '../../support/services/for-tests.ts'

const drivers: readonly DriverName[] = ['kafkajs', 'platformatic']
/** No request is given up and no transaction is taken for timed out, however slow the machine: being fenced is all that happens. */
const patient = { transactionTimeout: 60, requestTimeout: 60 } as const

await describeWith(
  ['apache-kafka', 'kcat'],
  'a transaction that somebody else ends',
  ({ bootstrap, proxied }, kcat) => {
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
    const all = { ok: true, report: '6000 served = 5940 records + 60 dead letters' }

    test('32, I1: stopped for 8 s before a Produce or an EndTxn, past the timeout of the transaction: goes on by itself, each batch is there once', {
      timeout: 240_000,
    }, async () => {
      const cases = drivers.flatMap(driver => (['produce', 'endTxn'] as const).map(api => ({ driver, api })))
      await Promise.all(
        cases.map(async ({ driver, api }) => {
          await using scene = sceneOf({ driver, transactionTimeout: 5, sessionTimeout: 30, requestTimeout: 30 })
          const { code, err, out } = await stopAt(proxy, scene, apis[api], 8_000)
          expect({ driver, api, code, err }).toEqual({ driver, api, code: 0, err: '' })
          expect({ driver, api, doubts: out.split('"event":"commit_unknown"').length - 1 }).toEqual({
            driver,
            api,
            doubts: 1,
          })
          expect(await scene.audit()).toEqual(all)
        }),
      )
    })

    test('6, I7: stopped in a transaction until another has taken over: writes 0 rows, exits, says that it was fenced', {
      timeout: 240_000,
    }, async () => {
      // Its requests are given up the moment it goes on, or are not.
      const timeoutsOf = [{ ...outlasted, requestTimeout: 5 }, outlasted]
      const cases = drivers.flatMap(driver => timeoutsOf.map(timeouts => ({ driver, timeouts })))
      await Promise.all(
        cases.map(async ({ driver, timeouts }) => {
          await using scene = sceneOf({ driver, ...timeouts })
          const { result, rows } = await zombie(proxy, scene)
          const { code, err } = result
          const fenced = { driver, timeouts, code: 3, err: expect.stringContaining('log.fenced') }
          expect({ driver, timeouts, code, err }).toEqual(fenced)
          expect(rows[1] - rows[0]).toBe(0)
          expect((await scene.drain()).code).toBe(0)
          expect(await scene.audit()).toEqual({ ok: true, report: '7000 served = 6930 records + 70 dead letters' })
        }),
      )
    })

    describe.each(drivers)('%s', driver => {
      test('33, I7: another producer takes the transactional id: no retry, exit 3, says that it was fenced', {
        timeout: 120_000,
      }, async () => {
        await using scene = sceneOf({ driver, ...patient })
        const watched = watchTransactions(proxy, scene)
        const rule = proxy.on({ apiKey: apis.endTxn, direction: 'request', nth: 3 }, { do: 'hold', client: 'hang' })
        const running = scene.start()
        await hitOf(rule, running)
        const producer = new KafkaJs({ brokers: [bootstrap], logLevel: logLevel.NOTHING }).producer({
          transactionalId: scene.transactionalId(0),
          idempotent: true,
          maxInFlightRequests: 1,
        })
        await producer.connect()
        await (await producer.transaction()).abort()
        const writes = watched.writes
        rule.resume()
        const { code, err } = await running.result
        await producer.disconnect()
        expect({ code, err }).toEqual({ code: 3, err: expect.stringContaining('log.fenced') })
        expect(running.events('fenced')).not.toEqual([])
        expect(watched.writes).toBe(writes)
        expect((await scene.drain()).code).toBe(0)
        expect(await scene.audit()).toEqual(all)
      })

      test('33, I7: codes 47 and 90, wherever they come: no retry, exit 3, says that it was fenced', {
        timeout: 400_000,
      }, async () => {
        await using scene = sceneOf({ driver, lines: 40_000, ...patient })
        for (const code of [47, 90])
          for (const answer of ['endTxn', 'addPartitionsToTxn', 'produce', 'initProducerId', 'initProducerId of renew'])
            expect(await fencedBy(proxy, scene, answer, code)).toEqual({
              of: `${answer} ${code}`,
              code: 3,
              said: true,
              retried: 0,
            })
        expect((await scene.drain()).code).toBe(0)
        expect(await scene.audit()).toEqual({ ok: true, report: '40000 served = 39600 records + 400 dead letters' })
      })
    })
  },
)

/** One run whose second such answer says this code. */
async function fencedBy(proxy: KafkaProxy, scene: KafkaScene, answer: string, code: number) {
  const watched = watchTransactions(proxy, scene)
  const ofRenew = answer === 'initProducerId of renew'
  const apiKey = ofRenew
    ? apis.initProducerId
    : apis[answer as 'endTxn' | 'addPartitionsToTxn' | 'produce' | 'initProducerId']
  let writes = 0
  // Buckets begin their epochs in any order: the first answer will do. Of the others the second, when something is written.
  let seen = 0
  const doubt = ofRenew ? proxy.on({ apiKey: apis.endTxn, direction: 'answer', nth: 2 }, { do: 'drop' }) : null
  const where = () => {
    if (ofRenew) {
      if (doubt!.hits === 0) return false
    } else if (++seen < (apiKey === apis.initProducerId ? 1 : 2)) return false
    if (rule.hits > 0) return false
    writes = watched.writes
    return true
  }
  const rule = proxy.on({ apiKey, direction: 'answer', where }, withError(code))
  const result = await scene.drain()
  rule.remove()
  doubt?.remove()
  return {
    of: `${answer} ${code}`,
    code: result.code,
    said: result.err.includes('log.fenced'),
    retried: retriedSince(watched, writes),
  }
}

const retriedSince = (watched: Transactions, writes: number) => watched.writes - writes
