import { describe, expect, test } from 'vitest'
import { http } from '../../../../src/sources/http/http.ts'
import { httpConfig } from '../../../support/http-config.ts'

const url = 'https://a.example/{{ split.asin }}'
const base = { for_each: { asin: ['A'] }, request: { url }, cursor: { id: 'this.id', mode: 'membership' } }
const lint = (over: Record<string, unknown>) => http.lint!(httpConfig({ ...base, ...over }), '/definitions')
const client = { token_url: 'https://auth.example/token', client_id: 'c', client_secret: 's' }
const sigv4 = { access_key: 'a', secret_key: 's', region: 'us-east-1', service: 'x' }
const hmac = { secret: 's', header: 'x-signature', sign: '{{ path }}' }
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
  [
    'a client secret over http',
    { request: { url, auth: { oauth2: { ...client, token_url: 'http://auth.example/token' } } } },
    '/request/auth/oauth2/token_url',
    'warning',
  ],
  [
    'a header without the token',
    { request: { url, auth: { oauth2: { ...client, authorization: 'Bearer token' } } } },
    '/request/auth/oauth2/authorization',
    'error',
  ],
  [
    'the header of a token by hand',
    { request: { url, headers: { 'X-Token': 'x' }, auth: { oauth2: { ...client, header: 'x-token' } } } },
    '/request/headers',
    'error',
  ],
  [
    'the header of a token that is none',
    { request: { url, auth: { oauth2: { ...client, header: 'a b' } } } },
    '/request/auth/oauth2/header',
    'error',
  ],
  [
    'SigV4 over http',
    { request: { url: 'http://a.example/{{ split.asin }}', auth: { sigv4 } } },
    '/request/url',
    'warning',
  ],
  [
    'a date by hand',
    { request: { url, headers: { 'X-Amz-Date': 'x' }, auth: { sigv4 } } },
    '/request/headers',
    'error',
  ],
  [
    'a signature that is not sent',
    { request: { url, auth: { hmac: { ...hmac, value: 'v1' } } } },
    '/request/auth/hmac/value',
    'error',
  ],
  [
    'a signature of nothing',
    { request: { url, auth: { hmac: { ...hmac, sign: 'always' } } } },
    '/request/auth/hmac/sign',
    'error',
  ],
  [
    'a body that is not signed',
    { request: { url, method: 'POST', body: 'x', auth: { hmac } } },
    '/request/auth/hmac/sign',
    'warning',
  ],
  [
    'a time that is signed and not sent',
    { request: { url, auth: { hmac: { ...hmac, sign: '{{ timestamp }}{{ path }}' } } } },
    '/request/auth/hmac/sign',
    'error',
  ],
  [
    'a signature in a header of ours',
    { request: { url, auth: { hmac: { ...hmac, header: 'Host' } } } },
    '/request/auth/hmac/header',
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

const job = {
  submit: { method: 'POST', url: 'https://a.example/jobs', body: { a: '{{ split.asin }}', t: ['{{ job.tag }}'] } },
  id: 'body.id',
  keep: { set: 'body.set' },
  poll: { request: { url: 'https://a.example/jobs/{{ job.id }}' }, ready: 'body.ok' },
  find: {
    request: { url: 'https://a.example/jobs', query: { tag: '{{ job.tag }}' } },
    id: 'body.jobs[0].id',
    keep: { set: 'body.jobs[0].set' },
  },
}
const result = { url: 'https://a.example/sets/{{ job.set }}' }
const lintJob = (overJob: object, over: Record<string, unknown> = {}) =>
  lint({ job: defined({ ...job, ...overJob }), request: result, ...over })
const defined = (value: object) => Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined))

test('a job that has everything is fine', () => expect(lintJob({})).toEqual([]))

test.each<[string, object, Record<string, unknown>, string, string]>([
  [
    'the id before the job is submitted',
    { submit: { ...job.submit, url: 'https://a.example/{{ job.id }}' } },
    {},
    '/job/submit/url',
    'error',
  ],
  [
    'the id while the job is looked up',
    { find: { ...job.find, request: { ...job.find.request, headers: { x: '{{ job.id }}' } } } },
    {},
    '/job/find/request/headers/x',
    'error',
  ],
  [
    'a value that is kept later',
    {
      poll: {
        ...job.poll,
        request: { url: 'https://a.example/{{ job.id }}/{{ job.part }}' },
        keep: { part: 'body.part' },
      },
    },
    {},
    '/job/poll/request/url',
    'error',
  ],
  ['a value that nothing keeps', {}, { request: { url: 'https://a.example/{{ job.nope }}' } }, '/request/url', 'error'],
  ['a value that nothing keeps, in an expression', {}, { records: 'body[job.nope]' }, '/records', 'error'],
  [
    'a kept value called id',
    { keep: { id: 'body.x', set: 'body.set' }, find: { ...job.find, keep: { id: 'body.x', set: 'body.set' } } },
    {},
    '/job/keep/id',
    'error',
  ],
  ['a result that does not name the job', {}, { request: { url: 'https://a.example/latest' } }, '/request', 'warning'],
  [
    'a kept value that a job looked up would lack',
    { find: { ...job.find, keep: undefined } },
    {},
    '/job/find',
    'error',
  ],
  [
    'a tag that does not go out',
    { submit: { ...job.submit, body: { a: '{{ split.asin }}' } } },
    {},
    '/job/find',
    'error',
  ],
  [
    'a lookup that takes any job',
    { find: { ...job.find, request: { url: 'https://a.example/jobs' } } },
    {},
    '/job/find',
    'error',
  ],
  [
    'giving up before the second poll',
    { poll: { ...job.poll, every: '1m', give_up_after: '30s' } },
    {},
    '/job/poll/give_up_after',
    'error',
  ],
  ['nothing that says ready', { poll: { request: job.poll.request } }, {}, '/job/poll', 'warning'],
  [
    'values of a poll that is not made',
    { poll: { ready: 'body.ok', keep: { n: 'body.n' } } },
    {},
    '/job/poll/keep',
    'error',
  ],
  ['a conditional result', {}, { conditional: true }, '/conditional', 'error'],
  ['a GET with a body, in submit', { submit: { ...job.submit, method: 'GET' } }, {}, '/job/submit/method', 'error'],
  [
    'credentials over http, in a poll',
    { poll: { ...job.poll, request: { url: 'http://a.example/{{ job.id }}', auth: { bearer: 'x' } } } },
    {},
    '/job/poll/request/url',
    'warning',
  ],
])('%s is found', (_, overJob, over, pointer, severity) => {
  const problems = lintJob(overJob, over)
  expect(problems.map(({ pointer: at, severity: how }) => [at, how])).toContainEqual([pointer, severity])
  for (const problem of problems) expect(problem.hint).toBeTruthy()
})

test.each<[string, Record<string, unknown>, string, string]>([
  ['job without a job', { request: { url, query: { j: '{{ job.id }}' } } }, '/request/query/j', 'error'],
  ['job without a job, in a rule', { errors: [{ when: 'job.id == null', do: 'ok' }] }, '/errors/0/when', 'error'],
  ['pending without a job', { errors: [{ when: 'status == 202', do: 'pending' }] }, '/errors/0/do', 'error'],
  [
    'a list that uses a later one',
    { for_each: { asin: { request: { url: 'https://a.example/{{ split.site }}' }, values: 'body' }, site: ['us'] } },
    '/for_each/asin/request/url',
    'error',
  ],
  [
    'a list that uses a page',
    { for_each: { asin: { request: { url: 'https://a.example/{{ page.number }}' }, values: 'body' } } },
    '/for_each/asin/request/url',
    'error',
  ],
  ['a conditional POST', { request: { url, method: 'POST' }, conditional: true }, '/conditional', 'error'],
  [
    'a conditional request that differs each time',
    { request: { url, query: { t: '{{ now }}' } }, conditional: true },
    '/conditional',
    'warning',
  ],
  [
    'a conditional list of pages without order',
    { paginate: { page: { param: 'p' } }, conditional: true },
    '/conditional',
    'warning',
  ],
])('%s is found alone', (_, over, pointer, severity) => {
  expect(lint(over)).toMatchObject([{ pointer, severity, hint: expect.any(String) }])
})

describe('what is fine', () => {
  test.each([
    [
      'split as a whole',
      { request: { url: 'https://a.example/', method: 'POST', body: { s: '{{ string(split["asin"]) }}' } } },
    ],
    [
      'a word that is no variable',
      { request: { url, query: { q: '{{ "job.id" + split.asin }}' } }, records: 'body.job.items' },
    ],
    [
      'a list that uses an earlier one',
      {
        for_each: { site: ['us'], asin: { request: { url: 'https://a.example/{{ split.site }}' }, values: 'body' } },
      },
    ],
    ['a conditional request of the newest', { cursor: ordered, paginate: { page: { param: 'p' } }, conditional: true }],
    [
      'a signed time in the value',
      {
        request: {
          url,
          auth: { hmac: { ...hmac, sign: '{{ timestamp }}', value: '{{ timestamp }}:{{ signature }}' } },
        },
      },
    ],
    [
      'a key in a header of its own beside authorization',
      { request: { url, headers: { Authorization: 'x' }, auth: { api_key: { header: 'x-key', value: 'x' } } } },
    ],
    [
      'a token endpoint of this machine',
      { request: { url, auth: { oauth2: { ...client, token_url: 'http://localhost:9/token' } } } },
    ],
    ['local http with credentials', { request: { url: 'http://127.0.0.1:9/{{ split.asin }}', auth: { bearer: 'x' } } }],
  ])('%s', (_, over) => expect(lint(over)).toEqual([]))
})

describe('what is taken out of rows and pages', () => {
  const fields = { id: { attr: 'id' } }
  const html = { require: 'main', item: '.r', fields }
  const page = (over: Record<string, unknown>) => ({ decode: 'html', html: { ...html, ...over } })
  const field = (x: unknown) => page({ fields: { x } })

  test.each([
    ['rows and pages', [{ decode: 'csv', csv: { delimiter: ';' } }, page({})]],
    [
      'a field with everything',
      [field({ css: ['a', 'b > c'], exclude: 'i', breaks: 'hr', or: ['d', { css: 'e', attr: 'f' }] })],
    ],
    ['lists and objects', [field({ css: 'a', all: true, fields: { b: 'b', c: { css: 'c', exists: true } } })]],
  ])('%s', (_, good) => {
    for (const each of good) expect(lint(each)).toEqual([])
  })

  test.each([
    ['rows told about, and no rows', { csv: { quote: 'none' } }, '/csv', 'error'],
    ['pages told about, and no pages', { html }, '/html', 'error'],
    ['a page without a word what to take', { decode: 'html' }, '', 'error'],
    ['a delimiter that is no ASCII', { decode: 'csv', csv: { delimiter: '→' } }, '/csv/delimiter', 'error'],
    [
      'a delimiter that is the quote',
      { decode: 'csv', csv: { delimiter: "'", quote: "'" } },
      '/csv/delimiter',
      'error',
    ],
    ['columns without names', { decode: 'csv', csv: { header: false } }, '/csv', 'warning'],
    ['an agent without a name', { robots: { agent: '(ops@example.com)' } }, '/robots/agent', 'error'],
    ['a selector that is none', page({ item: ['a', 'b['] }), '/html/item/1', 'error'],
    ['a required one', page({ require: ':never(x)' }), '/html/require', 'error'],
    ['one of a field', field('b['), '/html/fields/x', 'error'],
    ['one of a field in full', field({ css: 'b[' }), '/html/fields/x/css', 'error'],
    ['one that excludes', field({ css: 'b', exclude: ['i', '>'] }), '/html/fields/x/exclude/1', 'error'],
    ['one of another way', field({ css: 'b', or: ['c', 'd['] }), '/html/fields/x/or/1', 'error'],
    ['one inside an object', field({ css: 'b', fields: { y: { css: 'd[' } } }), '/html/fields/x/fields/y/css', 'error'],
    ['two things at once', field({ css: 'b', attr: 'id', exists: true }), '/html/fields/x', 'error'],
    ['left out of what is no text', field({ css: 'b', attr: 'id', exclude: 'i' }), '/html/fields/x/exclude', 'error'],
    ['a list of yes', field({ css: 'b', exists: true, all: true }), '/html/fields/x/all', 'error'],
    ['the page itself', page({ page: { x: { attr: 'id' } } }), '/html/page/x', 'error'],
  ])('%s', (_, over, pointer, severity) => {
    expect(lint(over)).toMatchObject([{ pointer, severity, hint: expect.any(String) }])
  })
})
