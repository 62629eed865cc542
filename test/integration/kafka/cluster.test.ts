// The cluster client over both drivers against a real broker: every message it speaks, and the refusals that decisions hang on.
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { KafkaClient, ProducerIdentity } from '../../../src/adapters/event-log-kafka/client.ts'
import { type KafkaCluster, openCluster } from '../../../src/adapters/event-log-kafka/cluster.ts'
import { openKafkaJsDriver } from '../../../src/adapters/event-log-kafka/driver-kafkajs.ts'
import { openPlatformaticDriver } from '../../../src/adapters/event-log-kafka/driver-platformatic.ts'
import type { KafkaEventLogOptions } from '../../../src/adapters/event-log-kafka/options.ts'
import { decodeBatches, encodeBatch } from '../../../src/adapters/event-log-kafka/record-batch.ts'
import { systemClock, systemRandom } from '../../../src/core/clock.ts'
import { eventually } from '../../support/eventually.ts'
import { describeWith } from '../../support/services/for-tests.ts'

const drivers = { kafkajs: openKafkaJsDriver, platformatic: openPlatformaticDriver } as const
const never = new AbortController().signal
const deadlineMs = 20_000
/** Records of now: the test broker's retention soon deletes older ones. */
const nowMs = systemClock.now()
const refusal = (...codes: number[]) =>
  expect.objectContaining({ name: 'BrokerRefusal', code: expect.toSatisfy(code => codes.includes(code as number)) })

for (const driver of ['kafkajs', 'platformatic'] as const)
  await describeWith(['kafka'], `the cluster through ${driver}`, ({ bootstrap }) => {
    const unique = (what: string) => `${what}-${driver}-${randomUUID()}`
    const open = (): Promise<KafkaCluster> => {
      const options: KafkaEventLogOptions = {
        clientId: 'weir-tests',
        tls: null,
        sasl: null,
        connectTimeoutMs: 5_000,
        requestTimeoutMs: 10_000,
        brokers: bootstrap.split(','),
        driver,
        replicationFactor: null,
        compression: 'none',
        transactionTimeoutMs: 60_000,
        sessionTimeoutMs: 6_000,
        clock: systemClock,
        random: systemRandom,
      }
      return openCluster(options, drivers[driver](options))
    }
    const topicOf = async (lane: KafkaClient, partitions = 2, configs = {}): Promise<string> => {
      const name = unique('topic')
      await lane.createTopic({ name, partitions, replicationFactor: null, configs })
      return name
    }
    const begin = (lane: KafkaClient, transactionalId: string, current: ProducerIdentity | null = null) =>
      lane.initProducer(transactionalId, { transactionTimeoutMs: 60_000, current, deadlineMs })
    const batchOf = async (producer: ProducerIdentity, topic: string, partition: number, baseSequence: number) => ({
      topic,
      partition,
      batch: await encodeBatch(
        ['x', 'y'].map(key => ({
          topic,
          partition,
          key: Buffer.from(key),
          value: Buffer.from('v'),
          headers: [],
          timestampMs: nowMs,
        })),
        { producer, baseSequence, compression: 'none' },
      ),
    })
    const join = async (lane: KafkaClient, group: string) => {
      const request = {
        group,
        memberId: '',
        protocolType: 'weir-tests',
        protocol: 'one',
        metadata: Buffer.from('meta'),
        sessionTimeoutMs: 6_000,
        rebalanceTimeoutMs: 6_000,
      }
      const passing = ['COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_LOAD_IN_PROGRESS', 'NOT_COORDINATOR']
      return await eventually('the group has a coordinator', () =>
        lane.joinGroup(request, never).catch(error => {
          if (passing.some(each => error.message.includes(each))) return undefined
          throw error
        }),
      )
    }

    test('makes topics, sets their configs and tells of both', async () => {
      await using cluster = await open()
      await using lane = cluster.lane()
      const topic = await topicOf(lane, 3, { 'retention.ms': '100000' })
      expect(await lane.metadata([topic, unique('none')])).toEqual([
        {
          topic,
          partitions: [0, 1, 2].map(partition => ({
            partition,
            leader: expect.any(Number),
            replicas: expect.any(Number),
            inSync: expect.any(Number),
          })),
        },
      ])
      expect((await lane.metadata(null)).map(each => each.topic)).toContain(topic)
      const again = { name: topic, partitions: 3, replicationFactor: null, configs: {} }
      await expect(lane.createTopic(again)).rejects.toEqual(refusal(36))
      await lane.setTopicConfigs(topic, { 'cleanup.policy': 'compact' })
      await eventually('the setting shows', async () => {
        const configs = (await lane.topicConfigs([topic])).get(topic)!
        expect(configs.get('retention.ms')).toBe('100000')
        return configs.get('cleanup.policy') === 'compact' && configs.has('max.message.bytes')
      })
      await expect(lane.topicConfigs([unique('none')])).rejects.toEqual(refusal(3))
    })

    test('I7: a new epoch fences the old one, and only the newest can be continued', async () => {
      await using cluster = await open()
      await using lane = cluster.lane()
      const topic = await topicOf(lane)
      const id = unique('tx')
      const first = await begin(lane, id)
      const second = await begin(lane, id, first)
      expect([second.producerId, second.epoch]).toEqual([first.producerId, first.epoch + 1])
      const third = await begin(lane, id)
      await expect(begin(lane, id, first)).rejects.toEqual(refusal(47, 90))
      await expect(lane.addPartitions(second, [{ topic, partition: 0 }], deadlineMs)).rejects.toEqual(refusal(47, 90))
      await expect(lane.endTransaction(second, true)).rejects.toEqual(refusal(47, 90))
      await lane.addPartitions(third, [{ topic, partition: 0 }], deadlineMs)
      await lane.endTransaction(third, false)
    })

    test('I1: records and offsets of a transaction show together, those of an aborted one never', async () => {
      await using cluster = await open()
      await using lane = cluster.lane()
      const topic = await topicOf(lane)
      const group = unique('group')
      const joined = await join(lane, group)
      const member = { group, memberId: joined.memberId, generation: joined.generation }
      await lane.syncGroup(member, [{ memberId: member.memberId, assignment: Buffer.from('all') }])
      const producer = await begin(lane, unique('tx'))
      const places = [0, 1].map(partition => ({ topic, partition }))
      for (const [turn, commit] of [true, false, true].entries()) {
        await lane.addPartitions(producer, places, deadlineMs)
        await lane.addOffsets(producer, group, deadlineMs)
        const batches = await Promise.all([0, 1].map(each => batchOf(producer, topic, each, turn * 2)))
        expect(await lane.produce(producer, batches)).toEqual([])
        await lane.commitOffsetsInTransaction(producer, member, [{ ...places[0]!, offset: BigInt(turn + 1) }])
        await lane.endTransaction(producer, commit)
      }
      expect(await lane.groupOffsets(group, places, deadlineMs)).toEqual([
        { ...places[0], offset: 3n },
        { ...places[1], offset: null },
      ])
      expect(await lane.groupOffsets(group, null, deadlineMs)).toEqual([{ ...places[0], offset: 3n }])
      const limits = { maxWaitMs: 200, minBytes: 1, maxBytes: 1_000_000, maxBytesPerPartition: 1_000_000 }
      const partitions = [{ ...places[0]!, offset: 0n }]
      const fetched = await eventually('both commits are readable', async () => {
        const [partition] = await lane.fetch({ partitions, ...limits }, never)
        return partition?.lastStableOffset === 9n && partition
      })
      const { records, nextOffset } = await decodeBatches(fetched, 0n, 1_000_000)
      expect(records.map(each => each.offset)).toEqual([0n, 1n, 6n, 7n])
      expect(nextOffset).toBe(9n)
      expect(fetched.aborted).toEqual([{ producerId: producer.producerId, firstOffset: 3n }])
      const past = await lane.fetch({ partitions: [{ ...places[0]!, offset: 99n }], ...limits }, never)
      expect(past).toMatchObject([{ refusal: { code: 1 } }])
      expect(await lane.listOffsets(places, 'latest', 'committed')).toEqual(
        places.map(each => ({ ...each, offset: 9n })),
      )
      expect(await lane.listOffsets(places, 'earliest', 'committed')).toEqual(
        places.map(each => ({ ...each, offset: 0n })),
      )
      const after = await lane.listOffsets(places, { timeMs: nowMs + 1e9 }, 'committed')
      expect(after).toEqual(places.map(each => ({ ...each, offset: 9n })))
      const before = await lane.listOffsets(places, { timeMs: 1 }, 'committed')
      expect(before).toEqual(places.map(each => ({ ...each, offset: 0n })))
      await lane.leaveGroup(member)
    })

    test('what is not ended is not seen, and the end of a group’s offsets waits for it', async () => {
      await using cluster = await open()
      await using lane = cluster.lane()
      const topic = await topicOf(lane, 1)
      const place = { topic, partition: 0 }
      const producer = await begin(lane, unique('tx'))
      await lane.addPartitions(producer, [place], deadlineMs)
      expect(await lane.produce(producer, [await batchOf(producer, topic, 0, 0)])).toEqual([])
      expect(await lane.listOffsets([place], 'latest', 'committed')).toEqual([{ ...place, offset: 0n }])
      expect(await lane.listOffsets([place], 'latest', 'uncommitted')).toEqual([{ ...place, offset: 2n }])
      const group = unique('group')
      const joined = await join(lane, group)
      const member = { group, memberId: joined.memberId, generation: joined.generation }
      await lane.syncGroup(member, [{ memberId: member.memberId, assignment: Buffer.from('all') }])
      await lane.addOffsets(producer, group, deadlineMs)
      const stale = { ...member, generation: member.generation + 5 }
      const offset = [{ ...place, offset: 7n }]
      await expect(lane.commitOffsetsInTransaction(producer, stale, offset)).rejects.toEqual(refusal(22))
      await lane.commitOffsetsInTransaction(producer, member, offset)
      await expect(lane.groupOffsets(group, [place], 50)).rejects.toEqual(refusal(88))
      await using other = cluster.lane()
      const waiting = other.groupOffsets(group, [place], deadlineMs)
      await lane.endTransaction(producer, true)
      expect(await waiting).toEqual(offset)
    })

    test('a produce that is refused says which batch', async () => {
      await using cluster = await open()
      await using lane = cluster.lane()
      const topic = await topicOf(lane, 2, { 'max.message.bytes': '100' })
      const producer = await begin(lane, unique('tx'))
      await lane.addPartitions(producer, [{ topic, partition: 0 }], deadlineMs)
      const value = Buffer.alloc(5_000, 'x')
      const batch = await encodeBatch([{ partition: 0, key: null, value, headers: [], timestampMs: nowMs }], {
        producer,
        baseSequence: 0,
        compression: 'none',
      })
      const refused = await lane.produce(producer, [{ topic, partition: 0, batch }])
      expect(refused).toMatchObject([{ topic, partition: 0, refusal: { code: 10 } }])
      expect(await lane.produce(producer, [{ topic: unique('none'), partition: 0, batch }])).toMatchObject([
        { refusal: { code: 3 } },
      ])
      await lane.endTransaction(producer, false)
    })

    test('where records stand open is told, and how their transaction ends', async () => {
      await using cluster = await open()
      await using lane = cluster.lane()
      const topic = await topicOf(lane)
      const places = [0, 1].map(partition => ({ topic, partition }))
      const id = unique('tx')
      expect(await lane.decisionOf(id, deadlineMs)).toBe(null)
      for (const commit of [true, false]) {
        const producer = await begin(lane, id)
        expect(await lane.decisionOf(id, deadlineMs)).toBe(null)
        await lane.addPartitions(producer, places, deadlineMs)
        expect(await lane.decisionOf(id, deadlineMs)).toBe('abort')
        expect(await lane.produce(producer, [await batchOf(producer, topic, 1, 0)])).toEqual([])
        expect(await lane.openIn(producer.producerId, places)).toEqual([places[1]])
        expect(await lane.openIn(producer.producerId + 1_000_000n, places)).toEqual([])
        await lane.endTransaction(producer, commit)
        expect(await lane.decisionOf(id, deadlineMs)).toBe(commit ? 'commit' : 'abort')
        await eventually('ended', async () => (await lane.openIn(producer.producerId, places)).length === 0)
      }
    })

    test('members join, beat, are described, commit and leave', async () => {
      await using cluster = await open()
      await using lane = cluster.lane()
      const topic = await topicOf(lane)
      const group = unique('group')
      const joined = await join(lane, group)
      expect(joined).toMatchObject({ leader: joined.memberId, protocol: 'one' })
      expect(joined.members.map(each => [each.memberId, String(each.metadata)])).toEqual([[joined.memberId, 'meta']])
      const member = { group, memberId: joined.memberId, generation: joined.generation }
      const share = [{ memberId: member.memberId, assignment: Buffer.from('all') }]
      expect(String(await lane.syncGroup(member, share))).toBe('all')
      await lane.heartbeat(member)
      const none = unique('none')
      const described = await lane.describeGroups([group, none])
      expect(described.find(each => each.group === group)).toMatchObject({
        state: 'Stable',
        protocolType: 'weir-tests',
        members: [{ memberId: member.memberId, clientId: 'weir-tests', assignment: Buffer.from('all') }],
      })
      expect(described.find(each => each.group === none)).toMatchObject({ state: 'Dead', members: [] })
      expect(await lane.listGroups()).toContainEqual({ group, protocolType: 'weir-tests' })
      await lane.commitOffsets(member, [{ topic, partition: 1, offset: 4n }])
      expect(await lane.groupOffsets(group, null, deadlineMs)).toEqual([{ topic, partition: 1, offset: 4n }])
      await lane.leaveGroup(member)
      await expect(lane.heartbeat(member)).rejects.toEqual(refusal(25))
    })

    test('an aborted fetch ends at once, and the lane goes on', async () => {
      await using cluster = await open()
      await using lane = cluster.lane()
      const partitions = [{ topic: await topicOf(lane, 1), partition: 0, offset: 0n }]
      const limits = { maxWaitMs: 20_000, minBytes: 1, maxBytes: 1_000, maxBytesPerPartition: 1_000 }
      const stop = new AbortController()
      const started = performance.now()
      const waiting = lane.fetch({ partitions, ...limits }, stop.signal)
      setImmediate(() => stop.abort(new Error('enough')))
      await expect(waiting).rejects.toThrow('enough')
      expect(performance.now() - started).toBeLessThan(5_000)
      const fetched = await lane.fetch({ partitions, ...limits, maxWaitMs: 10 }, never)
      expect(fetched).toMatchObject([{ refusal: null, highWatermark: 0n }])
    })
  })
