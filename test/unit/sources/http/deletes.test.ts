import { describe, expect, test } from 'vitest'
import { http } from '../../../../src/sources/http/http.ts'
import { httpConfig } from '../../../support/http-config.ts'
import { openHttpSource, poll } from '../../../support/open-http.ts'
import { type Reply, scriptedGuard } from '../../../support/scripted-guard.ts'

const byList = { mode: 'membership', id: 'this.id', version: 'this', deletes: 'tombstone' }

/** A list that tests change, in pages of two. */
function shelf(ids: (string | number | object)[], more: object = {}, cursor: object = byList) {
  const state: { ids: typeof ids; fail?: (page: number) => Reply | undefined } = { ids }
  const guard = scriptedGuard(({ searchParams }) => {
    const page = Number(searchParams.get('page'))
    const items = state.ids.map(id => (typeof id === 'object' ? id : { id }))
    return state.fail?.(page) ?? { body: items.slice((page - 1) * 2, page * 2) }
  })
  const written = {
    request: { url: 'https://a.example/list' },
    records: 'body',
    paginate: { page: { param: 'page', ...more } },
    errors: [{ when: 'status == 410', do: 'gone' }],
    cursor,
  }
  return { state, ...openHttpSource(written, guard) }
}

const gone = (changes: readonly string[]) => changes.map(change => change.replace(/@deleted#\d+ deleted$/, ' gone'))

describe('items that are gone', () => {
  test('are told once, with their id alone, and come again as new', async () => {
    const { state, source } = shelf(['a', 7, 'c'])
    const first = await poll(source, null)
    state.ids = ['c']
    const second = await poll(source, first.cursor)
    expect(gone(second.changes)).toEqual(['a gone', '7 gone'])
    expect(second.values).toEqual([{ id: 'a' }, { id: 7 }])
    expect(second.unchanged).toBe(1)
    const third = await poll(source, second.cursor)
    expect(third.positions).toEqual([])
    state.ids = ['a', 'c']
    const fourth = await poll(source, third.cursor)
    expect([fourth.changes, fourth.values]).toEqual([[], [{ id: 'a' }]])
    expect(first.positions).not.toContain(fourth.positions[0])
  })

  test('all of them, more than fit into a batch', async () => {
    let ids = Array.from({ length: 4001 }, (_, i) => `i${i}`)
    const { source } = openHttpSource(
      { request: { url: 'https://a.example/' }, records: 'body', cursor: byList },
      scriptedGuard(() => ({ body: ids.map(id => ({ id })) })),
    )
    const first = await poll(source, null)
    ids = []
    const batches: number[] = []
    let cursor = first.cursor
    // Killed after each batch: the next poll goes on with what is left.
    for (let again = true; again; ) {
      again = false
      for await (const batch of source.read({ id: 'all', vars: {} }, cursor, new AbortController().signal)) {
        batches.push(batch.items.length)
        cursor = batch.cursor
        again = true
        break
      }
    }
    expect(batches).toEqual([2000, 2000, 1])
  })

  test.each([
    ['`max` pages end the pass', { max: 1 }, undefined],
    ['an error rule says there is nothing', {}, (page: number) => (page === 2 ? { status: 410, body: '' } : undefined)],
    ['a page cannot be read', {}, (page: number) => (page === 2 ? { status: 400, body: '' } : undefined)],
  ])('are not told when %s', async (_, more, fail) => {
    const { state, source } = shelf(['a', 'b', 'c', 'd'])
    const first = await poll(source, null)
    const cut = shelf(['b', 'c', 'd'], more)
    if (fail) cut.state.fail = fail
    const second = await poll(cut.source, first.cursor).catch(() => undefined)
    expect(second?.changes ?? []).toEqual([])
    state.ids = ['b', 'c', 'd']
    expect(gone((await poll(source, second?.cursor ?? first.cursor)).changes)).toEqual(['a gone'])
  })

  test('are not told while an item has no id: it may be the one that is missed', async () => {
    const { state, source, events } = shelf(['a', 'b'])
    const first = await poll(source, null)
    state.ids = [{ name: 'no id' }, 'b']
    const second = await poll(source, first.cursor)
    expect([second.errors.length, second.changes]).toEqual([1, []])
    expect(events).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('none is told as deleted') }),
    )
    state.ids = ['b']
    expect(gone((await poll(source, second.cursor)).changes)).toEqual(['a gone'])
  })

  test('where deletions are told from now on, what was known before is not told anew', async () => {
    const before = shelf(['a', 'b'], {}, { ...byList, deletes: 'ignore' })
    const first = await poll(before.source, null)
    const { state, source } = shelf(['a', 'b'])
    const second = await poll(source, first.cursor)
    expect([second.positions, second.unchanged]).toEqual([[], 2])
    state.ids = ['a']
    expect(gone((await poll(source, second.cursor)).changes)).toEqual(['b gone'])
  })

  test('a list of more items than are remembered is refused', async () => {
    const { source } = shelf(
      Array.from({ length: 101 }, (_, i) => i + 1),
      {},
      { ...byList, keep: 100 },
    )
    await expect(poll(source, null)).rejects.toMatchObject({
      code: 'source.cursor_refused',
      hint: expect.stringContaining('keep'),
    })
  })
})

test.each([
  ['an ordered cursor', { id: 'this.id', field: 'this.at', order: 'desc', deletes: 'tombstone' }, '/cursor/deletes'],
  ['an id that is computed', { ...byList, id: 'this.a + this.b' }, '/cursor/id'],
])('%s cannot tell deletions', (_, cursor, pointer) => {
  const config = httpConfig({ request: { url: 'https://a.example/' }, cursor })
  expect(http.lint!(config, '/')).toMatchObject([{ severity: 'error', code: 'config.conflict', pointer }])
})
