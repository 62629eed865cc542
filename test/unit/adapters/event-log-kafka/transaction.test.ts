// A transactional producer over a coordinator as brokers with transactions of version 1 have it (before Kafka 4, and 4 until it is told
// otherwise): asked for the next epoch while a transaction stands open, it takes one for itself and calls the asker's fenced.
import { expect, test } from 'vitest'
import type { KafkaClient, ProducerIdentity } from '../../../../src/adapters/event-log-kafka/client.ts'
import { BrokerRefusal, refusals } from '../../../../src/adapters/event-log-kafka/refusal.ts'
import type { TopicTable } from '../../../../src/adapters/event-log-kafka/topic-table.ts'
import { TransactionalProducer } from '../../../../src/adapters/event-log-kafka/transaction.ts'
import { WeirError } from '../../../../src/core/errors.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'

const refusing = (code: number, api = 'Produce') => new BrokerRefusal(code, api, 't[0]')
const silence = () => new WeirError('log.unavailable', 'silence')
const points = { before: 'append.before_commit', after: 'append.after_commit' } as const
const appends = [
  { topic: 't', records: [{ key: null, value: Buffer.from('v'), headers: [], timestampMs: 0, partition: 0 }] },
]

/** `failures`: what becomes of the coming calls, by name; what is not there goes well. */
function opened() {
  const calls: string[] = []
  const failures = new Map<string, Error[]>()
  let epoch = -1
  let isOpen = false
  const call = (name: string, told = name) => {
    calls.push(told)
    const failure = failures.get(name)?.shift()
    if (failure) throw failure
  }
  const fence = (at: ProducerIdentity, api: string) => {
    if (at.epoch !== epoch) throw refusing(refusals.PRODUCER_FENCED, api)
  }
  const client: Partial<KafkaClient> = {
    drop: () => {},
    decisionOf: async () => null,
    openIn: async () => [],
    async initProducer(transactionalId, { current }) {
      call('init', current === null ? 'take' : 'init')
      const ends = isOpen
      if (ends) epoch++
      isOpen = false
      if (current !== null && current.epoch !== epoch)
        throw refusing(ends ? refusals.CONCURRENT_TRANSACTIONS : refusals.PRODUCER_FENCED, 'InitProducerId')
      return { transactionalId, producerId: 1n, epoch: ++epoch }
    },
    async addPartitions(at) {
      call('add')
      fence(at, 'AddPartitionsToTxn')
      isOpen = true
    },
    async produce() {
      call('produce')
      return []
    },
    async endTransaction(at, commit) {
      call('end', commit ? 'commit' : 'abort')
      fence(at, 'EndTxn')
      isOpen = false
    },
    [Symbol.asyncDispose]: async () => {},
  }
  const forgotten: string[] = []
  const topics = {
    get: async (name: string) => ({ name, partitions: 1, maxBatchBytes: 1e6, maxRecordBytes: 1e6 }),
    forget: (name: string) => void forgotten.push(name),
  }
  const clock = createFakeClock()
  const producer = new TransactionalProducer({
    client: client as KafkaClient,
    topics: topics as unknown as TopicTable,
    clock,
    transactionalId: 'id',
    compression: 'none',
    transactionTimeoutMs: 30_000,
    requestTimeoutMs: 1_000,
  })
  return {
    clock,
    forgotten,
    producer,
    asked: () => calls.splice(0),
    fails: (name: string, ...errors: Error[]) => failures.set(name, errors),
    commit: () => producer.commit(appends, null, points),
    /** Another owner begins, and perhaps a transaction. */
    taken: (begins: boolean) => {
      epoch++
      isOpen = begins
    },
    isOpen: () => isOpen,
  }
}

test('I1: what was refused is aborted before the next epoch is asked for, and the next transaction is stored', async () => {
  const { producer, asked, fails, commit } = opened()
  await producer.takeOver()
  fails('produce', refusing(refusals.NOT_LEADER_OR_FOLLOWER))
  await expect(commit()).rejects.toMatchObject({ code: 'log.unavailable' })
  asked()
  await commit()
  expect(asked()).toEqual(['abort', 'init', 'add', 'produce', 'commit'])
})

test('L2: nothing is aborted while a request may be on its way, nor after the end was asked for', async () => {
  for (const [name, code] of [
    ['produce', 'log.unavailable'],
    ['end', 'log.outcome_unknown'],
  ] as const) {
    const { producer, asked, fails, commit } = opened()
    await producer.takeOver()
    fails(name, silence())
    await expect(commit()).rejects.toMatchObject({ code })
    await producer.renew().catch(() => {})
    expect(asked()).not.toContain('abort')
  }
})

test('I1: an epoch that the coordinator took while it ended our transaction is a doubt, and renewing takes another', async () => {
  const { producer, asked, fails, commit } = opened()
  await producer.takeOver()
  fails('produce', silence())
  await expect(commit()).rejects.toMatchObject({ code: 'log.unavailable' })
  await expect(commit()).rejects.toMatchObject({ code: 'log.unavailable' })
  await expect(commit()).rejects.toMatchObject({ code: 'log.outcome_unknown' })
  asked()
  await producer.renew()
  expect(asked()).toEqual(['init', 'take'])
  await commit()
})

test('I7: fenced at once is fenced: no other epoch is asked for, now or when it is closed', async () => {
  for (const name of ['add', 'produce', 'end', 'init']) {
    const { producer, asked, fails, commit } = opened()
    await producer.takeOver()
    if (name === 'init') {
      fails('produce', silence())
      await commit().catch(() => {})
    }
    asked()
    fails(name, refusing(refusals.PRODUCER_FENCED))
    await expect(commit()).rejects.toMatchObject({ code: 'log.fenced' })
    await producer[Symbol.asyncDispose]()
    expect(asked().filter(each => each === 'init' || each === 'take' || each === 'abort')).toEqual(
      name === 'init' ? ['init'] : [],
    )
  }
})

test('I7: whoever may have lost the id leaves the transaction of its successor alone', async () => {
  const { producer, fails, commit, taken, isOpen } = opened()
  await producer.takeOver()
  fails('produce', silence())
  await commit().catch(() => {})
  taken(true)
  producer.leave()
  await producer[Symbol.asyncDispose]()
  expect(isOpen()).toBe(true)
})

test('an abort that finds another owner tells so', async () => {
  const { producer, asked, fails, commit, taken, isOpen } = opened()
  await producer.takeOver()
  fails('produce', refusing(refusals.REQUEST_TIMED_OUT))
  await commit().catch(() => {})
  taken(true)
  asked()
  await expect(commit()).rejects.toMatchObject({ code: 'log.fenced' })
  expect(asked()).toEqual(['abort'])
  expect(isOpen()).toBe(true)
})

test('I6: a topic that a broker does not know is asked for again; one that stays unknown for ten seconds is told so', async () => {
  const { clock, forgotten, producer, fails, commit } = opened()
  await producer.takeOver()
  const unknown = () => refusing(refusals.UNKNOWN_TOPIC_OR_PARTITION, 'AddPartitionsToTxn')
  fails('add', unknown(), unknown())
  await expect(commit()).rejects.toMatchObject({ code: 'log.unavailable', message: expect.stringContaining('t[0]') })
  expect(forgotten).toEqual(['t'])
  await clock.advance(9_999)
  await expect(commit()).rejects.toMatchObject({ code: 'log.unavailable' })
  await commit()
  // It was there in between, so the time counts anew.
  fails('add', unknown(), unknown())
  await clock.advance(10_000)
  await expect(commit()).rejects.toMatchObject({ code: 'log.unavailable' })
  await clock.advance(10_000)
  await expect(commit()).rejects.toMatchObject({ code: 'log.topic_unknown' })
})
