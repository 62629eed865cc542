import { expect, test } from 'vitest'
import { all, openHttpSource, poll } from '../../../support/open-http.ts'
import { scriptedGuard } from '../../../support/scripted-guard.ts'

const item = (n: number) => ({ id: `i${n}`, at: new Date(Date.UTC(2026, 0, n)).toISOString() })

test('I2 I13: items that filled a page after a pass was interrupted behind it are not lost, however long it was', async () => {
  const items = [1, 2, 3, 4, 5].map(item)
  const guard = scriptedGuard(({ searchParams }) => {
    const from = (Number(searchParams.get('page')) - 1) * 4
    return { body: { items: items.slice(from, from + 4) } }
  })
  const { source } = openHttpSource(
    {
      request: { url: 'https://a.example/list' },
      records: 'body.items',
      paginate: { page: { param: 'page' } },
      cursor: { id: 'this.id', field: 'this.at', order: 'asc', lookback: '1d' },
    },
    guard,
    { nowMs: Date.UTC(2026, 1, 1) },
  )
  // Two pages are committed, the second of them short; the process dies before it has the third.
  let cursor: string | null = null
  const seen: string[] = []
  for await (const batch of source.read(all, null, new AbortController().signal)) {
    seen.push(...batch.items.map(each => each.position.split('@')[0]!))
    cursor = batch.cursor
    if (seen.length === 5) break
  }
  items.push(...[6, 7, 8, 15, 16].map(item))
  for (let i = 0; i < 2; i++) {
    const next = await poll(source, cursor)
    seen.push(...next.positions.map(position => position.split('@')[0]!))
    cursor = next.cursor
  }
  expect(seen).toEqual(items.map(each => each.id))
})
