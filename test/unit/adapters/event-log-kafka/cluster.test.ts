// How a lane finds the broker to ask, what it does when that is the wrong one, and what it makes of an answer that is no answer.
import { describe, expect, test } from 'vitest'
import type { GroupMember, ProducerIdentity } from '../../../../src/adapters/event-log-kafka/client.ts'
import type { BrokerRefusal } from '../../../../src/adapters/event-log-kafka/refusal.ts'
import { WeirError } from '../../../../src/core/errors.ts'
import { eventually } from '../../../support/eventually.ts'
import { code, coordinatorAt, metadataOf, openScripted, type Reply } from '../../../support/scripted-cluster.ts'

const producer: ProducerIdentity = { transactionalId: 'tx', producerId: 5n, epoch: 1 }
const member: GroupMember = { group: 'readers', memberId: 'm', generation: 1 }
const refusal = (number: number) => expect.objectContaining({ name: 'BrokerRefusal', code: number })
const unavailable = (message: string | RegExp) =>
  expect.objectContaining({ code: 'log.unavailable', message: expect.stringMatching(message) })

/** Answers each partition that is asked about with an error code; offsets and the like are what `more` writes. */
const perPartition =
  (
    errorOf: (topic: string, partition: number) => number,
    more: (to: Parameters<Reply>[0]) => unknown = () => {},
  ): Reply =>
  (to, _, { name, body }) => {
    const asked = partitionsOf(name, Buffer.from(body))
    to.array(asked, ([topic, partitions]) =>
      to.string(topic).array(partitions, partition => {
        to.int32(partition).int16(errorOf(topic, partition))
        more(to)
      }),
    )
    if (name === 'Produce') to.int32(0)
  }

/** Topics and partitions of requests whose fields the tests know: one topic `a`, partitions as single digits after it. */
function partitionsOf(name: string, body: Buffer): [string, number[]][] {
  const from = body.indexOf('\0\x01a') + 3
  const count = body.readInt32BE(from)
  const size = name === 'ListOffsets' ? 16 : name === 'Produce' ? 9 : 4
  return [['a', Array.from({ length: count }, (_, i) => body.readInt32BE(from + 4 + i * size))]]
}

const produced = (errorOf: (partition: number) => number = () => 0) =>
  perPartition(
    (_, partition) => errorOf(partition),
    to =>
      to
        .int64(-1n)
        .int64(-1n)
        .int64(0n)
        .array([], () => {})
        .string(null),
  )
const offsetsOf = (offset: (topic: string) => bigint, error = 0): Reply => {
  const answer = perPartition(
    () => error,
    to => to.int64(-1n).int64(offset('a')).int32(0),
  )
  return (to, ...rest) => answer(to.int32(0), ...rest)
}
const batch = (partition: number) => ({ topic: 'a', partition, batch: Buffer.from('B') })
const place = (partition: number) => ({ topic: 'a', partition })

describe('bootstrap', () => {
  test('tries the brokers in turn', async () => {
    await using cluster = await openScripted()
    cluster.down.add('b1')
    await using lane = cluster.open()
    await lane.metadata([])
    expect(cluster.asked()).toEqual(['b2 Metadata'])
  })

  test('asks a broker of the metadata when those of the definition are gone', async () => {
    await using cluster = await openScripted()
    cluster.down.add('b1').add('b2')
    await cluster.lane.metadata([])
    expect(cluster.asked()).toEqual(['b3 Metadata'])
  })

  test('says so when no broker answers', async () => {
    await using cluster = await openScripted()
    for (const each of ['b1', 'b2', 'b3']) cluster.down.add(each)
    await expect(cluster.lane.metadata([])).rejects.toEqual(unavailable('no broker answers Metadata'))
  })

  test('a login that is refused is not tried on the next broker', async () => {
    await using cluster = await openScripted()
    cluster.on('Metadata', () => Promise.reject(new WeirError('log.login_refused', 'no')))
    await expect(cluster.lane.metadata([])).rejects.toMatchObject({ code: 'log.login_refused' })
    expect(cluster.asked()).toEqual(['b1 Metadata'])
  })
})

describe('an answer that is none', () => {
  test.each<[string, Reply, RegExp]>([
    ['nothing at all', () => {}, /b3:3 answered Metadata: the answer is cut/],
    ['cut in the middle', to => to.int32(0).int32(1).int32(1), /cut or damaged/],
    ['an array of two billion brokers', to => to.int32(0).int32(2 ** 31 - 1), /2147483647 elements cannot stand/],
    ['a host name of 32 KB that is not there', to => to.int32(0).int32(1).int32(1).int16(0x7fff), /cut or damaged/],
  ])('I10: %s closes the connection', async (_, reply, message) => {
    await using cluster = await openScripted()
    cluster.on('Metadata', reply)
    await expect(cluster.lane.metadata([])).rejects.toEqual(unavailable(message))
    expect(cluster.asked()).toEqual(['b1 Metadata', 'b2 Metadata', 'b3 Metadata'])
    await eventually('all are closed', () => cluster.connections.size === 0)
  })

  test('an error code that nobody has named is told as it is', async () => {
    await using cluster = await openScripted()
    cluster.on('FindCoordinator', coordinatorAt(1))
    cluster.on('Heartbeat', code(999))
    const error = (await cluster.lane.heartbeat(member).catch(thrown => thrown)) as BrokerRefusal
    expect(error).toEqual(refusal(999))
    expect(error.message).toBe('Heartbeat of readers: error code 999')
  })

  test('I1: an answer that says nothing of a partition is not taken for a yes', async () => {
    await using cluster = await openScripted()
    cluster.on('Metadata', metadataOf({ a: [1, 1] }))
    cluster.on('FindCoordinator', coordinatorAt(2))
    const one: Reply = to => to.array(['a'], topic => to.string(topic).array([0], each => to.int32(each).int16(0)))
    cluster.on('AddPartitionsToTxn', (to, ...rest) => one(to.int32(0), ...rest))
    await expect(cluster.lane.addPartitions(producer, [place(0), place(1)], 100)).rejects.toEqual(unavailable(/a\[1\]/))
    cluster.on('Produce', to => to.array([], () => {}).int32(0))
    await expect(cluster.lane.produce(producer, [batch(0)])).rejects.toEqual(unavailable(/says nothing of a\[0\]/))
  })
})

describe('versions', () => {
  test('a broker that does not speak a message that weir needs is told by name', async () => {
    await using cluster = await openScripted()
    cluster.on('FindCoordinator', coordinatorAt(1))
    cluster.versions.set(12, [0, 2])
    cluster.versions.delete(13)
    await using lane = cluster.open()
    await expect(lane.heartbeat(member)).rejects.toEqual(unavailable('b1:1 does not speak Heartbeat v3'))
    await expect(lane.leaveGroup(member)).rejects.toEqual(unavailable('does not speak LeaveGroup v2'))
    expect(cluster.asked()).not.toContain('b1 Heartbeat')
  })

  test('a broker too old for a current epoch gets one without; the newest version both speak is used', async () => {
    await using cluster = await openScripted()
    cluster.on('FindCoordinator', coordinatorAt(1))
    const versions: number[] = []
    cluster.on('InitProducerId', (to, _, { apiVersion }) => {
      versions.push(apiVersion)
      to.int32(0).int16(0).int64(9n).int16(4)
    })
    const begin = { transactionTimeoutMs: 1, current: producer, deadlineMs: 100 }
    expect(await cluster.lane.initProducer('tx', begin)).toEqual({ transactionalId: 'tx', producerId: 9n, epoch: 4 })
    cluster.versions.set(22, [0, 2])
    await using lane = cluster.open()
    await lane.initProducer('tx', begin)
    expect(versions).toEqual([3, 1])
  })
})

describe('leaders', () => {
  test('batches go to the leaders of their partitions at the same time, and refusals come back by partition', async () => {
    await using cluster = await openScripted()
    cluster.on('Metadata', metadataOf({ a: [1, 2, 0] }))
    cluster.on('b1 Produce', produced())
    cluster.on(
      'b2 Produce',
      produced(() => 87),
    )
    const refused = await cluster.lane.produce(producer, [batch(0), batch(1), batch(2), batch(7)])
    const told = refused.map(each => [each.partition, each.refusal.code]).sort()
    expect(told).toEqual([[1, 87], [2, 5], [7, 3]]) // biome-ignore format: pairs
    expect(cluster.asked().sort()).toEqual(['b1 Metadata', 'b1 Produce', 'b2 Produce'])
  })

  test.each([3, 5, 6])('after an answer that says %i the leader is looked up again', async number => {
    await using cluster = await openScripted()
    cluster.on('Metadata', metadataOf({ a: [1] }), metadataOf({ a: [2] }))
    cluster.on(
      'b1 Produce',
      produced(() => number),
    )
    cluster.on('b2 Produce', produced())
    expect(await cluster.lane.produce(producer, [batch(0)])).toMatchObject([{ refusal: { code: number } }])
    expect(await cluster.lane.produce(producer, [batch(0)])).toEqual([])
    expect(cluster.asked()).toEqual(['b1 Metadata', 'b1 Produce', 'b1 Metadata', 'b2 Produce'])
  })

  test('I1: a batch whose answer is lost is not sent again, and what others answered does not hide it', async () => {
    await using cluster = await openScripted()
    cluster.on('Metadata', metadataOf({ a: [1, 2] }))
    cluster.on('b1 Produce', produced())
    cluster.on('b2 Produce', () => Promise.reject(new WeirError('log.unavailable', 'lost')))
    await expect(cluster.lane.produce(producer, [batch(0), batch(1)])).rejects.toEqual(unavailable('lost'))
    expect(cluster.asked().filter(each => each === 'b2 Produce')).toHaveLength(1)
  })

  test('offsets are asked for once more after a stale route, and come in the order of the question', async () => {
    await using cluster = await openScripted()
    cluster.on('Metadata', metadataOf({ a: [1, 1] }), metadataOf({ a: [2, 3] }))
    cluster.on(
      'b1 ListOffsets',
      offsetsOf(() => -1n, 6),
    )
    cluster.on(
      'b2 ListOffsets',
      offsetsOf(() => 20n),
    )
    cluster.on(
      'b3 ListOffsets',
      offsetsOf(() => 30n),
    )
    expect(await cluster.lane.listOffsets([place(1), place(0)], 'latest', 'committed')).toEqual([
      { ...place(1), offset: 30n },
      { ...place(0), offset: 20n },
    ])
  })

  test('offsets of a partition without a leader, and of one that does not exist, are refused', async () => {
    await using cluster = await openScripted()
    cluster.on('Metadata', metadataOf({ a: [0], b: [] }))
    await expect(cluster.lane.listOffsets([place(0)], 'latest', 'committed')).rejects.toEqual(refusal(5))
    const unknown = { topic: 'b', partition: 0 }
    await expect(cluster.lane.listOffsets([unknown], 'latest', 'committed')).rejects.toEqual(refusal(3))
  })

  test('a time after the last record gives the end', async () => {
    await using cluster = await openScripted()
    cluster.on('Metadata', metadataOf({ a: [1] }))
    cluster.on(
      'ListOffsets',
      offsetsOf(() => -1n),
      offsetsOf(() => 12n),
    )
    const found = await cluster.lane.listOffsets([place(0)], { timeMs: 9 }, 'committed')
    expect(found).toEqual([{ ...place(0), offset: 12n }])
  })
})

describe('topics', () => {
  test('metadata leaves out unknown topics and, of all, the internal ones; partitions come in order', async () => {
    await using cluster = await openScripted()
    cluster.on('Metadata', metadataOf({ a: [2, 0], b: [], __c: [1] }))
    const a = {
      topic: 'a',
      partitions: [
        { partition: 0, leader: 2, replicas: 1, inSync: 1 },
        { partition: 1, leader: null, replicas: 1, inSync: 1 },
      ],
    }
    expect(await cluster.lane.metadata(null)).toEqual([a])
    cluster.on('Metadata', metadataOf({ a: [2, 0], b: [] }))
    expect(await cluster.lane.metadata(['a', 'b'])).toEqual([a])
    cluster.on('Metadata', metadataOf({ a: [1] }, 29))
    await expect(cluster.lane.metadata(['a'])).rejects.toEqual(refusal(29))
  })

  test('a topic is there once every broker knows its leaders and these lead', async () => {
    await using cluster = await openScripted()
    cluster.on('CreateTopics', to => to.int32(0).array(['a'], topic => to.string(topic).int16(0).string(null)))
    cluster.on('b3 Metadata', metadataOf({ a: [] }), metadataOf({ a: [1, 0] }), metadataOf({ a: [1, 1] }))
    cluster.on('Metadata', metadataOf({ a: [1, 1] }))
    cluster.on(
      'ListOffsets',
      offsetsOf(() => 0n, 6),
      offsetsOf(() => 0n),
    )
    await cluster.lane.createTopic({ name: 'a', partitions: 2, replicationFactor: null, configs: {} })
    const asked = cluster.asked()
    expect(asked.filter(each => each === 'b3 Metadata')).toHaveLength(4)
    expect(asked.filter(each => each === 'b1 ListOffsets')).toHaveLength(2)
  })

  test('a topic that is there already is refused with what the broker says', async () => {
    await using cluster = await openScripted()
    cluster.on('CreateTopics', to =>
      to.int32(0).array(['a'], topic => to.string(topic).int16(36).string('it is there')),
    )
    const made = cluster.lane.createTopic({ name: 'a', partitions: 1, replicationFactor: 3, configs: {} })
    await expect(made).rejects.toMatchObject({ code: 36, message: expect.stringContaining('it is there') })
  })

  test('a change goes to the next controller when the one asked is none any more', async () => {
    await using cluster = await openScripted()
    const outcome =
      (error: number): Reply =>
      to =>
        to.int32(0).array(['a'], topic => to.int16(error).string(null).int8(2).string(topic))
    cluster.on('IncrementalAlterConfigs', outcome(41), outcome(0))
    await cluster.lane.setTopicConfigs('a', { 'retention.ms': '9' })
    expect(cluster.asked().filter(each => each.includes('Alter'))).toHaveLength(2)
  })
})

test('lanes have connections of their own; dropping one leaves the others', async () => {
  await using cluster = await openScripted()
  await using other = cluster.open()
  await Promise.all([cluster.lane.metadata([]), other.metadata([])])
  expect(cluster.connections.size).toBe(2)
  cluster.lane.drop()
  await eventually('one is closed', () => cluster.connections.size === 1)
  await cluster.lane.metadata([])
  expect(cluster.connections.size).toBe(2)
  await cluster[Symbol.asyncDispose]()
  await eventually('all are closed', () => cluster.connections.size === 0)
})
