import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../../src/core/errors.ts'
import { canonicalText, parseSchema } from '../../../src/schema/parse.ts'

const record = (...fields: unknown[]) => JSON.stringify({ type: 'record', name: 'R', fields })
const field = (type: unknown, more: object = {}) => ({ name: 'f', type, ...more })

function refusal(text: string): WeirError {
  try {
    parseSchema(text)
  } catch (error) {
    if (error instanceof WeirError) return error
    throw error
  }
  throw new Error('accepted')
}

describe('parseSchema', () => {
  test('lists the fields of the shipped schema with what lint needs', () => {
    const parsed = parseSchema(readFileSync(join(import.meta.dirname, '../../../schemas/raw-review.avsc'), 'utf8'))
    expect(parsed.fullName).toBe('weir.reviews.RawReview')
    expect(parsed.fields.filter(each => !each.nullable).map(each => each.name)).toEqual([
      'review_id',
      'product_asin',
      'rating',
      'ingestion_timestamp',
    ])
    expect(parsed.fields.every(each => (each.doc?.length ?? 0) > 10)).toBe(true)
    expect(parsed.fields.at(-1)).toMatchObject({ logicalType: 'timestamp-millis', hasDefault: false })
    expect(parsed.fields[2]).toMatchObject({ type: ['null', 'string'], hasDefault: true, default: null })
    expect(parsed.warnings).toEqual([])
  })

  test.each<[string, string, string, string]>([
    [
      'a default of the wrong kind',
      record(field('int', { default: 'x' })),
      '/fields/0/default',
      'is a string, expected int',
    ],
    ['an int default out of range', record(field('int', { default: 3e9 })), '/fields/0/default', 'expected int'],
    [
      'a fixed default of the wrong length',
      record(field({ type: 'fixed', name: 'F', size: 2 }, { default: 'abc' })),
      '/fields/0/default',
      '2 bytes',
    ],
    [
      'a default inside an array',
      record(field({ type: 'array', items: 'int' }, { default: [1, null] })),
      '/fields/0/default',
      '/1 is null',
    ],
    [
      'a record default that lacks a field',
      record(field({ type: 'record', name: 'I', fields: [{ name: 'a', type: 'int' }] }, { default: {} })),
      '/fields/0/default',
      'lacks the field a',
    ],
    ['null as a type', record(field(null)), '/fields/0/type', 'the type is written "null"'],
    ['a number as a type', record(field(7)), '/fields/0/type', 'cannot be a number'],
    ['a field without a type', record({ name: 'f' }), '/fields/0', 'has no type'],
    ['an array without items', record(field({ type: 'array' })), '/fields/0/type', 'no `items`'],
    ['an empty union', record(field([])), '/fields/0/type', 'no branches'],
    [
      'an enum without symbols',
      record(field({ type: 'enum', name: 'E', symbols: [] })),
      '/fields/0/type',
      'no symbols',
    ],
    [
      'an enum default that is no symbol',
      record(field({ type: 'enum', name: 'E', symbols: ['A'], default: 'B' })),
      '/fields/0/type/default',
      'none of its symbols',
    ],
    [
      'a symbol that every object has',
      record(field({ type: 'enum', name: 'E', symbols: ['toString'] })),
      '/fields/0/type/symbols/0',
      'refused',
    ],
    [
      'a type defined twice',
      record(field({ type: 'fixed', name: 'R', size: 1 })),
      '/fields/0/type/name',
      'defined twice',
    ],
    [
      'a primitive redefined',
      record(field({ type: 'fixed', name: 'int', size: 1 })),
      '/fields/0/type/name',
      'primitive',
    ],
    [
      'a reference out of its namespace',
      record(field({ type: 'record', name: 'I', namespace: 'a', fields: [field('R')] })),
      '/fields/0/type/fields/0/type',
      'unknown type',
    ],
    [
      'records that hold each other without end',
      record(field({ type: 'record', name: 'I', fields: [field('R')] })),
      '/',
      'contains itself',
    ],
    ['a list at the top', '[]', '/', 'no branches'],
    ['a primitive at the top', '"string"', '/', 'not a record'],
    ['a prototype field', record({ name: 'constructor', type: 'int' }), '/fields/0/name', 'refused'],
    ['a field with a strange order', record(field('int', { order: 'up' })), '/fields/0/order', 'order'],
    [
      'JSON nested without types',
      `{"type":"record","name":"R","fields":[],"x":${'['.repeat(300)}${']'.repeat(300)}}`,
      '/',
      'nests deeper',
    ],
  ])('refuses %s', (_, text, at, message) => {
    const error = refusal(text)
    expect(error).toMatchObject({ code: 'schema.invalid', at })
    expect(error.message).toContain(message)
    expect(error.hint).toBeTruthy()
  })

  test('takes fields named like members of every object', () => {
    const text = record(
      { name: 'toString', type: 'string' },
      { name: 'hasOwnProperty', type: ['null', 'int'] },
      { name: 'valueOf', type: 'long' },
    )
    expect(parseSchema(text).fields.map(each => each.name)).toEqual(['toString', 'hasOwnProperty', 'valueOf'])
  })

  test('keeps long defaults beyond 2^53 exactly', () => {
    const text = '{"type":"record","name":"R","fields":[{"name":"f","type":"long","default":9223372036854775807}]}'
    expect(parseSchema(text).fields[0]!.default).toBe(9223372036854775807n)
    expect(canonicalText(text)).toContain('"default":9223372036854775807')
  })

  test('accepts a recursive record with a way out', () => {
    expect(
      parseSchema(record(field(['null', 'R']), { name: 'kids', type: { type: 'array', items: 'R' } })).root.fields,
    ).toHaveLength(2)
  })

  test('ignores logical types that do not fit and says so', () => {
    const parsed = parseSchema(record(field({ type: 'string', logicalType: 'timestamp-millis' })))
    expect(parsed.fields[0]!.logicalType).toBeNull()
    expect(parsed.warnings).toEqual([
      '/fields/0/type/logicalType: logical type timestamp-millis does not go with string; values are read as plain string',
    ])
  })
})

describe('canonicalText', () => {
  test('gives one text whatever the spaces and the order of attributes', () => {
    const a =
      '{"name":"R", "type":"record",\n "fields":[{"type":"int","name":"f","doc":"d","default":1,"aliases":["g"]}]}'
    const b = '{"type":"record","name":"R","fields":[{"aliases":["g"],"default":1,"doc":"d","name":"f","type":"int"}]}'
    expect(canonicalText(a)).toBe(canonicalText(b))
    expect(canonicalText(a)).toBe(
      '{"type":"record","name":"R","fields":[{"type":"int","name":"f","doc":"d","aliases":["g"],"default":1}]}',
    )
  })

  test('is a fixed point', () => {
    const once = canonicalText(
      record(field({ type: 'map', values: ['null', 'string'] }, { default: { b: null, a: null } })),
    )
    expect(canonicalText(once)).toBe(once)
  })

  test('keeps the order of a default: it is data', () => {
    expect(
      canonicalText(record(field({ type: 'map', values: 'int' }, { default: { name: 1, fields: 2, doc: 3 } }))),
    ).toContain('{"name":1,"fields":2,"doc":3}')
  })
})
