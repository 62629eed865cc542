import { expect, test } from 'vitest'
import { compileDeletedKey } from '../../../src/mapping/deleted-key.ts'

const schema = JSON.stringify({
  type: 'record',
  name: 'R',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'number', type: 'long' },
    { name: 'product', type: ['null', 'string'], default: null },
    { name: 'rating', type: 'double' },
  ],
})
const map = { id: 'string(this.review.id)', number: 'this.review.id', product: 'split.asin', rating: 'this.rating' }
const item = { review: { id: 7 } }

test.each([
  ['record.id', '7'],
  ['this.review.id', 7],
  ['string(record.number) + "@" + record.product', '7@B1'],
  ['split.asin + "/" + string(this.review.id)', 'B1/7'],
])('the key %s is made of the id and the split', (key, expected) => {
  const made = compileDeletedKey('this.review.id', map, key, schema)(item, { asin: 'B1' })
  expect(typeof made === 'bigint' ? Number(made) : made).toEqual(expected)
})

test('without a mapping, fields of the same name', () => {
  expect(compileDeletedKey('this.id', null, 'record.id', schema)({ id: 'x' }, {})).toBe('x')
  expect(() => compileDeletedKey('this.id', null, 'record.product', schema)).toThrow(/`this.product`/)
})

test.each([
  ['record.rating', /`this.rating` \(through `record.rating`\)/],
  ['this.rating', /`this.rating`/],
  ['string(this)', /`this`/],
  ['size(record) > 0', /whole record/],
  ['has(this.?review.?at) ? "a" : "b"', /`this.review.at`/],
  ['record.gone', /`record.gone`, which has no expression/],
])('the key %s cannot be known once the item is gone', (key, message) => {
  expect(() => compileDeletedKey('this.review.id', map, key, schema)).toThrow(message)
})
