import { expect, test } from 'vitest'
import { http } from '../../../../src/sources/http/http.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'
import { httpConfig } from '../../../support/http-config.ts'
import { type Reply, scriptedGuard } from '../../../support/scripted-guard.ts'

function listing(forEach: object, answer: (url: URL) => Reply, rest: object = {}) {
  const guard = scriptedGuard(answer)
  const clock = createFakeClock()
  const source = http.open(
    httpConfig({ for_each: forEach, request: { url: 'https://a.example/{{ split.asin }}' }, ...rest }),
    { pipeline: 'test', clock, random: () => 0.5, emit: () => {}, baseDir: '/', fetch: () => guard },
  )
  const ids = async () => (await source.splits(new AbortController().signal)).map(split => split.id)
  return { clock, ids, urls: () => guard.requests.map(request => request.url) }
}

const watchlist = { request: { url: 'https://a.example/watchlist' }, values: 'body.asins' }

test('splits come from a request, each value once, and the list is used for its time', async () => {
  let asins = ['B1', 'B2', 'B1']
  const { ids, clock, urls } = listing({ asin: watchlist }, () => ({ body: { asins } }))
  expect(await Promise.all([ids(), ids()])).toEqual([
    ['asin=B1', 'asin=B2'],
    ['asin=B1', 'asin=B2'],
  ])
  asins = ['B3']
  await clock.advance(59_999)
  expect(await ids()).toEqual(['asin=B1', 'asin=B2'])
  expect(urls()).toHaveLength(1)
  await clock.advance(1)
  expect(await ids()).toEqual(['asin=B3'])
})

test('a list may use the values before it, and is asked for once where it does not', async () => {
  const { ids, urls } = listing(
    {
      site: ['us', 'de'],
      asin: { request: { url: 'https://a.example/top/{{ split.site }}' }, values: 'body' },
      kind: { request: { url: 'https://a.example/kinds' }, values: 'body' },
    },
    ({ pathname }) => ({ body: pathname === '/kinds' ? [1] : pathname === '/top/us' ? ['A', 'B'] : ['C'] }),
  )
  expect(await ids()).toEqual(['site=us,asin=A,kind=1', 'site=us,asin=B,kind=1', 'site=de,asin=C,kind=1'])
  expect(urls().filter(url => url.endsWith('/kinds'))).toHaveLength(1)
})

test('a list may have pages', async () => {
  const { ids } = listing(
    { asin: { ...watchlist, paginate: { token: { param: 't', from: 'body.next' } } } },
    ({ searchParams }) => ({
      body: searchParams.get('t') ? { asins: ['C'], next: null } : { asins: ['A', 'B'], next: 'x' },
    }),
  )
  expect(await ids()).toEqual(['asin=A', 'asin=B', 'asin=C'])
})

test('an error rule may say that there is nothing', async () => {
  const errors = [{ when: 'status == 404', do: 'gone' }]
  const { ids } = listing({ asin: watchlist }, () => ({ status: 404, body: '' }), { errors })
  expect(await ids()).toEqual([])
})

test.each<[string, Reply, string]>([
  ['the source fails', { status: 503, body: '' }, 'fetch.status'],
  ['there is no list', { body: { asins: 5 } }, 'source.shape'],
  ['the field is not there', { body: {} }, 'source.shape'],
  ['a value is no name', { body: { asins: [{}] } }, 'source.shape'],
  ['the body is no JSON', { body: 'x' }, 'source.shape'],
])('I4: when %s, listing fails, and is tried again the next time', async (_, reply, code) => {
  let isWell = false
  const { ids } = listing({ asin: watchlist }, () => (isWell ? { body: { asins: ['A'] } } : reply))
  await expect(ids()).rejects.toMatchObject({ code })
  isWell = true
  expect(await ids()).toEqual(['asin=A'])
})

test('a list that leads back to a page read already is stopped', async () => {
  const { ids } = listing(
    { asin: { ...watchlist, paginate: { token: { param: 't', from: 'body.next' } } } },
    ({ searchParams }) => ({ body: { asins: ['A'], next: searchParams.get('t') === 'x' ? 'y' : 'x' } }),
  )
  await expect(ids()).rejects.toMatchObject({ code: 'source.loop' })
})
