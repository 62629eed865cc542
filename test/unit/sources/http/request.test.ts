import { describe, expect, test } from 'vitest'
import { Secret } from '../../../../src/core/secret.ts'
import { createRequestBuilder, type RequestVars } from '../../../../src/sources/http/request.ts'
import { httpConfig } from '../../../support/http-config.ts'

const vars: RequestVars = {
  split: { asin: 'B0/7?&#' },
  page: { index: 0n, number: 3n, offset: 3n, token: null },
  cursor: null,
  job: null,
  now: 1_700_000_000_000n,
}
const none = { query: new Map(), body: new Map() }
const build = (request: object, over: Partial<RequestVars> = {}, params: object = none, rest: object = {}) =>
  createRequestBuilder(httpConfig({ request, ...rest }), undefined).build({ ...vars, ...over }, params as typeof none)

describe('address', () => {
  test('values are encoded, so that they cannot change where the call goes', () => {
    expect(build({ url: 'https://a.example/p/{{ split.asin }}/reviews' }).url).toBe(
      'https://a.example/p/B0%2F7%3F%26%23/reviews',
    )
    expect(build({ url: 'https://a.example/p', query: { asin: '{{ split.asin }}', n: '{{ page.number }}' } }).url).toBe(
      'https://a.example/p?asin=B0%2F7%3F%26%23&n=3',
    )
  })

  test('a value that is the whole address is left as it is', () => {
    expect(build({ url: '{{ split.url }}' }, { split: { url: 'https://b.example/x?y=1' } }).url).toBe(
      'https://b.example/x?y=1',
    )
  })

  test('a parameter without a value is left out', () => {
    const request = {
      url: 'https://a.example/',
      query: { since: '{{ cursor }}', range: 'after:{{ cursor }}', none: '', t: '{{ page.token }}', keep: '0' },
    }
    expect(build(request).url).toBe('https://a.example/?keep=0')
    expect(build(request, { cursor: '2026-01-01' }).url).toBe(
      'https://a.example/?since=2026-01-01&range=after%3A2026-01-01&keep=0',
    )
  })

  test('what makes no address is refused', () => {
    expect(() => build({ url: '{{ split.asin }}' })).toThrow(expect.objectContaining({ code: 'config.invalid' }))
  })

  test('the address of a next page is taken whole, with the key put in again', () => {
    const builder = createRequestBuilder(
      httpConfig({
        request: { url: 'https://a.example/', query: { q: 'x' }, auth: { api_key: { query: 'key', value: 'KEY' } } },
      }),
      undefined,
    )
    const stored = builder.storable(new URL('https://a.example/next?page=2&key=KEY'))
    expect(stored).toBe('https://a.example/next?page=2')
    expect(builder.build(vars, { ...none, url: stored } as never).url).toBe('https://a.example/next?page=2&key=KEY')
  })

  test('I9: the stored address of a next page holds no secret parameter, and the call has it again', () => {
    const config = httpConfig({ request: { url: 'https://a.example/' } })
    const query = { token: new Secret('c4nary &/="x'), q: new Secret('other-value') }
    const builder = createRequestBuilder({ ...config, request: { ...config.request, query } }, undefined)
    const next = new URL('https://a.example/next?page=2&q=mine')
    next.searchParams.set('token', 'c4nary &/="x')
    const stored = builder.storable(next)
    expect(stored).toBe('https://a.example/next?page=2&q=mine&token=***')
    const { url } = builder.build(vars, { ...none, url: stored } as never)
    expect(Object.fromEntries(new URL(url).searchParams)).toEqual({ page: '2', q: 'mine', token: 'c4nary &/="x' })
  })
})

describe('authentication', () => {
  const url = 'https://a.example/'
  test.each([
    ['bearer', { bearer: new Secret('tok') }, 'authorization', 'Bearer tok'],
    [
      'basic',
      { basic: { username: 'us\u00e9r', password: new Secret('p:w') } },
      'authorization',
      `Basic ${Buffer.from('us\u00e9r:p:w').toString('base64')}`,
    ],
    ['api key in a header', { api_key: { header: 'X-API-Key', value: new Secret('k1') } }, 'x-api-key', 'k1'],
  ])('%s', (_, auth, name, value) => {
    const config = httpConfig({ request: { url } })
    const built = createRequestBuilder({ ...config, request: { ...config.request, auth } }, undefined).build(vars, none)
    expect(built.headers[name]).toBe(value)
  })

  test('api key in the query', () => {
    expect(build({ url: `${url}?a=1`, auth: { api_key: { query: 'key', value: 'k/1' } } }).url).toBe(
      'https://a.example/?a=1&key=k%2F1',
    )
  })
})

describe('headers and body', () => {
  test('headers have lower-case names, empty ones are left out', () => {
    expect(
      build({ url: 'https://a.example/', headers: { 'X-Split': '{{ split.asin }}', 'X-None': '{{ cursor }}' } })
        .headers,
    ).toEqual({ accept: 'application/json', 'x-split': 'B0/7?&#' })
  })

  test('an object goes as JSON; a text that is one {{ }} keeps the type of its value, and one without a value is left out', () => {
    const body = {
      page: '{{ page.number }}',
      name: 'asin {{ split.asin }}',
      deep: [{ n: '{{ 1 + 1 }}' }],
      fixed: 5,
      yes: true,
      since: '{{ cursor }}',
    }
    const built = build({ url: 'https://a.example/', method: 'POST', body })
    expect(JSON.parse(String(built.body))).toEqual({
      page: 3,
      name: 'asin B0/7?&#',
      deep: [{ n: 2 }],
      fixed: 5,
      yes: true,
    })
    expect(built.headers['content-type']).toBe('application/json')
  })

  test('a text goes as it is; its content type can be said', () => {
    const built = build({
      url: 'https://a.example/',
      method: 'POST',
      body: 'asin={{ split.asin }}',
      headers: { 'content-type': 'text/x' },
    })
    expect(built).toMatchObject({ method: 'POST', body: 'asin=B0/7?&#', headers: { 'content-type': 'text/x' } })
  })

  test('page parameters go where they belong', () => {
    const params = { query: new Map([['p', '2']]), body: new Map([['t', 'x']]) }
    const built = build({ url: 'https://a.example/?p=1', method: 'POST', body: { q: 1 } }, {}, params)
    expect(built.url).toBe('https://a.example/?p=2')
    expect(JSON.parse(String(built.body))).toEqual({ q: 1, t: 'x' })
  })
})
