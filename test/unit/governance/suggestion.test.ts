// From items to types and edits of a schema.
import { describe, expect, test } from 'vitest'
import { inferType, type Naming, styled } from '../../../src/governance/inferred-type.ts'
import { ItemShape } from '../../../src/governance/item-shape.ts'
import { parseNamedSchema } from '../../../src/governance/named-schema.ts'
import type { SubjectPolicy } from '../../../src/governance/policy.ts'
import { type SuggestionInput, suggest } from '../../../src/governance/suggestion.ts'
import { baseText, plainPolicy } from '../../support/review-scene.ts'

const shapeOf = (...values: readonly unknown[]) => {
  const shape = new ItemShape()
  for (const value of values) shape.add(value)
  return shape
}
const naming = (): Naming => ({ rule: plainPolicy.naming, taken: new Set(['Author']), tagOf: () => null })
const typeOf = (...values: readonly unknown[]) => {
  const found = inferType(shapeOf(...values), 'author', naming())
  return typeof found === 'string' ? found : found.type
}

describe('a type', () => {
  test.each<readonly [string, readonly unknown[], unknown]>([
    ['small whole numbers', [1, -5, null], 'int'],
    ['large ones', [1, 3_000_000_000], 'long'],
    ['beyond 2^53', [2n ** 60n], 'long'],
    ['with fractions', [1, 2.5], 'double'],
    ['true and false', [true, null], 'boolean'],
    ['text, also where it is digits', ['12', '13'], 'string'],
    ['a list', [[1], [2.5]], { type: 'array', items: 'double' }],
    ['a list with null in it', [[1, null]], { type: 'array', items: ['null', 'int'] }],
    ['a map: keys are data', [{ '2026-01': 1, '2026-02': 2 }, { ok: 3 }], { type: 'map', values: 'int' }],
  ])('of %s', (_name, values, expected) => expect(typeOf(...values)).toEqual(expected))

  test('of objects: a record whose fields may all be null, under a name that is free', () => {
    expect(typeOf({ name: 'a', n: 1 }, { name: null })).toMatchObject({
      type: 'record',
      name: 'Author2',
      fields: [
        { name: 'name', type: ['null', 'string'], default: null },
        { name: 'n', type: ['null', 'int'], default: null },
      ],
    })
  })

  test.each<readonly [string, readonly unknown[], string]>([
    ['nothing but null', [null], 'no sample has a value'],
    ['kinds that do not agree', [1, 'a'], 'the samples do not agree: number, text'],
    ['an empty list', [[]], 'no sample has an item in the list'],
    ['numbers of more than 64 bits', [2n ** 70n], 'whole numbers of more than 64 bits'],
  ])('is not inferred from %s', (_name, values, why) => expect(typeOf(...values)).toContain(why))

  test('what texts look like is a remark and no type', () => {
    const remarks = (...texts: readonly string[]) => {
      const found = inferType(shapeOf(...texts), 'x', naming())
      return typeof found === 'string' ? [] : [found.type, ...found.remarks]
    }
    expect(remarks('2026-01-31T10:00:00Z')).toEqual(['string', expect.stringContaining('timestamp-millis')])
    expect(remarks('2026-01-31')).toEqual(['string', expect.stringContaining('date')])
    expect(remarks('1', '22')).toEqual(['string', expect.stringContaining('int(')])
    expect(remarks('1', 'two')).toEqual(['string'])
  })
})

test('names by the naming of the policy', () => {
  const parts = ['author', 'countryCode']
  expect(styled(parts, 'snake_case')).toBe('author_country_code')
  expect(styled(parts, 'camelCase')).toBe('authorCountryCode')
  expect(styled(parts, 'PascalCase')).toBe('AuthorCountryCode')
  expect(styled(['2nd-place'], 'snake_case')).toBe('_2nd_place')
  expect(styled(['a-b', 'c'], 'any')).toBe('a_b_c')
})

describe('an edit', () => {
  const suggestion = (items: readonly unknown[], more: Partial<SuggestionInput> = {}) =>
    suggest({
      schema: parseNamedSchema(baseText),
      items: shapeOf(...items),
      read: ['id', 'stars', 'author', 'author.name'],
      map: { review_id: 'this.id', rating: 'this.stars', kind: '"TEXT"' },
      paths: null,
      policy: plainPolicy as SubjectPolicy,
      ...more,
    })

  test('adds a line like its neighbours for what nothing reads, and gives the line of the mapping', () => {
    const { text, fields, left } = suggestion([
      { id: '1', stars: 4, author: { name: 'a', country: 'DE' }, odd: 1 },
      { odd: 'x' },
    ])
    expect(fields).toMatchObject([
      {
        path: 'author.country',
        name: 'author_country',
        what: 'new',
        type: 'string or null',
        map: { field: 'author_country', expression: 'this.?author.?country' },
        seen: 1,
      },
    ])
    expect(left).toEqual([{ path: 'odd', why: 'the samples do not agree: number, text' }])
    const added = text.split('\n').filter(line => !baseText.split('\n').includes(line))
    expect(added).toEqual([
      '    {"name": "taken_at", "type": {"type": "long", "logicalType": "timestamp-millis"}, "doc": "When it was taken in."},',
      '    {"name": "author_country", "type": ["null", "string"], "default": null, "doc": "As the source gives it at author.country. Say what it holds, its unit, and what null means."}',
    ])
    expect(parseNamedSchema(text).root).toMatchObject({ kind: 'record' })
  })

  test('keeps the form of fields that take several lines', () => {
    const schema = parseNamedSchema(JSON.stringify(JSON.parse(baseText), null, 4))
    const { text } = suggestion([{ votes: 1 }], { schema })
    expect(text).toBe(JSON.stringify(JSON.parse(text), null, 4))
  })

  test('tags what looks personal, by name or by values', () => {
    const policy: SubjectPolicy = { ...plainPolicy, pii: { tags: ['SECRET'], names: ['*email*'], values: ['phone'] } }
    const items = Array.from({ length: 5 }, (_, i) => ({ email: `x${i}`, line: `+49 170 123456${i}`, note: `n ${i}` }))
    const { text, fields } = suggestion(items, { policy })
    const tagged = JSON.parse(text).fields.filter((field: object) => 'confluent:tags' in field)
    expect(tagged.map(({ name }: { name: string }) => name)).toEqual(['email', 'line'])
    expect(fields.map(({ remarks }) => remarks.length)).toEqual([1, 1, 0])
  })

  test('widens a number that samples do not fit; a field that is there already only lacks its mapping', () => {
    const schema = parseNamedSchema(baseText.replace('"type": "double"', '"type": "int"'))
    const { text, fields } = suggestion([{ stars: 4.5, review_text: 'x' }], { schema })
    expect(fields).toMatchObject([
      { path: 'review_text', what: 'mapped', map: { field: 'review_text', expression: 'this.?review_text' } },
      { path: 'stars', name: 'rating', what: 'widened', type: 'int to double' },
    ])
    expect(JSON.parse(text).fields[1]).toMatchObject({ name: 'rating', type: 'double' })
  })

  test('only the paths that are asked for, up to a list; what no sample has is told', () => {
    const items = [{ a: { b: 1, c: 2 }, images: [{ url: 'u' }], d: 3 }]
    const names = (paths: readonly string[]) => suggestion(items, { paths }).fields.map(({ name }) => name)
    expect(names(['a.b'])).toEqual(['a_b'])
    expect(names(['a'])).toEqual(['a_b', 'a_c'])
    expect(names(['images[].url'])).toEqual(['images'])
    expect(suggestion(items, { paths: ['nope'] }).left).toEqual([{ path: 'nope', why: 'no sample has it' }])
  })

  test('without a mapping names stay as they are, and what is no name is left', () => {
    const { fields, left } = suggestion([{ userName: 'a', 'a-b': 1, author: { x: 1 } }], { map: null, read: [] })
    expect(fields.map(({ name, map }) => [name, map])).toEqual([
      ['userName', null],
      ['author', null],
    ])
    expect(left).toEqual([{ path: 'a-b', why: 'it is no name for Avro: write a mapping' }])
  })
})
