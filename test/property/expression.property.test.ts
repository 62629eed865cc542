// Whatever is written as an expression and whatever the data: it compiles or says why, it evaluates or says why, soon, and reaches nothing but data.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import { compileExpression } from '../../src/mapping/expression.ts'
import { mappingFunctions } from '../../src/mapping/functions/catalogue.ts'
import { compileTemplate } from '../../src/mapping/template.ts'
import { cpuMs } from '../support/cpu-time.ts'

const names = [
  ...new Set(mappingFunctions.map(fn => fn.name)),
  'size',
  'string',
  'int',
  'double',
  'matches',
  'split',
  'join',
  'contains',
  'map',
  'filter',
  'all',
  'exists',
  'timestamp',
  'duration',
  'bytes',
  'type',
  'has',
  'dyn',
  'getHours',
  'indexOf',
  'substring',
]
const member = fc.constantFrom('a', 'l', 's', 'o', 'n', 'constructor', '__proto__', 'prototype', 'toString', 'zz', 'd')
const literal = fc.constantFrom(
  '1',
  '2.5',
  '"x"',
  '"(a+)+$"',
  "'1,234'",
  'null',
  'true',
  '[]',
  '{}',
  'b"a"',
  '-9223372036854775808',
  '9223372036854775807',
  '1e300',
  '"\\ud83d"',
  '[1,2]',
)

const { expression } = fc.letrec<{ expression: string }>(tie => {
  const inner = tie('expression')
  return {
    expression: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      literal,
      fc.constantFrom('this', 'now', 'split', 'x', 'cel', 'optional'),
      fc.tuple(inner, member, fc.constantFrom('.', '.?')).map(([left, name, dot]) => `${left}${dot}${name}`),
      fc.tuple(inner, inner, fc.constantFrom('[', '[?')).map(([left, right, open]) => `${left}${open}${right}]`),
      fc
        .tuple(inner, inner, fc.constantFrom('+', '-', '*', '/', '%', '==', '!=', '<', '>=', '&&', '||', 'in'))
        .map(([left, right, op]) => `(${left} ${op} ${right})`),
      fc.tuple(inner, inner, inner).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
      fc
        .tuple(fc.constantFrom(...names), fc.array(inner, { maxLength: 3 }))
        .map(([name, args]) => `${name}(${args.join(', ')})`),
      fc
        .tuple(inner, fc.constantFrom(...names), fc.array(inner, { maxLength: 2 }))
        .map(([left, name, args]) => `${left}.${name}(${args.join(', ')})`),
      fc
        .tuple(inner, fc.constantFrom('map', 'filter', 'all', 'exists'), inner)
        .map(([left, macro, body]) => `${left}.${macro}(x, ${body})`),
      fc.tuple(fc.constantFrom('!', '-'), inner).map(([op, operand]) => `${op}${operand}`),
    ),
  }
})

const secret = 'canary-4711'
const item = {
  a: 5,
  s: `${secret} 4,5 von 5 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa! <b>x</b>`,
  l: Array.from({ length: 300 }, (_, i) => i),
  o: { a: 'x', constructor: 1, l: ['a', 'b'] },
  n: null,
  d: new Date(0),
}

let compiled = 0
let evaluated = 0

function tryOut(text: string): void {
  const startedMs = cpuMs()
  try {
    const made = compileExpression(text, ['this', 'split', 'now'])
    compiled++
    const value = made.evaluate({ this: item, split: { asin: 'B0' }, now: 1 })
    evaluated++
    expect(typeof value).not.toBe('function')
    expect(value).not.toBeInstanceOf(Promise)
    if (typeof value === 'object' && value !== null)
      expect([Object.prototype, Function.prototype, Array.prototype, Date.prototype]).not.toContain(value)
  } catch (error) {
    if (!(error instanceof WeirError)) throw new Error(`${text} threw ${String(error)}`, { cause: error })
    expect(error.code).toMatch(/^(config\.expression|map\.failed)$/)
    expect(`${error.message} ${error.hint} ${error.at}`).not.toContain(secret)
  }
  expect(cpuMs() - startedMs, text).toBeLessThan(1500)
}

test('20,000 generated expressions compile or fail, evaluate or fail, and end', { timeout: 120_000 }, () => {
  fc.assert(fc.property(expression, tryOut), { numRuns: 20_000 })
  // The generator must reach the evaluator, or this shows nothing.
  expect(compiled).toBeGreaterThan(2000)
  expect(evaluated).toBeGreaterThan(500)
  expect(Object.keys(Object.prototype)).toEqual([])
  expect(item.l).toHaveLength(300)
})

test('any text is an expression or a clear error', () => {
  const scraps = fc
    .array(
      fc.constantFrom(
        'this',
        '.',
        '?',
        '[',
        ']',
        '(',
        ')',
        '{',
        '}',
        '"',
        "'",
        '\\',
        '+',
        '&&',
        ',',
        ':',
        ' ',
        '\n',
        'a',
        '1',
        '0x',
        'e',
        'r"',
        "b'",
        '//',
        '\u0000',
        '😀',
        'in',
        '__proto__',
      ),
      { maxLength: 30 },
    )
    .map(parts => parts.join(''))
  fc.assert(fc.property(fc.oneof(scraps, fc.string({ unit: 'binary', maxLength: 60 })), tryOut), { numRuns: 5000 })
})

test('any text is a template or a clear error', () => {
  const scraps = fc
    .array(fc.constantFrom('{{', '}}', '{', '}', 'this.a', '"', "'", ' ', 'x', '\\'), { maxLength: 20 })
    .map(parts => parts.join(''))
  fc.assert(
    fc.property(scraps, text => {
      try {
        const template = compileTemplate(text, ['this'])
        expect(typeof template.render({ this: { a: 1 } })).toBe('string')
      } catch (error) {
        expect(error).toBeInstanceOf(WeirError)
      }
    }),
    { numRuns: 5000 },
  )
})
