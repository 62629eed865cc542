import { expect, test } from 'vitest'
import { toJson, toJsonText } from '../../../src/schema/json.ts'

test('gives a plain record back as it is', () => {
  const value = { a: 1, b: 'x', c: null, d: true }
  expect(toJson(value)).toBe(value)
})

test('renders what JSON has no word for', () => {
  expect(
    toJson({ a: 5n, b: 2n ** 60n, c: Buffer.from('hi'), d: Number.NaN, e: -Infinity, f: new Date(0), g: undefined }),
  ).toEqual({
    a: 5,
    b: '1152921504606846976',
    c: 'aGk=',
    d: 'NaN',
    e: '-Infinity',
    f: '1970-01-01T00:00:00.000Z',
    g: null,
  })
})

test('leaves the value itself untouched', () => {
  const value = { a: 'x', list: [1, 2n], inner: { b: 1n } }
  expect(toJson(value)).toEqual({ a: 'x', list: [1, 2], inner: { b: 1 } })
  expect(value.list[1]).toBe(2n)
})

test('a key __proto__ stays a key', () => {
  const value = Object.assign(Object.create(null), { n: 1n })
  const key = '__proto__'
  value[key] = 2n
  expect(toJsonText(value)).toBe('{"n":1,"__proto__":2}')
})

test('writes on one line', () => {
  expect(toJsonText({ a: 'x\ny' })).toBe('{"a":"x\\ny"}')
})
