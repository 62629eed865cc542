import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkMapping } from '../../../src/mapping/check.ts'

const reviewSchema = readFileSync(join(import.meta.dirname, '../../../schemas/raw-review.avsc'), 'utf8')
const good = { review_id: 'this.id', product_asin: 'this.asin', rating: 'double(this.rating)' }
const one = (type: unknown) => JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'f', type }] })

test('a mapping that fits raises nothing', () => {
  expect(checkMapping(good, reviewSchema)).toEqual([])
  expect(
    checkMapping(
      {
        ...good,
        helpfulness_votes: 'votes(this.?helpful)',
        ingestion_timestamp: 'now',
        reviewer_name: 'trim(this.?name)',
        review_title: 'this.?title',
        review_text: 'null',
      },
      reviewSchema,
    ),
  ).toEqual([])
})

test('each mistake has its field, its code and a hint', () => {
  const problems = checkMapping(
    {
      product_asin: 'null',
      rating: '"5"',
      review_title: 'nofn(1)',
      review_txt: 'this.x',
      helpfulness_votes: 'number(this.v)',
      reviewer_name: '5',
    },
    reviewSchema,
  )
  expect(problems.map(({ pointer, code, severity }) => [pointer, code, severity]).sort()).toEqual([
    ['/helpfulness_votes', 'config.mapping', 'error'],
    ['/product_asin', 'config.mapping', 'error'],
    ['/rating', 'config.mapping', 'error'],
    ['/review_id', 'config.mapping', 'error'],
    ['/review_title', 'config.expression', 'error'],
    ['/review_txt', 'config.mapping', 'error'],
    ['/reviewer_name', 'config.mapping', 'error'],
  ])
  expect(problems.every(problem => (problem.hint?.length ?? 0) > 5)).toBe(true)
  expect(problems.find(problem => problem.pointer === '/review_txt')!.hint).toBe('Did you mean review_text?')
  expect(problems.find(problem => problem.pointer === '/helpfulness_votes')!.message).toContain(
    'fractions would be lost',
  )
})

test.each<[unknown, string, 'fine' | 'error' | 'warning']>([
  ['string', 'this.a', 'fine'],
  ['string', 'this.?a', 'fine'],
  ['string', 'string(this.a)', 'fine'],
  ['string', '1', 'error'],
  ['string', 'now', 'error'],
  ['string', 'parse_date("x")', 'error'],
  ['string', 'this.a ? "x" : null', 'fine'],
  ['string', 'default(this.?a, 1)', 'fine'],
  ['int', 'int(this.a)', 'fine'],
  ['int', '5', 'fine'],
  ['int', '3000000000', 'error'],
  ['int', '1.5', 'error'],
  ['int', 'this.a * 1.5', 'error'],
  ['int', 'this.a + 1', 'fine'],
  ['long', 'size(this.a)', 'fine'],
  ['long', 'double(this.a)', 'error'],
  ['long', 'parse_date("x")', 'error'],
  ['long', '"1"', 'error'],
  [{ type: 'long', logicalType: 'timestamp-millis' }, 'parse_date(this.a)', 'fine'],
  [{ type: 'long', logicalType: 'timestamp-millis' }, 'now', 'fine'],
  [{ type: 'long', logicalType: 'timestamp-micros' }, 'now', 'error'],
  [{ type: 'int', logicalType: 'date' }, 'parse_date(this.a)', 'fine'],
  ['double', '1', 'fine'],
  ['double', '"1"', 'error'],
  ['float', '1', 'warning'],
  ['float', '1.5', 'fine'],
  ['float', 'true', 'error'],
  ['boolean', 'this.a == 1', 'fine'],
  ['boolean', '"true"', 'error'],
  ['bytes', 'bytes(this.a)', 'fine'],
  ['bytes', '"a"', 'error'],
  [{ type: 'array', items: 'string' }, 'this.a.split(",")', 'fine'],
  [{ type: 'array', items: 'string' }, '[1, 2]', 'error'],
  [{ type: 'array', items: 'string' }, '"a"', 'error'],
  [{ type: 'array', items: 'string' }, '[]', 'fine'],
  [{ type: 'map', values: 'string' }, '{"a": "b"}', 'fine'],
  [{ type: 'map', values: 'string' }, '1', 'error'],
  [{ type: 'enum', name: 'E', symbols: ['A'] }, '"A"', 'fine'],
  [{ type: 'enum', name: 'E', symbols: ['A'] }, '"B"', 'error'],
  [['null', 'string'], 'null', 'fine'],
  ['string', 'null', 'error'],
  [['null', 'int', 'string'], 'true', 'error'],
  [['null', 'int', 'string'], '"x"', 'fine'],
])('%j from %s: %s', (type, text, verdict) => {
  const problems = checkMapping({ f: text }, one(type))
  expect(problems.map(problem => problem.severity)).toEqual(verdict === 'fine' ? [] : [verdict])
})
