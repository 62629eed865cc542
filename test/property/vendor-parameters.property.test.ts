// Whatever a parameter of a vendor holds, it stays a value: a literal in an expression, plain text in a template.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expandPart, type GivenParameters } from '../../src/config/vendor/expand.ts'
import { celLiteral } from '../../src/config/vendor/literal.ts'
import { compileExpression } from '../../src/mapping/expression.ts'
import { compileTemplate } from '../../src/mapping/template.ts'

const spiky = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc
    .array(fc.constantFrom('{', '}', '"', "'", '\\', '$', '${', '{{', '}}', ' + ', 'split', '\n', '\u2028', 'a'), {
      maxLength: 12,
    })
    .map(parts => parts.join('')),
)

const given = (values: Record<string, unknown>): GivenParameters =>
  new Map(Object.entries(values).map(([name, value]) => [name, { type: 'text', value, secret: false }]))

const expression = { type: 'string', weir: 'expression' } as const
const template = { type: 'string', weir: 'template' } as const

test('for any text, its literal evaluates to just that text, alone and inside {{ }}', () => {
  fc.assert(
    fc.property(spiky, text => {
      const literal = celLiteral(text)!
      expect(compileExpression(literal, []).evaluate({})).toBe(text.toWellFormed())
      expect(compileTemplate(`<{{ ${literal} }}>`, []).render({})).toBe(`<${text.toWellFormed()}>`)
    }),
  )
})

test('for any list of texts and numbers, its literal evaluates to that list', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(spiky, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))),
      values => {
        const made = compileExpression(celLiteral(values)!, []).evaluate({}) as unknown[]
        expect(made.map(each => (typeof each === 'bigint' ? Number(each) : each))).toEqual(
          values.map(each => (typeof each === 'string' ? each.toWellFormed() : each === 0 ? 0 : each)),
        )
      },
    ),
  )
})

test('for any text in an expression, the rest of the expression means what it meant', () => {
  fc.assert(
    fc.property(spiky, text => {
      const { value, problems } = expandPart('body.x == ${params.x} && true', expression, '', given({ x: text }))
      expect(problems).toEqual([])
      expect(compileExpression(String(value), ['body']).evaluate({ body: { x: text.toWellFormed() } })).toBe(true)
      expect(compileExpression(String(value), ['body']).evaluate({ body: { x: `${text}-` } })).toBe(false)
    }),
  )
})

test('for any two texts in a template, they come out as they are or are refused; they never become an expression', () => {
  fc.assert(
    fc.property(spiky, spiky, (a, b) => {
      const { value, problems } = expandPart('{${params.a}${params.b}{ {{ split }}', template, '', given({ a, b }))
      if (problems.length > 0) {
        expect(`{${a}${b}{`).toContain('{{')
        return
      }
      expect(compileTemplate(String(value), ['split']).render({ split: 's' })).toBe(`{${a}${b}{ s`)
    }),
  )
})
