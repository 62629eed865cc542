// Topics over a scripted cluster: what is set, what is refused, what an operator is told.
import { expect, test } from 'vitest'
import type { KafkaClient, TopicMetadata } from '../../../../src/adapters/event-log-kafka/client.ts'
import { BrokerRefusal, refusals } from '../../../../src/adapters/event-log-kafka/refusal.ts'
import { TopicTable } from '../../../../src/adapters/event-log-kafka/topic-table.ts'
import { allTopics, ensureTopic, replicationNotes } from '../../../../src/adapters/event-log-kafka/topics.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'

const spec = { name: 'reviews', partitions: 3, retentionMs: null, retentionBytes: 100, maxRecordBytes: 5_000_000 }

function metadata(topic: string, partitions: number, replicas = 1, inSync = replicas): TopicMetadata {
  return {
    topic,
    partitions: Array.from({ length: partitions }, (_, partition) => ({
      partition,
      leader: 1,
      replicas,
      inSync,
    })),
  }
}

function cluster(there: readonly TopicMetadata[], more: Partial<KafkaClient> = {}) {
  const topics = [...there]
  const configs = new Map(there.map(({ topic }) => [topic, new Map<string, string>()]))
  const set: Readonly<Record<string, string>>[] = []
  const client = {
    metadata: async (names: readonly string[] | null) =>
      topics.filter(({ topic }) => names === null || names.includes(topic)),
    topicConfigs: async () => configs,
    setTopicConfigs: async (topic: string, values: Record<string, string>) => {
      set.push(values)
      for (const [name, value] of Object.entries(values)) configs.get(topic)!.set(name, value)
    },
    createTopic: async (topic: Parameters<KafkaClient['createTopic']>[0]) => {
      set.push(topic.configs)
      topics.push(metadata(topic.name, topic.partitions))
      configs.set(topic.name, new Map(Object.entries(topic.configs)))
    },
    listOffsets: async (places: readonly { topic: string; partition: number }[]) =>
      places.map(place => ({ ...place, offset: 0n })),
    ...more,
  } as unknown as KafkaClient
  const clock = createFakeClock()
  return { parts: { client, clock, topics: new TopicTable(client, clock), replicationFactor: null }, set, configs }
}

test('a topic is made with its limits: bytes are shared out to the partitions, batches have room for the largest record', async () => {
  const { parts, set } = cluster([])
  const { created, info } = await ensureTopic(parts, spec)
  expect(created).toBe(true)
  expect(info).toMatchObject({ ...spec, bytes: null })
  expect(set).toEqual([
    {
      'cleanup.policy': 'delete',
      'compression.type': 'producer',
      'message.timestamp.type': 'CreateTime',
      'retention.ms': '-1',
      'retention.bytes': '34',
      'max.message.bytes': '5001024',
    },
  ])
})

test('only limits that differ are set; what weir does not manage stays', async () => {
  const { parts, set, configs } = cluster([metadata('reviews', 3)])
  configs.set(
    'reviews',
    new Map([
      ['retention.ms', '-1'],
      ['max.message.bytes', '1'],
      ['cleanup.policy', 'compact'],
    ]),
  )
  const { created, notes } = await ensureTopic(parts, { ...spec, retentionBytes: null, maxRecordBytes: 100 })
  expect(created).toBe(false)
  expect(set).toEqual([{ 'retention.bytes': '-1', 'max.message.bytes': String(1024 * 1024) }])
  expect(notes).toEqual([expect.stringContaining('is compacted')])
  await ensureTopic(parts, { ...spec, retentionBytes: null, maxRecordBytes: 100 })
  expect(set.length).toBe(1)
})

test('another number of partitions is a conflict that names both and says what to do', async () => {
  const { parts } = cluster([metadata('reviews', 2)])
  await expect(ensureTopic(parts, spec)).rejects.toMatchObject({
    code: 'log.topic_conflict',
    message: 'Topic reviews has 2 partitions, not 3.',
    hint: expect.stringContaining('`partitions: 2`'),
  })
})

test.each([
  ['topicConfigs', refusals.TOPIC_AUTHORIZATION_FAILED],
  ['setTopicConfigs', refusals.TOPIC_AUTHORIZATION_FAILED],
  ['setTopicConfigs', refusals.POLICY_VIOLATION],
] as const)(
  'a topic whose limits may not be changed (%s refused with %i) is taken as it is, with a note',
  async (api, code) => {
    const { parts } = cluster([metadata('reviews', 3)], {
      [api]: async () => {
        throw new BrokerRefusal(code, api, 'reviews')
      },
    })
    const { created, notes } = await ensureTopic(parts, spec)
    expect(created).toBe(false)
    expect(notes).toEqual([expect.stringContaining('keeps its own retention and limits')])
  },
)

test('a topic that another process makes at the same moment is taken', async () => {
  let looks = 0
  const { parts } = cluster([metadata('reviews', 3)], {
    metadata: async () => (looks++ === 0 ? [] : [metadata('reviews', 3)]),
    createTopic: async () => {
      throw new BrokerRefusal(refusals.TOPIC_ALREADY_EXISTS, 'CreateTopics', 'reviews')
    },
  })
  const ensured = ensureTopic(parts, spec)
  await (parts.clock as ReturnType<typeof createFakeClock>).waiting()
  await (parts.clock as ReturnType<typeof createFakeClock>).advance(100)
  expect((await ensured).created).toBe(false)
})

test('a topic that may not be made is log.denied', async () => {
  const { parts } = cluster([], {
    createTopic: async () => {
      throw new BrokerRefusal(refusals.TOPIC_AUTHORIZATION_FAILED, 'CreateTopics', 'reviews')
    },
  })
  await expect(ensureTopic(parts, spec)).rejects.toMatchObject({ code: 'log.denied' })
})

test('a topic with more replicas than brokers is refused for good, with what to look at', async () => {
  const { parts } = cluster([], {
    createTopic: async () => {
      throw new BrokerRefusal(38, 'CreateTopics', 'reviews')
    },
  })
  await expect(ensureTopic(parts, spec)).rejects.toMatchObject({
    code: 'log.invalid',
    hint: expect.stringContaining('replication_factor'),
  })
})

test('topics of cursors are not shown', async () => {
  const { parts } = cluster([metadata('weir.cursors.p', 8), metadata('reviews', 1), metadata('a', 1)])
  expect((await allTopics(parts)).map(({ name }) => name)).toEqual(['a', 'reviews'])
})

test.each<[what: string, topic: TopicMetadata, inSync: string, brokers: number, said: readonly RegExp[]]>([
  ['one broker', metadata('t', 3), '1', 1, []],
  ['three replicas, two in sync', metadata('t', 3, 3), '2', 3, []],
  ['one replica of several brokers', metadata('t', 3, 1), '1', 3, [/one replica/]],
  ['three replicas, one in sync', metadata('t', 3, 3), '1', 3, [/min\.insync\.replicas 1.*2 is safe/]],
  ['no room for a broker that is away', metadata('t', 3, 3), '3', 3, [/takes no writes/]],
  ['replicas behind', metadata('t', 3, 3, 2), '2', 3, [/3 of 3 partitions with replicas behind/]],
])('notes on replication: %s', (_, topic, inSync, brokers, said) => {
  const notes = replicationNotes(topic, new Map([['min.insync.replicas', inSync]]), brokers)
  expect(notes.length).toBe(said.length)
  for (const [i, pattern] of said.entries()) expect(notes[i]).toMatch(pattern)
})
