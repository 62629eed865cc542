import { expect, test } from 'vitest'
import { compileTemplate } from '../../../src/mapping/template.ts'

const render = (text: string, vars: Record<string, unknown> = {}) =>
  compileTemplate(text, Object.keys(vars)).render(vars)

test.each<[string, Record<string, unknown>, string]>([
  ['plain', {}, 'plain'],
  ['', {}, ''],
  ['/p/{{ split.asin }}?page={{ page + 1 }}', { split: { asin: 'B0' }, page: 2 }, '/p/B0?page=3'],
  ['{{a}}{{ b }}', { a: 1n, b: true }, '1true'],
  ['{{ "}}" }}', {}, '}}'],
  ["{{ '{{' }}", {}, '{{'],
  ['{{ {"a": {"b": "x"}}.a.b }}!', {}, 'x!'],
  ['{{ "a\\"}}" }}', {}, 'a"}}'],
  ['{ not } a {part}', {}, '{ not } a {part}'],
  ['{{ d }}', { d: new Date(0) }, '1970-01-01T00:00:00.000Z'],
])('%s', (text, vars, gives) => {
  expect(render(text, vars)).toBe(gives)
})

test('a template without parts is not dynamic', () => {
  expect(compileTemplate('x', []).dynamic).toBe(false)
  expect(compileTemplate('x{{ 1 }}', []).dynamic).toBe(true)
})

test.each<[string, string, string]>([
  ['canary{{ page', 'column 7', 'never closed'],
  ['canary{{ pge }}', 'column 10', 'no variable pge'],
  ['canary{{   }}', 'column 12', 'empty'],
])('%s is refused with its column, without the text around it', (text, at, message) => {
  const error = expect.objectContaining({ code: 'config.expression', at, message: expect.stringContaining(message) })
  expect(() => compileTemplate(text, ['page'])).toThrow(error)
  expect(() => compileTemplate(text, ['page'])).not.toThrow('canary')
})

test.each([null, [], {}, new Uint8Array(1)])('%j is no text', value => {
  expect(() => render('canary/{{ v }}', { v: value })).toThrow(
    expect.objectContaining({ code: 'map.failed', message: expect.not.stringContaining('canary') }),
  )
})

test('a missing optional is no text, a default is', () => {
  expect(() => render('{{ this.?a }}', { this: {} })).toThrow('null')
  expect(render('{{ default(this.?a, "x") }}', { this: {} })).toBe('x')
})
