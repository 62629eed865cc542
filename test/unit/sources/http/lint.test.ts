import { describe, expect, test } from 'vitest'
import { http } from '../../../../src/sources/http/http.ts'
import { httpConfig } from '../../../support/http-config.ts'

const url = 'https://a.example/{{ split.asin }}'
const base = { for_each: { asin: ['A'] }, request: { url }, cursor: { id: 'this.id', mode: 'membership' } }
const lint = (over: Record<string, unknown>) => http.lint!(httpConfig({ ...base, ...over }), '/definitions')
const ordered = { id: 'this.id', field: 'this.at', order: 'desc' }

test.each(http.examples)('the example "$title" is valid', ({ config }) =>
  expect(http.lint!(httpConfig(config), '/definitions')).toEqual([]),
)

test('a poll that appends everything again is warned of', () => {
  expect(lint({ cursor: undefined })).toMatchObject([
    { severity: 'warning', code: 'config.warning', pointer: '', hint: expect.stringContaining('membership') },
  ])
})

test.each([
  [
    'a value that for_each does not have',
    { request: { url, query: { q: '{{ split.site }}' } } },
    '/request/query/q',
    'error',
  ],
  [
    'a value in the body',
    { request: { url, method: 'POST', body: { q: ['{{ split.nope }}'] } } },
    '/request/body',
    'error',
  ],
  ['a list that is used nowhere', { request: { url: 'https://a.example/' } }, '/for_each/asin', 'warning'],
  [
    'credentials over http',
    { request: { url: 'http://a.example/{{ split.asin }}', auth: { bearer: 'x' } } },
    '/request/url',
    'warning',
  ],
  ['a key without a place', { request: { url, auth: { api_key: { value: 'x' } } } }, '/request/auth/api_key', 'error'],
  [
    'a key with two places',
    { request: { url, auth: { api_key: { value: 'x', header: 'a', query: 'b' } } } },
    '/request/auth/api_key',
    'error',
  ],
  [
    'authorization twice',
    { request: { url, headers: { Authorization: 'x' }, auth: { bearer: 'x' } } },
    '/request/headers',
    'error',
  ],
  ['a header of our own', { request: { url, headers: { Host: 'x' } } }, '/request/headers/Host', 'error'],
  ['a header that is none', { request: { url, headers: { 'a b': 'x' } } }, '/request/headers/a b', 'error'],
  ['a GET with a body', { request: { url, body: 'x' } }, '/request/method', 'error'],
  [
    'a page parameter in a text body',
    { request: { url, method: 'POST', body: 'x' }, paginate: { page: { param: 'p', in: 'body' } } },
    '/paginate',
    'error',
  ],
  [
    'a page parameter twice',
    { request: { url, query: { p: '1' } }, paginate: { page: { param: 'p' } } },
    '/request/query/p',
    'error',
  ],
  ['order without field', { cursor: { id: 'this.id', order: 'asc' } }, '/cursor', 'error'],
  ['field without order', { cursor: { id: 'this.id', field: 'this.at' } }, '/cursor', 'error'],
  ['membership with a field', { cursor: { ...ordered, mode: 'membership' } }, '/cursor', 'error'],
  ['a lookback of numbers', { cursor: { ...ordered, as: 'number', lookback: '1d' } }, '/cursor/lookback', 'error'],
  ['a version with order', { cursor: { ...ordered, version: 'this.v' } }, '/cursor/version', 'error'],
])('%s is found', (_, over, pointer, severity) => {
  const problems = lint(over)
  expect(problems).toMatchObject([{ pointer, severity }])
  expect(problems[0]!.hint).toBeTruthy()
})

describe('what is fine', () => {
  test.each([
    [
      'split as a whole',
      { request: { url: 'https://a.example/', method: 'POST', body: { s: '{{ string(split["asin"]) }}' } } },
    ],
    ['local http with credentials', { request: { url: 'http://127.0.0.1:9/{{ split.asin }}', auth: { bearer: 'x' } } }],
  ])('%s', (_, over) => expect(lint(over)).toEqual([]))
})
