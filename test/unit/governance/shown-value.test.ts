// Values in words, and the records that examples are made up from.
import { expect, test } from 'vitest'
import { parseNamedSchema } from '../../../src/governance/named-schema.ts'
import { outlineOf } from '../../../src/governance/outline.ts'
import { sampleRecord } from '../../../src/governance/sample-record.ts'
import { leavesOf } from '../../../src/governance/shown-value.ts'
import { compileDecoder, compileEncoder } from '../../../src/schema/codec.ts'
import { parseSchema } from '../../../src/schema/parse.ts'

const record = (type: unknown) => JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'f', type }] })

function shown(type: unknown, value: unknown): string | undefined {
  return leavesOf({ f: value }, outlineOf(parseNamedSchema(record(type))), 'R').get('R.f')
}

const decimal = (scale: number) => ({ type: 'bytes', logicalType: 'decimal', precision: 20, scale })
const time = (logicalType: string) => ({
  type: logicalType === 'date' || logicalType === 'time-millis' ? 'int' : 'long',
  logicalType,
})

test.each<[type: unknown, value: unknown, text: string]>([
  [decimal(2), Buffer.from([0x04, 0xd2]), '12.34'],
  [decimal(3), Buffer.from([0x04, 0xd2]), '1.234'],
  [decimal(0), Buffer.from([0x04, 0xd2]), '1234'],
  [decimal(2), Buffer.from([0xff]), '-0.01'],
  [decimal(2), Buffer.alloc(0), '0.00'],
  [time('date'), 20_454, '2026-01-01'],
  [time('date'), -1, '1969-12-31'],
  [time('time-millis'), 61_001, '00:01:01.001'],
  [time('timestamp-millis'), 1_000, '1970-01-01T00:00:01.000Z'],
  [time('timestamp-micros'), -1n, '1969-12-31T23:59:59.999999Z'],
  [time('timestamp-nanos'), 1_767_225_600_000_000_001n, '2026-01-01T00:00:00.000000001Z'],
  [time('local-timestamp-millis'), 0, '1970-01-01T00:00:00.000'],
  [time('timestamp-millis'), 2n ** 62n, '4611686018427387904'],
  [{ type: 'double', logicalType: 'timestamp-millis' }, 4.5, '4.5'],
  [['null', decimal(1)], null, 'null'],
  [['null', decimal(1)], Buffer.from([0x7b]), '12.3'],
  [['null', 'int', 'long'], { long: 5n }, '5'],
  [{ type: 'array', items: 'int' }, [1, 2], '[1,2]'],
  ['string', 'x'.repeat(500), `"${'x'.repeat(198)}…`],
])('%j of %o is %s', (type, value, text) => expect(shown(type, value)).toBe(text))

test('fields of nested records are leaves, through unions too', () => {
  const inner = { type: 'record', name: 'I', fields: [{ name: 'x', type: 'int' }] }
  const root = outlineOf(parseNamedSchema(record(['null', inner])))
  expect([...leavesOf({ f: { x: 1 } }, root, 'R')]).toEqual([['R.f.x', '1']])
  expect([...leavesOf({ f: null }, root, 'R')]).toEqual([['R.f', 'null']])
})

test.each<[name: string, text: string]>([
  [
    'every primitive',
    JSON.stringify({
      type: 'record',
      name: 'R',
      fields: ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'].map(type => ({
        name: `f_${type}`,
        type,
      })),
    }),
  ],
  [
    'logical types',
    JSON.stringify({
      type: 'record',
      name: 'R',
      fields: ['date', 'time-millis', 'time-micros', 'timestamp-millis', 'timestamp-micros', 'timestamp-nanos'].map(
        (each, i) => ({ name: `f${i}`, type: time(each) }),
      ),
    }),
  ],
  [
    'unions that look alike',
    record(['null', 'int', 'long', { type: 'enum', name: 'E', symbols: ['A', 'B'] }, 'string']),
  ],
  [
    'a list of itself',
    '{"type": "record", "name": "R", "fields": [{"name": "next", "type": {"type": "array", "items": "R"}}, {"name": "parent", "type": ["null", "R"]}]}',
  ],
  ['fixed and maps', record({ type: 'map', values: { type: 'fixed', name: 'F', size: 3 } })],
])('records are made up from a schema with %s, and the codec takes them', (_name, text) => {
  for (let index = 0; index < 8; index++) {
    const value = sampleRecord(parseSchema(text).root, index)!
    const framed = compileEncoder(text).encode(value, 1)
    expect(compileDecoder(text, null).decode(framed)).toBeDefined()
  }
})
