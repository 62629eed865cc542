// The sqs source at the stand-in: what is deleted when, what comes again, what is kept from others, FIFO queues, the items themselves.
import { afterAll, describe, expect, test } from 'vitest'
import { codeOf, WeirError } from '../../../src/core/errors.ts'
import type { Event } from '../../../src/core/event.ts'
import { rawOf, type SourceBatch } from '../../../src/core/record.ts'
import { compileMapping } from '../../../src/mapping/mapping.ts'
import type { Source } from '../../../src/pipeline/ports.ts'
import { runProducer } from '../../../src/pipeline/producer.ts'
import { leftIn, openSqs, queueWith } from '../../support/aws/scene.ts'
import { type Call, openStandIn } from '../../support/aws/stand-in.ts'
import { eventually } from '../../support/eventually.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { between, schemaText, stageWorld } from '../../support/stage-world.ts'

const aws = await openStandIn()
afterAll(() => aws[Symbol.asyncDispose]())

const signal = new AbortController().signal
const texts = (count: number) => Array.from({ length: count }, (_, n) => JSON.stringify({ id: `${n}`, rating: n % 5 }))
const splitOf = async (source: Source) => (await source.splits(signal))[0]!
/** Reads as the pipeline does: each batch is stored before the next is asked for. */
async function readAll(source: Source, cursor: string | null = null, stored = true): Promise<SourceBatch[]> {
  const batches: SourceBatch[] = []
  for await (const batch of source.read(await splitOf(source), cursor, signal)) {
    batches.push(batch)
    if (stored) batch.stored!()
  }
  return batches
}
const bodies = (batches: readonly SourceBatch[]) =>
  batches.flatMap(({ items }) => items.map(({ value }) => (value as { body: { id: string } }).body.id))
const gone = (queue: string) =>
  eventually('the queue is empty', async () => {
    const { free, hidden } = await leftIn(aws.url, queue)
    return free + hidden === 0
  })
const mapping = { id: 'this.body.id', rating: 'double(this.body.rating)' }
const since = (at: number) => aws.calls.slice(at).map(({ action }: Call) => action)

describe('what is stored', () => {
  test('is deleted then, and not before', async () => {
    const queue = await queueWith(aws.url, texts(25))
    await using source = openSqs(aws.url, queue)
    const reading = source.read(await splitOf(source), null, signal)[Symbol.asyncIterator]()
    const { value: batch } = await reading.next()
    expect(batch!.items).toHaveLength(25)
    expect(await leftIn(aws.url, queue)).toEqual({ free: 0, hidden: 25 })
    batch!.stored!()
    await gone(queue)
    expect((await reading.next()).done).toBe(true)
  })

  test('and comes again is known by the cursor, left out, counted, and deleted once that is stored', async () => {
    const queue = await queueWith(aws.url, texts(12))
    const first = openSqs(aws.url, queue)
    const [batch] = await readAll(first, null, false)
    // A process that dies gives nothing back: the messages come again when their time is over.
    aws.advance(61_000)
    await queueWith(aws.url, ['{"id":"new"}'], { name: queue.split('/').at(-1)! })
    await using second = openSqs(aws.url, queue)
    const again = await readAll(second, batch!.cursor)
    expect(bodies(again)).toEqual(['new'])
    expect(again.map(({ drops }) => drops)).toEqual([{ duplicate: 12 }])
    await gone(queue)
  })

  test('is at least once beyond what is remembered', async () => {
    const queue = await queueWith(aws.url, texts(1))
    const [batch] = await readAll(openSqs(aws.url, queue), null, false)
    aws.advance(61_000)
    const { v, ids } = JSON.parse(batch!.cursor)
    const forgotten = JSON.stringify({ v, taken: 5001, ids: ids.slice(12) })
    await using source = openSqs(aws.url, queue)
    expect(bodies(await readAll(source, forgotten))).toEqual(['0'])
  })

  test('in a transaction whose outcome is in doubt is neither lost nor doubled', async () => {
    for (const written of [true, false]) {
      const queue = await queueWith(aws.url, texts(30))
      await using world = await stageWorld()
      let calls = 0
      const log = between(world.log, async (transact, transaction) => {
        if (++calls !== 2) return transact(transaction)
        if (written) await transact(transaction)
        throw new WeirError('log.outcome_unknown', 'the answer was lost')
      })
      await using source = openSqs(aws.url, queue, { batch: 10 })
      await runProducer({ ...world.producerOptions(source), log, mapping: compileMapping(mapping, schemaText) }, signal)
      const ids = (await world.records()).map(({ id }) => Number(id)).sort((a, b) => a - b)
      expect(ids).toEqual(Array.from({ length: 30 }, (_, n) => n))
      await gone(queue)
    }
  })

  test('a deletion that fails is told once, and does no harm', async () => {
    const queue = await queueWith(aws.url, texts(20))
    const events: Event[] = []
    await using source = openSqs(aws.url, queue, { batch: 10 }, { events })
    aws.fault = ({ action }) =>
      action === 'DeleteMessageBatch'
        ? { status: 400, body: { __type: 'com.amazonaws.sqs#AccessDeniedException' } }
        : undefined
    const batches = await readAll(source)
    await eventually('it is told', () => events.some(({ type }) => type === 'source_notice'))
    aws.fault = () => undefined
    expect(events.filter(({ type }) => type === 'source_notice')).toHaveLength(1)
    aws.advance(61_000)
    const again = await readAll(source, batches.at(-1)!.cursor)
    expect(bodies(again)).toEqual([])
    await gone(queue)
  })
})

describe('what is in work', () => {
  test('is kept from others for as long as it is', async () => {
    const queue = await queueWith(aws.url, texts(3))
    const clock = createFakeClock()
    await using source = openSqs(aws.url, queue, { visibility_timeout: '20s' }, { clock })
    const reading = source.read(await splitOf(source), null, signal)[Symbol.asyncIterator]()
    const { value: batch } = await reading.next()
    for (let n = 0; n < 5; n++) {
      const before = aws.calls.length
      aws.advance(10_000)
      await clock.advance(10_000)
      await eventually('it is prolonged', () => since(before).includes('ChangeMessageVisibilityBatch'))
      await eventually('nobody else has it', async () => (await leftIn(aws.url, queue)).hidden === 3)
    }
    batch!.stored!()
    await gone(queue)
  })

  test('is given back at once when the process stops without storing it', async () => {
    const queue = await queueWith(aws.url, texts(13))
    const source = openSqs(aws.url, queue)
    await readAll(source, null, false)
    expect(await leftIn(aws.url, queue)).toEqual({ free: 0, hidden: 13 })
    await source[Symbol.asyncDispose]()
    expect(await leftIn(aws.url, queue)).toEqual({ free: 13, hidden: 0 })
  })

  test('of a reading that was stopped is not kept from others any longer', async () => {
    const queue = await queueWith(aws.url, texts(2))
    const clock = createFakeClock()
    await using source = openSqs(aws.url, queue, { visibility_timeout: '20s' }, { clock })
    const stopping = new AbortController()
    const reading = source.read(await splitOf(source), null, stopping.signal)[Symbol.asyncIterator]()
    await reading.next()
    stopping.abort()
    expect((await reading.next()).done).toBe(true)
    const before = aws.calls.length
    await clock.advance(60_000)
    expect(since(before)).toEqual([])
  })

  test('a message that comes again while it is in work is stored once, and not deleted before', async () => {
    const queue = await queueWith(aws.url, texts(1))
    await using source = openSqs(aws.url, queue)
    const reading = source.read(await splitOf(source), null, signal)[Symbol.asyncIterator]()
    const { value: first } = await reading.next()
    aws.advance(61_000)
    const { value: second } = await reading.next()
    expect([second!.items, second!.drops]).toEqual([[], { duplicate: 1 }])
    expect((await leftIn(aws.url, queue)).hidden).toBe(1)
    first!.stored!()
    second!.stored!()
    await gone(queue)
  })
})

describe('a FIFO queue', () => {
  const messages = (count: number, groups: number) =>
    texts(count).map((MessageBody, n) => ({
      MessageBody,
      MessageGroupId: `g${n % groups}`,
      MessageDeduplicationId: `d${n}`,
    }))

  test('is read to its end in the order of each group, although a group is locked while a message of it is in work', async () => {
    const queue = await queueWith(aws.url, messages(50, 3), { name: 'ordered.fifo' })
    await using source = openSqs(aws.url, queue, { batch: 10 })
    const batches = await readAll(source)
    expect(batches.length).toBeGreaterThan(1)
    const byGroup = Map.groupBy(bodies(batches).map(Number), n => n % 3)
    for (const numbers of byGroup.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    expect(bodies(batches)).toHaveLength(50)
    await gone(queue)
  })

  test('is not taken to be at its end while deletions that unlock a group are on their way', async () => {
    const queue = await queueWith(aws.url, messages(20, 1), { name: 'slow.fifo' })
    await using source = openSqs(aws.url, queue, { batch: 10 })
    let slow = 3
    // The deletion is answered by a service that fails inside: the guard asks again, while receives come back empty.
    aws.fault = ({ action }) =>
      action === 'DeleteMessageBatch' && slow-- > 0 && slow % 2 === 0
        ? { status: 500, body: { __type: 'InternalFailure' } }
        : undefined
    expect(bodies(await readAll(source))).toHaveLength(20)
    aws.fault = () => undefined
    await gone(queue)
  })

  test('by deduplication id, what its sender repeats after five minutes is known too, and both are deleted', async () => {
    const queue = await queueWith(aws.url, messages(2, 2), { name: 'repeated.fifo' })
    const [batch] = await readAll(openSqs(aws.url, queue, { identity: 'deduplication_id' }))
    await gone(queue)
    aws.advance(301_000)
    await queueWith(
      aws.url,
      [...messages(2, 2), { MessageBody: '{"id":"x"}', MessageGroupId: 'g', MessageDeduplicationId: 'x' }],
      { name: 'repeated.fifo' },
    )
    await using source = openSqs(aws.url, queue, { identity: 'deduplication_id' })
    const again = await readAll(source, batch!.cursor)
    expect([bodies(again), again[0]!.drops]).toEqual([['x'], { duplicate: 2 }])
    expect(again[0]!.items[0]!.position).toBe('x')
    await gone(queue)
  })
})

describe('a message', () => {
  test('shows its body, its attributes and what SQS says of it', async () => {
    const queue = await queueWith(
      aws.url,
      [
        {
          MessageBody: '{"id":1}',
          MessageAttributes: {
            kind: { DataType: 'String', StringValue: 'review' },
            size: { DataType: 'Number', StringValue: '12.50' },
            raw: { DataType: 'Binary', BinaryValue: Buffer.from([0, 255]).toString('base64') },
          },
          MessageGroupId: 'g',
          MessageDeduplicationId: 'd',
        },
      ],
      { name: 'shown.fifo' },
    )
    await using source = openSqs(aws.url, queue)
    const [batch] = await readAll(source)
    const item = batch!.items[0]!
    expect(item.value).toEqual({
      body: { id: 1 },
      attributes: { kind: 'review', size: '12.50', raw: new Uint8Array([0, 255]) },
      queue: '123456789012/shown.fifo',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      sent: expect.any(Date),
      group: 'g',
      deduplication_id: 'd',
      sequence: expect.stringMatching(/^\d+$/),
    })
    expect(source.reparse(rawOf(item), item.context)).toEqual([item.value])
  })

  test('of text is taken as it is', async () => {
    const queue = await queueWith(aws.url, ['no JSON'])
    await using source = openSqs(aws.url, queue, { format: 'text' })
    expect((await readAll(source))[0]!.items[0]!.value).toMatchObject({ body: 'no JSON', group: null })
  })

  test('I5: that is no JSON is an item with its error and its bytes, and is deleted as any other', async () => {
    const queue = await queueWith(aws.url, ['{"a":', '{"a":1}'])
    await using source = openSqs(aws.url, queue)
    const [batch] = await readAll(source)
    expect(batch!.items.map(({ error }) => error?.code)).toEqual(['source.invalid_json', undefined])
    expect(Buffer.from(rawOf(batch!.items[0]!)).toString()).toBe('{"a":')
    await gone(queue)
  })
})

test('a service that is busy or fails inside is asked again', async () => {
  const queue = await queueWith(aws.url, texts(1))
  const faults = [{ status: 500, body: { __type: 'InternalFailure' } }, { drop: true as const }]
  for (const fault of faults) {
    let left = 1
    aws.fault = ({ action }) => (action === 'ReceiveMessage' && left-- > 0 ? fault : undefined)
    const source = openSqs(aws.url, queue)
    expect(bodies(await readAll(source, null, false))).toEqual(['0'])
    await source[Symbol.asyncDispose]()
  }
  aws.fault = () => undefined
})

test.each(['', 'garbage', '{}', '{"v":999}'])('refuses the cursor %j', async cursor => {
  await using source = openSqs(aws.url, await queueWith(aws.url, []))
  expect(codeOf(await readAll(source, cursor).catch(error => error))).toBe('cursor.invalid')
})
