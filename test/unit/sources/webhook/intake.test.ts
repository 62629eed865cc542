// Between listener and pipeline: when a delivery is answered, what comes again, what a restart and a commit in doubt leave.
import { describe, expect, test } from 'vitest'
import { codeOf } from '../../../../src/core/errors.ts'
import type { SourceBatch } from '../../../../src/core/record.ts'
import { describeMemory, hashOf, Memory } from '../../../../src/sources/memory.ts'
import type { Delivery } from '../../../../src/sources/webhook/delivery.ts'
import { Intake, memoryWords } from '../../../../src/sources/webhook/intake.ts'
import { Refusal } from '../../../../src/sources/webhook/refusal.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'
import { webhookConfig } from '../../../support/webhook-scene.ts'

const delivery = (id: string, items = 1, bytes = 10): Delivery => ({
  hash: hashOf('id', id),
  bytes,
  items: Array.from({ length: items }, (_, n) => ({ value: { id, n }, raw: Buffer.from(id), position: `${id}.${n}` })),
})

function opened(fields: Record<string, unknown> = {}) {
  const clock = createFakeClock()
  const intake = new Intake(webhookConfig(fields), clock)
  const reading = (cursor: string | null = null) => {
    const stop = new AbortController()
    const batches = intake.read(cursor, stop.signal)
    return {
      next: async () => (await batches.next()).value as SourceBatch,
      end: async () => {
        stop.abort()
        await batches.return(undefined)
      },
    }
  }
  return { clock, intake, reading }
}

const outcome = (work: Promise<string>) =>
  work.catch(error => (error instanceof Refusal ? `${error.status} ${error.error.message}` : error))
const stateOf = async (work: Promise<unknown>) => {
  const open = Symbol('open')
  return (await Promise.race([work, new Promise(resolve => setImmediate(resolve, open))])) === open ? 'waits' : 'done'
}
const idsOf = (batch: SourceBatch) => batch.items.map(item => (item.value as { id: string }).id)

describe('a delivery', () => {
  test('is answered once its batch is stored, not when it is handed on', async () => {
    const { intake, reading } = opened()
    const read = reading()
    const first = read.next()
    const taken = outcome(intake.take(delivery('a', 2)))
    const batch = await first
    expect(idsOf(batch)).toEqual(['a', 'a'])
    expect(await stateOf(taken)).toBe('waits')
    batch.stored!()
    expect(await taken).toBe('stored')
    await read.end()
  })

  test('that comes while others are committed shares the next batch with those that came with it', async () => {
    const { intake, reading } = opened()
    const read = reading()
    const first = read.next()
    void outcome(intake.take(delivery('a')))
    await first
    for (const id of ['b', 'c']) void outcome(intake.take(delivery(id)))
    expect(idsOf(await read.next())).toEqual(['b', 'c'])
    await read.end()
    intake.close()
  })

  test('larger than a transaction is stored alone, whole', async () => {
    const { intake, reading } = opened()
    const read = reading()
    const next = read.next()
    void outcome(intake.take(delivery('warm up')))
    await next
    for (const [id, items] of [
      ['a', 600],
      ['b', 600],
      ['c', 5_000],
    ] as const)
      void outcome(intake.take(delivery(id, items)))
    const sizes: number[] = []
    for (let i = 0; i < 3; i++) sizes.push((await read.next()).items.length)
    expect(sizes).toEqual([600, 600, 5_000])
    await read.end()
    intake.close()
  })

  test('that comes again while it waits is answered with the first', async () => {
    const { intake, reading } = opened()
    const read = reading()
    const next = read.next()
    const both = [outcome(intake.take(delivery('a'))), outcome(intake.take(delivery('a')))]
    const batch = await next
    expect(batch.items.length).toBe(1)
    batch.stored!()
    expect(await Promise.all(both)).toEqual(['stored', 'stored'])
    await read.end()
  })

  test('that comes again later is answered at once, and counted as dropped, also after a restart', async () => {
    const one = opened()
    const read = one.reading()
    const next = read.next()
    const taken = one.intake.take(delivery('a', 3))
    const { cursor, stored } = await next
    stored!()
    await taken
    const again = read.next()
    expect(await one.intake.take(delivery('a', 3))).toBe('known')
    expect(await again).toMatchObject({ items: [], drops: { duplicate: 3 }, cursor })
    await read.end()

    const two = opened()
    const anew = two.reading(cursor)
    const first = anew.next()
    expect(await two.intake.take(delivery('a', 3))).toBe('known')
    expect(await first).toMatchObject({ items: [], drops: { duplicate: 3 } })
    await anew.end()
  })
})

describe('503', () => {
  test('where this process does not own the split, before, and after it has given it back', async () => {
    const { intake, reading } = opened()
    expect(await outcome(intake.take(delivery('a')))).toMatch(/^503 .*does not take deliveries now/)
    const read = reading()
    const first = read.next()
    const taken = outcome(intake.take(delivery('a')))
    await first
    void read.next()
    const queued = outcome(intake.take(delivery('b')))
    await read.end()
    expect(await outcome(intake.take(delivery('c')))).toMatch(/^503/)
    intake.close()
    expect(await taken).toMatch(/^503/)
    expect(await queued).toMatch(/^503/)
  })

  test('when it is not stored in time; from then on at once, until something is stored again', async () => {
    const { clock, intake, reading } = opened({ answer_within: '10s' })
    const read = reading()
    const first = read.next()
    const taken = outcome(intake.take(delivery('a')))
    const batch = await first
    await clock.advance(10_000)
    expect(await taken).toMatch(/^503 .*not stored in time/)
    expect(intake.obstacle()?.error.message).toBe('The log takes no records now')
    expect(await outcome(intake.take(delivery('b')))).toMatch(/^503/)
    batch.stored!()
    expect(intake.obstacle()).toBeUndefined()
    const next = read.next()
    expect(await intake.take(delivery('a'))).toBe('known')
    await next
    await read.end()
  })

  test('when what is in flight would be too much', () => {
    const { intake } = opened({ max_in_flight: '4mb' })
    intake.reserve(4 * 1024 * 1024)
    expect(() => intake.reserve(1)).toThrow(expect.objectContaining({ status: 503 }))
    intake.release(1)
    intake.reserve(1)
  })

  test('is told with when to come again', () => {
    expect(opened().intake.obstacle()?.headers).toEqual({ 'retry-after': '5' })
  })
})

describe('after a commit in doubt, with the cursor read back', () => {
  test('what is in it is answered as stored, what is not is stored now', async () => {
    const { intake, reading } = opened()
    const before = reading()
    const first = before.next()
    const a = outcome(intake.take(delivery('a')))
    const { cursor } = await first
    const second = before.next()
    const b = outcome(intake.take(delivery('b')))
    await second
    await before.end()
    // The first transaction was durable, the second was not.
    const after = reading(cursor)
    const batch = await after.next()
    expect(await a).toBe('stored')
    expect(idsOf(batch)).toEqual(['b'])
    batch.stored!()
    expect(await b).toBe('stored')
    await after.end()
  })

  test('what nobody waits for any more is not stored on its own', async () => {
    const { clock, intake, reading } = opened({ answer_within: '10s' })
    const before = reading()
    const first = before.next()
    const a = outcome(intake.take(delivery('a')))
    await first
    await clock.advance(10_000)
    expect(await a).toMatch(/^503/)
    await before.end()
    const after = reading(null)
    const next = after.next()
    void outcome(intake.take(delivery('b')))
    expect(idsOf(await next)).toEqual(['b'])
    await after.end()
    intake.close()
  })
})

describe('the memory', () => {
  test('keeps the last so many, oldest out first, and is its own cursor', () => {
    const memory = new Memory(null, 3, memoryWords)
    const hashes = ['a', 'b', 'c', 'd'].map(id => hashOf('id', id))
    for (const hash of hashes) memory.add(hash)
    const again = new Memory(memory.cursor, 3, memoryWords)
    for (const each of [memory, again]) expect(hashes.map(hash => each.has(hash))).toEqual([false, true, true, true])
    expect(again.cursor).toBe(memory.cursor)
    expect(describeMemory(memory.cursor, memoryWords)).toBe('4 deliveries taken, the last 3 remembered')
    // A smaller limit of a new definition holds at once.
    expect(hashes.map(hash => new Memory(memory.cursor, 1, memoryWords).has(hash))).toEqual([false, false, false, true])
  })

  test('an id and a body of the same bytes are two things', () => {
    expect(hashOf('id', 'a')).not.toBe(hashOf('body', 'a'))
    expect(hashOf('id', 'a')).toMatch(/^[\w-]{12}$/)
  })

  test.each(['', 'garbage', '{}', '[]', 'null', '{"v":999}', '{"v":1}', '{"v":1,"taken":1,"ids":"short"}'])(
    'refuses the cursor %j',
    async cursor => {
      expect(() => describeMemory(cursor, memoryWords)).toThrow(expect.objectContaining({ code: 'cursor.invalid' }))
      const { reading } = opened()
      expect(
        codeOf(
          await reading(cursor)
            .next()
            .catch(error => error),
        ),
      ).toBe('cursor.invalid')
    },
  )
})
