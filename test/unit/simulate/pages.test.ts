import { request } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { Simulation } from '../../../src/simulate/reviews.ts'
import { getAt, getPage, idsOf, startVendor, type VendorPage, walk } from '../../support/vendor.ts'

describe('pages', () => {
  const asin = 'B000G6MBX2'

  test('by number, offset, cursor, URL and Link header give the same reviews, each once', async () => {
    const vendor = await startVendor()
    const path = `/reviews?asin=${asin}&page_size=7`
    const first = await getPage(vendor, path)
    const byNumber = await walk(first, (page, n) => (page.has_more ? getPage(vendor, `${path}&page=${n}`) : null))
    const byOffset = await walk(first, (page, n) =>
      page.has_more ? getPage(vendor, `${path}&offset=${(n - 1) * 7}`) : null,
    )
    const byCursor = await walk(first, page =>
      page.next_cursor ? getPage(vendor, `${path}&cursor=${page.next_cursor}`) : null,
    )
    const byUrl = await walk(first, page => (page.next ? getAt(page.next) : null))
    expect(byNumber.length).toBeGreaterThan(20)
    expect(new Set(byNumber).size).toBe(byNumber.length)
    expect([byOffset, byCursor, byUrl]).toEqual([byNumber, byNumber, byNumber])

    const byLink: string[] = []
    for (let url: string | undefined = `${vendor.url}${path}`; url; ) {
      const answer: Response = await fetch(url)
      byLink.push(...idsOf((await answer.json()) as VendorPage))
      url = /<([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1]
    }
    expect(byLink).toEqual(byNumber)
  })

  test('are newest first, or oldest first when asked, and keep to the product', async () => {
    const vendor = await startVendor()
    const newest = await getPage(vendor, `/reviews?asin=${asin}&page_size=100`)
    const oldest = await getPage(vendor, `/reviews?asin=${asin}&page_size=100&sort=oldest`)
    expect(idsOf(oldest)).toEqual(idsOf(newest).toReversed())
    expect(new Set(newest.reviews.map(review => review.asin))).toEqual(new Set([asin]))
    const times = newest.reviews.map(review => review.updated_at)
    expect(times).toEqual(times.toSorted().toReversed())
  })
})

describe('a cursor', () => {
  const walkWhile = async (vendor: Simulation, sort: string, happen: () => void) => {
    const path = `/reviews?page_size=9&sort=${sort}`
    return walk(await getPage(vendor, path), page => {
      happen()
      return page.next_cursor ? getPage(vendor, `${path}&cursor=${page.next_cursor}`) : null
    })
  }

  test('newest first, repeats and skips nothing of what was there while reviews are added', async () => {
    const vendor = await startVendor({ initial: 80 })
    const before = idsOf(await getPage(vendor, '/reviews?page_size=1000'))
    expect(await walkWhile(vendor, 'newest', () => vendor.advance(3))).toEqual(before)
    expect(vendor.ticks).toBeGreaterThan(20)
  })

  test('oldest first, comes to every version that stays, the new and the edited ones too, in order', async () => {
    const vendor = await startVendor({ initial: 80, editEvery: 2 })
    const got = await walkWhile(vendor, 'oldest', () => vendor.advance(4))
    const last = new Map(got.map((id, place) => [id, place]))
    const present = vendor.present().map(({ id }) => id)
    // The last look was before the last ticks: all but what changed in them is in place.
    const settled = present.slice(0, -8)
    expect(settled.length).toBeGreaterThan(80)
    expect(settled.map(id => last.get(id))).toEqual(settled.map(id => last.get(id)!).toSorted((a, b) => a - b))
    const times = vendor.journal.map(({ updated_at, id }) => `${updated_at} ${id}`)
    expect(times).toEqual(times.toSorted())
    expect(new Set(times).size).toBe(times.length)
  })

  test('stays good when its own item is edited away', async () => {
    const vendor = await startVendor({ initial: 60, editEvery: 1 })
    const first = await getPage(vendor, '/reviews?page_size=20&sort=oldest')
    const anchor = first.reviews.at(-1)!
    for (let n = 0; vendor.present().some(v => v.id === anchor.id && v.updated_at === anchor.updated_at); n++) {
      if (n > 5000) throw new Error('the anchor was never edited')
      vendor.advance()
    }
    const rest = vendor
      .present()
      .filter(v => `${v.updated_at} ${v.id}` > `${anchor.updated_at} ${anchor.id}`)
      .map(v => v.id)
    expect(idsOf(await getPage(vendor, `/reviews?page_size=1000&sort=oldest&cursor=${first.next_cursor}`))).toEqual(
      rest,
    )
  })
})

test('updated_since leaves out what is older, in both orders, and POST takes the same parameters', async () => {
  const vendor = await startVendor()
  const all = vendor.present()
  const since = all[200]!.updated_at
  const newer = all.filter(({ updated_at }) => updated_at >= since).map(({ id }) => id)
  const path = `/reviews?updated_since=${since}&page_size=30`
  const newest = await walk(await getPage(vendor, path), page => (page.next ? getAt(page.next) : null))
  const oldest = await walk(await getPage(vendor, `${path}&sort=oldest`), page => (page.next ? getAt(page.next) : null))
  const post = async (body: object): Promise<VendorPage> => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${vendor.url}/reviews`, { method: 'POST', headers, body: JSON.stringify(body) })
    return (await answer.json()) as VendorPage
  }
  const asked = { updated_since: since, page_size: 30, sort: 'oldest' }
  const posted = await walk(await post(asked), page =>
    page.next_cursor ? post({ ...asked, cursor: page.next_cursor }) : null,
  )
  expect([newest, oldest, posted]).toEqual([newer.toReversed(), newer, newer])
})

describe('what is asked wrongly is refused with a reason in JSON', () => {
  test.each([
    ['/reviews?page=abc', 400, 'page is a whole number'],
    ['/reviews?page=0', 400, 'page is'],
    ['/reviews?page=1&page=2', 400, 'page is'],
    ['/reviews?offset=-1', 400, 'offset is'],
    ['/reviews?page_size=0', 400, 'page_size is'],
    ['/reviews?page_size=1001', 400, 'page_size is'],
    ['/reviews?cursor=abc', 400, 'cursor is none'],
    ['/reviews?cursor=', 400, 'cursor is none'],
    ['/reviews?page=2&offset=10', 400, 'use one'],
    ['/reviews?sort=best', 400, 'sort is'],
    ['/reviews?updated_since=lately', 400, 'updated_since is'],
    ['/reviews?fault=fire', 400, 'fault is one of'],
    ['/reviews?asin=B0NOTHERE0', 404, 'no such product'],
    ['/elsewhere', 404, 'no such endpoint'],
    ['/reviews/%zz', 400, ''],
  ])('%s', async (path, status, error) => {
    const vendor = await startVendor()
    const answer = await fetch(`${vendor.url}${path}`)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, expect.stringContaining('json')])
    expect(await answer.json()).toMatchObject({ error: expect.stringContaining(error) })
    expect(vendor.journal).toEqual([])
  })

  test.each(['{"page": "abc"}', '{"page": {}}', '{broken', '[1]x'])('POST %s', async body => {
    const vendor = await startVendor()
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${vendor.url}/reviews`, { method: 'POST', headers, body })
    expect([answer.status, await answer.json()]).toEqual([400, { error: expect.any(String) }])
  })

  test('a page past the end is empty, and the last', async () => {
    const page = await getPage(await startVendor(), '/reviews?page=99999')
    expect([page.reviews, page.has_more, page.next_cursor, page.next]).toEqual([[], false, null, null])
  })

  test.each([
    ['example.com', 421],
    ['localhost:4505', 200],
    ['[::1]', 200],
  ])('a Host of %s is answered %i', async (host, expected) => {
    const { url } = await startVendor()
    const status = await new Promise((resolve, reject) => {
      const call = request(`${url}/reviews`, { headers: { host } }, answer => {
        answer.resume()
        resolve(answer.statusCode)
      })
      call.once('error', reject).end()
    })
    expect(status).toBe(expected)
  })
})
