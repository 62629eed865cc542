// Which request fits which exchange, and in what another differs.
import { expect, test } from 'vitest'
import { mismatches } from '../../../../src/app/cassette/match.ts'
import type { Exchange } from '../../../../src/config/cassette/spec.ts'

const exchange = (request: Partial<Exchange['request']>): Exchange => ({
  request: { method: 'GET', ...(request.url === undefined ? { path: '/r' } : {}), ...request },
  response: { status: 200 },
  times: 1,
})

const ask = (
  request: Partial<Exchange['request']>,
  url: string,
  asked: { method?: string; headers?: Record<string, string>; body?: string } = {},
) =>
  mismatches(exchange(request), new URL(url), { method: 'GET', url, headers: {}, ...asked }).map(
    ({ pointer, message }) => `${pointer}: ${message}`,
  )

test('what the exchange does not name may be anything', () => {
  expect(ask({}, 'https://a/r?x=1', { headers: { authorization: 'Bearer s' } })).toEqual([])
})

test.each([
  [{ path: '/other' }, 'https://a/r', '/path: the path is "/r", the cassette has "/other"'],
  [{ method: 'POST' }, 'https://a/r', '/method: the method is "GET", the cassette has "POST"'],
  [{ url: 'https://b/r' }, 'https://a/r', '/url: the host is "a", the cassette has "b"'],
  [{ query: { page: '2' } }, 'https://a/r?page=3', '/query/page: page in the query is "3", the cassette has "2"'],
  [{ query: { page: 2 } }, 'https://a/r', '/query/page: page in the query is not there, the cassette has "2"'],
  [{ path: '/r?page=2' }, 'https://a/r?page=3', '/path: page in the query is "3", the cassette has "2"'],
  [{ headers: { 'If-None-Match': 'v1' } }, 'https://a/r', 'if-none-match'],
] as const)('%j is not %s', (request, url, says) => {
  const found = ask(request, url)
  expect(found).toHaveLength(1)
  expect(found[0]!.toLowerCase()).toContain(says.toLowerCase())
})

test('of a body, fields and lists that are named must be the same', () => {
  const asked = { method: 'POST', body: '{"a":[{"id":1,"more":2}],"b":3}' }
  const wanted = (body: unknown) => ask({ method: 'POST', body }, 'https://a/r', asked)
  expect(wanted({ a: [{ id: 1 }] })).toEqual([])
  expect(wanted({ a: [{ id: 2 }] })).toEqual(['/body/a/0/id: body.a[0].id of the request is 1, the cassette has 2'])
  expect(wanted({ a: [] })[0]).toMatch(/^\/body\/a\/0: body\.a\[0\] of the request is \{"id":1,"more":2\}/)
})

test('the fields of a form count as those of JSON do', () => {
  const asked = { body: 'grant=x&scope=a+b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }
  expect(ask({ body: { scope: 'a b' } }, 'https://a/r', asked)).toEqual([])
})

test('*** stands for anything, and only where it stands', () => {
  const wanted = { path: '/jobs/***/result', query: { key: '***' } }
  expect(ask(wanted, 'https://a/jobs/17/result?key=s')).toEqual([])
  expect(ask(wanted, 'https://a/jobs/17?key=s')).toHaveLength(1)
  expect(ask(wanted, 'https://a/jobs/17/result')).toHaveLength(1)
})
