// Which fields of a record an expression reads.
import { expect, test } from 'vitest'
import { fieldsRead } from '../../../src/mapping/fields-read.ts'

const read = (text: string) => fieldsRead(text, ['record', 'key'], 'record')

test.each([
  ['record.rating <= 2.0', ['rating']],
  ['record.author.name', ['author.name']],
  ['record.?author.?name.orValue(null)', ['author.name']],
  ['has(record.title) && record.title != ""', ['title']],
  ['record["rating"]', ['rating']],
  ['record[?"rating"]', ['rating']],
  ['"rating" in record', ['rating']],
  ['{"stars": record.rating, "who": record.reviewer_name}', ['rating', 'reviewer_name']],
  ['coalesce(record.title, record.review_text)', ['title', 'review_text']],
  ['record.tags[0].name', ['tags']],
  ['record.tags[record.index]', ['tags', 'index']],
  ['record.tags.exists(t, t.name == "x" && record.flag)', ['tags', 'flag']],
  ['record.tags.map(record, record.name)', ['tags']],
  ['record.tags.filter(t, t.a > 1).map(t, t.b)', ['tags']],
  ['cel.bind(a, record.author, a.name + a.city)', ['author.name', 'author.city']],
  ['cel.bind(n, record.votes + 1, n * n)', ['votes']],
  ['"record.rating"', []],
  ['key', []],
])('%s reads %j', (text, fields) => {
  expect(read(text)).toEqual(fields)
})

test.each([
  'record',
  'size(record)',
  'record == record',
  'record[key]',
  'record[key].x',
  'cel.bind(r, record, r)',
  'record.tags.map(t, record)',
])('%s takes the whole record', text => {
  expect(read(text)).toBeNull()
})
