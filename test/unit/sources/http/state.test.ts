import { expect, test } from 'vitest'
import {
  decodeState,
  describeState,
  emptyState,
  encodeState,
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
  bad: ['h1'],
  pass: {
    page: { kind: 'url', value: 'https://a.example/?key=SECRET' },
    index: 7,
    top: { key: 5 },
    taken: { count: 2, last: 'x' },
    last: { body: 'h', times: 2 },
  },
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
])('%s is refused', text => {
  expect(() => decodeState(text, 'date')).toThrow(expect.objectContaining({ code: 'cursor.invalid' }))
  expect(() => describeState(text)).toThrow(expect.objectContaining({ code: 'cursor.invalid' }))
})

test('60: a cursor of another order is refused, not rewound', () => {
  expect(() => decodeState(encodeState(whole, 'date'), 'number')).toThrow(
    expect.objectContaining({ code: 'source.cursor_refused', hint: expect.stringContaining('reset') }),
  )
})
