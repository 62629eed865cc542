import { expect, test } from 'vitest'
import {
  decodeState,
  describeState,
  emptyState,
  encodeState,
  type JobState,
  type SplitState,
} from '../../../../src/sources/http/state.ts'

const whole: SplitState = {
  passes: 3,
  mark: { key: Date.UTC(2026, 0, 1), form: 'iso' },
  known: new Map<string, number | bigint | string>([
    ['aaaaaaaaaa1', 1],
    ['aaaaaaaaaa2', 9007199254740993n],
    ['aaaaaaaaaa3', '5n, and more'],
    ['aaaaaaaaaa5', -1.5],
  ]),
  during: new Map([['aaaaaaaaaa4', Date.UTC(2026, 0, 1)]]),
  ids: new Set(['tag--1', 'tag--2']),
  idsNow: new Set(['tag--3']),
  listed: new Map<string, string | number>([
    ['aaaaaaaaaa6', 'an id, with a comma'],
    ['aaaaaaaaaa7', 17],
  ]),
  seen: new Map([['aaaaaaaaaa8', 'seen']]),
  blurred: true,
  stirred: true,
  bad: ['h1'],
  pass: {
    page: { kind: 'url', value: 'https://a.example/?key=SECRET' },
    index: 7,
    top: { key: 5 },
    taken: { count: 2, last: 'x' },
    last: { body: 'h', times: 2 },
  },
  job: null,
  validators: { of: 'r', etag: '"v1"', modified: 'Thu, 01 Jan 2026 00:00:00 GMT' },
}

test('a state comes back as it was', () => {
  expect(decodeState(encodeState(whole, 'date'), 'date')).toEqual(whole)
  expect(decodeState(encodeState(emptyState, 'none'), 'none')).toEqual(emptyState)
  for (const page of [
    { kind: 'only' },
    { kind: 'number', value: 4 },
    { kind: 'token', value: null },
    { kind: 'token', value: 'x' },
  ] as const)
    expect(
      decodeState(encodeState({ ...emptyState, pass: { page, index: 0, top: null } }, 'date'), 'date').pass!.page,
    ).toEqual(page)
})

const atMs = Date.UTC(2026, 0, 1)
const jobs: readonly [JobState, string][] = [
  [{ step: 'intent', tag: 't', atMs, failures: 0 }, 'a job was about to be submitted at 2026-01-01T00:00:00.000Z'],
  [
    { step: 'submitted', tag: 't', atMs, id: 'j1', kept: { set: 'd', n: 1, ok: true, none: null }, failures: 2 },
    'job j1 was submitted at 2026-01-01T00:00:00.000Z',
  ],
  [
    { step: 'failed', failures: 3, untilMs: atMs, inDoubt: true },
    'the last job failed, the next is not submitted before 2026-01-01T00:00:00.000Z',
  ],
]

test.each(jobs)('a job comes back as it was, and is told in words: %o', (job, words) => {
  const text = encodeState({ ...emptyState, job }, 'date')
  expect(decodeState(text, 'date').job).toEqual(job)
  expect(describeState(text)).toBe(words)
})

test('a cursor with a job is one that a weir without jobs refuses; one without is as it was before', () => {
  expect(JSON.parse(encodeState({ ...emptyState, job: jobs[0]![0] }, 'date')).v).toBe(2)
  expect(JSON.parse(encodeState(whole, 'date')).v).toBe(1)
  expect(decodeState('{"v":1,"as":"date","passes":4}', 'date')).toEqual({ ...emptyState, passes: 4 })
})

test('it is told in words, without the address of a page', () => {
  const text = describeState(encodeState(whole, 'date'))
  expect(text).toBe('up to 2026-01-01T00:00:00.000Z; 5 versions remembered; in a pass, 7 pages read')
  expect(describeState(encodeState(emptyState, 'none'))).toBe('nothing read yet')
})

test.each([
  '',
  'x',
  'null',
  '5',
  '[]',
  '{}',
  '{"v":1}',
  '{"v":1,"as":"date","passes":"x"}',
  '{"v":1,"as":"date","passes":1,"pass":{"page":{"kind":"nope"},"index":1}}',
  '{"v":1,"as":"date","passes":1,"known":"x"}',
  '{"v":1,"as":"date","passes":1,"mark":[{}]}',
  '{"v":1,"as":"date","passes":1,"mark":["q"]}',
  '{"v":1,"as":"date","passes":1,"known":[1]}',
  '{"v":2,"as":"date","passes":1}',
  '{"v":3,"as":"date","passes":1}',
  '{"v":1,"as":"date","passes":1,"job":{"step":"intent","tag":"t","atMs":1,"failures":0}}',
  '{"v":2,"as":"date","passes":1,"job":{"step":"intent","tag":"t","failures":0}}',
  '{"v":2,"as":"date","passes":1,"job":{"step":"submitted","tag":"t","atMs":1,"failures":0}}',
  '{"v":2,"as":"date","passes":1,"job":{"step":"failed","failures":0,"untilMs":1e99}}',
  '{"v":2,"as":"date","passes":1,"job":{"step":"nope","tag":"t","atMs":1,"failures":0}}',
  '{"v":1,"as":"date","passes":1,"validators":{"etag":"x"}}',
])('%s is refused', text => {
  expect(() => decodeState(text, 'date')).toThrow(expect.objectContaining({ code: 'cursor.invalid' }))
  expect(() => describeState(text)).toThrow(expect.objectContaining({ code: 'cursor.invalid' }))
})

test('60: a cursor of another order is refused, not rewound', () => {
  expect(() => decodeState(encodeState(whole, 'date'), 'number')).toThrow(
    expect.objectContaining({ code: 'source.cursor_refused', hint: expect.stringContaining('reset') }),
  )
})
