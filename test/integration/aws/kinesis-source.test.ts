// The kinesis source at the stand-in: places, resharding, iterators that grow old, busy shards, packed records, the items themselves.
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { codeOf, type WeirError } from '../../../src/core/errors.ts'
import type { Event } from '../../../src/core/event.ts'
import { type Item, rawOf, type SourceBatch } from '../../../src/core/record.ts'
import type { Source } from '../../../src/pipeline/ports.ts'
import { packed } from '../../support/aws/packed.ts'
import { callKinesis, hastyClock, newStream, openKinesis, putInto } from '../../support/aws/scene.ts'
import { openStandIn } from '../../support/aws/stand-in.ts'

const aws = await openStandIn()
afterAll(() => aws[Symbol.asyncDispose]())
afterEach(() => {
  aws.fault = () => undefined
})

const signal = new AbortController().signal
const numbered = (from: number, to: number, key = (n: number) => `k${n % 5}`) =>
  Array.from({ length: to - from }, (_, i) => [key(from + i), JSON.stringify({ n: from + i })] as const)
const shard = (n: number) => `shardId-${String(n).padStart(12, '0')}`
const numbersOf = (batches: readonly SourceBatch[]) =>
  batches.flatMap(({ items }) => items.map(({ value }) => (value as { data: { n: number } }).data.n))
const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    error => error as WeirError,
  )

/** A pipeline of which only the cursors are there, with sources that share them as processes do. */
function pipeline(stream: string, fields: object = {}) {
  const cursors = new Map<string, string>()
  const clock = hastyClock()
  const open = () =>
    openKinesis(aws.url, stream, { max_records: 5, ...fields }, { clock, cursors: async () => cursors })
  const read = async (source: Source, id: string): Promise<SourceBatch[]> => {
    const batches: SourceBatch[] = []
    for await (const batch of source.read({ id, vars: {} }, cursors.get(id) ?? null, signal)) {
      batches.push(batch)
      cursors.set(id, batch.cursor)
    }
    return batches
  }
  /** One pass over all shards, in the order of the list. */
  const pass = async (): Promise<SourceBatch[]> => {
    await using source = open()
    const all: SourceBatch[] = []
    for (const { id } of await source.splits(signal)) all.push(...(await read(source, id)))
    return all
  }
  return { cursors, clock, open, read, pass }
}

async function one(data: string | Uint8Array, fields: object = {}): Promise<Item[]> {
  const stream = await newStream(aws.url)
  await putInto(aws.url, stream, [['k', data]])
  const [batch] = await pipeline(stream, fields).pass()
  return [...batch!.items]
}

describe('places', () => {
  test('a split for each shard, all pages of the list, parents before their children', async () => {
    const stream = await newStream(aws.url, 4)
    const split = { StreamName: stream, ShardToSplit: shard(1), NewStartingHashKey: String(2n ** 126n + 7n) }
    await callKinesis(aws.url, 'SplitShard', split)
    await using source = openKinesis(aws.url, stream)
    expect((await source.splits(signal)).map(({ id, vars }) => [id, vars['shard']])).toEqual(
      Array.from({ length: 6 }, (_, n) => [`${stream}/${shard(n)}`, shard(n)]),
    )
  })

  test('what comes later is read from where the cursor stands', async () => {
    const stream = await newStream(aws.url)
    await putInto(aws.url, stream, numbered(0, 12))
    const { pass, cursors } = pipeline(stream)
    const first = await pass()
    expect([numbersOf(first).length, first.length]).toEqual([12, 3])
    expect(await pass()).toEqual([])
    await putInto(aws.url, stream, numbered(12, 14))
    expect(numbersOf(await pass())).toEqual([12, 13])
    await using source = openKinesis(aws.url, stream)
    expect(source.describeCursor([...cursors.values()][0]!)).toMatch(/^read up to sequence number \d+$/)
  })

  test('latest begins with what arrives from the first start on, also where the process dies before it reads any', async () => {
    const stream = await newStream(aws.url)
    await putInto(aws.url, stream, numbered(0, 3))
    aws.advance(60_000)
    const opened = pipeline(stream, { from: 'latest' })
    for (let n = 0; n < 2; n++) await opened.clock.sleep(30_000)
    const begun = await opened.pass()
    expect([begun[0]!.items, numbersOf(begun)]).toEqual([[], []])
    await putInto(aws.url, stream, numbered(3, 5))
    expect(numbersOf(await opened.pass())).toEqual([3, 4])
  })

  test('latest reads shards that come later whole', async () => {
    const stream = await newStream(aws.url)
    const opened = pipeline(stream, { from: 'latest' })
    await opened.pass()
    await callKinesis(aws.url, 'SplitShard', { StreamName: stream, ShardToSplit: shard(0), NewStartingHashKey: '9' })
    await putInto(aws.url, stream, numbered(0, 3))
    // The children come up while the process is away.
    expect(numbersOf(await opened.pass()).sort()).toEqual([0, 1, 2])
  })

  test('a cursor of another stream of the same name is refused', async () => {
    const stream = await newStream(aws.url)
    await using source = openKinesis(aws.url, stream)
    const [split] = await source.splits(signal)
    const read = Array.fromAsync(source.read(split!, '{"v":1,"after":"17"}', signal))
    expect(await failure(read)).toMatchObject({ code: 'source.cursor_refused', at: split!.id })
  })

  test('a stream that is not there is named', async () => {
    await using source = openKinesis(aws.url, 'nowhere')
    const error = await failure(source.splits(signal) as Promise<unknown>)
    expect(error).toMatchObject({ code: 'fetch.fatal', at: 'nowhere' })
    expect(error!.message).toContain('ResourceNotFoundException')
  })
})

describe('records that the stream no longer keeps', () => {
  const hourMs = 60 * 60 * 1000

  /** A pipeline whose clock goes with that of the stream. */
  async function aged() {
    const stream = await newStream(aws.url)
    let aheadMs = 0
    const hasty = hastyClock()
    const clock = { ...hasty, now: () => hasty.now() + aheadMs }
    const events: Event[] = []
    const cursors = new Map<string, string>()
    const source = () => openKinesis(aws.url, stream, {}, { clock, events, cursors: async () => cursors })
    const pass = async (opened: Source): Promise<SourceBatch[]> => {
      const [split] = await opened.splits(signal)
      const batches = await Array.fromAsync(opened.read(split!, cursors.get(split!.id) ?? null, signal))
      if (batches.length > 0) cursors.set(split!.id, batches.at(-1)!.cursor)
      return batches
    }
    const told = () => events.filter(({ type }) => type === 'source_notice')
    const wait = (hours: number) => {
      aheadMs += hours * hourMs
      aws.advance(hours * hourMs)
    }
    const put = (from: number, to: number) => putInto(aws.url, stream, numbered(from, to))
    return { source, pass, told, wait, put, cursors }
  }

  test('I4: unread records that are gone are told, and what is left is read', async () => {
    const { source, pass, told, wait, put } = await aged()
    await put(0, 2)
    await using first = source()
    expect(numbersOf(await pass(first))).toEqual([0, 1])
    await put(2, 5)
    wait(25)
    await put(5, 6)
    await using again = source()
    expect(numbersOf(await pass(again))).toEqual([5])
    expect(told()).toEqual([
      expect.objectContaining({
        code: 'source.cursor_refused',
        message: expect.stringContaining('may be gone unread'),
      }),
    ])
    await pass(again)
    expect(told()).toHaveLength(1)
  })

  test('a process that was away for less is told nothing, and asks nothing', async () => {
    const { source, pass, told, wait, put } = await aged()
    await put(0, 2)
    await using opened = source()
    await pass(opened)
    wait(19)
    await put(2, 3)
    const before = aws.calls.length
    await using again = source()
    expect(numbersOf(await pass(again))).toEqual([2])
    expect(aws.calls.slice(before).map(({ action }) => action)).toEqual([
      'ListShards',
      'GetShardIterator',
      'GetRecords',
    ])
    expect(told()).toEqual([])
  })

  test('a cursor of before that kept no time: the place it names is there, so nothing is told', async () => {
    const { source, pass, told, put, cursors } = await aged()
    await put(0, 2)
    await using opened = source()
    await pass(opened)
    const [[split, cursor]] = [...cursors] as [[string, string]]
    const { seen: _, ...old } = JSON.parse(cursor)
    cursors.set(split, JSON.stringify(old))
    await put(2, 3)
    await using again = source()
    expect(numbersOf(await pass(again))).toEqual([2])
    expect(told()).toEqual([])
  })

  test('a shard that is quiet for days, and is looked at, has lost nothing', async () => {
    const { source, pass, told, wait, put } = await aged()
    await put(0, 2)
    await using opened = source()
    await pass(opened)
    for (let day = 0; day < 6; day++) {
      wait(10)
      // Once an hour at most the cursor says when it was looked at.
      expect(await pass(opened)).toEqual([{ items: [], cursor: expect.stringContaining('"seen"') }])
      expect(await pass(opened)).toEqual([])
    }
    await using again = source()
    expect(await pass(again)).toEqual([])
    expect(told()).toEqual([])
  })
})

describe('resharding', () => {
  test('a child waits until the stored cursors say that its parents are read to their end', async () => {
    const stream = await newStream(aws.url)
    await putInto(aws.url, stream, numbered(0, 7))
    await callKinesis(aws.url, 'SplitShard', { StreamName: stream, ShardToSplit: shard(0), NewStartingHashKey: '9' })
    await putInto(aws.url, stream, numbered(7, 9))
    const { open, read, cursors, clock } = pipeline(stream)
    await using one = open()
    await using other = open()
    const [parent, , child] = (await one.splits(signal)).map(({ id }) => id)
    expect(await read(other, child!)).toEqual([])
    expect(clock.waits.filter(ms => ms === 1000).length).toBeGreaterThan(2)
    expect(numbersOf(await read(one, parent!))).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(JSON.parse(cursors.get(parent!)!)).toMatchObject({ done: true })
    expect(numbersOf(await read(other, child!))).toEqual([7, 8])
    const before = aws.calls.length
    expect(await read(one, parent!)).toEqual([])
    expect(aws.calls.length).toBe(before)
  })

  test('a shard of two merged ones waits for both', async () => {
    const stream = await newStream(aws.url, 2)
    await putInto(aws.url, stream, numbered(0, 10))
    await callKinesis(aws.url, 'MergeShards', {
      StreamName: stream,
      ShardToMerge: shard(0),
      AdjacentShardToMerge: shard(1),
    })
    await putInto(aws.url, stream, numbered(10, 12))
    const { open, read } = pipeline(stream)
    await using source = open()
    const ids = (await source.splits(signal)).map(({ id }) => id)
    await read(source, ids[0]!)
    expect(await read(source, ids[2]!)).toEqual([])
    await read(source, ids[1]!)
    expect(numbersOf(await read(source, ids[2]!))).toEqual([10, 11])
  })

  test('a parent whose records are no longer kept is not waited for', async () => {
    const stream = await newStream(aws.url)
    await putInto(aws.url, stream, numbered(0, 1))
    aws.fault = ({ action }) =>
      action === 'ListShards'
        ? { body: { Shards: [{ ShardId: shard(0), ParentShardId: 'shardId-of-old', SequenceNumberRange: {} }] } }
        : undefined
    expect(numbersOf(await pipeline(stream).pass())).toEqual([0])
  })
})

describe('the calls', () => {
  test('an iterator that is too old is taken anew, and nothing is lost or doubled', async () => {
    const stream = await newStream(aws.url)
    await putInto(aws.url, stream, numbered(0, 20))
    await using source = pipeline(stream).open()
    const [split] = await source.splits(signal)
    const batches: SourceBatch[] = []
    for await (const batch of source.read(split!, null, signal)) {
      batches.push(batch)
      aws.advance(301_000)
    }
    expect(numbersOf(batches)).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })

  test('a shard that is busy is waited for', async () => {
    const stream = await newStream(aws.url)
    await putInto(aws.url, stream, numbered(0, 3))
    let busy = 1
    aws.fault = ({ action }) =>
      action === 'GetRecords' && busy-- > 0
        ? { status: 400, body: { __type: 'ProvisionedThroughputExceededException', message: 'Rate exceeded' } }
        : undefined
    expect(numbersOf(await pipeline(stream).pass())).toEqual([0, 1, 2])
    expect(busy).toBe(-1)
  })

  test('of one shard are spaced, as five a second are allowed', async () => {
    const stream = await newStream(aws.url)
    await putInto(aws.url, stream, numbered(0, 25))
    const { pass, clock } = pipeline(stream)
    await pass()
    expect(clock.waits.filter(ms => ms > 100 && ms <= 250).length).toBe(4)
  })

  test('empty answers of a shard that is behind are gone through', async () => {
    const stream = await newStream(aws.url)
    await putInto(aws.url, stream, numbered(0, 2))
    let empty = 3
    aws.fault = ({ action, input }) =>
      action === 'GetRecords' && empty-- > 0
        ? { body: { Records: [], MillisBehindLatest: 5000, NextShardIterator: input['ShardIterator'] } }
        : undefined
    expect(numbersOf(await pipeline(stream).pass())).toEqual([0, 1])
  })
})

describe('a record', () => {
  test('shows its data, its key, its time and its place', async () => {
    const [item] = await one('{"id":1}')
    expect(item!.value).toEqual({
      data: { id: 1 },
      key: 'k',
      arrived: expect.any(Date),
      stream: expect.any(String),
      shard: shard(0),
      sequence: item!.position,
    })
  })

  test.each([
    ['text', 'plain', 'plain'],
    ['bytes', 'plain', new Uint8Array(Buffer.from('plain'))],
  ])('of the format %s', async (format, text, data) => {
    expect((await one(text, { format }))[0]!.value).toMatchObject({ data })
  })

  test('that is packed by the producer library is taken apart, each at a position of its own', async () => {
    const bytes = packed([
      ['a', '{"n":1}'],
      ['b', '{"n":'],
      ['a', '{"n":3}'],
    ])
    const items = await one(bytes)
    expect(items.map(({ value, error }) => error?.code ?? (value as { key: string }).key)).toEqual([
      'a',
      'source.invalid_json',
      'a',
    ])
    expect(items.map(({ position }) => position.replace(/^\d+/, ''))).toEqual(['.0', '.1', '.2'])
    expect(Buffer.from(rawOf(items[1]!)).toString()).toBe('{"n":')
    await using source = openKinesis(aws.url, 's')
    expect(source.reparse(rawOf(items[0]!), items[0]!.context)).toEqual([items[0]!.value])
    const [whole] = await one(bytes, { deaggregate: false, format: 'bytes' })
    expect((whole!.value as { data: Uint8Array }).data).toEqual(new Uint8Array(bytes))
  })
})

test.each(['', 'garbage', '{}', '{"v":1}', '{"v":1,"after":17}', '{"v":1,"after":"x"}', '{"v":1,"began":-1}'])(
  'refuses the cursor %j',
  async cursor => {
    await using source = openKinesis(aws.url, await newStream(aws.url))
    const [split] = await source.splits(signal)
    expect(codeOf(await failure(Array.fromAsync(source.read(split!, cursor, signal))))).toBe('cursor.invalid')
  },
)

test('a closed shard that never says that it ends is read to its end all the same', async () => {
  const stream = await newStream(aws.url)
  await callKinesis(aws.url, 'SplitShard', { StreamName: stream, ShardToSplit: shard(0), NewStartingHashKey: '9' })
  let answers = 0
  aws.fault = ({ action }) => {
    if (action !== 'GetRecords') return undefined
    const Records =
      answers++ > 0
        ? []
        : [0, 1, 2].map(n => ({
            SequenceNumber: String(n),
            PartitionKey: 'k',
            Data: Buffer.from(JSON.stringify({ n })).toString('base64'),
          }))
    return { body: { Records, MillisBehindLatest: 0, NextShardIterator: 'next' } }
  }
  const { open, read, cursors } = pipeline(stream)
  await using source = open()
  const [parent] = (await source.splits(signal)).map(({ id }) => id)
  expect(numbersOf(await read(source, parent!))).toEqual([0, 1, 2])
  expect(JSON.parse(cursors.get(parent!)!)).toMatchObject({ after: '2', done: true })
  expect(answers).toBe(4)
})
