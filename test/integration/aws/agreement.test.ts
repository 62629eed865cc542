// The same sources, sinks and bare calls at the stand-in and at moto, another implementation: what the stand-in says is not only our own reading of
// the documentation. Without moto its half is skipped by name.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { WeirError } from '../../../src/core/errors.ts'
import type { SourceBatch } from '../../../src/core/record.ts'
import type { Source } from '../../../src/pipeline/ports.ts'
import { kinesis } from '../../../src/sinks/kinesis.ts'
import { sqs } from '../../../src/sinks/sqs.ts'
import { motoProgram, startMoto } from '../../support/aws/moto.ts'
import {
  allMessages,
  callKinesis,
  callSqs,
  hastyClock,
  keys,
  leftIn,
  newStream,
  openKinesis,
  openSqs,
  putInto,
  queueWith,
} from '../../support/aws/scene.ts'
import { openStandIn } from '../../support/aws/stand-in.ts'
import { eventually } from '../../support/eventually.ts'
import { createSinkWorld, reviews } from '../../support/sink-world.ts'

const signal = new AbortController().signal
const program = motoProgram()
const ids = (count: number) => Array.from({ length: count }, (_, n) => `r0-${n}`)
const named = (prefix: string) => `${prefix}-${process.pid}-${Math.random().toString(36).slice(2, 8)}`
const errorOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: Error) => error.message.replace('AWS.SimpleQueueService.', ''),
  )

describe.each([
  ['the stand-in', openStandIn],
  ['moto', program === undefined ? undefined : () => startMoto(program)],
] as const)('at %s', (name, start) => {
  if (start === undefined) {
    test.skip(`${name} is not installed: pip install "moto[server]", and moto_server on the PATH`, () => {})
    return
  }
  let aws: AsyncDisposable & { readonly url: string }
  beforeAll(async () => {
    aws = await start()
  }, 90_000)
  afterAll(() => aws[Symbol.asyncDispose]())

  const readAll = async (source: Source, splitId?: string, cursor: string | null = null, stored = true) => {
    const batches: SourceBatch[] = []
    for (const split of await source.splits(signal)) {
      if (splitId !== undefined && split.id !== splitId) continue
      for await (const batch of source.read(split, cursor, signal)) {
        batches.push(batch)
        if (stored) batch.stored?.()
      }
    }
    return batches
  }
  const deps = () => ({ ...createSinkWorld('/').deps, clock: hastyClock() })
  const shared = () => ({ region: 'us-east-1', endpoint: aws.url, credentials: keys, timeout: 60_000 })
  const empty = (queue: string) =>
    eventually('the queue is empty', async () => {
      const { free, hidden } = await leftIn(aws.url, queue)
      return free + hidden === 0
    })

  describe('SQS', () => {
    test('the limits of calls have the same names', async () => {
      const QueueUrl = await queueWith(aws.url, [], { name: named('limits') })
      const send = (Entries: object[]) => errorOf(callSqs(aws.url, 'SendMessageBatch', { QueueUrl, Entries }))
      const entry = (n: number) => ({ Id: String(n), MessageBody: 'x' })
      expect(await send([])).toBe('EmptyBatchRequest')
      expect(await send(Array.from({ length: 11 }, (_, n) => entry(n)))).toBe('TooManyEntriesInBatchRequest')
      expect(await send([entry(1), entry(1)])).toBe('BatchEntryIdsNotDistinct')
      const nowhere = { QueueUrl: `${aws.url}/123456789012/nowhere`, Entries: [entry(1)] }
      expect(await errorOf(callSqs(aws.url, 'SendMessageBatch', nowhere))).toMatch(
        /^(QueueDoesNotExist|NonExistentQueue)$/,
      )
    })

    test.each(['out', 'out.fifo'])('what the sink sends the source reads, once: %s', async kind => {
      const queue_url = await queueWith(aws.url, [], { name: named('q').concat(kind) })
      await using sink = await sqs.open({ ...shared(), queue_url, max_message: 262_144 }, deps())
      await sink.deliver!(reviews(0, 25), signal)
      await using source = openSqs(aws.url, queue_url)
      const items = (await readAll(source)).flatMap(batch => batch.items)
      const values = items.map(({ value }) => value as { body: { id: string }; attributes: object; group: string })
      expect(values.map(({ body }) => body.id).sort()).toEqual(ids(25).sort())
      for (const { attributes, group, body } of values) {
        expect(attributes).toEqual({ 'weir-id': `reviews/s/${body.id.slice(1)}` })
        expect(group).toBe(kind.endsWith('.fifo') ? expect.stringMatching(/^k[012]$/) && group : null)
      }
      for (const each of Map.groupBy(kind.endsWith('.fifo') ? values : [], ({ group }) => group).values()) {
        const numbers = each.map(({ body }) => Number(body.id.slice(3)))
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
      }
      await empty(queue_url)
    })

    test('a FIFO queue drops what comes again', async () => {
      const queue_url = await queueWith(aws.url, [], { name: `${named('again')}.fifo` })
      for (let n = 0; n < 2; n++) {
        await using sink = await sqs.open({ ...shared(), queue_url, max_message: 262_144 }, deps())
        await sink.deliver!(reviews(0, 5), signal)
      }
      expect(await allMessages(aws.url, queue_url)).toHaveLength(5)
    })

    test('what was not stored is given back, comes again under the same id, and is known', async () => {
      const queue = await queueWith(aws.url, ['{"n":1}', '{"n":2}'], { name: named('back') })
      const first = openSqs(aws.url, queue)
      const [batch] = await readAll(first, undefined, null, false)
      expect(await leftIn(aws.url, queue)).toEqual({ free: 0, hidden: 2 })
      await first[Symbol.asyncDispose]()
      expect(await leftIn(aws.url, queue)).toEqual({ free: 2, hidden: 0 })
      await using second = openSqs(aws.url, queue)
      const again = await readAll(second, undefined, batch!.cursor)
      expect(again.map(({ items, drops }) => [items, drops])).toEqual([[[], { duplicate: 2 }]])
      await empty(queue)
    })
  })

  describe('Kinesis', () => {
    test('what the sink puts the source reads, in order for each key, and going on from any cursor gives the rest', async () => {
      const stream = await newStream(aws.url, 2, named('out'))
      await using sink = await kinesis.open({ ...shared(), stream, metadata: true, ordered: true }, deps())
      await sink.deliver!(reviews(0, 30), signal)
      await using source = openKinesis(aws.url, stream, { max_records: 4 }, { clock: hastyClock() })
      const idOf = (batch: SourceBatch) =>
        batch.items.map(({ value }) => (value as { data: { value: { id: string } } }).data.value.id)
      const all: string[] = []
      for (const { id } of await source.splits(signal)) {
        const batches = await readAll(source, id)
        all.push(...batches.flatMap(idOf))
        for (const [n, { cursor }] of batches.entries())
          expect((await readAll(source, id, cursor)).flatMap(idOf)).toEqual(batches.slice(n + 1).flatMap(idOf))
        for (const each of Map.groupBy(batches.flatMap(idOf), id => Number(id.slice(3)) % 3).values()) {
          const numbers = each.map(id => Number(id.slice(3)))
          expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
        }
      }
      expect(all.sort()).toEqual(ids(30).sort())
    })

    test('a shard that is split ends, and its children come after it', async () => {
      const StreamName = await newStream(aws.url, 1, named('split'))
      await putInto(aws.url, StreamName, [
        ['a', '{"n":0}'],
        ['b', '{"n":1}'],
      ])
      const ShardToSplit = 'shardId-000000000000'
      const NewStartingHashKey = String(2n ** 127n)
      await callKinesis(aws.url, 'SplitShard', { StreamName, ShardToSplit, NewStartingHashKey })
      await putInto(aws.url, StreamName, [
        ['a', '{"n":2}'],
        ['b', '{"n":3}'],
      ])
      const cursors = new Map<string, string>()
      await using source = openKinesis(aws.url, StreamName, {}, { clock: hastyClock(), cursors: async () => cursors })
      const splits = await source.splits(signal)
      const rows: number[] = []
      for (const split of splits)
        for await (const batch of source.read(split, null, signal)) {
          rows.push(...batch.items.map(({ value }) => (value as { data: { n: number } }).data.n))
          cursors.set(split.id, batch.cursor)
        }
      expect(splits.map(({ id }) => id.slice(-1))).toEqual(['0', '1', '2'])
      expect(JSON.parse(cursors.get(splits[0]!.id)!)).toMatchObject({ done: true })
      expect(rows.toSorted()).toEqual([0, 1, 2, 3])
      // moto moves what a shard holds into its children; AWS leaves it where it is.
      if (name !== 'moto')
        expect([rows.slice(0, 2).sort(), rows.slice(2).sort()]).toEqual([
          [0, 1],
          [2, 3],
        ])
    })

    test('what is not there has the same name', async () => {
      await using source = openKinesis(aws.url, 'nowhere')
      const error = await source.splits(signal).catch((thrown: WeirError) => thrown)
      expect(error).toMatchObject({
        code: 'fetch.fatal',
        message: expect.stringContaining('ResourceNotFoundException'),
      })
    })
  })
})
