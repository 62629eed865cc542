// Bad cassettes: each mistake gets its code at its line and column, with a hint.
import { expect, test } from 'vitest'
import { parseCassette } from '../../../../src/config/cassette/load.ts'

const good = `vendor: shop
parameters: { token: t }
exchanges:
  - request: { path: /r, query: { page: 1 } }
    response: { status: 200, body: { reviews: [] } }
expect:
  requests: 1
  records: []
`

test('a good one has its defaults', () => {
  const { cassette, problems } = parseCassette('/c.yaml', good)
  expect(problems.list()).toEqual([])
  expect(cassette).toMatchObject({ passes: 1, pause: 60_000, exchanges: [{ request: { method: 'GET' }, times: 1 }] })
})

test.each([
  ['nothing is tested', 'vendor: shop\nparameters: { token: t }\n', '', 'config.missing_field 1:1'],
  ['two are tested', 'vendor: shop\n', 'vendor: shop\npipeline: p.yaml\n', 'config.conflict 2:1'],
  ['parameters for a pipeline', 'vendor: shop', 'pipeline: p.yaml', 'config.conflict 2:1'],
  ['a field there is not', 'expect:', 'expected:', 'config.unknown_field 6:1'],
  ['no path', 'path: /r, ', '', 'config.missing_field 4:5'],
  ['a path without a slash', '/r', 'r', 'config.invalid 4:22'],
  ['an address that is none', 'path: /r', 'url: r', 'config.invalid 4:21'],
  ['a failure and an answer', '    response:', '    fails: timeout\n    response:', 'config.conflict 5:5'],
  [
    'a failure there is not',
    'response: { status: 200, body: { reviews: [] } }',
    'fails: hunger',
    'config.invalid 5:12',
  ],
  ['a count that is none', 'requests: 1', 'requests: many', 'config.invalid 7:13'],
])('%s', (_, from, to, says) => {
  const text = good.replace(from, to)
  expect(text).not.toBe(good)
  const found = parseCassette('/c.yaml', text).problems.list()
  expect(found.map(({ code, line, column }) => `${code} ${line}:${column}`)).toContain(says)
  expect(found.every(({ hint }) => hint !== undefined && hint !== '')).toBe(true)
})
