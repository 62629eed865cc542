// Transactions that hang, on a real Kafka: what a single broker leaves behind when it decides a transaction while nobody leads its partitions
// ("What the broker must keep" in docs/decisions/0007-spool.md), made here without that race: a broker that does not check whether a partition
// was added takes records into one that was not, and writes no marker there.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { KafkaClient } from '../../../src/adapters/event-log-kafka/client.ts'
import { openCluster } from '../../../src/adapters/event-log-kafka/cluster.ts'
import { drivers } from '../../../src/adapters/event-log-kafka/event-log.ts'
import type { DriverName } from '../../../src/adapters/event-log-kafka/options.ts'
import { BrokerRefusal, refusals } from '../../../src/adapters/event-log-kafka/refusal.ts'
import type { TopicTable } from '../../../src/adapters/event-log-kafka/topic-table.ts'
import { TransactionalProducer } from '../../../src/adapters/event-log-kafka/transaction.ts'
import { toWeirError } from '../../../src/core/errors.ts'
import { eventually } from '../../support/eventually.ts'
import { kafkaOptions, openKafkaLog } from '../../support/kafka-log.ts'
import { describeWith } from '../../support/services/for-tests.ts'
import type { Kafka } from '../../support/services/kafka.ts'

const partitions = 2
const points = { before: 'append.before_commit', after: 'append.after_commit' } as const
/** As a pipeline does: what is proven not written is tried again. */
async function patiently(work: () => Promise<void>): Promise<void> {
  const ends = () =>
    work().then(
      () => true,
      thrown => {
        if (toWeirError(thrown).code !== 'log.unavailable') throw thrown
        return false
      },
    )
  await eventually('it works', ends, 30_000)
}
const names: readonly DriverName[] = ['kafkajs', 'platformatic']

await describeWith(['own-kafka'], 'transactions that hang', startKafka => {
  let kafka: Kafka
  beforeAll(async () => {
    kafka = await startKafka({ properties: { 'transaction.partition.verification.enable': 'false' } })
  }, 120_000)
  afterAll(() => kafka?.[Symbol.asyncDispose]())

  describe.each(names)('%s', { timeout: 90_000 }, name => {
    /** A producer in whose transactions partition 1 is not told of their end, as long as `hangs`. */
    async function opened(topic: string) {
      const options = kafkaOptions(kafka.bootstrap, { driver: name, requestTimeoutMs: 5_000 })
      const log = await openKafkaLog(kafka.bootstrap)
      await log.ensureTopic({ name: topic, partitions, retentionMs: null, retentionBytes: null, maxRecordBytes: 1e6 })
      const cluster = await openCluster(options, (await drivers[name]())(options))
      const state = { hangs: true, refuses: false }
      const lane = cluster.lane()
      const client: KafkaClient = {
        ...lane,
        addPartitions: (producer, those, deadlineMs) =>
          lane.addPartitions(producer, state.hangs ? those.filter(each => each.partition === 0) : those, deadlineMs),
        async produce(producer, batches) {
          const refused = await lane.produce(producer, batches)
          if (!state.refuses) return refused
          const refusal = new BrokerRefusal(refusals.NOT_LEADER_OR_FOLLOWER, 'Produce', topic)
          return [{ topic, partition: 0, refusal, records: [] }]
        },
      }
      const topics = {
        get: async () => ({ name: topic, partitions, maxBatchBytes: 1e6, maxRecordBytes: 1e6 }),
        forget() {},
      }
      const owner = () =>
        new TransactionalProducer({
          ...{ client, clock: options.clock, transactionalId: `weir.${topic}`, compression: 'none' },
          ...{ topics: topics as unknown as TopicTable, transactionTimeoutMs: 60_000, requestTimeoutMs: 1_500 },
        })
      const write = (by: TransactionalProducer, value: string) => {
        const records = [0, 1].map(partition => ({
          ...{ partition, key: null, value: Buffer.from(`${value} in ${partition}`), headers: [] },
          timestampMs: Date.now(),
        }))
        return by.commit([{ topic, records }], null, points)
      }
      const read = async () => {
        const found: string[] = []
        for await (const batch of log.browse(topic, { from: 'earliest' }))
          found.push(...batch.map(({ value }) => Buffer.from(value!).toString()))
        return found.sort()
      }

      const close = async () => {
        await cluster[Symbol.asyncDispose]()
        await log[Symbol.asyncDispose]()
      }
      return { state, owner, write, read, [Symbol.asyncDispose]: close }
    }

    test('I1: records of an aborted transaction are not committed along with their repetition', async () => {
      await using scene = await opened(`aborted-${name}`)
      const owner = scene.owner()
      await patiently(() => owner.takeOver())
      scene.state.refuses = true
      await expect(scene.write(owner, 'a')).rejects.toMatchObject({ code: 'log.unavailable' })
      Object.assign(scene.state, { hangs: false, refuses: false })
      await patiently(() => scene.write(owner, 'a'))
      await eventually('all is there', async () => (await scene.read()).length >= 2)
      expect(await scene.read()).toEqual(['a in 0', 'a in 1'])
    })

    test('I1: records of a committed transaction are not aborted along with the next one', async () => {
      await using scene = await opened(`committed-${name}`)
      const owner = scene.owner()
      await patiently(() => owner.takeOver())
      await patiently(() => scene.write(owner, 'a'))
      Object.assign(scene.state, { hangs: false, refuses: true })
      await expect(scene.write(owner, 'b')).rejects.toMatchObject({ code: 'log.unavailable' })
      await scene.write(owner, 'b').catch(() => {})
      scene.state.refuses = false
      await patiently(() => scene.write(owner, 'b'))
      await eventually('all is there', async () => (await scene.read()).length >= 4)
      expect(await scene.read()).toEqual(['a in 0', 'a in 1', 'b in 0', 'b in 1'])
    })

    test('I1, I7: an owner that takes over ends what hangs of the one before', async () => {
      await using scene = await opened(`taken-${name}`)
      const before = scene.owner()
      await patiently(() => before.takeOver())
      await patiently(() => scene.write(before, 'a'))
      scene.state.hangs = false
      const after = scene.owner()
      await patiently(() => after.takeOver([{ topic: `taken-${name}`, partition: 1 }]))
      expect(await scene.read()).toEqual(['a in 0', 'a in 1'])
      await patiently(() => scene.write(after, 'b'))
      await eventually('all is there', async () => (await scene.read()).length >= 4)
      expect(await scene.read()).toEqual(['a in 0', 'a in 1', 'b in 0', 'b in 1'])
    })
  })
})
