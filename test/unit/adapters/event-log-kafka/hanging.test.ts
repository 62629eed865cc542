// Transactions that the coordinator has ended while partitions were not told of it: what Apache Kafka does while a single broker stops or starts
// (its log: `Couldn't find leader endpoint … likely deleted already and hence can be skipped`). The records stand open, and the next marker of
// the same producer in that partition decides about them.
import { expect, test } from 'vitest'
import type {
  Decision,
  KafkaClient,
  ProducerIdentity,
  TopicPartition,
} from '../../../../src/adapters/event-log-kafka/client.ts'
import { BrokerRefusal, refusals } from '../../../../src/adapters/event-log-kafka/refusal.ts'
import type { TopicTable } from '../../../../src/adapters/event-log-kafka/topic-table.ts'
import { TransactionalProducer } from '../../../../src/adapters/event-log-kafka/transaction.ts'
import { systemClock } from '../../../../src/core/clock.ts'
import { WeirError } from '../../../../src/core/errors.ts'
import type { OutRecord } from '../../../../src/core/record.ts'

const refusing = (code: number, api = 'Produce') => new BrokerRefusal(code, api, 't[0]')
const silence = () => new WeirError('log.unavailable', 'silence')
const points = { before: 'append.before_commit', after: 'append.after_commit' } as const
const timestampMs = 0
const appendTo = (...partitions: number[]) => [
  {
    topic: 't',
    records: partitions.map(
      (partition): OutRecord => ({ key: null, value: Buffer.from('v'), headers: [], timestampMs, partition }),
    ),
  },
]
/** `"g".hashCode() % 50`, as Kafka places a group. */
const offsetsPartition = 103 % 50
const offsets = {
  member: { group: 'g', memberId: 'm', generation: 1 },
  positions: [{ topic: 's', partition: 0, offset: 1n }],
}
const place = (partition: number): TopicPartition => ({ topic: 't', partition })

/** One topic and one coordinator, which writes markers only where `deaf` does not have the partition. */
function forgetful() {
  const calls: string[] = []
  const failures = new Map<string, (Error | null)[]>()
  const on = new Map<string, () => void>()
  const deaf = new Set<number>()
  const batches: { readonly partition: number; readonly number: number; state: 'open' | Decision }[] = []
  const added = new Set<number>()
  const coordinator = { epoch: -1, state: 'Empty' as 'Empty' | 'Ongoing' | Decision, tells: true }
  let number = 0
  const call = (name: string, told: string = name) => {
    calls.push(told)
    on.get(name)?.()
    const failure = failures.get(name)?.shift()
    if (failure) throw failure
  }
  const fence = (at: ProducerIdentity, api: string) => {
    if (at.epoch !== coordinator.epoch) throw refusing(refusals.PRODUCER_FENCED, api)
  }
  const decide = (decision: Decision) => {
    coordinator.state = decision
    for (const each of batches)
      if (each.state === 'open' && added.has(each.partition) && !deaf.has(each.partition)) each.state = decision
    added.clear()
  }
  const client: Partial<KafkaClient> = {
    drop: () => {},
    async decisionOf() {
      if (!coordinator.tells || coordinator.state === 'Empty') return null
      return coordinator.state === 'Ongoing' ? 'abort' : coordinator.state
    },
    async openIn(_, partitions) {
      call('look')
      return partitions.filter(({ partition }) =>
        batches.some(each => each.partition === partition && each.state === 'open'),
      )
    },
    async initProducer(transactionalId, { current }) {
      call('init')
      if (current !== null && current.epoch !== coordinator.epoch)
        throw refusing(refusals.PRODUCER_FENCED, 'InitProducerId')
      if (coordinator.state === 'Ongoing') decide('abort')
      coordinator.state = 'Empty'
      return { transactionalId, producerId: 1n, epoch: ++coordinator.epoch }
    },
    async addPartitions(at, partitions) {
      call('add')
      fence(at, 'AddPartitionsToTxn')
      coordinator.state = 'Ongoing'
      for (const { partition } of partitions) added.add(partition)
    },
    async addOffsets(at) {
      call('offsets')
      fence(at, 'AddOffsetsToTxn')
      coordinator.state = 'Ongoing'
      added.add(offsetsPartition)
    },
    async commitOffsetsInTransaction() {
      batches.push({ partition: offsetsPartition, number, state: 'open' })
    },
    metadata: async () => {
      call('metadata', 'metadata')
      return [{ topic: '__consumer_offsets', partitions: Array.from({ length: 50 }, () => ({}) as never) }]
    },
    async produce(at, round) {
      call('produce')
      fence(at, 'Produce')
      number++
      batches.push(...round.map(({ partition }) => ({ partition, number, state: 'open' as const })))
      call('produced')
      return []
    },
    async endTransaction(at, commit) {
      call('end', commit ? 'commit' : 'abort')
      fence(at, 'EndTxn')
      const decision = commit ? 'commit' : 'abort'
      if (coordinator.state === 'Ongoing') decide(decision)
      else if (coordinator.state !== decision) throw refusing(refusals.INVALID_TXN_STATE, 'EndTxn')
      call('ended')
    },
    [Symbol.asyncDispose]: async () => {},
  }
  const topics = {
    get: async (name: string) => ({ name, partitions: 3, maxBatchBytes: 1e6, maxRecordBytes: 1e6 }),
    forget: () => {},
  }
  return {
    coordinator,
    deaf,
    on,
    asked: () => calls.splice(0),
    /** What becomes of the coming calls of that name: null goes well, as do those after the last. */
    fails: (name: string, ...errors: (Error | null)[]) => failures.set(name, errors),
    owner: () =>
      new TransactionalProducer({
        client: client as KafkaClient,
        topics: topics as unknown as TopicTable,
        clock: systemClock,
        transactionalId: 'id',
        compression: 'none',
        transactionTimeoutMs: 30_000,
        requestTimeoutMs: 50,
      }),
    /** Batches by the number of their Produce request: `2/0` is the second's, in partition 0. */
    visible: () => told(batches.filter(({ state }) => state === 'commit')),
    open: () => told(batches.filter(({ state }) => state === 'open')),
  }
}
const told = (those: readonly { readonly partition: number; readonly number: number }[]) =>
  those.map(({ number, partition }) => `${number}/${partition}`)

async function started(cluster: ReturnType<typeof forgetful>, touched: readonly TopicPartition[] = []) {
  const owner = cluster.owner()
  await owner.takeOver(touched)
  const commit = (...partitions: number[]) => owner.commit(appendTo(...partitions), null, points)
  return { owner, commit }
}

test('I1: records of an aborted transaction that hang are not committed by the next one of the producer', async () => {
  const cluster = forgetful()
  const { commit } = await started(cluster)
  cluster.fails('produced', refusing(refusals.NOT_LEADER_OR_FOLLOWER))
  await expect(commit(0, 1)).rejects.toMatchObject({ code: 'log.unavailable' })
  // The broker is stopping: the abort is decided, and nobody leads the partitions any more.
  cluster.deaf.add(0).add(1)
  cluster.fails('init', silence())
  await expect(commit(0, 1)).rejects.toMatchObject({ code: 'log.unavailable' })
  expect(cluster).toMatchObject({ coordinator: { state: 'abort' } })
  expect(cluster.open()).toEqual(['1/0', '1/1'])
  cluster.deaf.clear()
  await commit(0, 1)
  expect([cluster.visible(), cluster.open()]).toEqual([['2/0', '2/1'], []])
})

test('I1, L2: in doubt and hanging in some partitions: renewing ends it there as it ended elsewhere', async () => {
  for (const [ends, visible] of [
    ['ended', ['1/0', '1/1']],
    ['end', []],
  ] as const) {
    const cluster = forgetful()
    const { owner, commit } = await started(cluster)
    cluster.deaf.add(1)
    cluster.fails(ends, silence())
    await expect(commit(0, 1)).rejects.toMatchObject({ code: 'log.outcome_unknown' })
    cluster.fails('init', silence())
    await expect(owner.renew()).rejects.toMatchObject({ code: 'log.unavailable' })
    cluster.deaf.clear()
    await owner.renew()
    expect([cluster.visible(), cluster.open()]).toEqual([visible, []])
    await commit(0)
    expect(cluster.visible()).toEqual([...visible, '2/0'])
  }
})

test('I1: a commit that was told and hangs is completed before anything is begun behind it', async () => {
  const cluster = forgetful()
  const { commit } = await started(cluster)
  cluster.deaf.add(0).add(1)
  await commit(0, 1)
  expect(cluster.open()).toEqual(['1/0', '1/1'])
  cluster.asked()
  await expect(commit(0)).rejects.toMatchObject({ code: 'log.unavailable', message: expect.stringMatching(/hangs in/) })
  expect(cluster.asked().filter(each => each !== 'look')).toEqual([])
  cluster.deaf.clear()
  await commit(0)
  expect([cluster.visible(), cluster.open()]).toEqual([['1/0', '1/1', '2/0'], []])
})

test('whoever is closed ends what hangs', async () => {
  const cluster = forgetful()
  const { owner, commit } = await started(cluster)
  cluster.deaf.add(0)
  await commit(0)
  cluster.on.set('init', () => cluster.deaf.clear())
  await owner[Symbol.asyncDispose]()
  expect([cluster.visible(), cluster.open()]).toEqual([['1/0'], []])
})

test("a group's offsets that hang are ended with it, where the broker lets us look for them", async () => {
  const cluster = forgetful()
  const { owner } = await started(cluster)
  cluster.deaf.add(offsetsPartition)
  await owner.commit(appendTo(0), offsets, points)
  expect(cluster.open()).toEqual([`1/${offsetsPartition}`])
  cluster.deaf.clear()
  await owner.renew()
  expect(cluster.open()).toEqual([])
})

test('where the topic of the offsets may not be looked at, commits go on', async () => {
  const cluster = forgetful()
  const { owner } = await started(cluster)
  cluster.fails('metadata', ...Array.from({ length: 4 }, () => refusing(refusals.TOPIC_AUTHORIZATION_FAILED)))
  await owner.commit(appendTo(0), offsets, points)
  await owner.commit(appendTo(0), offsets, points)
  expect(cluster.visible()).toEqual(['1/0', `1/${offsetsPartition}`, '2/0', `2/${offsetsPartition}`])
})

test('I1, I7: an owner that takes over ends what hangs of the one before: at once where told, elsewhere before it writes there', async () => {
  for (const decision of ['commit', 'abort'] as const) {
    const cluster = forgetful()
    const before = await started(cluster)
    cluster.deaf.add(1).add(2)
    if (decision === 'abort') cluster.fails('end', silence())
    await before.commit(0, 1, 2).catch(() => {})
    const visible = decision === 'commit' ? ['1/0', '1/1', '1/2'] : []
    if (decision === 'abort') {
      // The broker does it, by the timeout of the transaction.
      await cluster.owner().takeOver()
      cluster.coordinator.state = 'abort'
    }
    cluster.deaf.clear()
    const after = await started(cluster, [place(1)])
    expect(cluster.open()).toEqual(['1/2'])
    await after.commit(0)
    await after.commit(2)
    expect([cluster.visible(), cluster.open()]).toEqual([[...visible, '2/0', '3/2'], []])
  }
})

test('what hangs is ended as decided although its end is interrupted', async () => {
  for (const step of ['add', 'end', 'ended']) {
    const cluster = forgetful()
    const { owner, commit } = await started(cluster)
    cluster.deaf.add(0)
    cluster.fails('ended', silence())
    await expect(commit(0)).rejects.toMatchObject({ code: 'log.outcome_unknown' })
    cluster.deaf.clear()
    cluster.fails(step, silence())
    await expect(owner.renew()).rejects.toMatchObject({ code: 'log.unavailable' })
    await owner.renew()
    expect([step, cluster.visible(), cluster.open()]).toEqual([step, ['1/0'], []])
  }
})

test('where it is not known how it was decided, or the end does not arrive, nothing is written behind it', async () => {
  for (const why of ['not known', 'did not arrive']) {
    const cluster = forgetful()
    const { owner, commit } = await started(cluster)
    cluster.deaf.add(0)
    cluster.fails('ended', silence())
    await expect(commit(0)).rejects.toMatchObject({ code: 'log.outcome_unknown' })
    cluster.coordinator.tells = why !== 'not known'
    for (let i = 0; i < 2; i++)
      await expect(owner.renew()).rejects.toMatchObject({
        code: 'log.unavailable',
        message: expect.stringMatching(new RegExp(`hangs in t\\[0\\]: .*${why}`)),
      })
    await expect(commit(0)).rejects.toMatchObject({ code: 'log.outcome_unknown' })
    expect(cluster.open()).toEqual(['1/0'])
  }
})

test('while all goes well each transaction is looked at once, after its end, and what an epoch touches for the first time before', async () => {
  const cluster = forgetful()
  const { commit } = await started(cluster)
  cluster.asked()
  await commit(0, 1)
  expect(cluster.asked()).toEqual(['look', 'add', 'produce', 'produced', 'commit', 'ended', 'look'])
  await commit(1)
  expect(cluster.asked()).toEqual(['add', 'produce', 'produced', 'commit', 'ended', 'look'])
})
