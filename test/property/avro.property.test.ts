// Values of generated schemas survive the wire; damaged bytes give an error or a value, never a crash, a hang or a mountain of memory.

import avro from 'avsc'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import { compileDecoder, compileEncoder } from '../../src/schema/codec.ts'
import { canonicalText } from '../../src/schema/parse.ts'
import { cpuMs } from '../support/cpu-time.ts'

interface Sample {
  readonly schema: unknown
  readonly value: fc.Arbitrary<unknown>
}

const long = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -100n, max: 100n }))
const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const scalars: readonly Sample[] = [
  { schema: 'null', value: fc.constant(null) },
  { schema: 'boolean', value: fc.boolean() },
  { schema: 'int', value: fc.integer() },
  { schema: 'long', value: long },
  { schema: 'float', value: fc.float({ noNaN: true }) },
  { schema: 'double', value: fc.double({ noNaN: true }) },
  { schema: 'string', value: text },
  { schema: 'bytes', value: fc.uint8Array({ maxLength: 20 }).map(bytes => Buffer.from(bytes)) },
]

let names = 0
const name = () => `N${names++}`

function samples(depth: number): fc.Arbitrary<Sample> {
  const scalar = fc.constantFrom(...scalars)
  if (depth === 0) return scalar
  const inner = samples(depth - 1)
  return fc.oneof(
    { weight: 3, arbitrary: scalar },
    inner.map(({ schema, value }) => ({
      schema: { type: 'array', items: schema },
      value: fc.array(value, { maxLength: 4 }),
    })),
    inner.map(({ schema, value }) => ({
      schema: { type: 'map', values: schema },
      value: fc
        .uniqueArray(text, { maxLength: 4 })
        .chain(keys =>
          fc.tuple(...keys.map(() => value)).map(values => nullObject(keys.map((key, i) => [key, values[i]]))),
        ),
    })),
    inner
      .filter(({ schema }) => schema !== 'null')
      .map(({ schema, value }) => ({ schema: ['null', schema], value: fc.option(value) }))
      .filter(({ schema }) => !Array.isArray(schema[1])),
    fc.constant(null).map(() => ({
      schema: { type: 'enum', name: name(), symbols: ['A', 'B', 'C'] },
      value: fc.constantFrom('A', 'B', 'C'),
    })),
    fc.integer({ min: 0, max: 12 }).map(size => ({
      schema: { type: 'fixed', name: name(), size },
      value: fc.uint8Array({ minLength: size, maxLength: size }).map(bytes => Buffer.from(bytes)),
    })),
    records(depth - 1),
  )
}

function records(depth: number): fc.Arbitrary<Sample> {
  return fc.array(samples(depth), { minLength: 1, maxLength: 6 }).map(fields => ({
    schema: {
      type: 'record',
      name: name(),
      fields: fields.map(({ schema }, i) => ({ name: fieldName(i), type: schema })),
    },
    value: fc
      .tuple(...fields.map(({ value }) => value))
      .map(values => Object.fromEntries(values.map((value, i) => [fieldName(i), value]))),
  }))
}

const fieldName = (i: number) => ['toString', 'id', 'hasOwnProperty', 'f3', '_f4', 't'][i]!

function nullObject(entries: (readonly [string, unknown])[]): Record<string, unknown> {
  const object: Record<string, unknown> = Object.create(null)
  for (const [key, value] of entries) object[key] = value
  return object
}

const cases = records(2).chain(({ schema, value }) =>
  fc.record({ schema: fc.constant(JSON.stringify(schema)), value: value as fc.Arbitrary<Record<string, unknown>> }),
)

describe('for any schema and value', () => {
  test('what is encoded decodes to the same value, with and without a reader', () => {
    fc.assert(
      fc.property(cases, ({ schema, value }) => {
        const framed = compileEncoder(schema).encode(value, 1)
        expect(compileDecoder(schema, null).decode(framed)).toEqual(value)
        expect(compileDecoder(schema, canonicalText(`${schema} `)).decode(framed)).toEqual(value)
      }),
      { numRuns: 400 },
    )
  })

  test('the bytes are those of avsc alone, where avsc can write the value', () => {
    // avsc writes lone longs as numbers only, so values with one are left out.
    const plain = cases.filter(({ value }) => !holdsBigint(value))
    fc.assert(
      fc.property(plain, ({ schema, value }) => {
        const theirs = avro.Type.forSchema(JSON.parse(schema)).toBuffer(value)
        expect(Buffer.from(compileEncoder(schema).encode(value, 1).subarray(5)).equals(theirs)).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  test('damaged bytes give an error with a place, or a value', () => {
    const damage = fc.array(
      fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), how: fc.constantFrom('set', 'insert', 'cut') }),
      { minLength: 1, maxLength: 4 },
    )
    const rssBefore = process.memoryUsage().rss
    let slowestMs = 0
    fc.assert(
      fc.property(cases, damage, ({ schema, value }, edits) => {
        let bytes = [...compileEncoder(schema).encode(value, 1)]
        for (const { at, byte, how } of edits) {
          const index = 5 + (at % Math.max(1, bytes.length - 4))
          if (how === 'set') bytes[index] = byte
          else if (how === 'insert') bytes.splice(index, 0, byte, byte, byte)
          else bytes = bytes.slice(0, index)
        }
        const decoder = compileDecoder(schema, null)
        const startedMs = cpuMs()
        try {
          decoder.decode(Uint8Array.from(bytes, byte => byte ?? 0))
        } catch (error) {
          expect(error).toBeInstanceOf(WeirError)
          expect((error as WeirError).code).toMatch(/^decode\.(invalid|limit)$/)
          expect((error as WeirError).at).toMatch(/^byte \d+$/)
          expect((error as WeirError).cause).toBeUndefined()
        }
        slowestMs = Math.max(slowestMs, cpuMs() - startedMs)
      }),
      { numRuns: 3000 },
    )
    expect(slowestMs).toBeLessThan(500)
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(400 * 1024 * 1024)
  })

  test('random bytes never pass as more than they are', () => {
    const schema = JSON.stringify({
      type: 'record',
      name: 'R',
      fields: [
        {
          name: 'a',
          type: { type: 'array', items: ['null', { type: 'map', values: { type: 'array', items: 'null' } }] },
        },
        { name: 'n', type: ['null', 'R'] },
      ],
    })
    const decoder = compileDecoder(schema, null)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), body => {
        try {
          decoder.decode(Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), body]))
        } catch (error) {
          expect(error).toBeInstanceOf(WeirError)
        }
      }),
      { numRuns: 5000 },
    )
  })
})

function holdsBigint(value: unknown): boolean {
  if (typeof value === 'bigint') return true
  return (
    typeof value === 'object' && value !== null && !Buffer.isBuffer(value) && Object.values(value).some(holdsBigint)
  )
}
