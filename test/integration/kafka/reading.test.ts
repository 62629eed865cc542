// What a real broker does to readers: aborted and open transactions, added partitions, deleted records, damaged answers, commits that arrive late.
import { randomBytes } from 'node:crypto'
import type { Transaction } from 'kafkajs'
import { expect, test } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import type { LogRecord } from '../../../src/core/record.ts'
import type { Consumer, EventLog, Fetched } from '../../../src/pipeline/ports.ts'
import { eventually } from '../../support/eventually.ts'
import { openKafkaLog } from '../../support/kafka-log.ts'
import { apis, openKafkaProxy, withBitFlipped } from '../../support/kafka-proxy.ts'
import { kafkajsClient, withAdmin } from '../../support/kafkajs-client.ts'
import { describeWith } from '../../support/services/for-tests.ts'

const uniqueName = () => `reading-${randomBytes(5).toString('hex')}`
const signal = new AbortController().signal
const limits = { retentionMs: null, retentionBytes: null, maxRecordBytes: 1024 * 1024 }

/** Records written by another client. */
async function write(bootstrap: string, topic: string, values: readonly string[], partition = 0): Promise<void> {
  const producer = kafkajsClient(bootstrap).producer({ allowAutoTopicCreation: false })
  await producer.connect()
  await producer.send({ topic, messages: values.map(value => ({ key: 'k', value, partition })) })
  await producer.disconnect()
}

/** A transaction of another client, begun, with these records in it. */
async function beginTransaction(bootstrap: string, topic: string, values: readonly string[]) {
  const producer = kafkajsClient(bootstrap).producer({
    transactionalId: uniqueName(),
    maxInFlightRequests: 1,
    idempotent: true,
  })
  await producer.connect()
  const transaction: Transaction = await producer.transaction()
  await transaction.send({ topic, messages: values.map(value => ({ key: 'k', value, partition: 0 })) })
  return {
    end: async (how: 'commit' | 'abort') => {
      await transaction[how]()
      await producer.disconnect()
    },
  }
}

const texts = (records: readonly LogRecord[]): string[] => records.map(each => Buffer.from(each.value!).toString())

async function browsed(log: EventLog, topic: string): Promise<string[]> {
  const found: LogRecord[] = []
  for await (const page of log.browse(topic, { from: 'earliest' })) found.push(...page)
  return texts(found)
}

const poll = (consumer: Consumer, maxWaitMs = 10_000): Promise<Fetched | null> =>
  consumer.poll({ maxRecords: 1_000, maxBytes: 1024 * 1024, maxWaitMs, signal })

const commit = (consumer: Consumer, { topic, partition, nextOffset }: Fetched): Promise<void> =>
  consumer.commit([{ topic, partition, offset: nextOffset }], [])

async function offsetOf(log: EventLog, group: string): Promise<bigint | undefined> {
  return (await log.groups()).find(each => each.group === group)?.offset
}

const join = (log: EventLog, topic: string, more: Partial<Parameters<EventLog['joinConsumers']>[0]> = {}) =>
  log.joinConsumers({ group: topic, topic, start: 'earliest', outOfRange: 'stop', ...more })

await describeWith(['apache-kafka'], 'reading from Kafka', ({ bootstrap, proxied }) => {
  test('aborted records reach nobody, and what ends with them is read to its end', async () => {
    await using log = await openKafkaLog(bootstrap)
    const topic = uniqueName()
    await log.ensureTopic({ name: topic, partitions: 1, ...limits })
    await (await beginTransaction(bootstrap, topic, ['lost 1'])).end('abort')
    await (await beginTransaction(bootstrap, topic, ['kept'])).end('commit')
    await (await beginTransaction(bootstrap, topic, ['lost 2', 'lost 3'])).end('abort')
    expect(await browsed(log, topic)).toEqual(['kept'])
    const consumer = await join(log, topic)
    const batch = (await poll(consumer))!
    expect(texts(batch.records)).toEqual(['kept'])
    await commit(consumer, batch)
    expect(await poll(consumer, 50)).toBeNull()
    await eventually('nothing is left', async () => (await consumer.lag()) === 0n)
  })

  test('an open transaction holds readers back, counts as lag, and its records come before those behind it', async () => {
    await using log = await openKafkaLog(bootstrap)
    const topic = uniqueName()
    await log.ensureTopic({ name: topic, partitions: 1, ...limits })
    await write(bootstrap, topic, ['before'])
    const open = await beginTransaction(bootstrap, topic, ['inside'])
    await write(bootstrap, topic, ['behind'])
    expect(await browsed(log, topic)).toEqual(['before'])
    const consumer = await join(log, topic)
    await commit(consumer, (await poll(consumer))!)
    expect(await poll(consumer, 300)).toBeNull()
    expect(await consumer.lag()).toBe(2n)
    await open.end('commit')
    const seen: string[] = []
    while (seen.length < 2) {
      const batch = (await poll(consumer))!
      seen.push(...texts(batch.records))
      await commit(consumer, batch)
    }
    expect(seen).toEqual(['inside', 'behind'])
  })

  test('partitions that are added are read from their beginning, also by a group that starts at the end', async () => {
    const clock = {
      ...systemClock,
      sleep: (ms: number, s?: AbortSignal) => systemClock.sleep(ms === 60_000 ? 100 : ms, s),
    }
    await using log = await openKafkaLog(bootstrap, { clock })
    const topic = uniqueName()
    await log.ensureTopic({ name: topic, partitions: 1, ...limits })
    await write(bootstrap, topic, ['old'])
    const consumer = await join(log, topic, { start: 'latest' })
    await withAdmin(kafkajsClient(bootstrap), admin =>
      admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] }),
    )
    await eventually('the topic has three partitions', async () => (await log.topic(topic))?.partitions === 3)
    await write(bootstrap, topic, ['new'], 2)
    const batch = (await poll(consumer))!
    expect([batch.partition, texts(batch.records)]).toEqual([2, ['new']])
    await commit(consumer, batch)
    await expect(log.ensureTopic({ name: topic, partitions: 1, ...limits })).rejects.toMatchObject({
      code: 'log.topic_conflict',
      message: `Topic ${topic} has 3 partitions, not 1.`,
    })
  })

  test('a group whose offset is gone stops, or goes on with what is left, as it was told', async () => {
    await using log = await openKafkaLog(bootstrap)
    const topic = uniqueName()
    await log.ensureTopic({ name: topic, partitions: 1, ...limits })
    await write(bootstrap, topic, ['a', 'b', 'c', 'd'])
    for (const group of [`${topic}-stop`, `${topic}-on`]) {
      await using consumer = await join(log, topic, { group })
      await consumer.commit([{ topic, partition: 0, offset: 1n }], [])
    }
    await withAdmin(kafkajsClient(bootstrap), async admin => {
      await admin.fetchTopicMetadata({ topics: [topic] })
      await admin.fetchTopicOffsets(topic)
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] })
    })
    const stopped = await join(log, topic, { group: `${topic}-stop` })
    await expect(poll(stopped)).rejects.toMatchObject({ code: 'log.offset_out_of_range' })
    await expect(poll(stopped)).rejects.toMatchObject({ code: 'log.offset_out_of_range' })
    const missed: [number, bigint, bigint][] = []
    const going = await join(log, topic, {
      group: `${topic}-on`,
      outOfRange: 'earliest',
      missed: (...each) => missed.push(each),
    })
    expect(await going.lag()).toBe(1n)
    expect(texts((await poll(going))!.records)).toEqual(['d'])
    expect(missed).toEqual([[0, 1n, 3n]])
    expect(await browsed(log, topic)).toEqual(['d'])
  })

  test('a topic that is deleted under a reader is told by its name', async () => {
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() * 20 }
    await using log = await openKafkaLog(bootstrap, { clock, requestTimeoutMs: 200_000 })
    const topic = uniqueName()
    await log.ensureTopic({ name: topic, partitions: 1, ...limits })
    const consumer = await join(log, topic)
    await withAdmin(kafkajsClient(bootstrap), admin => admin.deleteTopics({ topics: [topic] }))
    await expect(
      (async () => {
        for (;;) await poll(consumer)
      })(),
    ).rejects.toMatchObject({ code: 'log.topic_unknown', message: `There is no topic ${topic}.` })
  })

  test('a fetched batch that was damaged on its way is fetched again, and never decoded', async () => {
    await using proxy = await openKafkaProxy(proxied)
    await using log = await openKafkaLog(proxy.address, { compression: 'none' })
    const topic = uniqueName()
    await log.ensureTopic({ name: topic, partitions: 1, ...limits })
    const value = 'x'.repeat(2_000)
    await write(bootstrap, topic, [value])
    const rule = proxy.on(
      { apiKey: apis.fetch, direction: 'answer', nth: 1, where: frame => frame.bytes.includes(value) },
      withBitFlipped(-500, 3),
    )
    expect(await browsed(log, topic)).toEqual([value])
    expect(rule.hits).toBe(1)
    expect(proxy.frames(apis.fetch)).toBeGreaterThan(1)
  })

  test('I1: a commit of offsets without an answer is in doubt; after renew it cannot land any more', async () => {
    await using proxy = await openKafkaProxy(proxied)
    await using log = await openKafkaLog(proxy.address)
    const topic = uniqueName()
    await log.ensureTopic({ name: topic, partitions: 1, ...limits })
    await write(bootstrap, topic, ['a', 'b', 'c'])
    const consumer = await join(log, topic)
    expect(texts((await poll(consumer))!.records)).toEqual(['a', 'b', 'c'])
    const rule = proxy.on({ apiKey: apis.offsetCommit, direction: 'request', nth: 1 }, { do: 'hold' })
    await expect(consumer.commit([{ topic, partition: 0, offset: 1n }], [])).rejects.toMatchObject({
      code: 'log.outcome_unknown',
    })
    await consumer.renew()
    const again = (await poll(consumer))!
    expect(texts(again.records)).toEqual(['a', 'b', 'c'])
    await commit(consumer, again)
    await rule.release()
    expect(await offsetOf(log, topic)).toBe(3n)
  })

  test('I1: a commit of offsets whose answer was lost is read back by renew', async () => {
    await using proxy = await openKafkaProxy(proxied)
    await using log = await openKafkaLog(proxy.address)
    const topic = uniqueName()
    await log.ensureTopic({ name: topic, partitions: 1, ...limits })
    await write(bootstrap, topic, ['a', 'b', 'c'])
    const consumer = await join(log, topic)
    await poll(consumer)
    proxy.on({ apiKey: apis.offsetCommit, direction: 'answer', nth: 1 }, { do: 'drop' })
    await expect(consumer.commit([{ topic, partition: 0, offset: 2n }], [])).rejects.toMatchObject({
      code: 'log.outcome_unknown',
    })
    await consumer.renew()
    expect(texts((await poll(consumer))!.records)).toEqual(['c'])
  })

  test('I1: while the group is shared out anew, a commit of what stays is made under the new generation', async () => {
    await using log = await openKafkaLog(bootstrap)
    const topic = uniqueName()
    await log.ensureTopic({ name: topic, partitions: 2, ...limits })
    await write(
      bootstrap,
      topic,
      Array.from({ length: 300 }, (_, i) => `${i}`),
      0,
    )
    const consumer = await join(log, topic)
    await using other = await openKafkaLog(bootstrap)
    const seen: string[] = []
    const reading = (async () => {
      while (seen.length < 300) {
        const batch = await consumer.poll({ maxRecords: 1, maxBytes: 1000, maxWaitMs: 5_000, signal })
        if (batch === null) return
        seen.push(...texts(batch.records))
        await commit(consumer, batch)
      }
    })()
    // Each one that comes and goes makes two generations or more.
    while (seen.length < 280) {
      await using guest = await join(other, topic)
      await eventually('the guest has a partition', () => guest.settled())
    }
    await reading
    expect(seen).toEqual(Array.from({ length: 300 }, (_, i) => `${i}`))
  })

  test('I3: many compressed records of several partitions come in order, in bounded batches', async () => {
    await using log = await openKafkaLog(bootstrap)
    const topic = uniqueName()
    await log.ensureTopic({ name: topic, partitions: 4, ...limits })
    const owned = Promise.withResolvers<Parameters<Parameters<EventLog['joinProducers']>[0]['assigned']>[0]>()
    await log.joinProducers({
      pipeline: topic,
      buckets: 1,
      assigned: owned.resolve,
      revoked: async () => {},
      lost: () => {},
    })
    const bucket = await owned.promise
    const filler = 'review '.repeat(60)
    for (let at = 0; at < 40_000; at += 2_000) {
      const records = Array.from({ length: 2_000 }, (_, i) => ({
        key: Buffer.from(`k${(at + i) % 4}`),
        value: Buffer.from(`${at + i} ${filler}`),
        headers: [],
        timestampMs: Date.now(),
        partition: (at + i) % 4,
      }))
      await bucket.transact({ appends: [{ topic, records }], cursors: [] })
    }
    const consumer = await join(log, topic)
    const last = new Map<number, number>()
    let count = 0
    while (count < 40_000) {
      const batch = (await consumer.poll({ maxRecords: 1_000, maxBytes: 300_000, maxWaitMs: 10_000, signal }))!
      expect(batch.records.length).toBeLessThanOrEqual(1_000)
      for (const { value } of batch.records) {
        const number = Number.parseInt(Buffer.from(value!).toString('latin1'), 10)
        expect(number).toBe((last.get(batch.partition) ?? batch.partition - 4) + 4)
        last.set(batch.partition, number)
      }
      count += batch.records.length
      await commit(consumer, batch)
    }
    expect(await consumer.lag()).toBe(0n)
  })

  test('groups of other programs are listed too', async () => {
    await using log = await openKafkaLog(bootstrap)
    const topic = uniqueName()
    await log.ensureTopic({ name: topic, partitions: 1, ...limits })
    await write(bootstrap, topic, ['a', 'b'])
    const other = kafkajsClient(bootstrap).consumer({ groupId: topic })
    await other.connect()
    await other.subscribe({ topic, fromBeginning: true })
    const read = Promise.withResolvers<void>()
    await other.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        if (message.offset === '1') read.resolve()
      },
    })
    await read.promise
    await other.commitOffsets([{ topic, partition: 0, offset: '1' }])
    const found = async () => (await log.groups()).find(each => each.group === topic)
    expect(await found()).toMatchObject({ topic, partition: 0, offset: 1n, lag: 1n, member: expect.any(String) })
    await other.disconnect()
    await eventually('the group has no member', async () => (await found())?.member === null)
  })
})
