import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Damage } from '../../../src/simulate/reviews.ts'
import { getPage, startVendor } from '../../support/vendor.ts'

describe('damaged items', () => {
  const shapes: Record<Damage, (item: unknown, id: string) => unknown> = {
    no_id: item => !('id' in (item as object)),
    id_null: item => (item as { id: unknown }).id === null,
    id_object: item => typeof (item as { id: unknown }).id === 'object',
    no_updated_at: item => !('updated_at' in (item as object)),
    not_an_object: item => typeof item === 'string',
    stars_missing: item => !('stars' in (item as object)),
    stars_null: item => (item as { stars: unknown }).stars === null,
    stars_text: item => typeof (item as { stars: unknown }).stars === 'string',
    helpful_text: item => typeof (item as { helpful: unknown }).helpful === 'string',
  }

  test.each(Object.keys(shapes) as Damage[])('%s', async kind => {
    const vendor = await startVendor({ malformed: 0.3, damageKinds: [kind] })
    const { reviews } = await getPage(vendor, '/reviews?page_size=200')
    const damaged = vendor.journal.map(({ damage }) => damage)
    expect(damaged.filter(damage => damage === kind).length).toBeGreaterThan(30)
    for (const [n, item] of reviews.entries())
      expect(shapes[kind](item, vendor.journal[n]!.id)).toBe(damaged[n] === kind)
    expect(vendor.journal.map(({ sha256 }) => sha256)).toEqual(
      reviews.map(item => createHash('sha256').update(JSON.stringify(item)).digest('hex')),
    )
    expect(new Set(vendor.journal.map(({ sha256 }) => sha256)).size).toBe(200)
  })

  test('every kind occurs, and an edit may mend an item', async () => {
    const vendor = await startVendor({ malformed: 0.3, initial: 366, editEvery: 1 })
    expect(new Set(vendor.present().map(({ damage }) => damage))).toEqual(new Set([null, ...Object.keys(shapes)]))
    const broken = new Set(vendor.present().flatMap(({ id, damage }) => (damage === null ? [] : [id])))
    vendor.advance(400)
    expect(vendor.present().filter(({ id, damage }) => broken.has(id) && damage === null).length).toBeGreaterThan(10)
  })
})

test('in the style of a shop, stars and votes are phrases', async () => {
  const vendor = await startVendor({ style: 'amazon' })
  const { reviews } = (await getPage(vendor, '/reviews?page_size=300')) as unknown as {
    reviews: { stars: string; helpful: string | null }[]
  }
  for (const { stars, helpful } of reviews) {
    expect(stars).toMatch(/^[1-5]\.0 out of 5 stars$/)
    if (helpful !== null) expect(helpful).toMatch(/^(One person|\d+ people) found this helpful$/)
  }
  expect(new Set(reviews.map(({ helpful }) => helpful)).size).toBeGreaterThan(2)
})
