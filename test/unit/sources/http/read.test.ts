import { describe, expect, test } from 'vitest'
import { codeOf } from '../../../../src/core/errors.ts'
import { all, openHttpSource, poll } from '../../../support/open-http.ts'
import { scriptedGuard } from '../../../support/scripted-guard.ts'

const url = 'https://a.example/list'
const day = (n: number) => new Date(Date.UTC(2026, 0, n)).toISOString()
const item = (id: string, n: number) => ({ id, at: day(n) })
const nowMs = Date.UTC(2026, 1, 1)

/** Serves a list that tests change; pages of two, newest first unless told otherwise. */
function shelf(initial: object[], size = 2) {
  const items = [...initial]
  const guard = scriptedGuard(({ searchParams }) => {
    const from = (Number(searchParams.get('page') ?? 1) - 1) * size
    return { body: { items: items.slice(from, from + size) } }
  })
  return { items, guard, pages: () => guard.requests.map(request => new URL(request.url).searchParams.get('page')) }
}

const byPage = { request: { url }, records: 'body.items', paginate: { page: { param: 'page' } } }
const newestFirst = { ...byPage, cursor: { id: 'this.id', field: 'this.at', order: 'desc' } }

describe('newest first', () => {
  test('the first pass reads everything, later ones stop at the first page that is older than the cursor', async () => {
    const { items, guard, pages } = shelf([item('d', 4), item('c', 3), item('b', 2), item('a', 1)])
    const { source } = openHttpSource(newestFirst, guard, { nowMs })
    const first = await poll(source, null)
    expect(first.positions).toEqual([`d@${day(4)}`, `c@${day(3)}`, `b@${day(2)}`, `a@${day(1)}`])
    expect(pages()).toEqual(['1', '2', '3'])
    items.unshift(item('e', 5))
    guard.requests.length = 0
    const second = await poll(source, first.cursor)
    expect(second.positions).toEqual([`e@${day(5)}`])
    expect(second.duplicates).toBe(3)
    expect(pages()).toEqual(['1', '2'])
  })

  test('it does not stop at the first known item: a late one behind it is found within the lookback', async () => {
    const { items, guard } = shelf([item('d', 4), item('c', 3), item('b', 2)])
    const { source } = openHttpSource({ ...newestFirst, cursor: { ...newestFirst.cursor, lookback: '3d' } }, guard, {
      nowMs,
    })
    const first = await poll(source, null)
    items.splice(2, 0, item('late', 2))
    const second = await poll(source, first.cursor)
    expect(second.positions).toEqual([`late@${day(2)}`])
  })

  test('an edit, an id seen with a newer date, is a new version; an unchanged repeat is counted', async () => {
    const { items, guard } = shelf([item('b', 2), item('a', 1)])
    const { source } = openHttpSource(newestFirst, guard, { nowMs })
    const first = await poll(source, null)
    items.splice(0, 2, item('a', 3), item('b', 2))
    const second = await poll(source, first.cursor)
    expect(second.positions).toEqual([`a@${day(3)}`])
    expect(second.duplicates).toBe(1)
  })

  test('a date far ahead does not move the cursor past what is to come', async () => {
    const { items, guard } = shelf([{ id: 'x', at: '2099-01-01T00:00:00Z' }, item('a', 1)])
    const { source } = openHttpSource(newestFirst, guard, { nowMs })
    const first = await poll(source, null)
    items.splice(1, 0, item('b', 2))
    const second = await poll(source, first.cursor)
    expect(second.positions).toEqual([`b@${day(2)}`])
    expect((await poll(source, second.cursor)).positions).toEqual([])
  })

  test('I13: killed after any batch, it goes on at the next page', async () => {
    const { guard, pages } = shelf([6, 5, 4, 3, 2, 1].map(n => item(`i${n}`, n)))
    const { source } = openHttpSource(newestFirst, guard, { nowMs })
    const batches = (await poll(source, null)).batches
    for (let k = 0; k < 3; k++) {
      guard.requests.length = 0
      const rest = await poll(source, batches[k]!.cursor)
      expect(pages()[0]).toBe(String(k + 2))
      expect(rest.positions).toEqual(batches.slice(k + 1).flatMap(batch => batch.items.map(each => each.position)))
    }
  })

  test('60: when all of the newest page is older than the cursor, it says so', async () => {
    const { items, guard } = shelf([item('b', 20)])
    const { source, events } = openHttpSource(newestFirst, guard, { nowMs })
    const first = await poll(source, null)
    items.splice(0, 1, item('a', 1))
    const second = await poll(source, first.cursor)
    expect(second.positions).toEqual([])
    expect(events).toMatchObject([{ type: 'source_notice', code: 'source.cursor_refused' }])
  })
})

describe('oldest first', () => {
  const written = {
    request: { url, query: { since: '{{ cursor }}' } },
    records: 'body',
    cursor: { id: 'this.id', field: 'this.at', order: 'asc' },
  }
  test('the request asks from the newest committed date on, and equals at the boundary come once', async () => {
    const items = [item('a', 1), item('b', 2)]
    const guard = scriptedGuard(({ searchParams }) => ({
      body: items.filter(each => each.at >= (searchParams.get('since') ?? '')),
    }))
    const { source } = openHttpSource(written, guard, { nowMs })
    const first = await poll(source, null)
    expect(first.positions).toHaveLength(2)
    items.push(item('c', 2), item('d', 3))
    const second = await poll(source, first.cursor)
    expect(guard.requests.map(request => new URL(request.url).search)).toEqual([
      '',
      `?since=${encodeURIComponent(day(2))}`,
    ])
    expect(second.positions).toEqual([`c@${day(2)}`, `d@${day(3)}`])
    expect(second.duplicates).toBe(1)
  })

  test('the same date is asked for on all pages of a pass', async () => {
    const items = [1, 2, 3, 4].map(n => item(`i${n}`, n))
    const guard = scriptedGuard(({ searchParams }) => {
      const rest = items.filter(each => each.at >= (searchParams.get('since') ?? ''))
      const from = Number(searchParams.get('offset'))
      return { body: rest.slice(from, from + 2) }
    })
    const { source } = openHttpSource({ ...written, paginate: { offset: { param: 'offset' } } }, guard, { nowMs })
    const first = await poll(source, null)
    expect(first.positions).toHaveLength(4)
    items.push(item('i5', 5), item('i6', 6), item('i7', 7))
    guard.requests.length = 0
    expect((await poll(source, first.cursor)).positions).toHaveLength(3)
    expect(new Set(guard.requests.map(request => new URL(request.url).searchParams.get('since')))).toEqual(
      new Set([day(4)]),
    )
  })
})

describe('without order', () => {
  test('membership: ids seen do not come again, a changed version does, what is not seen for long is forgotten', async () => {
    const items: { id: string; text: string }[] = [
      { id: 'a', text: '1' },
      { id: 'b', text: '1' },
    ]
    const guard = scriptedGuard(() => ({ body: items }))
    const { source } = openHttpSource(
      { request: { url }, cursor: { mode: 'membership', id: 'this.id', version: 'this.text', keep: 100 } },
      guard,
    )
    const first = await poll(source, null)
    expect(first.values).toEqual(items)
    items[0] = { id: 'a', text: '2' }
    const second = await poll(source, first.cursor)
    expect(second.values).toEqual([{ id: 'a', text: '2' }])
    expect(new Set([...first.positions, ...second.positions]).size).toBe(3)
    items.splice(0, 2, ...Array.from({ length: 100 }, (_, i) => ({ id: `n${i}`, text: '1' })))
    const third = await poll(source, second.cursor)
    items.splice(0, 100, { id: 'a', text: '2' })
    expect((await poll(source, third.cursor)).values).toHaveLength(1)
  })

  test('without a cursor every poll yields everything, at positions of its own', async () => {
    const guard = scriptedGuard(() => ({ body: [{ n: 1 }, { n: 1 }] }))
    const { source } = openHttpSource({ request: { url } }, guard)
    const first = await poll(source, null)
    const second = await poll(source, first.cursor)
    expect(second.values).toEqual([{ n: 1 }, { n: 1 }])
    expect(new Set([...first.positions, ...second.positions]).size).toBe(4)
  })
})

describe('items', () => {
  const text =
    '{"items": [ {"id":"a","at":"2026-01-03"}, null,\n"text", 5, [1], {"at":"2026-01-02"}, {"id":"b"}, {"id":"","at":"2026-01-02"}, {"id":"c","at":"2026-02-30"},  {"id" : "d", "at":"2026-01-01"} ]}'
  const bad = [
    'null',
    '"text"',
    '5',
    '[1]',
    '{"at":"2026-01-02"}',
    '{"id":"b"}',
    '{"id":"","at":"2026-01-02"}',
    '{"id":"c","at":"2026-02-30"}',
  ]
  const written = {
    request: { url },
    records: 'body.items',
    cursor: { id: 'this.id', field: 'this.at', order: 'desc' },
  }

  test('I5: one without identity comes with its error and its own bytes; the good ones go on', async () => {
    const { source } = openHttpSource(
      written,
      scriptedGuard(() => ({ body: text })),
      { nowMs },
    )
    const result = await poll(source, null)
    expect(result.positions).toEqual(expect.arrayContaining(['a@2026-01-03', 'd@2026-01-01']))
    expect(result.errors.map(each => each.raw)).toEqual(bad)
    expect(new Set(result.errors.map(each => each.code))).toEqual(new Set(['source.item_shape']))
    expect(result.batches[0]!.items[1]!.place).toBe('page 1, item 2')
  })

  test('I2: the same bad item is a dead letter once, not at every poll', async () => {
    const { source } = openHttpSource(
      written,
      scriptedGuard(() => ({ body: text })),
      { nowMs },
    )
    const first = await poll(source, null)
    const second = await poll(source, first.cursor)
    expect(second.errors).toEqual([])
    expect(second.duplicates).toBe(9 + 1)
  })

  test('the bytes of an item are those that the source gave, also where records are picked out by an expression', async () => {
    const body = '{"groups":[{"rs":[{"id" :"a", "n": 1.0}]},{"rs":[{"id":"b","n":12345678901234567890}]}]}'
    const { source } = openHttpSource(
      { request: { url }, records: 'body.groups[1].rs' },
      scriptedGuard(() => ({ body })),
    )
    const [batch] = (await poll(source, null)).batches
    const { raw } = batch!.items[0]!
    expect(Buffer.from(typeof raw === 'function' ? raw() : raw).toString()).toBe('{"id":"b","n":12345678901234567890}')
    expect(batch!.items[0]!.value).toEqual({ id: 'b', n: 12345678901234567890n })
  })

  test('an item over its cap is an error of its own', async () => {
    const body = JSON.stringify([{ id: 'a', text: 'x'.repeat(3000) }, { id: 'b' }])
    const { source } = openHttpSource(
      { request: { url }, max_item: '1kb' },
      scriptedGuard(() => ({ body })),
    )
    const result = await poll(source, null)
    expect(result.errors.map(each => each.code)).toEqual(['source.item_too_large'])
    expect(result.values).toEqual([{ id: 'b' }])
  })

  test('reparse gives back what read gave', () => {
    const { source } = openHttpSource(
      written,
      scriptedGuard(() => ({ body: [] })),
    )
    expect(source.reparse(Buffer.from('{"id":12345678901234567890}'), undefined)).toEqual([
      { id: 12345678901234567890n },
    ])
    expect(() => source.reparse(Buffer.from('{'), undefined)).toThrow(
      expect.objectContaining({ code: 'source.invalid_json' }),
    )
  })

  test('ndjson: a torn line is an error, the others are items with the bytes of their lines', async () => {
    const body = '{"id":"a"}\r\n\n{"id":\n{"id":"b"}'
    const { source } = openHttpSource(
      { request: { url }, decode: 'ndjson' },
      scriptedGuard(() => ({ body })),
    )
    const result = await poll(source, null)
    expect(result.values).toEqual([{ id: 'a' }, { id: 'b' }])
    expect(result.errors).toMatchObject([{ code: 'source.invalid_json', raw: '{"id":' }])
  })
})

describe('a page larger than a batch', () => {
  const many = Array.from({ length: 5000 }, (_, i) => ({ id: `i${i}`, at: day(1 + (i % 28)) }))
  test.each([
    ['with a cursor', { id: 'this.id', field: 'this.at', order: 'asc' }],
    ['without', undefined],
  ])('I13: %s, it comes in parts, and goes on within the page after a crash', async (_, cursor) => {
    const { source } = openHttpSource(
      { request: { url }, ...(cursor ? { cursor } : {}) },
      scriptedGuard(() => ({ body: many })),
      { nowMs },
    )
    const whole = await poll(source, null)
    expect(whole.batches.map(batch => batch.items.length)).toEqual([2000, 2000, 1000])
    const rest = await poll(source, whole.batches[1]!.cursor)
    expect(rest.positions).toEqual(whole.positions.slice(4000))
    expect(rest.duplicates).toBe(4000)
    expect(new Set(whole.positions).size).toBe(5000)
  })
})

describe('answers that are no page', () => {
  const errors = [
    { when: 'status == 404', do: 'gone' },
    { when: 'body.code == 7', do: 'skip' },
  ]
  test.each([
    ['gone', { status: 404, body: 'not found' }],
    ['skip', { body: { code: 7 } }],
  ])('%s: the pass ends without items, with a notice, and what was known stays known', async (word, reply) => {
    let isGone = false
    const guard = scriptedGuard(() => (isGone ? reply : { body: [item('a', 1)] }))
    const { source, events } = openHttpSource(
      { request: { url }, errors, cursor: { id: 'this.id', field: 'this.at', order: 'desc' } },
      guard,
      { nowMs },
    )
    const first = await poll(source, null)
    isGone = true
    const second = await poll(source, first.cursor)
    expect(second.batches).toEqual([])
    expect(events).toMatchObject([{ type: 'source_notice', message: expect.stringContaining(word) }])
    isGone = false
    expect((await poll(source, first.cursor)).positions).toEqual([])
  })

  test.each([
    ['records are missing', { body: {} }, 'source.shape'],
    ['records are null', { body: { items: null } }, 'source.shape'],
    ['records are an object', { body: { items: {} } }, 'source.shape'],
    ['the body is a list', { body: [] }, 'source.shape'],
    ['the body is a number', { body: '5' }, 'source.shape'],
    ['the body is cut', { body: '{"items":[{"id":"a"}' }, 'source.shape'],
    ['the body is HTML', { body: '<html>CANARY</html>' }, 'source.shape'],
    ['the body nests without end', { body: '['.repeat(100_000) }, 'source.shape'],
    ['the money is gone', { status: 402, body: '{}' }, 'fetch.fatal'],
  ])('I4: when %s, no batch and no cursor comes out', async (_, reply, code) => {
    const guard = scriptedGuard(() => reply)
    const { source } = openHttpSource({ request: { url }, records: 'body.items' }, guard)
    const batches: unknown[] = []
    let error: unknown
    try {
      for await (const batch of source.read(all, null, new AbortController().signal)) batches.push(batch)
    } catch (thrown) {
      error = thrown
    }
    expect(codeOf(error)).toBe(code)
    expect(JSON.stringify([String(error), error])).not.toContain('CANARY')
    expect(batches).toEqual([])
  })

  test('60: a page token that the source refuses after a restart stops with a choice', async () => {
    let hasExpired = false
    const guard = scriptedGuard(({ searchParams }) => {
      if (hasExpired && searchParams.get('t')) return { status: 410, body: '' }
      return { body: { items: [item('a', 1)], next: searchParams.get('t') ? null : 'T1' } }
    })
    const { source } = openHttpSource(
      {
        request: { url },
        records: 'body.items',
        paginate: { token: { param: 't', from: 'body.next' } },
        cursor: newestFirst.cursor,
      },
      guard,
      { nowMs },
    )
    const { batches } = await poll(source, null)
    hasExpired = true
    await expect(poll(source, batches[0]!.cursor)).rejects.toMatchObject({
      code: 'source.cursor_refused',
      hint: expect.stringContaining('weir cursor reset'),
    })
  })
})

describe('the end of a pass', () => {
  test('61: a source that ignores the page number is stopped', async () => {
    const guard = scriptedGuard(() => ({ body: { items: [item('a', 1)] } }))
    const { source } = openHttpSource(byPage, guard)
    await expect(poll(source, null)).rejects.toMatchObject({
      code: 'source.loop',
      hint: expect.stringContaining('has_more'),
    })
    expect(guard.requests.length).toBeLessThanOrEqual(4)
  })

  test('61: it is stopped too when each answer differs in all but its items', async () => {
    let calls = 0
    const guard = scriptedGuard(() => ({ body: { request: ++calls, items: [item('a', 1), item('b', 1)] } }))
    const { source } = openHttpSource({ ...byPage, cursor: undefined }, guard)
    await expect(poll(source, null)).rejects.toMatchObject({ code: 'source.loop' })
    expect(guard.requests.length).toBeLessThanOrEqual(4)
  })

  test('has_more ends it without another call; a missing next does too', async () => {
    const guard = scriptedGuard(() => ({ body: { items: [item('a', 1)], more: false } }))
    const { source } = openHttpSource(
      { ...byPage, paginate: { page: { param: 'page', has_more: 'body.more' } } },
      guard,
    )
    await poll(source, null)
    const { source: byToken } = openHttpSource(
      { ...byPage, paginate: { cursor: { param: 'c', from: 'body.paging.next' } } },
      guard,
    )
    await poll(byToken, null)
    expect(guard.requests).toHaveLength(2)
  })

  test('max ends it and says so', async () => {
    const { guard } = shelf([4, 3, 2, 1].map(n => item(`i${n}`, n)))
    const { source, events } = openHttpSource(
      { ...newestFirst, paginate: { page: { param: 'page', max: 1 } } },
      guard,
      { nowMs },
    )
    const result = await poll(source, null)
    expect(result.positions).toHaveLength(2)
    expect(events).toMatchObject([{ type: 'source_notice', message: expect.stringContaining('after 1 pages') }])
    expect((await poll(source, result.cursor)).positions).toEqual([])
  })

  test('pages by Link header, and parameters in the body', async () => {
    const linked = scriptedGuard(({ searchParams }) => {
      const n = Number(searchParams.get('n') ?? 1)
      return { body: [{ n }], headers: n < 3 ? { link: `</list?n=${n + 1}>; rel="next"` } : {} }
    })
    const { source } = openHttpSource({ request: { url }, paginate: { link_header: {} } }, linked)
    expect((await poll(source, null)).values).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
    const bodies: unknown[] = []
    const posted = scriptedGuard((_, request) => {
      const sent = JSON.parse(String(request.body))
      bodies.push(sent)
      return { body: { items: [{ n: 1 }], next: sent.after === 'x' ? null : 'x' } }
    })
    const byBody = openHttpSource(
      {
        request: { url, method: 'POST', body: { q: 1 } },
        records: 'body.items',
        paginate: { token: { in: 'body', param: 'after', from: 'body.next', size: { param: 'size', value: 50 } } },
      },
      posted,
    )
    await poll(byBody.source, null)
    expect(bodies).toEqual([
      { q: 1, size: 50 },
      { q: 1, size: 50, after: 'x' },
    ])
  })

  test('a changed way of paging starts the pass anew from its first page, with what is covered kept', async () => {
    const { guard, pages } = shelf([4, 3, 2, 1].map(n => item(`i${n}`, n)))
    const before = openHttpSource({ ...newestFirst, paginate: { token: { param: 'page', from: '"2"' } } }, guard, {
      nowMs,
    })
    const batches: { cursor: string }[] = []
    for await (const batch of before.source.read(all, null, new AbortController().signal)) {
      batches.push(batch)
      break
    }
    guard.requests.length = 0
    const after = openHttpSource(newestFirst, guard, { nowMs })
    const result = await poll(after.source, batches[0]!.cursor)
    expect(pages()[0]).toBe('1')
    expect(result.positions).toEqual([`i2@${day(2)}`, `i1@${day(1)}`])
  })

  test('a stop ends it with its own reason', async () => {
    const { guard } = shelf([item('a', 1)])
    const { source } = openHttpSource(newestFirst, guard, { nowMs })
    const reading = source.read(all, null, AbortSignal.abort(new Error('stop')))
    await expect(reading[Symbol.asyncIterator]().next()).rejects.toThrow('stop')
  })
})
