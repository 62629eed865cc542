import { describe, expect, test } from 'vitest'
import type { Event } from '../../../../src/core/event.ts'
import { watchDrift } from '../../../../src/sources/http/drift.ts'
import { openHttpSource, poll } from '../../../support/open-http.ts'
import { scriptedGuard } from '../../../support/scripted-guard.ts'

const review = (n: number) => ({
  id: `r${n}`,
  stars: 4,
  text: `text ${n}`,
  author: { name: `Person ${n}`, badges: ['top'] },
  ...(n % 5 === 0 ? { images: [{ url: 'https://x/1.jpg' }] } : {}),
})
const page = (from: number, change: (item: Record<string, unknown>, n: number) => unknown = item => item, size = 10) =>
  Array.from({ length: size }, (_, i) => change(review(from + i), i))

function watch(reads: readonly string[] = ['stars', 'author', 'author.name']) {
  const events: Event[] = []
  const { look } = watchDrift(event => events.push(event), 'p', reads)
  return {
    events,
    look: (items: readonly unknown[]) => look(items, 's'),
    told: () => events.map(event => (event.type === 'drift' ? `${event.path} ${event.change}` : event.type)),
  }
}

describe('drift', () => {
  test('items that vary as they did say nothing', () => {
    const { look, told } = watch()
    for (let n = 0; n < 100; n += 10) look(page(n))
    look(page(1, item => item, 4))
    expect(told()).toEqual([])
  })

  test('a field that is new, gone, or of another kind is told once, by its path and without values', () => {
    const { look, told, events } = watch()
    look(page(0))
    for (const from of [10, 20])
      look(
        page(from, ({ text: _, ...item }) => ({
          ...item,
          stars: '4 of 5',
          author: { fullName: 'Alice Example' },
          verdict: { kind: 'good' },
        })),
      )
    expect(told().sort()).toEqual([
      'author.badges vanished',
      'author.fullName appeared',
      'author.name vanished',
      'stars kind',
      'text vanished',
      'verdict appeared',
    ])
    expect(events).toContainEqual({
      type: 'drift',
      pipeline: 'p',
      split: 's',
      path: 'stars',
      change: 'kind',
      used: true,
      was: 'number',
      is: 'text',
    })
    expect(JSON.stringify(events)).not.toMatch(/Alice|Person|good|of 5/)
  })

  test('a field that the mapping reads and most items of a page lack is told, null counting as nothing; others are not', () => {
    const { look, told } = watch(['stars', 'author.name'])
    look(page(0))
    look(page(10, (item, i) => (i < 6 ? { ...item, stars: null, text: null } : item)))
    expect(told()).toEqual(['stars vanished'])
    look(page(20, (item, i) => (i < 5 ? { ...item, author: {} } : item)))
    expect(told()).toEqual(['stars vanished'])
  })

  test('keys that are data are no paths, and no more is told than can be read', () => {
    const { look, events } = watch()
    const wide = (n: number) => Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`k${n}_${i}`, 1]))
    look(page(0))
    look(page(0, item => ({ ...item, 'alice@example.com is here': 1, map: wide(1) })))
    expect(JSON.stringify(events)).not.toContain('alice')
    expect(events).toHaveLength(1)
    look(page(0, item => ({ ...item, ...Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`new${i}`, 1])) })))
    expect(events).toHaveLength(50)
  })

  test('the source tells it as it reads, whatever becomes of the items', async () => {
    let items: unknown[] = page(0)
    const { source, events } = openHttpSource(
      { request: { url: 'https://a.example/' }, records: 'body', cursor: { mode: 'membership', id: 'this.id' } },
      scriptedGuard(() => ({ body: items })),
      { reads: ['stars'] },
    )
    const { cursor } = await poll(source, null)
    items = page(10, ({ id, stars, ...item }) => ({ ...item, reviewId: id, rating: stars }))
    const second = await poll(source, cursor)
    expect(second.errors.map(({ code }) => code)).toEqual(Array(10).fill('source.item_shape'))
    expect(events.map(event => event.type === 'drift' && `${event.path} ${event.change} ${event.used}`)).toEqual([
      'id vanished false',
      'rating appeared false',
      'reviewId appeared false',
      'stars vanished true',
    ])
  })
})
