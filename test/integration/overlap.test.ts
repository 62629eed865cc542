// A transaction on its way while the next is gathered, and batches of several partitions delivered together: order, counts and repetitions
// are as if one came after the other.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { openSqliteEventLog } from '../../src/adapters/event-log-sqlite/event-log.ts'
import { systemClock } from '../../src/core/clock.ts'
import { WeirError } from '../../src/core/errors.ts'
import { createFloodGuard, type FloodGuard } from '../../src/pipeline/flood.ts'
import type { Delivery, Sink, Source, SourceBatch } from '../../src/pipeline/ports.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { between, items, type StageWorld, scripted, stageWorld } from '../support/stage-world.ts'

const perBatch = 100
const total = 7_000
const review = (i: number) => ({ id: `r${i}`, rating: i })

/** A source that has its next batch at once, as files do, and says from where it was read and how far. */
function flowing(isBarrier: (from: number) => boolean = () => false) {
  const from: number[] = []
  const told = { given: 0 }
  return {
    from,
    told,
    async *read(_split: unknown, cursor: string | null): AsyncGenerator<SourceBatch> {
      from.push(Number(cursor ?? 0))
      for (let at = Number(cursor ?? 0); at < total; at += perBatch) {
        told.given = at + perBatch
        const values = Array.from({ length: perBatch }, (_, i) => review(at + i))
        yield { items: items(at, values), cursor: String(at + perBatch), more: true, barrier: isBarrier(at) }
      }
    },
  }
}

const aTurn = () => new Promise(resolve => setImmediate(resolve))

/** Resolves when nothing has changed for a while of turns. */
async function stalled(look: () => number): Promise<void> {
  for (let seen = look(), turns = 0; turns < 20; turns++) {
    await aTurn()
    if (look() !== seen) turns = 0
    seen = look()
  }
}

async function expectAllOnce(world: StageWorld): Promise<void> {
  const raw = await world.raw('t')
  const positions = raw.map(({ headers }) => Number(Buffer.from(headers[0]![1]).toString().split('/').at(-1)))
  expect(new Set(positions).size).toBe(total)
  expect(positions).toHaveLength(total)
  for (const partition of [0, 1]) {
    const own = positions.filter((_, i) => raw[i]!.partition === partition)
    expect(own).toEqual(own.toSorted((a, b) => a - b))
  }
}

describe('a producer', () => {
  test('I3 I10: gathers one transaction while one is on its way, not two, and sends it only then', async () => {
    await using world = await stageWorld()
    const source = flowing()
    const gate = Promise.withResolvers<void>()
    const begun: number[] = []
    const log = between(world.log, async (transact, transaction) => {
      begun.push(transaction.appends[0]!.records.length)
      if (begun.length === 1) await gate.promise
      await transact(transaction)
    })
    const done = world.produce(source, { log })
    // The first is held by the gate, the second is full, one batch more is read ahead and one is asked for.
    await expect.poll(() => source.told.given).toBeGreaterThanOrEqual(2_000)
    await new Promise(resolve => setImmediate(resolve))
    expect(source.told.given).toBeLessThanOrEqual(2_000 + 3 * perBatch)
    expect(begun).toEqual([1_000])
    gate.resolve()
    await done
    expect(begun).toEqual(Array(7).fill(1_000))
    await expectAllOnce(world)
    expect((await world.log.cursors('p')).map(({ value }) => value)).toEqual([String(total)])
  })

  test('I1: an outcome in doubt while the next is gathered loses and doubles nothing', async () => {
    for (const isStored of [true, false]) {
      await using world = await stageWorld()
      const source = flowing()
      let calls = 0
      const log = between(world.log, async (transact, transaction) => {
        const isDoubtful = ++calls === 2
        if (!isDoubtful || isStored) await transact(transaction)
        if (isDoubtful) throw new WeirError('log.outcome_unknown', 'the answer was lost')
      })
      await world.produce(source, { log })
      expect(source.from).toEqual([0, isStored ? 2_000 : 1_000])
      await expectAllOnce(world)
    }
  })

  describe('a batch whose letters have no room before those on their way are stored', () => {
    /** Letters among the first items, and one when their transaction is over and nobody has asked for it yet. */
    async function produced(world: StageWorld, flood: FloodGuard): Promise<readonly number[]> {
      const told = { given: 0 }
      const source = {
        async *read(_split: unknown, cursor: string | null): AsyncGenerator<SourceBatch> {
          for (let at = Number(cursor ?? 0); at < total; at += perBatch) {
            while (at === 1_400 && !world.events.some(({ type }) => type === 'batch_appended')) await aTurn()
            told.given = at + perBatch
            const values = Array.from({ length: perBatch }, (_, i) =>
              at + i < 6 || at + i === 1_500 ? new WeirError('source.invalid_json', 'bad') : review(at + i),
            )
            yield { items: items(at, values), cursor: String(at + perBatch), more: true }
          }
        },
      }
      let calls = 0
      const log = between(world.log, async (transact, transaction) => {
        if (++calls > 1) await stalled(() => told.given)
        await transact(transaction)
      })
      await world.produce(source, { log, ...({ flood } as object) })
      expect(await world.letters()).toHaveLength(7)
      const found = await world.records()
      expect(found).toHaveLength(total - 7)
      expect(new Set(found.map(({ id }) => id)).size).toBe(total - 7)
      return world.events.flatMap(each => (each.type === 'batch_appended' ? [each.records + each.deadLetters] : []))
    }

    test('I5: letters that are counted take no room twice', async () => {
      await using world = await stageWorld()
      const flood = createFloodGuard({ records: 10, perMs: 3_600_000 }, systemClock)
      expect(await produced(world, flood)).toEqual(Array(7).fill(1_000))
    })

    test('I2: where there is room after that, it is stored as it was, however long its transaction takes', async () => {
      await using world = await stageWorld()
      let refused = 0
      const flood: FloodGuard = {
        admit(count) {
          if (count === 1 && refused++ === 0) throw new WeirError('dead_letter.flood', 'until the limit has moved on')
        },
        count() {},
      }
      expect(await produced(world, flood)).toEqual([1_000, 500, ...Array(5).fill(1_000), 500])
    })
  })

  test('I10: a letter that waits for its transaction keeps its own bytes alone, not the chunk of the file they stood in', async () => {
    await using world = await stageWorld()
    const chunk = Buffer.allocUnsafeSlow(512 * 1024).fill('x')
    const bad = { position: '0', value: undefined, error: new WeirError('source.invalid_json', 'bad') }
    const source = {
      async *read(): AsyncGenerator<SourceBatch> {
        yield { items: [{ ...bad, raw: chunk.subarray(1_000, 1_100) }], cursor: '1' }
      },
    }
    const kept: number[] = []
    const { office } = world.producerOptions(scripted([]) as Source)
    const watched: typeof office = {
      ...office,
      write(letter, identity) {
        kept.push(letter.original.buffer.byteLength)
        return office.write(letter, identity)
      },
    }
    await world.produce(source, { office: watched })
    expect(Buffer.from((await world.letters())[0]!.original)).toEqual(Buffer.alloc(100, 'x'))
    expect(kept).toHaveLength(1)
    expect(kept[0]).toBeLessThan(chunk.length / 4)
  })

  test('I2: a source that fails while a transaction is on its way keeps both that and what was gathered', async () => {
    await using world = await stageWorld()
    const gate = Promise.withResolvers<void>()
    const source = {
      async *read(): AsyncGenerator<SourceBatch> {
        for await (const batch of flowing().read('s', null)) {
          yield batch
          if (batch.cursor !== '1500') continue
          gate.resolve()
          throw new WeirError('fetch.network', 'away')
        }
      },
    }
    const log = between(world.log, async (transact, transaction) => {
      await gate.promise
      await transact(transaction)
    })
    const { failures } = await world.produce(source, { log })
    expect(failures).toMatchObject([{ code: 'fetch.network' }])
    expect(await world.records()).toHaveLength(1_500)
    expect((await world.log.cursors('p')).map(({ value }) => value)).toEqual(['1500'])
    const counted = world.events.flatMap(each => (each.type === 'batch_appended' ? each.records : []))
    expect(counted).toEqual([1_000, 500])
  })

  test('I1: past a barrier nothing is read before it is durable', async () => {
    await using world = await stageWorld()
    const source = flowing(from => from === 500)
    const seen: number[] = []
    const log = between(world.log, async (transact, transaction) => {
      seen.push(source.told.given)
      await transact(transaction)
    })
    await world.produce(source, { log })
    expect(seen[0]).toBe(600)
    await expectAllOnce(world)
  })
})

describe('a consumer', () => {
  /** Keeps its offsets, and all that came, in the order it came. */
  function ownOffsets(fails: (delivery: Delivery) => boolean = () => false) {
    const next = new Map<number, bigint>()
    const ids: string[] = []
    const atOnce: number[] = []
    let open = 0
    const sink: Partial<Sink> = {
      guarantee: 'exactly_once',
      startAt: (_topic, partition) => next.get(partition) ?? null,
      async deliver(delivery) {
        open++
        atOnce.push(open)
        await new Promise(resolve => setImmediate(resolve))
        open--
        if (fails(delivery)) throw new WeirError('sink.failed', 'full')
        const reached = next.get(delivery.partition) ?? -1n
        for (const { log, value } of delivery.records) if (log.offset >= reached) ids.push(String(value!['id']))
        if (delivery.nextOffset !== null) next.set(delivery.partition, delivery.nextOffset)
      },
    }
    return { ids, atOnce, sink }
  }

  test('a sink with its own offsets gets what is ready of several partitions at once, each record once', async () => {
    await using world = await stageWorld()
    await world.produce(scripted([Array.from({ length: 1_000 }, (_, i) => review(i))]))
    const { ids, atOnce, sink } = ownOffsets()
    await world.consume(sink)
    expect(ids).toHaveLength(1_000)
    expect(new Set(ids).size).toBe(1_000)
    expect(Math.max(...atOnce)).toBe(2)
    const consumed = world.events.flatMap(each => (each.type === 'batch_consumed' ? [each.records] : []))
    expect(consumed.reduce((sum, count) => sum + count, 0)).toBe(1_000)
  })

  test('where one of them fails at first, nothing is lost or doubled', async () => {
    await using world = await stageWorld()
    await world.produce(scripted([Array.from({ length: 1_000 }, (_, i) => review(i))]))
    const failed = new Set<bigint>()
    const { ids, sink } = ownOffsets(({ partition, nextOffset, records }) => {
      if (partition !== 1 || records.length === 0 || nextOffset === null || failed.has(nextOffset)) return false
      failed.add(nextOffset)
      return true
    })
    await world.consume(sink)
    expect(failed.size).toBeGreaterThan(0)
    expect(ids).toHaveLength(1_000)
    expect(new Set(ids).size).toBe(1_000)
  })

  test('a commit in doubt drops all of them, and they are read again', async () => {
    await using world = await stageWorld()
    await world.produce(scripted([Array.from({ length: 1_000 }, (_, i) => review(i))]))
    let commits = 0
    const log = new Proxy(world.log, {
      get(target, name) {
        const value = Reflect.get(target, name)
        if (name !== 'joinConsumers') return typeof value === 'function' ? value.bind(target) : value
        return async (options: Parameters<typeof target.joinConsumers>[0]) => {
          const consumer = await target.joinConsumers(options)
          const commit = consumer.commit.bind(consumer)
          consumer.commit = async (next, appends) => {
            if (++commits === 2) throw new WeirError('log.outcome_unknown', 'the answer was lost')
            await commit(next, appends)
          }
          return consumer
        }
      },
    })
    const { ids, sink } = ownOffsets()
    await world.consume(sink, { log })
    expect(commits).toBeGreaterThan(2)
    expect(ids).toHaveLength(1_000)
    expect(new Set(ids).size).toBe(1_000)
  })

  test('I7: a partition that is asked back while others are looked at waits until what was taken of it is delivered', async () => {
    await using world = await stageWorld()
    await world.produce(scripted([Array.from({ length: 100 }, (_, i) => review(i))]))
    const { ids, sink } = ownOffsets()
    let revoked: Promise<number> | undefined
    const log = new Proxy(world.log, {
      get(target, name) {
        const value = Reflect.get(target, name)
        if (name !== 'joinConsumers') return typeof value === 'function' ? value.bind(target) : value
        return async (options: Parameters<typeof target.joinConsumers>[0]) => {
          const consumer = await target.joinConsumers(options)
          const poll = consumer.poll.bind(consumer)
          let taken: number | undefined
          consumer.poll = async how => {
            if (taken !== undefined) revoked ??= options.revoked!(taken).then(() => ids.length)
            const fetched = await poll(how)
            taken ??= fetched?.partition
            return fetched
          }
          return consumer
        }
      },
    })
    await world.consume(sink, { log })
    expect(await revoked).toBeGreaterThan(0)
  })

  test('I7: of batches that are committed together only those of partitions that were taken over are dropped for good', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'weir-taken-over-'))
    try {
      // Nobody looks after the partitions in between: this clock stands still.
      const clock = createFakeClock()
      await using world = await stageWorld({ open: () => openSqliteEventLog({ dataDir, clock: systemClock }) })
      await world.produce(scripted([Array.from({ length: 100 }, (_, i) => review(i))]))
      await using log = await openSqliteEventLog({ dataDir, clock })
      const consumer = await log.joinConsumers({ group: 'g', topic: 't', start: 'earliest', outOfRange: 'stop' })
      const signal = new AbortController().signal
      const poll = () => consumer.poll({ maxRecords: 10, maxBytes: 100_000, maxWaitMs: 0, signal })
      const batches = [await poll(), await poll()].map(batch => batch!)
      expect(batches.map(({ partition }) => partition).toSorted()).toEqual([0, 1])
      const other = new DatabaseSync(join(dataDir, 'weir.db'))
      other.exec("UPDATE lease SET epoch = epoch + 1, member = 'another' WHERE scope = 'group/t/g' AND slot = 0")
      other.close()
      const next = batches.map(({ topic, partition, nextOffset }) => ({ topic, partition, offset: nextOffset }))
      await expect(consumer.commit(next, [])).rejects.toMatchObject({ code: 'log.fenced' })
      for (const { partition } of batches) consumer.release(partition)
      expect([(await poll())?.partition, (await poll())?.partition]).toEqual([1, undefined])
    } finally {
      rmSync(dataDir, { recursive: true })
    }
  })
})
