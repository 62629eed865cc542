// Each reason with the edit that mends it: the edit is made, checked, and nothing else is touched.
import { expect, test } from 'vitest'
import { mend } from '../../../src/governance/mend.ts'
import { parseNamedSchema } from '../../../src/governance/named-schema.ts'
import type { CompatibilityLevel } from '../../../src/schema/compatibility-level.ts'
import { baseText, changed, ratingLine, reviewOf } from '../../support/review-scene.ts'

function fixed(candidate: string, level: CompatibilityLevel = 'BACKWARD', base = baseText) {
  return mend(parseNamedSchema(candidate), [{ version: 1, schema: parseNamedSchema(base) }], level)
}

const line = (text: string) => `${ratingLine}    ${text},\n`

test.each<[name: string, level: CompatibilityLevel, candidate: string, edit: [from: string, to: string]]>([
  [
    'a new field without default',
    'BACKWARD',
    changed([ratingLine, line('{"name": "lang", "type": "string", "doc": "L."}')]),
    [
      '{"name": "lang", "type": "string", "doc": "L."}',
      '{"name": "lang", "type": ["null", "string"], "doc": "L.", "default": null}',
    ],
  ],
  [
    'a new nullable field without default',
    'BACKWARD',
    changed([ratingLine, line('{"name": "lang", "type": ["null", "string"], "doc": "L."}')]),
    ['"doc": "L."}', '"doc": "L.", "default": null}'],
  ],
  [
    'null as the second branch',
    'BACKWARD',
    changed([ratingLine, line('{"name": "lang", "type": ["string", "null"], "doc": "L."}')]),
    ['["string", "null"], "doc": "L."}', '["null", "string"], "doc": "L.", "default": null}'],
  ],
  [
    'a new list',
    'BACKWARD',
    changed([ratingLine, line('{"name": "tags", "type": {"type": "array", "items": "string"}, "doc": "L."}')]),
    ['"doc": "L."}', '"doc": "L.", "default": []}'],
  ],
  [
    'a rename',
    'BACKWARD',
    changed(['"name": "rating"', '"name": "stars_rating"']),
    ['"doc": "Stars, from 1.0 to 5.0."}', '"doc": "Stars, from 1.0 to 5.0.", "aliases": ["rating"]}'],
  ],
  [
    'a narrower type',
    'BACKWARD',
    changed(['"type": "double"', '"type": "int"']),
    ['"type": "int"', '"type": ["int", "double"]'],
  ],
  [
    'null that is refused now',
    'BACKWARD',
    changed(['["null", "string"], "default": null', '"string"']),
    ['"name": "review_text", "type": "string"', '"name": "review_text", "type": ["null", "string"]'],
  ],
  ['a symbol that is gone', 'BACKWARD', changed(['["TEXT", "VIDEO"]', '["TEXT"]']), ['["TEXT"]', '["TEXT", "VIDEO"]']],
  [
    'a symbol that is gone, with one for the unknown',
    'BACKWARD',
    changed(['["TEXT", "VIDEO"]', '["TEXT", "UNKNOWN"]']),
    ['["TEXT", "UNKNOWN"]}', '["TEXT", "UNKNOWN"], "default": "UNKNOWN"}'],
  ],
  [
    'the name of the record',
    'BACKWARD',
    changed(['"name": "Review"', '"name": "Rating"']),
    [
      '    {"name": "taken_at", "type": {"type": "long", "logicalType": "timestamp-millis"}, "doc": "When it was taken in."}\n  ]\n',
      '    {"name": "taken_at", "type": {"type": "long", "logicalType": "timestamp-millis"}, "doc": "When it was taken in."}\n  ],\n  "aliases": ["weir.reviews.Review"]\n',
    ],
  ],
  [
    'a field that old readers need',
    'FORWARD',
    changed([ratingLine, '']),
    [
      '"doc": "When it was taken in."}\n',
      '"doc": "When it was taken in."},\n    {"name": "rating", "type": "double", "doc": "Stars, from 1.0 to 5.0."}\n',
    ],
  ],
  [
    'a wider type',
    'FORWARD',
    changed(['"type": "double"', '"type": ["null", "double"], "default": null']),
    [
      '"type": ["null", "double"], "default": null, "doc": "Stars, from 1.0 to 5.0."',
      '"type": "double", "doc": "Stars, from 1.0 to 5.0."',
    ],
  ],
])('%s', (_name, level, candidate, [from, to]) => {
  const result = fixed(candidate, level)
  expect(candidate).toContain(from)
  expect(result.text).toBe(candidate.replace(from, () => to))
  expect(result).toMatchObject({ remaining: 0, plans: [] })
  expect(result.done).toHaveLength(1)
})

test('a new symbol cannot be mended in one release: the steps are told', () => {
  const result = fixed(changed(['["TEXT", "VIDEO"]', '["TEXT", "VIDEO", "AUDIO"]']), 'FORWARD')
  expect(result).toMatchObject({ remaining: 1, done: [] })
  expect(result.plans[0]!.steps[0]).toMatch(/with a default/)
})

test('several reasons are mended one after the other, at the level that is asked for and over all versions', () => {
  const candidate = changed([
    ratingLine,
    '    {"name": "rating", "type": "int", "doc": "S."},\n    {"name": "lang", "type": "string", "doc": "L."},\n',
  ])
  const review = reviewOf(candidate)
  expect(review.reasons.filter(each => each.breaks).map(each => each.fix?.remaining)).toEqual([1, 1])
  const result = fixed(candidate)
  expect(result.remaining).toBe(0)
  expect(reviewOf(result.text).verdict).toBe('ok')
})

test('the fix of a reason is a patch of the file, checked by itself', () => {
  const [reason] = reviewOf(changed(['"type": "double"', '"type": "int"'])).reasons
  expect(reason!.fix).toMatchObject({ text: 'Let the new schema read both: int or double.', remaining: 0 })
  expect(reason!.fix!.patch).toContain(
    '+    {"name": "rating", "type": ["int", "double"], "doc": "Stars, from 1.0 to 5.0."},',
  )
})

test('an edit that would leave no schema is not offered', () => {
  // The type of the field is defined anew in the candidate: putting the field back would define it twice.
  const inner = (fields: string) => `{"type": "record", "name": "I", "fields": [{"name": "x", "type": "int"}${fields}]}`
  const base = `{"type": "record", "name": "R", "fields": [{"name": "a", "type": ${inner('')}}, {"name": "b", "type": "I"}]}`
  const candidate = `{"type": "record", "name": "R", "fields": [{"name": "b", "type": ${inner(', {"name": "y", "type": "int", "default": 1}')}}]}`
  const [reason] = reviewOf(candidate, [base], { level: 'FORWARD' }).reasons
  expect(reason!.fix!.patch).toBeNull()
  expect(reason!.fix!.steps).toHaveLength(3)
})

test('of many versions that fail for the same things few edits are tried, and what is left is told', {
  timeout: 5000,
}, () => {
  const wide = (type: string) =>
    JSON.stringify({
      type: 'record',
      name: 'R',
      fields: Array.from({ length: 200 }, (_, i) => ({ name: `f${i}`, type })),
    })
  const history = Array.from({ length: 100 }, (_, i) => ({
    version: i + 1,
    schema: parseNamedSchema(wide(i % 2 === 0 ? 'string' : 'int')),
  }))
  const { remaining, done, plans } = mend(parseNamedSchema(wide('int')), history, 'FULL_TRANSITIVE')
  expect(remaining).toBeGreaterThan(0)
  expect(done).toEqual([])
  expect(plans.length).toBeGreaterThan(0)
})

test('an edit of thousands of parts is told, not made', { timeout: 5000 }, () => {
  const enumOf = (letter: string) =>
    JSON.stringify({ type: 'enum', name: 'E', symbols: Array.from({ length: 4900 }, (_, i) => `${letter}${i}`) })
  const { done, plans } = fixed(enumOf('T'), 'BACKWARD', enumOf('S'))
  expect(done).toEqual([])
  expect(plans).toHaveLength(1)
})
