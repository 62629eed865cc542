import { expect, test } from 'vitest'
import { Problems } from '../../../src/config/problem.ts'
import { parseYaml } from '../../../src/config/yaml.ts'
import { cpuMs } from '../../support/cpu-time.ts'

function parse(text: string) {
  const problems = new Problems('p.yaml', text, false)
  const value = parseYaml(text, problems)
  return { value, problems: problems.list(), places: problems.places }
}

test('gives plain values with the place of each', () => {
  const { value, places } = parse('a: 1\nb:\n  - { c: x }\n')
  expect(value).toEqual({ a: 1, b: [{ c: 'x' }] })
  expect(places.get('/b/0/c')).toMatchObject({ start: 17, end: 18, key: { start: 14, end: 15 }, plain: true })
})

test('aliases and merges give values of their own; what is written wins over what is merged', () => {
  const { value, problems } = parse('x: &x { a: 1, b: 2 }\ny: { b: 3, <<: *x }\nz: *x\nw: { <<: [*x, { d: 4 }] }\n')
  expect(problems).toEqual([])
  expect(value).toEqual({ x: { a: 1, b: 2 }, y: { a: 1, b: 3 }, z: { a: 1, b: 2 }, w: { a: 1, b: 2, d: 4 } })
})

test('a quoted << is a field like any other', () => {
  expect(parse('"<<": { a: 1 }\n').value).toEqual({ '<<': { a: 1 } })
})

test('all mistakes of a text are reported at once', () => {
  const { problems } = parse('a: 010\nb: !x 1\na: 2\n__proto__: 1\nc: *nothing\n')
  expect(problems.map(p => [p.code, p.line])).toEqual([
    ['config.invalid', 1],
    ['config.syntax', 2],
    ['config.syntax', 3],
    ['config.key_refused', 4],
    ['config.syntax', 5],
  ])
})

test('keys that reach into prototypes are refused however they are written', () => {
  for (const key of ['__proto__', '"__proto__"', "'constructor'", '? prototype\n', '"\\x5f_proto__"', '&a __proto__']) {
    const { value, problems } = parse(`${key}: { polluted: 1 }\nb: 1\n`)
    expect(
      problems.map(p => p.code),
      key,
    ).toContain('config.key_refused')
    expect(Object.getPrototypeOf(value ?? {}), key).toBe(Object.prototype)
  }
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

test('a key may not be a list, a map or an unknown alias', () => {
  for (const text of ['? [a]\n: 1\n', '? { a: 1 }\n: 1\n', '*x : 1\n', '{ ? : 1 }\n', '"": 1\n', '~: 1\n'])
    expect(
      parse(text).problems.map(p => p.code),
      text,
    ).toEqual(['config.syntax'])
})

test('numbers that do not mean what they look like are refused, words stay text', () => {
  for (const text of ['010', '-007', '1e400', '.inf', '.nan', '9007199254740993'])
    expect(
      parse(`a: ${text}\n`).problems.map(p => p.code),
      text,
    ).toEqual(['config.invalid'])
  for (const text of ['yes', 'on', '1_000', 'NaN', 'Infinity', '5m', '2026-01-01', '1:30'])
    expect(parse(`a: ${text}\n`).value, text).toEqual({ a: text })
  expect(parse('a: "010"\n').value).toEqual({ a: '010' })
})

test.each([
  ['%YAML 1.1\n---\na: yes\n', 'directive'],
  ['%TAG ! tag:x,2000:\n---\na: 1\n', 'directive'],
  ['%FOO\n---\na: 1\n', 'directive'],
  ['a: 1\n...\nb: 2\n', 'second document'],
])('refuses %j', (text, message) => {
  const { value, problems } = parse(text)
  expect(value).toBeUndefined()
  expect(problems.map(p => p.message).join()).toContain(message)
})

test.each([
  ['brackets', '['.repeat(60_000)],
  ['closed brackets', `a: ${'['.repeat(30_000)}${']'.repeat(30_000)}`],
  ['braces', '{'.repeat(60_000)],
  ['lists in lists', '- '.repeat(30_000)],
  ['question marks', '? '.repeat(30_000)],
  ['colons', ': '.repeat(30_000)],
  ['colons without space', ':'.repeat(60_000)],
  ['anchors', '&a '.repeat(20_000)],
  ['tags', '!a '.repeat(20_000)],
  ['comments', '#\n'.repeat(30_000)],
  ['commas', `[${','.repeat(60_000)}]`],
  ['quotes', `"${'\\'.repeat(60_000)}`],
  ['directives', '%A\n'.repeat(20_000)],
  ['documents', '---\n'.repeat(16_000)],
  ['deep indentation', Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}k:`).join('\n')],
  ['one key 60 KB long', `${'k'.repeat(60_000)}: 1`],
  ['5,000 keys', Array.from({ length: 5000 }, (_, i) => `k${i}: 1`).join('\n')],
  ['20 aliases of 250 values', `a: &a [${'x,'.repeat(249)}x]\nb: [${Array(20).fill('*a').join()}]`],
])('I10: %s end within a second, in problems or a value', (_, text) => {
  const startedMs = cpuMs()
  const { value, problems } = parse(text)
  expect(cpuMs() - startedMs).toBeLessThan(1000)
  expect(value !== undefined || problems.length > 0).toBe(true)
})

test('a merge of itself, of a scalar and through a chain ends in problems', () => {
  for (const text of ['a: &a\n  <<: *a\n', 'a: { <<: 1 }\n', 'a: { <<: }\n', 'a: &a { b: &b { <<: *a } }\n'])
    expect(
      parse(text).problems.map(p => p.code),
      text,
    ).toEqual(['config.syntax'])
})

test('I9: what the parser complains about is not quoted when it stands under a secret', () => {
  for (const text of [
    'password: *hunter22\n',
    'password: !hunter22 x\n',
    'api_key: "hunter22\n',
    'x: { token: hunter22, }}\n',
    'password: @hunter22\n',
  ]) {
    const { problems } = parse(text)
    expect(problems.length, text).toBeGreaterThan(0)
    expect(JSON.stringify(problems), text).not.toContain('hunter22')
  }
})
