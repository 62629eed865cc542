import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../../src/core/errors.ts'
import { compileDecoder, compileEncoder } from '../../../src/schema/codec.ts'
import { readSchemaId } from '../../../src/schema/wire.ts'

const record = (...fields: unknown[]) => JSON.stringify({ type: 'record', name: 'R', fields })
const one = (type: unknown, more: object = {}) => record({ name: 'f', type, ...more })

function roundTrip(schema: string, value: Record<string, unknown>): Record<string, unknown> {
  return compileDecoder(schema, null).decode(compileEncoder(schema).encode(value, 1))
}

function refusal(work: () => unknown): WeirError {
  try {
    work()
  } catch (error) {
    if (error instanceof WeirError) return error
    throw error
  }
  throw new Error('accepted')
}

const review = {
  review_id: 'R1',
  product_asin: 'B07FZ8S74R',
  reviewer_name: null,
  review_text: 'Très bien 👍',
  review_title: 'Good',
  rating: 4.5,
  review_date: '2024',
  helpfulness_votes: 3,
  ingestion_timestamp: 1_764_000_000_000,
}
const reviewSchema = readFileSync(join(import.meta.dirname, '../../../schemas/raw-review.avsc'), 'utf8')

describe('round trips', () => {
  test('a review comes back equal, as a plain object', () => {
    const back = roundTrip(reviewSchema, review)
    expect(back).toStrictEqual(review)
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
  })

  test('a dead letter comes back equal, bytes and offsets included', () => {
    const schema = readFileSync(join(import.meta.dirname, '../../../schemas/dead-letter.avsc'), 'utf8')
    const letter = {
      error_code: 'map.failed',
      error_message: 'm',
      error_path: '/rating',
      error_hint: null,
      stage: 'map',
      pipeline: 'p',
      split: 's',
      source_position: '17',
      source_place: 'line 2',
      context: null,
      topic: 't',
      original_topic: 't',
      original_partition: 3,
      original_offset: 2n ** 62n,
      consumer_group: null,
      original_key: Buffer.from('k'),
      original: Buffer.from([0, 255]),
      original_headers: [
        { name: 'h', value: Buffer.from('v') },
        { name: 'h', value: Buffer.alloc(0) },
      ],
      schema_id: 7,
      attempts: 1,
      first_failed_at: 1,
      last_failed_at: 2,
      weir_version: '0.1.0',
    }
    expect(roundTrip(schema, letter)).toEqual(letter)
  })

  test.each([
    0n,
    1n,
    -1n,
    2n ** 31n,
    -(2n ** 31n),
    2n ** 52n,
    -(2n ** 52n) - 1n,
    2n ** 53n,
    -(2n ** 53n),
    2n ** 63n - 1n,
    -(2n ** 63n),
  ])('a long keeps %d', value => {
    expect(roundTrip(one('long'), { f: value })).toEqual({ f: value })
    expect(roundTrip(one(['null', 'long']), { f: value })).toEqual({ f: value })
  })

  test('a long takes a safe number and gives a bigint; a timestamp-millis gives a number', () => {
    expect(roundTrip(one('long'), { f: -9007199254740991 })).toEqual({ f: -9007199254740991n })
    const ms = one({ type: 'long', logicalType: 'timestamp-millis' })
    expect(roundTrip(ms, { f: 1_764_000_000_000n })).toEqual({ f: 1_764_000_000_000 })
    expect(roundTrip(ms, { f: 2n ** 60n })).toEqual({ f: 2n ** 60n })
  })

  test('fields named like members of every object break nothing', () => {
    const schema = record(
      { name: 'toString', type: 'string' },
      { name: 'valueOf', type: 'long' },
      { name: 'hasOwnProperty', type: ['null', 'int'] },
    )
    const value = { toString: 'x', valueOf: 5n, hasOwnProperty: null }
    expect(Object.entries(roundTrip(schema, value as never))).toEqual(Object.entries(value))
  })

  test('map keys of any name are data, __proto__ too', () => {
    const value = JSON.parse('{"f":{"__proto__":1,"constructor":2,"a":3}}')
    expect(JSON.stringify(roundTrip(one({ type: 'map', values: 'int' }), value))).toBe(JSON.stringify(value))
  })

  test('a union whose branches look alike carries the name of the branch', () => {
    const schema = one(['null', 'int', 'double', 'string'])
    for (const f of [null, { int: 5 }, { double: 5 }, { string: 'x' }]) expect(roundTrip(schema, { f })).toEqual({ f })
    const records = one([
      'null',
      { type: 'record', name: 'a.A', fields: [{ name: 'x', type: 'int' }] },
      { type: 'record', name: 'a.B', fields: [{ name: 'x', type: 'int' }] },
    ])
    expect(roundTrip(records, { f: { 'a.B': { x: 1 } } })).toEqual({ f: { 'a.B': { x: 1 } } })
  })

  test('other unions carry plain values', () => {
    const schema = one(['null', 'long', 'string', 'boolean', 'bytes', { type: 'array', items: 'int' }])
    for (const f of [null, 5n, 'x', true, Buffer.from([1]), [1, 2]]) expect(roundTrip(schema, { f })).toEqual({ f })
  })

  test('bytes and fixed take any Uint8Array', () => {
    const schema = record(
      { name: 'a', type: 'bytes' },
      { name: 'b', type: { type: 'fixed', name: 'F', size: 2 } },
      { name: 'c', type: { type: 'fixed', name: 'Z', size: 0 } },
    )
    const back = roundTrip(schema, {
      a: new Uint8Array([1, 2, 3]).subarray(1),
      b: new Uint8Array([7, 8]),
      c: new Uint8Array(0),
    })
    expect(back).toEqual({ a: Buffer.from([2, 3]), b: Buffer.from([7, 8]), c: Buffer.alloc(0) })
  })

  test('the replacement character itself is valid text', () => {
    expect(roundTrip(one('string'), { f: 'a\ufffdb' })).toEqual({ f: 'a\ufffdb' })
  })

  test('fields left out get their default, each record its own', () => {
    const schema = record(
      { name: 'a', type: { type: 'array', items: 'int' }, default: [1] },
      { name: 'b', type: ['long', 'null'], default: 12345 },
      { name: 'c', type: 'int', default: 4 },
    )
    const text = schema.replace('12345', '9223372036854775807')
    expect(roundTrip(text, {})).toEqual({ a: [1], b: 9223372036854775807n, c: 4 })
  })
})

describe('encoder', () => {
  test('names the field and what was expected, never the value', () => {
    const schema = record(
      { name: 'id', type: 'string' },
      { name: 'votes', type: ['null', 'int'] },
      {
        name: 'tags',
        type: {
          type: 'array',
          items: {
            type: 'record',
            name: 'T',
            fields: [{ name: 'n', type: { type: 'enum', name: 'E', symbols: ['A', 'B'] } }],
          },
        },
      },
    )
    const encoder = compileEncoder(schema)
    const good = { id: 'x', votes: 1, tags: [{ n: 'A' }] }
    const cases: [object, string, string][] = [
      [{ ...good, id: 5 }, '/id', 'expected string, got a number'],
      [{ votes: 1, tags: [] }, '/id', 'a required field has no value'],
      [{ ...good, id: 'canary\ud83d' }, '/id', 'lone surrogate'],
      [{ ...good, votes: 1.5 }, '/votes', 'expected int or null, got a number with a fraction'],
      [{ ...good, votes: 2 ** 31 }, '/votes', 'out of range'],
      [{ ...good, votes: 'canary' }, '/votes', 'got a string'],
      [{ ...good, tags: [{ n: 'A' }, { n: 'canary' }] }, '/tags/1/n', 'expected one of A, B, got another string'],
      [{ ...good, tags: [{ n: 'toString' }] }, '/tags/0/n', 'another string'],
      [{ ...good, tags: [{ n: ['A'] }] }, '/tags/0/n', 'got a list'],
      [{ ...good, tags: {} }, '/tags', 'got an object'],
    ]
    for (const [value, at, message] of cases) {
      const error = refusal(() => encoder.encode(value as never, 1))
      expect(error).toMatchObject({ code: 'encode.invalid', at })
      expect(error.message).toContain(message)
      expect(`${error.message}${error.hint}`).not.toContain('canary')
    }
    expect(compileDecoder(schema, null).decode(encoder.encode(good, 1))).toEqual(good)
  })

  test('refuses numbers that a long cannot hold', () => {
    const encoder = compileEncoder(one('long'))
    for (const f of [2 ** 53, 1.5, Number.NaN, 2n ** 63n, -(2n ** 63n) - 1n, '1', null])
      expect(refusal(() => encoder.encode({ f }, 1)).code).toBe('encode.invalid')
  })

  test('keeps earlier values whole while slabs fill and change', () => {
    const schema = one('string')
    const encoder = compileEncoder(schema)
    const decoder = compileDecoder(schema, null)
    const texts = Array.from({ length: 4000 }, (_, i) => `${i}-`.repeat(100 + (i % 900)))
    const framed = texts.map((f, i) => encoder.encode({ f }, i))
    framed.forEach((bytes, i) => {
      expect(readSchemaId(bytes)).toBe(i)
      expect(decoder.decode(bytes)['f'] === texts[i]).toBe(true)
    })
  })

  test('a value larger than a slab is written alone, up to the cap', () => {
    const schema = one('bytes')
    const f = Buffer.alloc(3 * 1024 * 1024, 7)
    const framed = compileEncoder(schema, { maxBytes: 4 * 1024 * 1024 }).encode({ f }, 1)
    expect((compileDecoder(schema, null).decode(framed)['f'] as Buffer).equals(f)).toBe(true)
    const error = refusal(() => compileEncoder(schema).encode({ f }, 1))
    expect(error).toMatchObject({ code: 'encode.too_large' })
    expect(error.message).toContain('1048576')
  })

  test('the cap counts the header, to the byte', () => {
    const encoder = compileEncoder(one('string'), { maxBytes: 16 })
    expect(encoder.encode({ f: 'x'.repeat(10) }, 1)).toHaveLength(16)
    expect(refusal(() => encoder.encode({ f: 'x'.repeat(11) }, 1)).code).toBe('encode.too_large')
  })

  test('goes on after a failure', () => {
    const encoder = compileEncoder(one('string'))
    const first = encoder.encode({ f: 'a' }, 1)
    expect(() => encoder.encode({ f: 1 }, 1)).toThrow()
    encoder.encode({ f: 'b' }, 1)
    expect([...first]).toEqual([0, 0, 0, 0, 1, 2, 97])
  })

  test('repairs text where asked to', () => {
    const schema = one(['null', 'string'])
    const framed = compileEncoder(schema, { repairText: true }).encode({ f: 'cut \ud83d' }, 1)
    expect(compileDecoder(schema, null).decode(framed)).toEqual({ f: 'cut \ufffd' })
  })
})

describe('resolution to the reader', () => {
  const read = (writer: string, reader: string, value: Record<string, unknown>) =>
    compileDecoder(writer, reader).decode(compileEncoder(writer).encode(value, 1))

  test('fields are matched by name and alias, new ones get their default, old ones are skipped', () => {
    const writer = record(
      { name: 'a', type: 'string' },
      { name: 'gone', type: { type: 'map', values: 'int' } },
      { name: 'b', type: 'int' },
    )
    const reader = record(
      { name: 'c', aliases: ['b'], type: 'long' },
      { name: 'a', type: ['null', 'string'] },
      { name: 'fresh', type: 'string', default: 'x' },
    )
    expect(read(writer, reader, { a: 'v', gone: { k: 1 }, b: 5 })).toEqual({ c: 5n, a: 'v', fresh: 'x' })
  })

  test('namespaces are ignored, names are not', () => {
    const named = (name: string) => JSON.stringify({ type: 'record', name, fields: [{ name: 'f', type: 'int' }] })
    expect(read(named('a.b.Review'), named('Review'), { f: 1 })).toEqual({ f: 1 })
    expect(refusal(() => compileDecoder(named('Order'), named('Review')))).toMatchObject({
      code: 'schema.unresolvable',
    })
  })

  test.each<[string, string, unknown, unknown]>([
    ['int', 'long', 5, 5n],
    ['int', 'float', 5, 5],
    ['int', 'double', 5, 5],
    ['long', 'float', 5n, 5],
    ['long', 'double', -(2n ** 63n), -(2 ** 63)],
    ['float', 'double', 1.5, 1.5],
    ['string', 'bytes', 'a', Buffer.from('a')],
    ['bytes', 'string', Buffer.from('a'), 'a'],
  ])('%s is read as %s', (from, to, value, back) => {
    expect(read(one(from), one(to), { f: value })).toEqual({ f: back })
    expect(read(one(from), one(['null', to]), { f: value })).toEqual({ f: back })
  })

  test('a union prefers the branch of the same type to a promotion', () => {
    expect(read(one('long'), one(['null', 'double', 'long']), { f: 2n ** 60n })).toEqual({ f: { long: 2n ** 60n } })
    expect(read(one('bytes'), one(['string', 'bytes']), { f: Buffer.from([0xff]) })).toEqual({ f: Buffer.from([0xff]) })
  })

  test('bytes that are not UTF-8 are not read as a string', () => {
    expect(refusal(() => read(one('bytes'), one('string'), { f: Buffer.from([0xff]) }))).toMatchObject({
      code: 'decode.invalid',
      at: 'byte 6',
    })
  })

  test('an unknown enum symbol becomes the default of the reader', () => {
    const kind = (symbols: string[], more: object = {}) => one({ type: 'enum', name: 'E', symbols, ...more })
    expect(read(kind(['A', 'B']), kind(['A', 'Z'], { default: 'Z' }), { f: 'B' })).toEqual({ f: 'Z' })
  })

  test('two decoders of one schema share nothing', () => {
    const writer = one({ type: 'enum', name: 'E', symbols: ['A'] })
    const a = compileDecoder(writer, one({ type: 'enum', name: 'E', symbols: ['A', 'B'] }))
    const b = compileDecoder(writer, null)
    const framed = compileEncoder(writer).encode({ f: 'A' }, 1)
    expect([a.decode(framed), b.decode(framed), a.decode(framed)]).toEqual([{ f: 'A' }, { f: 'A' }, { f: 'A' }])
  })

  test('a recursive record is resolved', () => {
    const tree = (more: object[]) => record({ name: 'n', type: 'int' }, { name: 'next', type: ['null', 'R'] }, ...more)
    expect(
      read(tree([]), tree([{ name: 'x', type: 'int', default: 0 }]), { n: 1, next: { n: 2, next: null } }),
    ).toEqual({ n: 1, next: { n: 2, next: null, x: 0 }, x: 0 })
  })
})
