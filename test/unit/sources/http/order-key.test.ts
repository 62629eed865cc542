import { describe, expect, test } from 'vitest'
import { fieldValue, idText, lessBy, renderKey } from '../../../../src/sources/http/order-key.ts'

const at = Date.UTC(2026, 0, 2, 3, 4, 5)

describe('dates', () => {
  test.each([
    ['2026-01-02T03:04:05Z', at, 'iso'],
    ['2026-01-02T03:04:05.000Z', at, 'iso'],
    ['2026-01-02T03:04:05.123456789Z', at + 123, 'iso'],
    ['2026-01-02t03:04:05z', at, 'iso'],
    ['2026-01-02 03:04:05', at, 'iso'],
    ['2026-01-02T03:04:05', at, 'iso'],
    ['2026-01-02T05:04:05+02:00', at, 'iso'],
    ['2026-01-02T05:04:05+0200', at, 'iso'],
    ['2026-01-02T03:04Z', at - 5000, 'iso'],
    ['2026-01-02', Date.UTC(2026, 0, 2), 'day'],
    ['2024-02-29', Date.UTC(2024, 1, 29), 'day'],
    ['Fri, 02 Jan 2026 03:04:05 GMT', at, 'iso'],
    [at, at, 'ms'],
    [at / 1000, at, 's'],
    [BigInt(at), at, 'ms'],
    [String(at / 1000), at, 's'],
  ])('%s is a moment, whatever the zone of this machine', (value, key, form) => {
    expect(fieldValue(value, 'date')).toMatchObject({ key, form })
  })

  test.each([
    '',
    'yesterday',
    '2026-02-30',
    '2026-13-01',
    '2026-02-29T00:00:00Z',
    '2026-01-02T25:00:00Z',
    '01/02/2026',
    '+275760-09-13',
    '20260102',
    null,
    undefined,
    {},
    [],
    true,
    0,
    -5,
    Number.NaN,
    1e300,
  ])('%s is none', value => expect(fieldValue(value, 'date')).toBeUndefined())

  test('what a request asks for has the form the source uses', () => {
    for (const value of ['2026-01-02T03:04:05.000Z', '2026-01-02', at, at / 1000]) {
      const { key, form } = fieldValue(value, 'date')!
      expect(renderKey(key, form)).toBe(value)
    }
    expect(renderKey(lessBy(at, 86_400_000), 'day')).toBe('2026-01-01')
  })
})

test('numbers keep all their digits', () => {
  expect(fieldValue(5, 'number')).toEqual({ key: 5, text: '5' })
  expect(fieldValue('9007199254740993', 'number')!.key).toBe(9007199254740993n)
  expect(fieldValue(9007199254740993n, 'number')!.key).toBe(9007199254740993n)
  expect(fieldValue('1.5', 'number')!.key).toBe(1.5)
  for (const none of ['', 'x', '1e5', Number.POSITIVE_INFINITY, null, {}])
    expect(fieldValue(none, 'number')).toBeUndefined()
  expect(fieldValue('9007199254740993', 'number')!.key > fieldValue(9007199254740992, 'number')!.key).toBe(true)
})

test('texts compare as they are', () => {
  expect(fieldValue('b', 'string')!.key > fieldValue('a', 'string')!.key).toBe(true)
  for (const none of ['', 5, null]) expect(fieldValue(none, 'string')).toBeUndefined()
})

test('an id is a text or a number; a long one is shortened', () => {
  expect([idText('a'), idText(5), idText(5n), idText(0)]).toEqual(['a', '5', '5', '0'])
  for (const none of ['', null, undefined, {}, [], true, Number.NaN]) expect(idText(none)).toBeUndefined()
  expect(idText('x'.repeat(5000))!.length).toBeLessThan(100)
})
