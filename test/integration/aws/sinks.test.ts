// The sqs and kinesis sinks at the stand-in: what is sent, repeats, order, limits, refusals.
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { WeirError } from '../../../src/core/errors.ts'
import { deliver } from '../../../src/pipeline/deliver.ts'
import type { DecodedRecord, Delivery, Sink } from '../../../src/pipeline/ports.ts'
import { kinesis } from '../../../src/sinks/kinesis.ts'
import { sqs } from '../../../src/sinks/sqs.ts'
import { allMessages, allRecords, hastyClock, keys, newStream, queueWith } from '../../support/aws/scene.ts'
import { openStandIn } from '../../support/aws/stand-in.ts'
import { createSinkWorld, reviewAt, reviews } from '../../support/sink-world.ts'

const aws = await openStandIn()
afterAll(() => aws[Symbol.asyncDispose]())
afterEach(() => {
  aws.fault = () => undefined
})

const signal = new AbortController().signal
const shared = { region: 'us-east-1', endpoint: aws.url, credentials: keys, timeout: 600_000 }
const deps = () => ({ ...createSinkWorld('/').deps, clock: hastyClock() })
const toQueue = (queue_url: string, more: object = {}) =>
  sqs.open({ ...shared, queue_url, max_message: 262_144, ...more }, deps())
const toStream = (stream: string, more: object = {}) =>
  kinesis.open({ ...shared, stream, metadata: true, ordered: true, ...more }, deps())
const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    error => error as WeirError,
  )
const of = (...records: DecodedRecord[]): Delivery => ({ topic: 'reviews', partition: 0, records, nextOffset: 1n })
const give = (sink: Sink, delivery: Delivery) => sink.deliver!(delivery, signal)
/** As the consumer stage delivers. */
const asStage = (sink: Sink, delivery: Delivery) =>
  deliver(
    sink,
    delivery,
    {
      ...deps(),
      random: () => 0.5,
      sinkName: 'aws',
      retry: { attempts: 2, minMs: 1, maxMs: 2 },
    } as never,
    signal,
  )

describe('sqs', () => {
  test('a message is the record as JSON, with its identity as an attribute', async () => {
    const queue = await queueWith(aws.url, [])
    await using sink = await toQueue(queue)
    await give(sink, of(reviewAt(4, 0, { seen: 2n ** 60n, text: 'a\u0001\uffff\ufffe\ud800' })))
    const [message] = await allMessages(aws.url, queue)
    expect(JSON.parse(message!.body)).toEqual({
      id: 'r0-4',
      rating: 5,
      seen: '1152921504606846976',
      text: 'a\u0001\uffff\ufffe\ud800',
    })
    expect(message!.attributes['weir-id']).toMatchObject({ DataType: 'String', StringValue: 'reviews/s/0-4' })
    expect([message!.group, message!.dedup]).toEqual([undefined, undefined])
  })

  test('a delivery that comes again is dropped by a FIFO queue', async () => {
    const queue = await queueWith(aws.url, [], { name: 'out.fifo' })
    await using sink = await toQueue(queue)
    await give(sink, reviews(0, 12))
    await using restarted = await toQueue(queue)
    await give(restarted, reviews(0, 12))
    const messages = await allMessages(aws.url, queue)
    expect(messages).toHaveLength(12)
    expect(messages[0]).toMatchObject({ group: 'k0', dedup: 'reviews/s/0-0' })
  })

  test('of a key no message overtakes another when one is refused in passing', async () => {
    const queue = await queueWith(aws.url, [], { name: 'order.fifo' })
    let refusals = 2
    aws.fault = ({ action, input }) => {
      if (action !== 'SendMessageBatch' || refusals-- <= 0) return undefined
      const [first] = input['Entries'] as { Id: string }[]
      const Failed = [{ Id: first!.Id, Code: 'ServiceUnavailable', SenderFault: false }]
      return { body: { Successful: [], Failed } }
    }
    await using sink = await sqs.open({ ...shared, queue_url: queue, max_message: 262_144 }, deps())
    await give(sink, reviews(0, 30))
    const messages = await allMessages(aws.url, queue)
    const byGroup = Map.groupBy(messages, ({ group }) => group)
    expect([...byGroup.keys()].sort()).toEqual(['k0', 'k1', 'k2'])
    for (const each of byGroup.values()) {
      const numbers = each.map(({ body }) => Number(JSON.parse(body).seen))
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
      expect(numbers).toHaveLength(10)
    }
  })

  test('keys that are no names of groups become hashes, no key the partition', async () => {
    const queue = await queueWith(aws.url, [], { name: 'names.fifo' })
    await using sink = await toQueue(queue)
    const keyed = (offset: number, key: Uint8Array | null): DecodedRecord => {
      const record = reviewAt(offset)
      return { ...record, log: { ...record.log, key } }
    }
    await give(
      sink,
      of(keyed(0, Buffer.from('é')), keyed(1, null), keyed(2, Buffer.from('x'.repeat(200))), keyed(3, Buffer.alloc(0))),
    )
    const groups = (await allMessages(aws.url, queue)).map(({ group }) => group)
    expect(groups).toEqual([
      expect.stringMatching(/^[0-9a-f]{64}$/),
      'reviews/0',
      expect.stringMatching(/^[0-9a-f]{64}$/),
      expect.stringMatching(/^[0-9a-f]{64}$/),
    ])
    expect(new Set(groups).size).toBe(4)
  })

  test('calls have ten messages at most and stay below the size of one', async () => {
    const queue = await queueWith(aws.url, [])
    await using sink = await toQueue(queue)
    const from = aws.calls.length
    const text = 'x'.repeat(100_000)
    await give(sink, of(...Array.from({ length: 5 }, (_, n) => reviewAt(n, 0, { text })), ...reviews(5, 25).records))
    const sizes = aws.calls.slice(from).map(({ input }) => (input['Entries'] as unknown[]).length)
    expect(sizes).toEqual([2, 2, 10, 10, 1])
    expect(await allMessages(aws.url, queue)).toHaveLength(25)
  })

  test('one that is too large is a dead letter, the others are sent once', async () => {
    const queue = await queueWith(aws.url, [])
    await using sink = await toQueue(queue)
    const delivery = of(reviewAt(0), reviewAt(1, 0, { text: 'x'.repeat(300_000) }), reviewAt(2))
    const failed = await asStage(sink, delivery)
    expect(failed.map(({ log, error }) => [log.offset, error.code])).toEqual([[1n, 'sink.rejected']])
    expect((await allMessages(aws.url, queue)).map(({ body }) => JSON.parse(body).id)).toEqual(['r0-0', 'r0-2'])
  })

  test('one that the queue refuses for good is a dead letter with the reason', async () => {
    const queue = await queueWith(aws.url, [], { attributes: { MaximumMessageSize: '1024' } })
    await using sink = await toQueue(queue)
    const error = await failure(give(sink, of(reviewAt(0, 0, { text: 'x'.repeat(960) }))))
    expect(error).toMatchObject({ code: 'sink.rejected', message: expect.stringContaining('InvalidParameterValue') })
  })

  test.each([
    ['a queue that is not there', () => undefined, 'QueueDoesNotExist'],
    [
      'keys that are refused',
      () => ({ status: 403, body: { __type: 'AccessDeniedException' } }),
      'AccessDeniedException',
    ],
    ['a service that fails', () => ({ status: 503, body: 'no' }), 'cannot be understood'],
    ['a connection that breaks', () => ({ drop: true as const }), 'closed the connection'],
    ['an answer that is none', () => ({ body: '<html>' }), 'no JSON object'],
  ])('%s is sink.failed', async (_, fault, words) => {
    aws.fault = fault
    await using sink = await toQueue(`${aws.url}/123456789012/nowhere`)
    const error = await failure(give(sink, reviews(0, 1)))
    expect(error).toMatchObject({ code: 'sink.failed' })
    expect(error!.message).toContain(words)
  })

  test('a call that takes too long is sink.failed', async () => {
    const queue = await queueWith(aws.url, [])
    await using sink = await sqs.open({ ...shared, timeout: 1, queue_url: queue, max_message: 262_144 }, deps())
    expect(await failure(give(sink, reviews(0, 1)))).toMatchObject({ code: 'sink.failed' })
  })
})

describe('kinesis', () => {
  test('a record is JSON with what tells it apart, under its key', async () => {
    const stream = await newStream(aws.url)
    await using sink = await toStream(stream)
    await give(sink, reviews(4, 5))
    const [record] = await allRecords(aws.url, stream)
    expect([record!.key, JSON.parse(record!.data)]).toEqual([
      'k1',
      {
        id: 'reviews/s/0-4',
        topic: 'reviews',
        partition: 0,
        offset: 4,
        timestamp: '2023-11-14T22:13:20.004Z',
        key: 'k1',
        value: { id: 'r0-4', rating: 5, seen: 4, text: 'text\n4 é' },
      },
    ])
  })

  test('or its value alone', async () => {
    const stream = await newStream(aws.url)
    await using sink = await toStream(stream, { metadata: false })
    await give(sink, reviews(0, 1))
    expect(JSON.parse((await allRecords(aws.url, stream))[0]!.data)).toMatchObject({ id: 'r0-0' })
  })

  test('a delivery that comes again puts the same identities', async () => {
    const stream = await newStream(aws.url)
    for (let n = 0; n < 2; n++) {
      await using sink = await toStream(stream)
      await give(sink, reviews(0, 3))
    }
    const ids = (await allRecords(aws.url, stream)).map(({ data }) => JSON.parse(data).id)
    expect(ids).toHaveLength(6)
    expect(new Set(ids).size).toBe(3)
  })

  test.each([true, false])('what a busy shard refuses is put again; ordered: %s', async ordered => {
    const stream = await newStream(aws.url, 2)
    let busy = 2
    aws.fault = ({ action, input }) => {
      if (action !== 'PutRecords' || busy-- <= 0) return undefined
      const Records = (input['Records'] as unknown[]).map(() => ({
        ErrorCode: 'ProvisionedThroughputExceededException',
        ErrorMessage: 'Rate exceeded',
      }))
      return { body: { FailedRecordCount: Records.length, Records } }
    }
    await using sink = await kinesis.open({ ...shared, stream, metadata: false, ordered, timeout: 600_000 }, deps())
    await give(sink, reviews(0, 30))
    const records = await allRecords(aws.url, stream)
    expect(records).toHaveLength(30)
    for (const each of Map.groupBy(records, ({ key }) => key).values()) {
      const numbers = each.map(({ data }) => Number(JSON.parse(data).seen))
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    }
  })

  test('calls stay within 500 records and 5 MB, a record within 1 MB', async () => {
    const stream = await newStream(aws.url)
    await using sink = await toStream(stream, { ordered: false })
    const from = aws.calls.length
    const text = 'x'.repeat(900_000)
    await give(sink, of(...Array.from({ length: 6 }, (_, n) => reviewAt(n, 0, { text })), ...reviews(6, 600).records))
    const sizes = aws.calls.slice(from).map(({ input }) => (input['Records'] as unknown[]).length)
    expect(sizes[0]).toBe(5)
    expect(Math.max(...sizes)).toBe(500)
    expect(sizes.reduce((sum, n) => sum + n)).toBe(600)
    const failed = await asStage(sink, of(reviewAt(0), reviewAt(1, 0, { text: 'x'.repeat(2 ** 20) })))
    expect(failed.map(({ log, error }) => [log.offset, error.code])).toEqual([[1n, 'sink.rejected']])
  })

  test('a stream that is not there is sink.failed', async () => {
    await using sink = await toStream('nowhere')
    const error = await failure(give(sink, reviews(0, 1)))
    expect([error!.code, error!.message]).toEqual(['sink.failed', expect.stringContaining('ResourceNotFoundException')])
  })
})
