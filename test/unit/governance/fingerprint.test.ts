import { describe, expect, test } from 'vitest'
import { fingerprintsOf, parsingCanonicalForm, sameSchema } from '../../../src/governance/fingerprint.ts'
import { parseNamedSchema } from '../../../src/governance/named-schema.ts'

const record = (fields: unknown, more: object = {}) => JSON.stringify({ type: 'record', name: 'R', fields, ...more })
const plain = record([{ name: 'a', type: 'string' }])

test.each([
  [
    'white space and order of attributes',
    plain,
    ' {"name": "R", "fields":[{"type":"string","name":"a"}],"type":"record"} ',
  ],
  ['a type unfolded', plain, record([{ name: 'a', type: { type: 'string' } }])],
  [
    'documentation, aliases and defaults',
    plain,
    record([{ name: 'a', type: 'string', doc: 'x', default: '', aliases: ['b'] }], { doc: 'y' }),
  ],
  ['a namespace in the name', record([], { name: 'x.R' }), record([], { namespace: 'x' })],
  [
    'a namespace taken from around',
    record([{ name: 'a', type: { type: 'fixed', name: 'F', namespace: 'x', size: 2 } }], { namespace: 'x' }),
    record([{ name: 'a', type: { type: 'fixed', name: 'F', size: 2 } }], { namespace: 'x' }),
  ],
  ['texts that are no schemas, alike as JSON', '{"type": "map"}', '{"type":"map"}'],
])('the same: %s', (_, a, b) => {
  expect(sameSchema(a, b)).toBe(true)
})

const decimal = (scale: number) =>
  record([{ name: 'a', type: { type: 'bytes', logicalType: 'decimal', precision: 9, scale } }])
const time = (logicalType: string) => record([{ name: 'a', type: { type: 'long', logicalType } }])
const word = (...symbols: string[]) => record([{ name: 'a', type: { type: 'enum', name: 'E', symbols } }])

test.each([
  ['another type', plain, record([{ name: 'a', type: 'bytes' }])],
  ['another name of a field', plain, record([{ name: 'b', type: 'string' }])],
  ['another name', plain, record([{ name: 'a', type: 'string' }], { name: 'S' })],
  ['another namespace', plain, record([{ name: 'a', type: 'string' }], { namespace: 'x' })],
  [
    'fields in another order',
    record([
      { name: 'a', type: 'int' },
      { name: 'b', type: 'int' },
    ]),
    record([
      { name: 'b', type: 'int' },
      { name: 'a', type: 'int' },
    ]),
  ],
  ['symbols in another order', word('A', 'B'), word('B', 'A')],
  [
    'branches in another order',
    record([{ name: 'a', type: ['null', 'int'] }]),
    record([{ name: 'a', type: ['int', 'null'] }]),
  ],
  ['another scale', decimal(2), decimal(3)],
  ['another unit of time', time('timestamp-millis'), time('timestamp-micros')],
  ['texts that are no schemas', 'a', 'b'],
])('not the same: %s', (_, a, b) => {
  expect(sameSchema(a, b)).toBe(false)
})

test('a schema that holds itself has an end', () => {
  const list = (type: string) =>
    record([
      { name: 'next', type: ['null', 'R'] },
      { name: 'a', type },
    ])
  expect([sameSchema(list('int'), ` ${list('int')}`), sameSchema(list('int'), list('long'))]).toEqual([true, false])
})

describe('fingerprints', () => {
  // Of Avro's own test data, share/test/data/schema-tests.txt: the CRC-64 of these canonical forms.
  test.each([
    ['"null"', 7195948357588979594n],
    ['{"type":"boolean"}', -6970731678124411036n],
    ['"int"', 8247732601305521295n],
    ['"string"', -8142146995180207161n],
    ['[ ]', -1241056759729112623n],
    ['{"fields":[], "type":"record", "name":"foo"}', -4824392279771201922n],
    ['{"type":"enum","name":"foo","symbols":["A1"]}', -6342190197741309591n],
    ['{"type":"fixed","name":"foo","size":15}', 1756455273707447556n],
    ['{"items":{"type":"null"}, "type":"array"}', -589620603366471059n],
  ])('%s', (text, crc) => {
    expect(BigInt.asIntN(64, BigInt(`0x${fingerprintsOf(parseNamedSchema(text)).crc64}`))).toBe(crc)
  })

  test('MD5 and SHA-256 of the same form', () => {
    const schema = parseNamedSchema('{"type": "int", "logicalType": "date"}')
    expect(parsingCanonicalForm(schema)).toBe('"int"')
    expect(fingerprintsOf(schema)).toEqual({
      crc64: '7275d51a3f395c8f',
      md5: 'ef524ea1b91e73173d938ade36c1db32',
      sha256: '3f2b87a9fe7cc9b13835598c3981cd45e3e355309e5090aa0933d7becb6fba45',
    })
  })

  test('a name is defined once and named after that', () => {
    const e = { type: 'enum', name: 'E', symbols: ['A'], doc: 'd' }
    const schema = parseNamedSchema(
      JSON.stringify({
        type: 'record',
        namespace: 'n',
        name: 'R',
        fields: [
          { name: 'a', type: e },
          { name: 'b', type: ['null', 'n.E'] },
        ],
      }),
    )
    expect(parsingCanonicalForm(schema)).toBe(
      '{"name":"n.R","type":"record","fields":[{"name":"a","type":{"name":"n.E","type":"enum","symbols":["A"]}},{"name":"b","type":["null","n.E"]}]}',
    )
  })
})
