import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { all, openHttpSource, poll } from '../../../support/open-http.ts'
import { scriptedGuard } from '../../../support/scripted-guard.ts'

const nowMs = Date.UTC(2026, 1, 1)
const day = (n: number) => new Date(Date.UTC(2026, 0, n)).toISOString()
const item = (id: string, n: number, text = 'x') => ({ id, at: day(n), text })

function shelf(items: object[], cursor: object, size = 100) {
  const guard = scriptedGuard(({ searchParams }) => {
    const from = (Number(searchParams.get('page') ?? 1) - 1) * size
    return { body: { items: items.slice(from, from + size) } }
  })
  const written = {
    request: { url: 'https://a.example/list', query: { token: '{{ "t" }}' } },
    records: 'body.items',
    paginate: { page: { param: 'page' } },
    cursor,
  }
  return { written, guard, source: openHttpSource(written, guard, { nowMs }).source }
}

test('a first pass of very many items ends, and its cursor stays small', async () => {
  const items = Array.from({ length: 150_000 }, (_, i) => item(`r${i}`, 31 - Math.floor(i / 5_000)))
  const { source } = shelf(
    items,
    { field: 'this.at', order: 'desc', as: 'date', id: 'this.id', lookback: '1h' },
    10_000,
  )
  const { positions, cursor } = await poll(source, null)
  expect(positions).toHaveLength(150_000)
  expect(cursor!.length).toBeLessThan(200_000)
})

describe('edits', () => {
  test('by membership: the same version again is unchanged, another one is an edit, and back again too', async () => {
    const items = [item('a', 1), item('b', 1)]
    const { source } = shelf(items, { mode: 'membership', id: 'this.id', version: 'this.text' })
    const first = await poll(source, null)
    expect([first.positions.length, first.changes]).toEqual([2, []])
    const second = await poll(source, first.cursor)
    expect([second.positions, second.unchanged, second.duplicates]).toEqual([[], 2, 0])
    items[0] = item('a', 1, 'y')
    items.push(item('c', 1))
    const third = await poll(source, second.cursor)
    expect(third.positions.map(position => position[0])).toEqual(['a', 'c'])
    expect(third.changes.map(change => change.replace(/@\S+/, ''))).toEqual(['a edited'])
    items[0] = item('a', 1)
    const fourth = await poll(source, third.cursor)
    expect(fourth.changes.map(change => change.replace(/@\S+/, ''))).toEqual(['a edited'])
    expect(fourth.unchanged).toBe(2)
    items[0] = item('a', 1, 'y')
    const fifth = await poll(source, fourth.cursor)
    const positions = [first, third, fourth, fifth].flatMap(each => each.positions.filter(at => at.startsWith('a@')))
    expect(positions).toHaveLength(4)
    expect(new Set(positions).size).toBe(4)
    expect((await poll(source, fifth.cursor)).unchanged).toBe(3)
    // The same poll again, as after a kill before its commit, has the same positions.
    expect((await poll(source, fourth.cursor)).positions).toEqual(fifth.positions)
  })

  test('without `version` an item is never looked at again: a repeat is a duplicate', async () => {
    const items = [item('a', 1)]
    const { source } = shelf(items, { mode: 'membership', id: 'this.id' })
    const first = await poll(source, null)
    items[0] = item('a', 1, 'y')
    const second = await poll(source, first.cursor)
    expect([second.positions, second.unchanged, second.duplicates]).toEqual([[], 0, 1])
  })

  test.each(['desc', 'asc'])(
    'ordered, %s: an id that is known with a newer field is an edit, long after it was new',
    async order => {
      const sorted = (list: ReturnType<typeof item>[]) =>
        list.sort((a, b) => (order === 'asc' ? 1 : -1) * a.at.localeCompare(b.at))
      const items = sorted([item('a', 1), item('b', 2), item('c', 3)])
      const { source } = shelf(items, { id: 'this.id', field: 'this.at', order })
      let { cursor, changes } = await poll(source, null)
      expect(changes).toEqual([])
      for (const n of [4, 5]) {
        items.push(item(`new${n}`, n))
        sorted(items)
        ;({ cursor, changes } = await poll(source, cursor))
        expect(changes).toEqual([])
      }
      items.splice(
        items.findIndex(({ id }) => id === 'a'),
        1,
        item('a', 6),
      )
      sorted(items)
      ;({ cursor, changes } = await poll(source, cursor))
      expect(changes).toEqual([`a@${day(6)} edited`])
      expect((await poll(source, cursor)).positions).toEqual([])
    },
  )

  test('newest first, older versions of one item in the first pass are none', async () => {
    const { source } = shelf([item('a', 3), item('a', 2), item('a', 1)], {
      id: 'this.id',
      field: 'this.at',
      order: 'desc',
    })
    const { positions, changes } = await poll(source, null)
    expect([positions.length, changes]).toEqual([3, []])
  })

  test('no more ids are remembered than `keep`', async () => {
    const items = Array.from({ length: 150 }, (_, i) => item(`i${i}`, 1))
    const { source } = shelf(items, { id: 'this.id', field: 'this.at', order: 'asc', keep: 100 })
    const { cursor } = await poll(source, null)
    expect((JSON.parse(cursor!) as { ids: string }).ids).toHaveLength(100 * 6)
  })
})

describe('provenance', () => {
  test('each batch says who gave it, where, when, and the hash of the answer, and nothing secret', async () => {
    const { written, guard } = shelf([item('a', 1)], { mode: 'membership', id: 'this.id' })
    const auth = { api_key: { query: 'key', value: 'SECRET-KEY' } }
    const request = { ...written.request, auth }
    const { source } = openHttpSource({ ...written, request }, guard, { nowMs, origin: 'shop@1.2.3' })
    const { batches } = await poll(source, null)
    const body = JSON.stringify({ items: [item('a', 1)] })
    expect(guard.requests[0]!.url).toContain('SECRET-KEY')
    expect(batches[0]!.headers).toEqual([
      ['weir-source', 'shop@1.2.3'],
      ['weir-url', 'https://a.example/list?token=t&page=1'],
      ['weir-fetched-at', new Date(nowMs).toISOString()],
      ['weir-response', createHash('sha256').update(body).digest('hex')],
    ])
  })

  test('without an origin nothing is said', async () => {
    const { source } = shelf([item('a', 1)], { mode: 'membership', id: 'this.id' })
    for await (const batch of source.read(all, null, new AbortController().signal))
      expect(batch.headers).toBeUndefined()
  })
})

test.each(['edited', 'new'])(
  'what is %s in the part of a page that was stored before a crash is not lost',
  async what => {
    const items = Array.from({ length: 2_500 }, (_, n) => item(`i${n}`, 1))
    const { source } = shelf(items, { mode: 'membership', id: 'this.id', version: 'this.text' }, 10_000)
    let stored: string | null = null
    for await (const batch of source.read(all, null, new AbortController().signal)) {
      stored = batch.cursor
      break
    }
    items[7] = what === 'edited' ? item('i7', 1, 'y') : item('other', 1)
    const rest = await poll(source, stored)
    expect(rest.positions.map(position => position.replace(/@.*/, ''))).toEqual([
      what === 'edited' ? 'i7' : 'other',
      ...items.slice(2_000).map(({ id }) => id),
    ])
    expect((await poll(source, rest.cursor)).positions).toEqual([])
  },
)
