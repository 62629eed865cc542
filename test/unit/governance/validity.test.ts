import { describe, expect, test } from 'vitest'
import { parseNamedSchema, parseStoredSchema } from '../../../src/governance/named-schema.ts'
import { schemaProblems } from '../../../src/governance/validity.ts'
import { validityQuirks } from '../../support/avro-quirks.ts'

const field = (type: unknown, more: object = {}) =>
  JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'a', type, ...more }] })
const told = (text: string) =>
  schemaProblems(text).map(({ severity, code, pointer }) => `${severity} ${code} ${pointer}`)

describe('what a registry takes, as Avro Java decides it', () => {
  test.each(validityQuirks)('%s', (_, text, isValid) => {
    expect(schemaProblems(text).filter(({ severity }) => severity === 'error')).toHaveLength(isValid ? 0 : 1)
    if (isValid) expect(() => parseNamedSchema(text)).not.toThrow()
    else expect(() => parseNamedSchema(text)).toThrow(expect.objectContaining({ code: 'schema.invalid' }))
  })
})

test('all problems are told, with line, words and hint', () => {
  const text = `{
  "type": "record",
  "name": "Review",
  "fields": [
    { "name": "rating", "type": "integer" },
    {
      "name": "tags",
      "type": { "type": "array" }
    },
    { "name": "mood", "type": { "type": "enum", "name": "Mood", "symbols": ["A", "B-C", "A"] } },
    { "name": "count",
      "type": "int",
      "default": "0" }
  ]
}`
  expect(schemaProblems(text).map(({ code, pointer, line, message }) => ({ code, pointer, line, message }))).toEqual([
    { code: 'type_unknown', pointer: '/fields/0/type', line: 5, message: 'There is no type "integer".' },
    { code: 'attribute_missing', pointer: '/fields/1/type', line: 8, message: 'This array has no "items".' },
    {
      code: 'name_invalid',
      pointer: '/fields/2/type/symbols/1',
      line: 10,
      message: '"B-C" is not a valid enum symbol.',
    },
    { code: 'symbol_twice', pointer: '/fields/2/type/symbols/2', line: 10, message: 'Symbol "A" stands twice.' },
    {
      code: 'default_invalid',
      pointer: '/fields/3/default',
      line: 13,
      message: 'Field "count": the default is text, expected int.',
    },
  ])
  for (const { hint, reference } of schemaProblems(text)) expect([hint.length > 10, reference]).toEqual([true, null])
})

describe('warnings of a schema that a registry takes', () => {
  const e = { type: 'enum', name: 'E', symbols: ['A'] }
  test.each([
    ['none', field('int', { default: 1, aliases: ['b'] }), []],
    ['the default of another branch', field(['null', 'string'], { default: '' }), ['default_odd /fields/0/default']],
    ['a default that is no symbol', field(e, { default: 'Z' }), ['default_odd /fields/0/default']],
    [
      'a fixed default of another length',
      field({ type: 'fixed', name: 'F', size: 2 }, { default: 'a' }),
      ['default_odd /fields/0/default'],
    ],
    ['a character that is no byte', field('bytes', { default: '€' }), ['default_odd /fields/0/default']],
    ['text as a number', field('double', { default: 'NaN' }), ['default_odd /fields/0/default']],
    ['an enum default that is no text', field({ ...e, default: 1 }), ['default_odd /fields/0/type/default']],
    ['an alias of itself', field('int', { aliases: ['a'] }), ['alias_odd /fields/0/aliases/0']],
    ['an alias that is no name', field('int', { aliases: ['-'] }), ['alias_odd /fields/0/aliases/0']],
    ['a symbol of JavaScript', field({ ...e, symbols: ['A', 'toString'] }), ['name_odd /fields/0/type/symbols/1']],
    ['a field of JavaScript', field('int', { name: '__proto__' }), ['name_odd /fields/0/name']],
    ['a record without a value', field('R'), ['no_finite_value ']],
    ['a record with one', field(['null', 'R']), []],
    [
      'an unknown logical type',
      field({ type: 'int', logicalType: 'x' }),
      ['logical_type_ignored /fields/0/type/logicalType'],
    ],
    [
      'a scale beyond the precision',
      field({ type: 'bytes', logicalType: 'decimal', precision: 2, scale: 3 }),
      ['logical_type_ignored /fields/0/type/logicalType'],
    ],
    [
      'too few bytes for a decimal',
      field({ type: 'fixed', name: 'F', size: 2, logicalType: 'decimal', precision: 5 }),
      ['logical_type_ignored /fields/0/type/logicalType'],
    ],
    ['bytes enough', field({ type: 'fixed', name: 'F', size: 2, logicalType: 'decimal', precision: 4 }), []],
  ] as const)('%s', (_, text, warnings) => {
    expect(told(text)).toEqual(warnings.map(each => `warning ${each}`))
  })

  test('two fields of one alias', () => {
    const fields = [
      { name: 'a', type: 'int', aliases: ['x'] },
      { name: 'b', type: 'int', aliases: ['x', 'a'] },
    ]
    expect(told(JSON.stringify({ type: 'record', name: 'R', fields }))).toEqual([
      'warning alias_odd /fields/1/aliases/0',
      'warning alias_odd /fields/1/aliases/1',
    ])
  })
})

describe('references', () => {
  const inner = { name: 'inner.avsc', text: '{"type":"enum","name":"n.E",\n"symbols":["A"]}' }
  const text = field('n.E', { default: 'A' })

  test('their types are known', () => {
    expect(schemaProblems(text, [inner])).toEqual([])
    expect([...parseNamedSchema(text, [inner]).types.keys()]).toEqual(['n.E', 'R'])
    expect(told(text)).toEqual(['error type_unknown /fields/0/type'])
  })

  test('their problems are told at their place', () => {
    const broken = { ...inner, text: inner.text.replace('["A"]', '["A","A"]') }
    expect(schemaProblems(text, [broken])).toMatchObject([{ reference: 'inner.avsc', pointer: '/symbols/1', line: 2 }])
    expect(() => parseNamedSchema(text, [broken])).toThrow(
      'In the referenced schema inner.avsc: Symbol "A" stands twice.',
    )
  })
})

test('a stored schema is taken although it breaks a rule, as long as it can be compared', () => {
  expect(parseStoredSchema('{"type":{"type":"int"}}').root.kind).toBe('int')
  expect(() => parseStoredSchema('"Nowhere"')).toThrow(expect.objectContaining({ code: 'schema.invalid' }))
})
