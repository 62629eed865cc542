// What changed and what of it is wrong in meaning, per change of one small schema.
import { expect, test } from 'vitest'
import { baseText, changed, ratingLine, reviewOf } from '../../support/review-scene.ts'

const line = (text: string) => `${ratingLine}    ${text},\n`
const textLine = '{"name": "review_text", "type": ["null", "string"], "default": null, "doc": "Body of the review."}'
const withAlias =
  '{"name": "body", "aliases": ["review_text"], "type": ["null", "string"], "default": null, "doc": "Body of the review."}'

const kinds = (candidate: string, base = baseText) =>
  reviewOf(candidate, [base]).changes.map(each => `${each.kind} ${each.field}`)

test.each<[name: string, candidate: string, kinds: string[]]>([
  ['nothing', baseText, []],
  ['white space', baseText.replaceAll('\n', ' '), []],
  [
    'a new field',
    changed([ratingLine, line('{"name": "lang", "type": "string", "doc": "L."}')]),
    ['field-added Review.lang'],
  ],
  ['a field that goes', changed([ratingLine, '']), ['field-removed Review.rating']],
  ['a rename with an alias', changed([textLine, withAlias]), ['field-renamed Review.body', 'alias-added Review.body']],
  ['a rename that is guessed', changed(['"name": "review_text"', '"name": "text"']), ['field-renamed Review.text']],
  ['another type', changed(['"type": "double"', '"type": "float"']), ['type-changed Review.rating']],
  [
    'null allowed',
    changed(['"type": "double"', '"type": ["null", "double"], "default": null']),
    ['nullability-changed Review.rating', 'default-changed Review.rating'],
  ],
  [
    'null refused',
    changed(['["null", "string"], "default": null', '"string"']),
    ['nullability-changed Review.review_text', 'default-changed Review.review_text'],
  ],
  [
    'branches in another order',
    changed(['["null", "string"], "default": null', '["string", "null"], "default": ""']),
    ['type-changed Review.review_text', 'default-changed Review.review_text'],
  ],
  ['another doc', changed(['Id of the review.', 'The id.']), ['doc-changed Review.review_id']],
  ['a scale', changed(['"scale": 2', '"scale": 3']), ['type-changed Review.price']],
  [
    'symbols',
    changed(['["TEXT", "VIDEO"]', '["TEXT", "AUDIO"]']),
    ['symbol-added Review.kind', 'symbol-removed Review.kind'],
  ],
  ['symbols in another order', changed(['["TEXT", "VIDEO"]', '["VIDEO", "TEXT"]']), ['order-changed Review.kind']],
  [
    'fields in another order',
    changed([ratingLine, ''], ['    {"name": "taken_at"', `${ratingLine}    {"name": "taken_at"`]),
    ['order-changed Review'],
  ],
  [
    'a namespace',
    changed(['weir.reviews', 'weir.other']),
    ['namespace-changed Review', 'namespace-changed Review.kind'],
  ],
  ['a name', changed(['"name": "Review"', '"name": "Rating"']), ['name-changed Rating']],
  [
    'a property',
    changed(['"name": "review_id"', '"name": "review_id", "confluent:tags": ["PII"]']),
    ['property-changed Review.review_id'],
  ],
])('the diff of %s', (_name, candidate, expected) => expect(kinds(candidate)).toEqual(expected))

test('a rename that is guessed says why, and one of another type is none', () => {
  const [change] = reviewOf(changed(['"name": "review_text"', '"name": "text"'])).changes
  expect(change).toMatchObject({
    before: '"review_text"',
    after: '"text"',
    guessedFrom: 'same type, names alike (50 %), docs alike (100 %)',
  })
  expect(kinds(changed([textLine, '{"name": "text", "type": "int", "doc": "Body of the review."}']))).toEqual([
    'field-added Review.text',
    'field-removed Review.review_text',
  ])
})

test('docs that share only words of every sentence are not alike', () => {
  const field = (name: string, doc: string) =>
    changed([textLine, `{"name": "${name}", "type": ["null", "string"], "default": null, "doc": "${doc}"}`])
  expect(kinds(field('colour', 'Colour of the item.'), field('shop', 'Name of the shop.'))).toEqual([
    'field-added Review.colour',
    'field-removed Review.shop',
  ])
})

test('values that are shared make a rename of fields with nothing else in common', () => {
  const candidate = changed([textLine, '{"name": "zzz", "type": ["null", "string"], "default": null, "doc": "Q."}'])
  const kindsWith = (share: number) =>
    reviewOf(candidate, [baseText], {
      evidence: { sharedValues: [{ removed: 'Review.review_text', added: 'Review.zzz', share }] },
    }).changes.map(each => each.kind)
  expect([kindsWith(0.9), kindsWith(0.1)]).toEqual([
    ['field-renamed', 'doc-changed'],
    ['field-added', 'field-removed'],
  ])
})

test('nested records, items and values have paths in words', () => {
  const nested = (inner: string) =>
    `{"type": "record", "name": "R", "fields": [{"name": "a", "type": {"type": "array", "items": {"type": "record", "name": "I", "fields": [${inner}]}}}, {"name": "m", "type": {"type": "map", "values": ["null", "I"]}}]}`
  expect(kinds(nested('{"name": "x", "type": "long"}'), nested('{"name": "x", "type": "int"}'))).toEqual([
    'type-changed R.a[].x',
  ])
})

test('recursive schemas end', () => {
  const tree = (type: string) =>
    `{"type": "record", "name": "T", "fields": [{"name": "v", "type": "${type}"}, {"name": "next", "type": ["null", "T"]}]}`
  expect(kinds(tree('long'), tree('int'))).toEqual(['type-changed T.v'])
})

const silent = (candidate: string, base = baseText) =>
  reviewOf(candidate, [base])
    .findings.map(each => each.rule)
    .filter(rule => rule.startsWith('silent.') || rule.startsWith('alias.'))
const stamp = '"logicalType": "timestamp-millis"'

test.each<[name: string, candidate: string, rules: string[], base?: string]>([
  ['nothing', baseText, []],
  [
    'a new optional field',
    changed([ratingLine, line('{"name": "lang", "type": ["null", "string"], "default": null, "doc": "L."}')]),
    [],
  ],
  ['a decimal scale', changed(['"scale": 2', '"scale": 3']), ['silent.decimal-scale']],
  ['a decimal precision', changed(['"precision": 9', '"precision": 7']), ['silent.decimal-precision']],
  ['millis to micros', changed([stamp, '"logicalType": "timestamp-micros"']), ['silent.timestamp-unit']],
  ['moment to local', changed([stamp, '"logicalType": "local-timestamp-millis"']), ['silent.local-timestamp']],
  ['a logical type that goes', changed([`, ${stamp}`, '']), ['silent.logical-type']],
  [
    'date to timestamp',
    changed(),
    ['silent.date-timestamp'],
    changed(['{"type": "long", "logicalType": "timestamp-millis"}', '{"type": "int", "logicalType": "date"}']),
  ],
  [
    'uuid',
    changed([
      '"name": "review_id", "type": "string"',
      '"name": "review_id", "type": {"type": "string", "logicalType": "uuid"}',
    ]),
    ['silent.uuid'],
  ],
  [
    'an enum default that swallows',
    changed(['["TEXT", "VIDEO"]', '["TEXT"], "default": "TEXT"']),
    ['silent.enum-default'],
  ],
  ['a rename without alias', changed(['"name": "review_text"', '"name": "text"']), ['silent.rename']],
  ['a rename with alias', changed([textLine, withAlias]), []],
  ['a namespace', changed(['weir.reviews', 'weir.other']), ['silent.namespace', 'silent.namespace']],
  [
    'a name that every object has',
    changed([ratingLine, line('{"name": "constructor", "type": ["null", "string"], "default": null, "doc": "L."}')]),
    ['silent.javascript-name'],
  ],
  [
    'a symbol that every object has',
    changed(['["TEXT", "VIDEO"]', '["TEXT", "VIDEO", "toString"]']),
    ['silent.javascript-name'],
  ],
  [
    'long to double',
    changed(['{"type": "long", "logicalType": "timestamp-millis"}', '"double"']),
    ['silent.rounding'],
    changed(['{"type": "long", "logicalType": "timestamp-millis"}', '"long"']),
  ],
  [
    'bytes to string',
    changed(['{"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}', '"string"']),
    ['silent.bytes-text'],
    changed(['{"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}', '"bytes"']),
  ],
  [
    'an alias that is dropped',
    changed([textLine, withAlias.replace('"aliases": ["review_text"], ', '')]),
    ['alias.dropped'],
    changed([textLine, withAlias]),
  ],
  [
    'an alias for two fields',
    changed(
      ['"name": "rating"', '"name": "rating", "aliases": ["old"]'],
      ['"name": "price"', '"name": "price", "aliases": ["old"]'],
    ),
    ['alias.ambiguous'],
  ],
  [
    'an alias that is another field of the base',
    changed(
      ['"name": "rating"', '"name": "rating", "aliases": ["review_text"]'],
      [textLine, '{"name": "body", "type": "int", "default": 1, "doc": "B."}'],
    ),
    ['alias.ambiguous'],
  ],
])('silent breaks: %s', (_name, candidate, rules, base) => expect(silent(candidate, base)).toEqual(rules))

test('a scale tells what 12.34 becomes', () => {
  const message = (from: number, to: number) => {
    const at = (scale: number) => changed(['"scale": 2', `"scale": ${scale}`])
    return reviewOf(at(to), [at(from)]).findings.find(each => each.rule === 'silent.decimal-scale')?.message
  }
  expect(message(2, 3)).toBe('the scale 2 is now 3: 12.34 written before is read as 1.234')
  expect(message(2, 0)).toContain('is read as 1234')
  expect(message(4, 2)).toContain('is read as 1234.00')
})
