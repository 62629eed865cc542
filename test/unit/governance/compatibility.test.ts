import { describe, expect, test } from 'vitest'
import { incompatibilities } from '../../../src/governance/compatibility.ts'
import { parseNamedSchema } from '../../../src/governance/named-schema.ts'
import { confluentText, type Reason, sentenceOf } from '../../../src/governance/reason.ts'
import { readingQuirks } from '../../support/avro-quirks.ts'

const schema = (json: unknown) => parseNamedSchema(JSON.stringify(json))
const reasons = (reader: unknown, writer: unknown) => incompatibilities(schema(reader), schema(writer))
const record = (fields: unknown[], more: object = {}) => ({ type: 'record', name: 'R', fields, ...more })
const inner = (fields: unknown[]) => ({ type: 'record', name: 'Inner', fields })

describe('what Avro Java does beyond the expected', () => {
  test.each(readingQuirks)('%s', (_, reader, writer, expected) => {
    expect(reasons(reader, writer).map(({ rule, location }) => `${rule} ${location}`)).toEqual(expected)
  })
})

describe('a reason', () => {
  const [reason] = reasons(
    record([{ name: 'tags', type: { type: 'array', items: inner([{ name: 'x', type: 'int' }]) } }]),
    record([{ name: 'tags', type: { type: 'array', items: inner([]) } }]),
  ) as [Reason]

  test('says where it is, in JSON and in words, and shows both sides', () => {
    expect(reason).toEqual({
      rule: 'READER_FIELD_MISSING_DEFAULT_VALUE',
      pointer: '/fields/0/type/items/fields/0',
      reference: null,
      location: '/fields/0/type/items/fields/0',
      path: 'R.tags[].x',
      message: 'x',
      reader: inner([{ name: 'x', type: 'int' }]),
      writer: inner([]),
      because: [],
    })
  })

  test('has the words of Confluent, from either side', () => {
    expect(confluentText(reason, 'new')).toBe(
      "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'x' at path '/fields/0/type/items/fields/0' in the new schema has no default value and is missing in the old schema', additionalInfo:'x'}",
    )
    expect(confluentText(reason, 'old')).toContain(
      'in the old schema has no default value and is missing in the new schema',
    )
  })

  test('points into the text, where the location of Java follows names', () => {
    const reader = record([
      { name: 'first', type: inner([{ name: 'x', type: 'int' }]) },
      { name: 'next', type: { type: 'map', values: 'Inner' } },
    ])
    const writer = record([
      { name: 'next', type: { type: 'map', values: inner([{ name: 'x', type: 'string' }]) } },
      { name: 'first', type: { ...inner([{ name: 'x', type: 'int' }]), name: 'o.Inner' } },
    ])
    expect(reasons(reader, writer).map(({ pointer, location, path }) => ({ pointer, location, path }))).toEqual([
      { pointer: '/fields/0/type/fields/0/type', location: '/fields/1/type/values/fields/0/type', path: 'R.next{}.x' },
    ])
  })

  test('points to the use of a name where its kind is wrong', () => {
    const reader = record([
      { name: 'a', type: inner([]) },
      { name: 'b', type: 'Inner' },
    ])
    const writer = record([
      { name: 'a', type: inner([]) },
      { name: 'b', type: 'int' },
    ])
    expect(reasons(reader, writer)).toMatchObject([{ rule: 'TYPE_MISMATCH', pointer: '/fields/1/type', path: 'R.b' }])
  })

  test('points into the schema that is referred to', () => {
    const references = [{ name: 'inner.avsc', text: JSON.stringify(inner([{ name: 'x', type: 'int' }])) }]
    const text = JSON.stringify(record([{ name: 'a', type: 'Inner' }]))
    const writer = schema(record([{ name: 'a', type: inner([]) }]))
    expect(incompatibilities(parseNamedSchema(text, references), writer)).toMatchObject([
      { pointer: '/fields/0', reference: 'inner.avsc', location: '/fields/0/type/fields/0', path: 'R.a.x' },
    ])
  })

  // As Avro Java: AVRO_PAIRS_SEED=1060439613 found it.
  test.each([
    [['n.A'], undefined, 1],
    [undefined, ['n.A'], 0],
  ])('a root with aliases %j that a reference defines with %j is what the reference says', (own, referred, count) => {
    const fixed = (aliases?: readonly string[]) =>
      JSON.stringify({ type: 'fixed', name: 'D', size: 3, ...(aliases ? { aliases } : {}) })
    const reader = parseNamedSchema(fixed(own), [{ name: 'd.avsc', text: fixed(referred) }])
    expect(incompatibilities(reader, schema({ type: 'fixed', name: 'n.A', size: 3 }))).toHaveLength(count)
  })

  test('tells why the nearest branch of a union does not fit', () => {
    const other = { type: 'record', name: 'Other', fields: [{ name: 'y', type: 'int' }] }
    const [missing] = reasons(
      record([{ name: 'a', type: ['null', other, inner([{ name: 'x', type: 'int' }])] }]),
      record([{ name: 'a', type: ['null', inner([])] }]),
    ) as [Reason]
    expect(missing).toMatchObject({
      rule: 'MISSING_UNION_BRANCH',
      pointer: '/fields/0/type',
      location: '/fields/0/type/1',
    })
    expect(missing.because).toMatchObject([
      { rule: 'READER_FIELD_MISSING_DEFAULT_VALUE', pointer: '/fields/0/type/2/fields/0', path: 'R.a.x' },
    ])
    expect(sentenceOf(missing)).toBe('R.a.x: the reader needs it, it was not written, and it has no default')
  })

  test.each([
    [
      'R.a: the reader does not know the symbols [B] and has no default for them',
      { type: 'enum', name: 'E', symbols: ['A'] },
      { type: 'enum', name: 'E', symbols: ['A', 'B'] },
    ],
    [
      'R.a: n.Y was written, the reader has another name and no alias for it',
      { type: 'fixed', name: 'X', size: 2 },
      { type: 'fixed', name: 'n.Y', size: 2 },
    ],
    ['R.a: bytes expected: 3, found: 2', { type: 'fixed', name: 'X', size: 2 }, { type: 'fixed', name: 'X', size: 3 }],
    ['R.a: reader type: INT not compatible with writer type: LONG', 'int', 'long'],
    ['R.a: reader union lacking writer type: INT', ['null'], 'int'],
  ])('is a sentence: %s', (sentence, reader, writer) => {
    const found = reasons(record([{ name: 'a', type: reader }]), record([{ name: 'a', type: writer }]))
    expect(found.map(sentenceOf)).toEqual([sentence])
  })
})

test('all reasons are given, in the order of the reader', () => {
  const reader = record(['a', 'b', 'c'].map(name => ({ name, type: 'int' })))
  const writer = record([{ name: 'a', type: 'string' }], { name: 'S' })
  expect(reasons(reader, writer).map(({ pointer }) => pointer)).toEqual([
    '/name',
    '/fields/0/type',
    '/fields/1',
    '/fields/2',
  ])
})

describe('types that use each other many times over', () => {
  const deep = (last: string) => {
    let type: unknown = { type: 'record', name: 'L0', fields: [{ name: 'x', type: last }] }
    for (let i = 1; i < 60; i++)
      type = {
        type: 'record',
        name: `L${i}`,
        fields: [
          { name: 'a', type },
          { name: 'b', type: `L${i - 1}` },
        ],
      }
    return type
  }

  test('are compared once', () => {
    expect(reasons(deep('long'), deep('int'))).toEqual([])
    expect(reasons(deep('int'), deep('long'))).toMatchObject([{ rule: 'TYPE_MISMATCH' }])
  })

  test('are refused where the pairs have no end', () => {
    const ring = (count: number) => {
      const name = (i: number) => `R${i % count}`
      const records = Array.from({ length: count }, (_, i) => ({
        type: 'record',
        name: name(i),
        fields: [{ name: 'f', type: name(i + 1) }],
      }))
      return { type: 'array', items: records }
    }
    expect(() => reasons(ring(300), ring(299))).toThrow(expect.objectContaining({ code: 'schema.too_complex' }))
  })
})
