import { expect, test } from 'vitest'
import { codeOf } from '../../../src/core/errors.ts'
import { rawOf } from '../../../src/core/record.ts'
import { generate } from '../../../src/sources/generate.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

function open(config: object, clock = createFakeClock()) {
  return generate.open({ seed: 1, malformed: 0, products: 100, splits: 1, ...config } as never, {
    pipeline: 'test',
    clock,
    random: () => 0.5,
    emit: () => {},
    baseDir: '/',
    fetch: () => {
      throw new Error('the generator makes no calls')
    },
  })
}

const { signal } = new AbortController()

async function itemsOf(config: object) {
  const source = open(config)
  const splits = await source.splits(signal)
  return Promise.all(
    splits.map(async split => (await Array.fromAsync(source.read(split, null, signal))).flatMap(({ items }) => items)),
  )
}

test('the same seed makes the same reviews, another seed others', async () => {
  const values = async (seed: number) => (await itemsOf({ count: 50, seed }))[0]!.map(({ value }) => value)
  expect(await values(3)).toEqual(await values(3))
  expect(await values(3)).not.toEqual(await values(4))
})

test('splits share the reviews: together they are those of one split', async () => {
  const ids = (items: readonly { value: unknown }[]) =>
    items.map(({ value }) => (value as { review_id: string }).review_id)
  const [whole] = await itemsOf({ count: 101 })
  const parts = await itemsOf({ count: 101, splits: 3 })
  expect(parts.map(({ length }) => length)).toEqual([34, 34, 33])
  expect(parts.flatMap(ids).sort()).toEqual(ids(whole!).sort())
})

test('the share of malformed reviews is about what was asked for, each with its torn bytes', async () => {
  const [items] = await itemsOf({ count: 10_000, malformed: 0.02 })
  const bad = items!.filter(({ error }) => error)
  expect(bad.length).toBeGreaterThan(150)
  expect(bad.length).toBeLessThan(250)
  for (const item of bad) expect(() => JSON.parse(Buffer.from(rawOf(item)).toString())).toThrow()
})

test('reviews are plausible: stars from 1 to 5, products from the range, texts of many lengths', async () => {
  const values = (await itemsOf({ count: 2000, products: 10 }))[0]!.map(
    ({ value }) => value as { rating: number; product_asin: string; review_text: string },
  )
  expect([...new Set(values.map(({ rating }) => rating))].sort()).toEqual([1, 2, 3, 4, 5])
  expect(new Set(values.map(({ product_asin }) => product_asin)).size).toBe(10)
  expect(new Set(values.map(({ review_text }) => review_text.length)).size).toBeGreaterThan(50)
  for (const { product_asin } of values) expect(product_asin).toMatch(/^B0[0-9A-Z]{8}$/)
})

test('a rate paces the batches by the clock, and waiting ends at once on the signal', async () => {
  const clock = createFakeClock()
  const source = open({ count: 100, rate: 100 }, clock)
  const stopping = new AbortController()
  const [split] = await source.splits(signal)
  const batches: number[] = []
  const reading = (async () => {
    for await (const { items } of source.read(split!, null, stopping.signal)) batches.push(items.length)
  })()
  await clock.waiting()
  expect(batches).toEqual([])
  await clock.advance(300)
  expect(batches).toEqual([10, 10, 10])
  await clock.waiting()
  stopping.abort()
  await reading
  expect(batches.length).toBe(3)
})

test('without a count it never ends by itself', async () => {
  const source = open({})
  expect(source.endless).toBe(true)
  const [split] = await source.splits(signal)
  let count = 0
  for await (const { items } of source.read(split!, null, signal)) if ((count += items.length) > 5000) break
  expect(count).toBeGreaterThan(5000)
})

test('an unknown split is refused', async () => {
  const source = open({ count: 1, splits: 2 })
  const error = await Array.fromAsync(source.read({ id: 'part-2', vars: {} }, null, signal)).catch(thrown => thrown)
  expect(codeOf(error)).toBe('source.cursor_refused')
})
