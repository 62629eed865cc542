import { expect, test } from 'vitest'
import { createShop } from '../../../../src/simulate/vendors/shop.ts'

const open = (options = {}) => createShop({ seed: 1, initial: 200, editEvery: 2, ...options })
const all = (shop: ReturnType<typeof open>) => shop.asins.flatMap(asin => shop.look(asin)!.newest)

test('each review has an id as the shop gives them, its own, and lists are newest first', () => {
  const reviews = all(open({ initial: 400 }))
  expect(reviews.length).toBeGreaterThan(400)
  for (const { id } of reviews) expect(id).toMatch(/^R[A-Z0-9]{9,14}$/)
  expect(new Set(reviews.map(({ id }) => id)).size).toBe(reviews.length)
  const shop = open()
  for (const asin of shop.asins) {
    const days = shop.look(asin)!.newest.map(({ date }) => date)
    expect(days).toEqual(days.toSorted().reverse())
  }
})

test('with the ticks reviews appear, texts are edited under a new version, and votes grow without one', () => {
  const shop = open()
  const before = new Map(all(shop).map(review => [review.id, review]))
  shop.advanceTo(100)
  const after = all(shop)
  expect(after.length).toBe(before.size + 100)
  const old = after.filter(({ id }) => before.has(id))
  const edited = old.filter(({ version, id }) => version > before.get(id)!.version)
  expect(edited.length).toBeGreaterThan(20)
  for (const { id, text } of edited) expect(text).not.toBe(before.get(id)!.text)
  const voted = old.filter(
    ({ id, votes, version }) => votes > before.get(id)!.votes && version === before.get(id)!.version,
  )
  expect(voted.length).toBeGreaterThan(20)
  for (const { id, text } of voted) expect(text).toBe(before.get(id)!.text)
})

test('a product that was looked at does not change under the looker', () => {
  const shop = open()
  const look = shop.look('B000E7WM0K')!
  const top = look.top()
  shop.advanceTo(100)
  expect(look.top()).toEqual(top)
  expect(shop.look('B000E7WM0K')!.top()).not.toEqual(top)
  expect(shop.look('B0WEIRGONE')).toBeNull()
})

test('near-copies stand under the same product and day, five stars, by accounts that bought nothing', () => {
  const reviews = all(open({ initial: 400 }))
  const bare = (text: string) => text.toLowerCase().replace(/\W+/g, '')
  const pairs = reviews.flatMap(copy =>
    reviews
      .filter(
        other =>
          other.id < copy.id &&
          other.asin === copy.asin &&
          other.date === copy.date &&
          bare(other.text) === bare(copy.text),
      )
      .map(other => [copy, other]),
  )
  expect(pairs.length).toBeGreaterThan(10)
  for (const pair of pairs) {
    expect(pair[0]!.name).not.toBe(pair[1]!.name)
    expect(pair.some(({ verified, stars }) => !verified && stars === 5)).toBe(true)
  }
})

test('counts follow the reviews, and what a page shows is of its country first', () => {
  const shop = open({ initial: 400 })
  const { product, newest, top } = shop.look('B001RVFDOO')!
  expect(product.reviews).toBe(newest.length)
  expect(product.histogram.reduce((sum, each) => sum + each)).toBe(product.ratings)
  const { local, global } = top('US')
  expect([local.length, local.every(({ country }) => country === 'US')]).toEqual([8, true])
  expect(global.length).toBeGreaterThan(0)
  expect(global.every(({ country }) => country !== 'US')).toBe(true)
  expect(local.map(({ votes }) => votes)).toEqual(local.map(({ votes }) => votes).toSorted((a, b) => b - a))
})

test('another seed is another history', () => {
  const texts = (seed: number) => {
    const shop = open({ seed })
    shop.advanceTo(60)
    return all(shop).map(({ text, votes, country }) => [text, votes, country])
  }
  expect(texts(1)).toEqual(texts(1))
  expect(texts(2)).not.toEqual(texts(1))
})
