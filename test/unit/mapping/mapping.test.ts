import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../../src/core/errors.ts'
import { compileMapping, identityMapping } from '../../../src/mapping/mapping.ts'
import { compileDecoder, compileEncoder } from '../../../src/schema/codec.ts'

const reviewSchema = readFileSync(join(import.meta.dirname, '../../../schemas/raw-review.avsc'), 'utf8')
const vars = (item: unknown) => ({ this: item, split: { asin: 'B0' }, now: 1_764_000_000_000 })
const one = (type: unknown, more: object = {}) =>
  JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'f', type, ...more }] })

function refusal(work: () => unknown): WeirError {
  try {
    work()
  } catch (error) {
    if (error instanceof WeirError) return error
    throw error
  }
  throw new Error('accepted')
}

const map = {
  review_id: 'this.user_id + "-" + string(this.timestamp)',
  product_asin: 'this.asin',
  reviewer_name: 'this.user_id',
  review_text: 'this.text',
  rating: 'this.rating',
  review_date: 'string(this.timestamp)',
  helpfulness_votes: 'this.?helpful_vote',
}
const item = {
  rating: 5,
  title: 'Great',
  text: 'Good.',
  asin: 'B00IX1I3G6',
  user_id: 'AHZ',
  timestamp: 1401351468000,
  helpful_vote: 2,
}

describe('compileMapping', () => {
  test('gives a record the encoder takes, fields in the order of the schema', () => {
    const record = compileMapping(map, reviewSchema).apply(vars(item))
    expect(record).toStrictEqual({
      review_id: 'AHZ-1401351468000',
      product_asin: 'B00IX1I3G6',
      reviewer_name: 'AHZ',
      review_text: 'Good.',
      review_title: null,
      rating: 5,
      review_date: '1401351468000',
      helpfulness_votes: 2,
      ingestion_timestamp: 1_764_000_000_000,
    })
    expect(Object.keys(record)).toEqual(JSON.parse(reviewSchema).fields.map((field: { name: string }) => field.name))
    expect(compileDecoder(reviewSchema, null).decode(compileEncoder(reviewSchema).encode(record, 1))).toEqual(record)
  })

  test('a given ingestion_timestamp wins over the time of ingestion', () => {
    expect(
      compileMapping({ ...map, ingestion_timestamp: 'from_epoch_ms(this.timestamp)' }, reviewSchema).apply(vars(item))[
        'ingestion_timestamp'
      ],
    ).toBe(1401351468000)
    expect(
      compileMapping({ ...map, ingestion_timestamp: 'now' }, reviewSchema).apply(vars(item))['ingestion_timestamp'],
    ).toBe(1_764_000_000_000)
  })

  test.each<[string, object, string, string]>([
    ['a required field that is missing', { asin: undefined }, 'map.missing', '/product_asin'],
    ['a required field that is null', { asin: null }, 'map.missing', '/product_asin'],
    ['text for a number', { rating: 'canary' }, 'map.failed', '/rating'],
    ['a number for text', { text: 5 }, 'map.failed', '/review_text'],
    ['a fraction for an int', { helpful_vote: 2.5 }, 'map.failed', '/helpfulness_votes'],
    ['an int out of range', { helpful_vote: 2 ** 31 }, 'map.failed', '/helpfulness_votes'],
    ['an expression that fails', { timestamp: {} }, 'map.failed', '/review_id'],
    ['an optional field that a strict path does not find', { text: undefined }, 'map.failed', '/review_text'],
  ])('%s is told with its field and without data', (_, change, code, at) => {
    const error = refusal(() => compileMapping(map, reviewSchema).apply(vars({ ...item, ...change })))
    expect(error).toMatchObject({ code, at })
    expect(error.hint).toBeTruthy()
    expect(error.message).not.toContain('canary')
  })

  test.each<[object, string]>([
    [{ text: 5 }, 'expected string, got a number'],
    [{ text: 5n }, 'expected string, got an int'],
    [{ helpful_vote: 2.5 }, 'got a number with a fraction'],
    [{ helpful_vote: 2 ** 31 }, 'got a whole number out of range'],
    [{ helpful_vote: 2n ** 31n }, 'got an int out of range'],
  ])('a value is called what it is: %s %s', (change, message) => {
    const error = refusal(() => compileMapping(map, reviewSchema).apply(vars({ ...item, ...change })))
    expect(error.message).toContain(message)
  })

  test('refuses fields the schema does not have, required ones left out, and wrong expressions', () => {
    expect(refusal(() => compileMapping({ ...map, review_txt: 'this.x' }, reviewSchema))).toMatchObject({
      code: 'config.mapping',
      at: '/review_txt',
      hint: 'Did you mean review_text?',
    })
    const { rating: _, ...rest } = map
    expect(refusal(() => compileMapping(rest, reviewSchema))).toMatchObject({ code: 'config.mapping', at: '/rating' })
    expect(refusal(() => compileMapping({ ...map, rating: 'this.' }, reviewSchema))).toMatchObject({
      code: 'config.expression',
      at: expect.stringMatching(/^\/rating, column \d+$/),
    })
    expect(refusal(() => compileMapping({ ...map, ['__proto__']: 'this.x' }, reviewSchema)).code).toBe('config.mapping')
  })

  test.each<[unknown, string, unknown, unknown]>([
    ['string', 'this.v', 'x', 'x'],
    ['string', 'this.v', 5, WeirError],
    ['int', 'this.v', 5, 5],
    ['int', 'this.v', 5n, 5],
    ['int', 'this.v', '5', WeirError],
    ['int', 'this.v', true, WeirError],
    ['int', 'this.v', 2147483648n, WeirError],
    [{ type: 'int', logicalType: 'date' }, 'parse_date(this.v)', '1970-01-11', 10],
    ['long', 'this.v', 2 ** 53, WeirError],
    ['long', 'this.v', 2n ** 62n, 2n ** 62n],
    ['long', 'this.v', 2n ** 63n, WeirError],
    ['long', 'this.v', 1.5, WeirError],
    [{ type: 'long', logicalType: 'timestamp-millis' }, 'parse_date(this.v)', '1970-01-02', 86_400_000],
    [{ type: 'long', logicalType: 'timestamp-micros' }, 'parse_date(this.v)', '1970-01-02', 86_400_000_000n],
    ['long', 'parse_date(this.v)', '1970-01-02', WeirError],
    ['double', 'this.v', 2n ** 53n, 2 ** 53],
    ['double', 'this.v', 2n ** 53n + 1n, WeirError],
    ['float', 'this.v', 16777217n, WeirError],
    ['boolean', 'this.v', 'true', WeirError],
    ['bytes', 'bytes(this.v)', 'a', Buffer.from('a')],
    [{ type: 'enum', name: 'E', symbols: ['A', 'B'] }, 'this.v', 'A', 'A'],
    [{ type: 'enum', name: 'E', symbols: ['A', 'B'] }, 'this.v', 'toString', WeirError],
    [{ type: 'array', items: 'int' }, 'this.v', [1, 2], [1, 2]],
    [{ type: 'array', items: 'int' }, 'this.v', [1, 'x'], WeirError],
    [
      { type: 'map', values: ['null', 'int'] },
      'this.v',
      { a: 1, b: null },
      Object.assign(Object.create(null), { a: 1, b: null }),
    ],
    [['null', 'string'], 'this.?w', 1, null],
    [['null', 'int', 'double'], 'this.v', 5, { int: 5 }],
    [['null', 'int', 'double'], 'this.v', 5.5, { double: 5.5 }],
    [['null', 'int', 'double'], 'this.v', { double: 5 }, { double: 5 }],
    [['null', 'long', 'string'], 'this.v', 'x', 'x'],
    [
      {
        type: 'record',
        name: 'I',
        fields: [
          { name: 'a', type: 'int' },
          { name: 'b', type: ['null', 'string'] },
          { name: 'c', type: 'int', default: 9 },
        ],
      },
      'this.v',
      { a: 1, extra: 1 },
      { a: 1, b: null, c: 9 },
    ],
    [{ type: 'record', name: 'I', fields: [{ name: 'a', type: 'int' }] }, 'this.v', {}, WeirError],
  ])('%j from %s of %s', (type, text, value, gives) => {
    const schema = one(type)
    const mapping = compileMapping({ f: text }, schema)
    if (gives === WeirError) {
      expect(refusal(() => mapping.apply(vars({ v: value }))).code).toMatch(/^map\./)
      return
    }
    const record = mapping.apply(vars({ v: value }))
    expect(record['f']).toEqual(gives)
    compileEncoder(schema).encode(record, 1)
  })

  test('the pointer leads into lists and records', () => {
    const schema = one({ type: 'array', items: { type: 'record', name: 'I', fields: [{ name: 'n', type: 'int' }] } })
    expect(
      refusal(() => compileMapping({ f: 'this.v' }, schema).apply(vars({ v: [{ n: 1 }, { n: 'x' }] }))),
    ).toMatchObject({ at: '/f/1/n' })
    expect(refusal(() => compileMapping({ f: 'this.v' }, schema).apply(vars({ v: [{}] })))).toMatchObject({
      code: 'map.missing',
      at: '/f/0/n',
    })
  })

  test('an endless value of a recursive schema is refused', () => {
    const schema = JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'next', type: ['null', 'R'] }] })
    const loop: Record<string, unknown> = {}
    loop['next'] = loop
    expect(refusal(() => compileMapping({ next: 'this.next' }, schema).apply(vars(loop))).message).toContain(
      '64 levels',
    )
    expect(compileMapping({ next: 'this.next' }, schema).apply(vars({ next: { next: null } }))).toEqual({
      next: { next: null },
    })
  })

  test('defaults are values, each record its own', () => {
    const schema = JSON.stringify({
      type: 'record',
      name: 'R',
      fields: [
        { name: 'l', type: { type: 'array', items: 'int' }, default: [1] },
        { name: 'b', type: 'bytes', default: 'ÿ' },
        { name: 'u', type: ['int', 'double'], default: 1 },
        { name: 'n', type: ['null', 'int'], default: null },
        { name: 'o', type: ['null', 'int'] },
      ],
    })
    const mapping = compileMapping({}, schema)
    const a = mapping.apply(vars({}))
    expect(a).toEqual({ l: [1], b: Buffer.from([255]), u: { int: 1 }, n: null, o: null })
    expect(mapping.apply(vars({}))['l']).not.toBe(a['l'])
    compileEncoder(schema).encode(a, 1)
  })
})

describe('identityMapping', () => {
  test('takes fields of the same name, defaults and the time of ingestion otherwise', () => {
    const mapping = identityMapping(reviewSchema)
    expect(mapping.apply(vars({ review_id: 'R1', product_asin: 'B0', rating: 4, extra: 1 }))).toMatchObject({
      review_id: 'R1',
      rating: 4,
      review_text: null,
      ingestion_timestamp: 1_764_000_000_000,
    })
    expect(refusal(() => mapping.apply(vars({ product_asin: 'B0', rating: 4 })))).toMatchObject({
      code: 'map.missing',
      at: '/review_id',
    })
    expect(refusal(() => mapping.apply(vars('text'))).code).toBe('map.missing')
    expect(refusal(() => mapping.apply(vars({ review_id: 'R1', product_asin: 'B0', rating: '4' })))).toMatchObject({
      code: 'map.failed',
      at: '/rating',
    })
  })

  test('sees own members only', () => {
    const schema = one('string').replace('"f"', '"toString"')
    expect(refusal(() => identityMapping(schema).apply(vars({}))).code).toBe('map.missing')
  })
})
