// Reading ahead over a scripted broker: what is fetched again, what stands still, what is bounded.
import { expect, test } from 'vitest'
import type { FetchedPartition, FetchRequest, KafkaClient } from '../../../../src/adapters/event-log-kafka/client.ts'
import { Reader } from '../../../../src/adapters/event-log-kafka/reader.ts'
import { encodeBatch } from '../../../../src/adapters/event-log-kafka/record-batch.ts'
import { BrokerRefusal, refusals } from '../../../../src/adapters/event-log-kafka/refusal.ts'
import { WeirError } from '../../../../src/core/errors.ts'
import { createFakeClock, type FakeClock } from '../../../support/fake-clock.ts'
import { placed, producer } from '../../../support/record-batches.ts'

type Answer = (request: FetchRequest) => Promise<readonly Partial<FetchedPartition>[]>

const limits = { maxRecords: 1_000, maxBytes: 1024 * 1024 }

async function batchAt(offset: bigint, values: readonly string[]): Promise<Buffer> {
  const records = values.map(value => ({ key: null, value: Buffer.from(value), headers: [], timestampMs: 1 }))
  return placed(await encodeBatch(records, { producer, baseSequence: 0, compression: 'none' }), offset)
}

/** A reader whose fetches are answered one after the other; further ones stay unanswered. */
function scripted(clock: FakeClock, answers: readonly Answer[], leaders: readonly number[] = [1]) {
  const asked: FetchRequest[] = []
  let looks = 0
  const client = {
    fetch: async (request: FetchRequest) => {
      const answer = answers[asked.push(request) - 1]
      if (!answer) return new Promise<never>(() => {})
      return (await answer(request)).map(each => ({
        topic: 'reviews',
        partition: request.partitions[0]!.partition,
        refusal: null,
        highWatermark: 1_000n,
        lastStableOffset: 1_000n,
        logStartOffset: 0n,
        aborted: [],
        bytes: Buffer.alloc(0),
        ...each,
      }))
    },
    metadata: async () => {
      looks++
      return [
        {
          topic: 'reviews',
          partitions: leaders.map((leader, partition) => ({ partition, leader, replicas: 1, inSync: 1 })),
        },
      ]
    },
    [Symbol.asyncDispose]: async () => {},
  } as unknown as KafkaClient
  const reader = new Reader({ client, ask: client, clock, random: () => 0.5, topic: 'reviews', maxBytes: 1_000_000 })
  return { reader, asked, looks: () => looks }
}

/** Lets fetches that are on their way be answered and decoded. */
async function settle(reader: Reader, clock: FakeClock): Promise<void> {
  reader.pump(true)
  for (let i = 0; i < 20; i++) await clock.advance(0)
}

const values = (reader: Reader, partition = 0): string[] | undefined =>
  reader.peek(partition, limits)?.records.map(each => Buffer.from(each.value!).toString())

test('gives what was fetched until it is done with, and fetches on from its end', async () => {
  const clock = createFakeClock()
  const { reader, asked } = scripted(clock, [async () => [{ bytes: await batchAt(5n, ['a', 'b', 'c']) }]])
  reader.seek(0, 5n)
  await settle(reader, clock)
  expect(values(reader)).toEqual(['a', 'b', 'c'])
  expect(values(reader)).toEqual(['a', 'b', 'c'])
  expect(reader.peek(0, { maxRecords: 2, maxBytes: 100 })?.nextOffset).toBe(7n)
  reader.consume(0, 7n)
  expect(values(reader)).toEqual(['c'])
  expect(reader.reached(0)).toBeNull()
  reader.consume(0, 8n)
  expect(reader.reached(0)).toBe(8n)
  await settle(reader, clock)
  expect(asked.map(each => each.partitions[0]!.offset)).toEqual([5n, 8n])
})

test('a partition that is moved while it is fetched forgets the answer', async () => {
  const clock = createFakeClock()
  const { reader, asked } = scripted(clock, [
    async () => [{ bytes: await batchAt(0n, ['old']) }],
    async () => [{ bytes: await batchAt(50n, ['new']) }],
  ])
  reader.seek(0, 0n)
  reader.pump(true)
  reader.seek(0, 50n)
  await settle(reader, clock)
  await settle(reader, clock)
  expect(values(reader)).toEqual(['new'])
  expect(asked.length).toBe(2)
})

test('damage on the way is fetched again; a batch that stays damaged is log.corrupt', async () => {
  const damaged: Answer = async () => {
    const bytes = await batchAt(0n, ['fine'])
    bytes[bytes.length - 3]! ^= 1
    return [{ bytes }]
  }
  const clock = createFakeClock()
  const once = scripted(clock, [damaged, async () => [{ bytes: await batchAt(0n, ['fine']) }]])
  once.reader.seek(0, 0n)
  await settle(once.reader, clock)
  expect(values(once.reader)).toBeUndefined()
  await clock.advance(100)
  await settle(once.reader, clock)
  expect(values(once.reader)).toEqual(['fine'])

  const always = scripted(
    clock,
    Array.from({ length: 50 }, () => damaged),
  )
  always.reader.seek(0, 0n)
  for (let i = 0; i < 20; i++) {
    await settle(always.reader, clock)
    await clock.advance(5_000)
  }
  expect(() => values(always.reader)).toThrow(expect.objectContaining({ code: 'log.corrupt' }))
  expect(always.asked.length).toBe(5)
})

test('a pause that ends between asking and waiting is not slept through', async () => {
  const clock = createFakeClock()
  const damaged: Answer = async () => {
    const bytes = await batchAt(0n, ['fine'])
    bytes[bytes.length - 2]! ^= 8
    return [{ bytes }]
  }
  const { reader, asked } = scripted(clock, [damaged, async () => [{ bytes: await batchAt(0n, ['fine']) }]])
  await using _ = reader
  reader.seek(0, 0n)
  await settle(reader, clock)
  expect(asked).toHaveLength(1)
  await clock.advance(37)
  reader.pump(true)
  expect(asked).toHaveLength(1)
  await clock.advance(1)
  let isAwake = false
  void reader.changed(Number.POSITIVE_INFINITY).then(() => {
    isAwake = true
  })
  await clock.advance(2)
  expect(isAwake).toBe(true)
  await settle(reader, clock)
  expect(asked).toHaveLength(2)
})

test('a leader that has moved is looked up, and asked again after a pause', async () => {
  const clock = createFakeClock()
  const { reader, asked, looks } = scripted(clock, [
    async () => [{ refusal: new BrokerRefusal(refusals.NOT_LEADER_OR_FOLLOWER, 'Fetch', 'reviews') }],
    async () => [{ bytes: await batchAt(0n, ['a']) }],
  ])
  reader.seek(0, 0n)
  await settle(reader, clock)
  expect(looks()).toBe(2)
  await settle(reader, clock)
  expect(asked.length).toBe(1)
  await clock.advance(50)
  await settle(reader, clock)
  expect(values(reader)).toEqual(['a'])
})

test('out of range stands still until it is moved', async () => {
  const clock = createFakeClock()
  const { reader, asked } = scripted(clock, [
    async () => [{ refusal: new BrokerRefusal(refusals.OFFSET_OUT_OF_RANGE, 'Fetch', 'reviews') }],
    async () => [{ bytes: await batchAt(9n, ['left']) }],
  ])
  reader.seek(0, 3n)
  await settle(reader, clock)
  await settle(reader, clock)
  expect([reader.isOutOfRange(0), asked.length]).toEqual([true, 1])
  reader.seek(0, 9n)
  await settle(reader, clock)
  expect([reader.isOutOfRange(0), values(reader)]).toEqual([false, ['left']])
})

test('a denied topic is told; a topic that stays unknown for 30 s too', async () => {
  const clock = createFakeClock()
  const denied = scripted(clock, [
    async () => [{ refusal: new BrokerRefusal(refusals.TOPIC_AUTHORIZATION_FAILED, 'Fetch', 'reviews') }],
  ])
  denied.reader.seek(0, 0n)
  await settle(denied.reader, clock)
  expect(() => values(denied.reader)).toThrow(expect.objectContaining({ code: 'log.denied' }))

  const unknown = scripted(
    clock,
    Array.from({ length: 100 }, () => async () => [
      { refusal: new BrokerRefusal(refusals.UNKNOWN_TOPIC_OR_PARTITION, 'Fetch', 'reviews') },
    ]),
  )
  unknown.reader.seek(0, 0n)
  const startMs = clock.monotonic()
  for (let thrown = false; !thrown; ) {
    await settle(unknown.reader, clock)
    await clock.advance(2_000)
    try {
      values(unknown.reader)
    } catch (error) {
      expect(error).toMatchObject({ code: 'log.topic_unknown' })
      thrown = true
    }
    expect(clock.monotonic() - startMs).toBeLessThan(60_000)
  }
  expect(clock.monotonic() - startMs).toBeGreaterThan(30_000)
})

test('a cluster that is away is waited for with growing pauses, and its trouble can be seen', async () => {
  const clock = createFakeClock()
  const away: Answer = async () => {
    throw new WeirError('log.unavailable', 'no broker answers')
  }
  const { reader, asked } = scripted(clock, [away, away, away, async () => [{ bytes: await batchAt(0n, ['back']) }]])
  reader.seek(0, 0n)
  await settle(reader, clock)
  expect(reader.trouble).toMatchObject({ forMs: 0, error: { code: 'log.unavailable' } })
  for (let ms = 0; ms < 1_000; ms += 10) {
    await clock.advance(10)
    await settle(reader, clock)
    if (asked.length === 3) expect(reader.trouble!.forMs).toBeGreaterThan(50)
  }
  // The fifth asks for what comes next.
  expect([asked.length, values(reader), reader.trouble]).toEqual([5, ['back'], null])
})

test('a leader with nothing new holds up no other', async () => {
  const clock = createFakeClock()
  const never: Answer = () => new Promise(() => {})
  const { reader, asked } = scripted(
    clock,
    [
      async () => [],
      never,
      async ({ partitions }) => [{ partition: partitions[0]!.partition, bytes: await batchAt(0n, ['a']) }],
      async ({ partitions }) => [{ partition: partitions[0]!.partition, bytes: await batchAt(1n, ['b']) }],
    ],
    [1, 2],
  )
  reader.seek(0, 0n)
  reader.seek(1, 0n)
  // The first goes out before the leaders are known, to all of them.
  await settle(reader, clock)
  await settle(reader, clock)
  expect(asked.map(each => each.partitions.length)).toEqual([2, 1, 1])
  const busy = asked[2]!.partitions[0]!.partition
  expect(values(reader, busy)).toEqual(['a'])
  reader.consume(busy, 1n)
  await settle(reader, clock)
  expect(values(reader, busy)).toEqual(['b'])
  expect(asked.slice(2).every(each => each.partitions[0]!.partition === busy)).toBe(true)
})

test('I10: nothing more is fetched of a partition while enough of it is at hand', async () => {
  const clock = createFakeClock()
  const large: Answer = async ({ partitions }) => [
    {
      bytes: await batchAt(
        partitions[0]!.offset,
        Array.from({ length: 600 }, () => 'x'.repeat(1_000)),
      ),
    },
  ]
  const { reader, asked } = scripted(clock, [large, large, large, large])
  reader.seek(0, 0n)
  for (let i = 0; i < 5; i++) await settle(reader, clock)
  expect(asked.length).toBe(1)
  reader.consume(0, 600n)
  for (let i = 0; i < 5; i++) await settle(reader, clock)
  expect(asked.length).toBe(2)
})

test('I10: of records with very many headers few are made at once, and all are given in the end', async () => {
  const clock = createFakeClock()
  const headers = Array.from({ length: 1_000 }, () => ['h', ''] as const)
  const records = Array.from({ length: 500 }, (_, i) => ({
    key: null,
    value: Buffer.from(String(i)),
    headers,
    timestampMs: 1,
  }))
  const bytes = placed(await encodeBatch(records, { producer, baseSequence: 0, compression: 'none' }), 0n)
  const { reader } = scripted(clock, [async () => [{ bytes }]])
  reader.seek(0, 0n)
  await settle(reader, clock)
  const given: string[] = []
  for (let piece = reader.peek(0, limits); piece; piece = reader.peek(0, limits)) {
    expect(piece.records.length).toBeLessThanOrEqual(200)
    given.push(...piece.records.map(({ value }) => Buffer.from(value!).toString()))
    reader.consume(0, piece.nextOffset)
  }
  expect(given).toEqual(records.map((_, i) => String(i)))
})
