// The messages, byte by byte. Requests are held against the encoders of @platformatic/kafka, written by others from the same
// specification; answers against bytes built by hand from the layouts of the protocol's documentation.
import * as theirs from '@platformatic/kafka'
import { describe, expect, test } from 'vitest'
import type { ProducerIdentity } from '../../../../src/adapters/event-log-kafka/client.ts'
import { apiVersions, findCoordinator, metadata } from '../../../../src/adapters/event-log-kafka/messages/cluster.ts'
import { fetch, listOffsets } from '../../../../src/adapters/event-log-kafka/messages/fetch.ts'
import {
  describeGroups,
  heartbeat,
  joinGroup,
  leaveGroup,
  listGroups,
  syncGroup,
} from '../../../../src/adapters/event-log-kafka/messages/groups.ts'
import { saslAuthenticate, saslHandshake } from '../../../../src/adapters/event-log-kafka/messages/login.ts'
import { offsetCommit, offsetFetch } from '../../../../src/adapters/event-log-kafka/messages/offsets.ts'
import { produce } from '../../../../src/adapters/event-log-kafka/messages/produce.ts'
import {
  createTopics,
  describeConfigs,
  incrementalAlterConfigs,
} from '../../../../src/adapters/event-log-kafka/messages/topics.ts'
import {
  describeProducers,
  describeTransactions,
} from '../../../../src/adapters/event-log-kafka/messages/transaction-states.ts'
import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  endTxn,
  initProducerId,
  txnOffsetCommit,
} from '../../../../src/adapters/event-log-kafka/messages/transactions.ts'
import type { Api } from '../../../../src/adapters/event-log-kafka/protocol/api.ts'
import { Reader } from '../../../../src/adapters/event-log-kafka/protocol/reader.ts'
import { Writer } from '../../../../src/adapters/event-log-kafka/protocol/writer.ts'

const producer: ProducerIdentity = { transactionalId: 'tx', producerId: 2n ** 40n + 7n, epoch: 300 }
const member = { group: 'readers', memberId: 'm-1', generation: 9 }
const places = [
  { topic: 'a', partition: 1, offset: 5n },
  { topic: 'b', partition: 0, offset: 2n ** 33n },
  { topic: 'a', partition: 2, offset: 0n },
]
/** The same as the other library wants it: by topic. */
const grouped = <T>(item: (place: (typeof places)[number]) => T) => [
  { name: 'a', items: [item(places[0]!), item(places[2]!)] },
  { name: 'b', items: [item(places[1]!)] },
]

const isFlexible = (api: Api<never, unknown>, version: number) => version >= (api.flexibleFrom ?? 999)

function encoded<Request>(api: Api<Request, unknown>, request: Request, version = api.versions[0]!): string {
  const to = new Writer(isFlexible(api, version), 1)
  api.encode(to, request, version)
  return to.finish().toString('hex')
}

describe('requests are the bytes that others write', () => {
  const none = undefined
  const cases: [string, string, { readonly buffer: Buffer }][] = [
    [
      'InitProducerId v3',
      encoded(initProducerId, { transactionalId: 'tx', transactionTimeoutMs: 60_000, current: producer }),
      theirs.initProducerIdV3.createRequest('tx', 60_000, producer.producerId, producer.epoch),
    ],
    [
      'InitProducerId v3, first',
      encoded(initProducerId, { transactionalId: 'tx', transactionTimeoutMs: 60_000, current: null }),
      theirs.initProducerIdV3.createRequest('tx', 60_000, none, none),
    ],
    [
      'InitProducerId v1',
      encoded(initProducerId, { transactionalId: 'tx', transactionTimeoutMs: 60_000, current: producer }, 1),
      theirs.initProducerIdV1.createRequest('tx', 60_000),
    ],
    [
      'AddPartitionsToTxn',
      encoded(addPartitionsToTxn, { producer, partitions: places }),
      theirs.addPartitionsToTxnV2.createRequest([
        {
          transactionalId: 'tx',
          producerId: producer.producerId,
          producerEpoch: producer.epoch,
          verifyOnly: false,
          topics: grouped(each => each.partition).map(({ name, items }) => ({ name, partitions: items })),
        },
      ]),
    ],
    [
      'AddOffsetsToTxn',
      encoded(addOffsetsToTxn, { producer, group: 'readers' }),
      theirs.addOffsetsToTxnV1.createRequest('tx', producer.producerId, producer.epoch, 'readers'),
    ],
    [
      'EndTxn',
      encoded(endTxn, { producer, commit: true }),
      theirs.endTxnV2.createRequest('tx', producer.producerId, producer.epoch, true),
    ],
    [
      'TxnOffsetCommit',
      encoded(txnOffsetCommit, { producer, member, offsets: places }),
      theirs.txnOffsetCommitV3.createRequest(
        'tx',
        'readers',
        producer.producerId,
        producer.epoch,
        9,
        'm-1',
        null,
        grouped(each => ({
          partitionIndex: each.partition,
          committedOffset: each.offset,
          committedLeaderEpoch: -1,
          committedMetadata: null,
        })).map(({ name, items }) => ({ name, partitions: items })),
      ),
    ],
    [
      'Fetch',
      encoded(fetch, { partitions: places, maxWaitMs: 500, minBytes: 1, maxBytes: 9_000, maxBytesPerPartition: 4_000 }),
      theirs.fetchV11.createRequest(
        500,
        1,
        9_000,
        1,
        0,
        -1,
        grouped(each => ({
          partition: each.partition,
          currentLeaderEpoch: -1,
          fetchOffset: each.offset,
          lastFetchedEpoch: -1,
          partitionMaxBytes: 4_000,
        })).map(({ name, items }) => ({ topicId: name, partitions: items })),
        [],
        '',
      ),
    ],
    [
      'ListOffsets',
      encoded(listOffsets, { partitions: places, time: -2n, isolation: 'committed' }),
      theirs.listOffsetsV4.createRequest(
        -1,
        1,
        grouped(each => ({ partitionIndex: each.partition, currentLeaderEpoch: -1, timestamp: -2n })).map(
          ({ name, items }) => ({ name, partitions: items }),
        ),
      ),
    ],
    [
      'OffsetFetch',
      encoded(offsetFetch, { group: 'readers', partitions: places }),
      theirs.offsetFetchV7.createRequest(
        [
          {
            groupId: 'readers',
            topics: grouped(each => each.partition).map(({ name, items }) => ({ name, partitionIndexes: items })),
          } as never,
        ],
        true,
      ),
    ],
    [
      'OffsetCommit',
      encoded(offsetCommit, { member, offsets: places }),
      theirs.offsetCommitV7.createRequest(
        'readers',
        9,
        'm-1',
        null,
        grouped(each => ({
          partitionIndex: each.partition,
          committedOffset: each.offset,
          committedLeaderEpoch: -1,
          committedMetadata: null,
        })).map(({ name, items }) => ({ name, partitions: items })),
      ),
    ],
    [
      'JoinGroup',
      encoded(joinGroup, {
        group: 'readers',
        memberId: '',
        protocolType: 'consumer',
        protocol: 'weir',
        metadata: Buffer.from('meta'),
        sessionTimeoutMs: 6_000,
        rebalanceTimeoutMs: 7_000,
      }),
      theirs.joinGroupV5.createRequest('readers', 6_000, 7_000, '', null, 'consumer', [
        { name: 'weir', metadata: Buffer.from('meta') },
      ]),
    ],
    [
      'SyncGroup',
      encoded(syncGroup, { member, assignments: [{ memberId: 'm-2', assignment: Buffer.from('all') }] }),
      theirs.syncGroupV3.createRequest('readers', 9, 'm-1', null, null, null, [
        { memberId: 'm-2', assignment: Buffer.from('all') },
      ]),
    ],
    ['Heartbeat', encoded(heartbeat, member), theirs.heartbeatV3.createRequest('readers', 9, 'm-1', null)],
    [
      'LeaveGroup',
      encoded(leaveGroup, member),
      theirs.leaveGroupV2.createRequest('readers', [{ memberId: 'm-1', groupInstanceId: null }]),
    ],
    ['ListGroups', encoded(listGroups, null), theirs.listGroupsV2.createRequest([], [])],
    [
      'DescribeGroups',
      encoded(describeGroups, ['readers', 'others']),
      theirs.describeGroupsV4.createRequest(['readers', 'others'], false),
    ],
    [
      'CreateTopics',
      encoded(createTopics, {
        name: 'a',
        partitions: 3,
        replicationFactor: null,
        configs: { 'cleanup.policy': 'compact' },
        timeoutMs: 5_000,
      }),
      theirs.createTopicsV4.createRequest(
        [
          {
            name: 'a',
            numPartitions: 3,
            replicationFactor: -1,
            assignments: [],
            configs: [{ name: 'cleanup.policy', value: 'compact' }],
          },
        ],
        5_000,
        false,
      ),
    ],
    [
      'DescribeConfigs',
      encoded(describeConfigs, ['a', 'b']),
      theirs.describeConfigsV3.createRequest(
        ['a', 'b'].map(resourceName => ({ resourceType: 2, resourceName, configurationKeys: null }) as never),
        false,
        false,
      ),
    ],
    [
      'IncrementalAlterConfigs',
      encoded(incrementalAlterConfigs, { topic: 'a', configs: { 'retention.ms': '7' } }),
      theirs.incrementalAlterConfigsV0.createRequest(
        [
          {
            resourceType: 2,
            resourceName: 'a',
            configs: [{ name: 'retention.ms', configOperation: 0, value: '7' }],
          },
        ],
        false,
      ),
    ],
    [
      'DescribeProducers',
      encoded(describeProducers, places),
      theirs.describeProducersV0.createRequest([
        { name: 'a', partitionIndexes: [1, 2] },
        { name: 'b', partitionIndexes: [0] },
      ]),
    ],
    [
      'DescribeTransactions',
      encoded(describeTransactions, ['tx', 'ty']),
      theirs.describeTransactionsV0.createRequest(['tx', 'ty']),
    ],
    ['Metadata', encoded(metadata, ['a', 'b']), theirs.metadataV5.createRequest(['a', 'b'], false)],
    ['Metadata of all', encoded(metadata, null), theirs.metadataV5.createRequest(null, false)],
    [
      'FindCoordinator',
      encoded(findCoordinator, { of: 'transaction', key: 'tx' }),
      theirs.findCoordinatorV1.createRequest(1, ['tx']),
    ],
    ['SaslHandshake', encoded(saslHandshake, 'PLAIN'), theirs.saslHandshakeV1.createRequest('PLAIN')],
    [
      'SaslAuthenticate',
      encoded(saslAuthenticate, Buffer.from('words')),
      theirs.saslAuthenticateV1.createRequest(Buffer.from('words')),
    ],
  ]
  test.each(cases)('%s', (_, ours, request) => expect(ours).toBe(request.buffer.toString('hex')))

  test('Produce: transactional_id acks timeout_ms [topic [partition records]]', () => {
    const batch = (text: string) => Buffer.from(text)
    const request = {
      transactionalId: 'tx',
      timeoutMs: 9,
      batches: [
        { topic: 'a', partition: 1, batch: batch('one') },
        { topic: 'a', partition: 0, batch: batch('three') },
      ],
    }
    const expected = [
      ['0002', '7478', 'ffff', '00000009', '00000001', '0001', '61', '00000002'],
      ['00000001', '00000003', batch('one').toString('hex'), '00000000', '00000005', batch('three').toString('hex')],
    ]
    expect(encoded(produce, request)).toBe(expected.flat().join(''))
  })

  test('ApiVersions says nothing', () => expect(encoded(apiVersions, null)).toBe(''))
})

/** Hex of the pieces; numbers as [value, bytes]. */
function hex(...pieces: (string | readonly [value: number | bigint, bytes: number])[]): Buffer {
  return Buffer.concat(
    pieces.map(piece => {
      if (typeof piece === 'string') return Buffer.from(piece)
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64BE(BigInt(piece[0]))
      return bytes.subarray(8 - piece[1])
    }),
  )
}
const i8 = (value: number) => [value, 1] as const
const i16 = (value: number) => [value, 2] as const
const i32 = (value: number) => [value, 4] as const
const i64 = (value: number | bigint) => [value, 8] as const
const throttle = i32(3_600_000)
const tags = i8(0)
/** COMPACT_STRING. */
const c = (text: string) => [i8(text.length + 1), text] as const
/** STRING or NULLABLE_STRING. */
const s = (text: string | null) => (text === null ? [i16(-1)] : [i16(text.length), text])

function decoded<Answer>(api: Api<never, Answer>, answer: Buffer, version = api.versions[0]!): Answer {
  const from = new Reader(answer, isFlexible(api, version))
  return api.decode(from, version)
}

describe('answers are read as the protocol lays them out', () => {
  test('ApiVersions', () => {
    const answer = hex(i16(0), i32(2), i16(0), i16(3), i16(8), i16(22), i16(0), i16(4))
    expect(decoded(apiVersions, answer).ranges).toEqual(new Map([[0, [3, 8]], [22, [0, 4]]])) // biome-ignore format: pairs
  })

  test('Metadata', () => {
    const broker = [i32(7), ...s('h7'), i32(9092), ...s('rack')]
    const partition = (index: number, leader: number) =>
      [i16(leader < 0 ? 5 : 0), i32(index), i32(leader), i32(2), i32(7), i32(8), i32(1), i32(7), i32(0)] as const
    const topic = [i16(0), ...s('a'), i8(0), i32(2), ...partition(1, 7), ...partition(0, -1)]
    const unknown = [i16(3), ...s('b'), i8(0), i32(0)]
    const answer = hex(throttle, i32(1), ...broker, ...s('id'), i32(7), i32(2), ...topic, ...unknown)
    expect(decoded(metadata, answer)).toEqual({
      nodes: new Map([[7, { host: 'h7', port: 9092 }]]),
      controller: 7,
      topics: [
        {
          error: 0,
          topic: 'a',
          internal: false,
          partitions: [
            { partition: 1, leader: 7, replicas: 2, inSync: 1 },
            { partition: 0, leader: -1, replicas: 2, inSync: 1 },
          ],
        },
        { error: 3, topic: 'b', internal: false, partitions: [] },
      ],
    })
  })

  test('FindCoordinator', () => {
    const answer = hex(throttle, i16(15), ...s('not yet'), i32(-1), ...s(''), i32(-1))
    expect(decoded(findCoordinator, answer)).toEqual({ error: 15, reason: 'not yet', address: { host: '', port: -1 } })
  })

  test('InitProducerId, both versions', () => {
    const body = [throttle, i16(0), i64(2n ** 41n), i16(12)] as const
    const identity = { error: 0, producerId: 2n ** 41n, epoch: 12 }
    expect(decoded(initProducerId, hex(...body, i8(0)))).toEqual(identity)
    expect(decoded(initProducerId, hex(...body), 1)).toEqual(identity)
  })

  test('AddPartitionsToTxn, AddOffsetsToTxn and EndTxn', () => {
    const answer = hex(throttle, i32(1), ...s('a'), i32(2), i32(0), i16(55), i32(1), i16(29))
    expect(decoded(addPartitionsToTxn, answer)).toEqual([
      { topic: 'a', partition: 0, error: 55 },
      { topic: 'a', partition: 1, error: 29 },
    ])
    expect(decoded(addOffsetsToTxn, hex(throttle, i16(51)))).toBe(51)
    expect(decoded(endTxn, hex(throttle, i16(47)))).toBe(47)
  })

  test('TxnOffsetCommit is flexible', () => {
    const answer = hex(throttle, i8(2), i8(2), 'a', i8(2), i32(4), i16(22), i8(0), i8(0), i8(0))
    expect(decoded(txnOffsetCommit, answer)).toEqual([{ topic: 'a', partition: 4, error: 22 }])
  })

  test('Produce names the records it refuses from version 8 on', () => {
    const head = [i32(1), ...s('a'), i32(1), i32(3), i16(87), i64(-1), i64(-1), i64(0)] as const
    const records = [i32(2), i32(5), ...s(null), i32(6), ...s('no'), ...s('bad records')] as const
    const refused = { topic: 'a', partition: 3, error: 87 }
    expect(decoded(produce, hex(...head, ...records, throttle))).toEqual([{ ...refused, records: [5, 6] }])
    expect(decoded(produce, hex(...head, throttle), 7)).toEqual([{ ...refused, records: [] }])
  })

  test('Fetch', () => {
    const first = [i32(0), i16(0), i64(9), i64(8), i64(1), i32(1), i64(77), i64(5), i32(-1), i32(5), 'BATCH'] as const
    const second = [i32(1), i16(6), i64(-1), i64(-1), i64(-1), i32(-1), i32(-1), i32(-1)] as const
    const answer = hex(throttle, i16(0), i32(0), i32(1), ...s('a'), i32(2), ...first, ...second)
    expect(decoded(fetch, answer)).toEqual({
      error: 0,
      partitions: [
        {
          topic: 'a',
          partition: 0,
          error: 0,
          highWatermark: 9n,
          lastStableOffset: 8n,
          logStartOffset: 1n,
          aborted: [{ producerId: 77n, firstOffset: 5n }],
          bytes: Buffer.from('BATCH'),
        },
        expect.objectContaining({ partition: 1, error: 6, aborted: [], bytes: Buffer.alloc(0) }),
      ],
    })
  })

  test('ListOffsets', () => {
    const answer = hex(throttle, i32(1), ...s('a'), i32(1), i32(2), i16(0), i64(123), i64(45), i32(3))
    expect(decoded(listOffsets, answer)).toEqual([{ topic: 'a', partition: 2, error: 0, offset: 45n }])
  })

  test('OffsetFetch: what was never committed has no offset', () => {
    const partition = (index: number, offset: number) =>
      [i32(index), i64(offset), i32(-1), i8(1), i16(0), i8(0)] as const
    const answer = hex(
      throttle,
      i8(2),
      i8(2),
      'a',
      i8(3),
      ...partition(0, 12),
      ...partition(1, -1),
      i8(0),
      i16(0),
      i8(0),
    )
    expect(decoded(offsetFetch, answer)).toEqual({
      error: 0,
      offsets: [
        { topic: 'a', partition: 0, offset: 12n, error: 0 },
        { topic: 'a', partition: 1, offset: null, error: 0 },
      ],
    })
  })

  test('OffsetCommit', () => {
    const answer = hex(throttle, i32(1), ...s('a'), i32(1), i32(0), i16(25))
    expect(decoded(offsetCommit, answer)).toEqual([{ topic: 'a', partition: 0, error: 25 }])
  })

  test('JoinGroup, SyncGroup, Heartbeat and LeaveGroup', () => {
    const members = [i32(2), ...s('m-1'), ...s(null), i32(1), 'x', ...s('m-2'), ...s('static'), i32(0)]
    const answer = hex(throttle, i16(0), i32(4), ...s('weir'), ...s('m-1'), ...s('m-2'), ...members)
    expect(decoded(joinGroup, answer)).toEqual({
      error: 0,
      generation: 4,
      protocol: 'weir',
      leader: 'm-1',
      memberId: 'm-2',
      members: [
        { memberId: 'm-1', metadata: Buffer.from('x') },
        { memberId: 'm-2', metadata: Buffer.alloc(0) },
      ],
    })
    const share = { error: 0, assignment: Buffer.from('ab') }
    expect(decoded(syncGroup, hex(throttle, i16(0), i32(2), 'ab'))).toEqual(share)
    expect(decoded(heartbeat, hex(throttle, i16(27)))).toBe(27)
    expect(decoded(leaveGroup, hex(throttle, i16(0)))).toBe(0)
  })

  test('ListGroups and DescribeGroups', () => {
    const listed = hex(throttle, i16(0), i32(1), ...s('readers'), ...s('consumer'))
    expect(decoded(listGroups, listed)).toEqual({ error: 0, groups: [{ group: 'readers', protocolType: 'consumer' }] })
    const member = [...s('m-1'), ...s(null), ...s('weir'), ...s('/10.0.0.1'), i32(1), 'm', i32(1), 'a'] as const
    const head = [i16(0), ...s('readers'), ...s('Stable'), ...s('consumer'), ...s('weir')]
    expect(decoded(describeGroups, hex(throttle, i32(1), ...head, i32(1), ...member, i32(-(2 ** 31))))).toEqual([
      {
        error: 0,
        group: 'readers',
        state: 'Stable',
        protocolType: 'consumer',
        members: [{ memberId: 'm-1', clientId: 'weir', assignment: Buffer.from('a') }],
      },
    ])
  })

  test('DescribeProducers and DescribeTransactions', () => {
    const producer = (id: number, start: number) =>
      [i64(id), i32(4), i32(99), i64(1_700_000_000_000), i32(2), i64(start), tags] as const
    const partition = [i32(1), i16(0), i8(0), i8(4), ...producer(7, 0), ...producer(8, -1), ...producer(9, 55), tags]
    const refused = [i32(2), i16(6), ...c('moved'), i8(1), tags]
    expect(
      decoded(describeProducers, hex(throttle, i8(2), ...c('a'), i8(3), ...partition, ...refused, tags, tags)),
    ).toEqual([
      { topic: 'a', partition: 1, error: 0, open: [7n, 9n] },
      { topic: 'a', partition: 2, error: 6, open: [] },
    ])
    const topic = [...c('a'), i8(2), i32(1), tags]
    const known = [i16(0), ...c('tx'), ...c('CompleteAbort'), i32(9), i64(-1), i64(7), i16(4), i8(2), ...topic, tags]
    const unknown = [i16(105), ...c('ty'), ...c(''), i32(0), i64(0), i64(-1), i16(-1), i8(1), tags]
    expect(decoded(describeTransactions, hex(throttle, i8(3), ...known, ...unknown, tags))).toEqual([
      { error: 0, transactionalId: 'tx', state: 'CompleteAbort' },
      { error: 105, transactionalId: 'ty', state: '' },
    ])
  })

  test('CreateTopics, DescribeConfigs and IncrementalAlterConfigs', () => {
    const outcome = { topic: 'a', error: 44, reason: 'no' }
    expect(decoded(createTopics, hex(throttle, i32(1), ...s('a'), i16(44), ...s('no')))).toEqual([outcome])
    expect(decoded(incrementalAlterConfigs, hex(throttle, i32(1), i16(44), ...s('no'), i8(2), ...s('a')))).toEqual([
      outcome,
    ])
    const config = (name: string, value: string | null) =>
      [...s(name), ...s(value), i8(0), i8(5), i8(0), i32(1), ...s(name), ...s(value), i8(5), i8(1), ...s(null)] as const
    const configs = [i32(2), ...config('retention.ms', '7'), ...config('secret', null)]
    const answer = hex(throttle, i32(1), i16(0), ...s(null), i8(2), ...s('a'), ...configs)
    expect(decoded(describeConfigs, answer)).toEqual([
      { topic: 'a', error: 0, reason: null, configs: new Map([['retention.ms', '7']]) },
    ])
  })

  test('SaslHandshake and SaslAuthenticate', () => {
    const offer = { error: 33, mechanisms: ['PLAIN', 'X'] }
    expect(decoded(saslHandshake, hex(i16(33), i32(2), ...s('PLAIN'), ...s('X')))).toEqual(offer)
    expect(decoded(saslAuthenticate, hex(i16(0), ...s(null), i32(2), 'ok', i64(60_000)))).toEqual({
      error: 0,
      reason: null,
      bytes: Buffer.from('ok'),
      sessionLifetimeMs: 60_000,
    })
  })
})

test('every message has the key that the protocol gives it', () => {
  const all = [
    [produce, 0],
    [fetch, 1],
    [listOffsets, 2],
    [metadata, 3],
    [offsetCommit, 8],
    [offsetFetch, 9],
    [findCoordinator, 10],
    [joinGroup, 11],
    [heartbeat, 12],
    [leaveGroup, 13],
    [syncGroup, 14],
    [describeGroups, 15],
    [listGroups, 16],
    [saslHandshake, 17],
    [apiVersions, 18],
    [createTopics, 19],
    [initProducerId, 22],
    [addPartitionsToTxn, 24],
    [addOffsetsToTxn, 25],
    [endTxn, 26],
    [txnOffsetCommit, 28],
    [describeConfigs, 32],
    [saslAuthenticate, 36],
    [incrementalAlterConfigs, 44],
    [describeProducers, 61],
    [describeTransactions, 65],
  ] as const
  expect(all.map(([api]) => api.key)).toEqual(all.map(([, key]) => key))
})

test('every message has a version that Redpanda 24.1 speaks, by the ranges its handlers are declared with', () => {
  const redpanda: readonly (readonly [api: Api<never, unknown>, min: number, max: number])[] = [
    [produce, 0, 7],
    [fetch, 4, 11],
    [listOffsets, 0, 4],
    [metadata, 0, 7],
    [offsetCommit, 1, 8],
    [offsetFetch, 1, 7],
    [findCoordinator, 0, 3],
    [joinGroup, 0, 6],
    [heartbeat, 0, 4],
    [leaveGroup, 0, 4],
    [syncGroup, 0, 4],
    [describeGroups, 0, 5],
    [listGroups, 0, 3],
    [createTopics, 0, 6],
    [initProducerId, 0, 3],
    [addPartitionsToTxn, 0, 3],
    [addOffsetsToTxn, 0, 1],
    [endTxn, 0, 3],
    [txnOffsetCommit, 0, 3],
    [describeConfigs, 0, 4],
    [incrementalAlterConfigs, 0, 1],
    [describeProducers, 0, 0],
    [describeTransactions, 0, 0],
    [saslHandshake, 0, 1],
    [saslAuthenticate, 0, 2],
  ]
  const unspoken = redpanda.filter(([api, min, max]) => !api.versions.some(each => each >= min && each <= max))
  expect(unspoken.map(([api]) => api.name)).toEqual([])
})
