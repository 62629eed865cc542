// One value under another schema: what a reader by Avro's rules makes of it, and why it cannot.
import { describe, expect, test } from 'vitest'
import { parseNamedSchema } from '../../../src/governance/named-schema.ts'
import { outlineOf } from '../../../src/governance/outline.ts'
import { readerFor, Unreadable } from '../../../src/governance/read-as.ts'

const record = (...fields: readonly object[]) => ({ type: 'record', name: 'R', namespace: 'n', fields })
const outline = (schema: unknown) => outlineOf(parseNamedSchema(JSON.stringify(schema)))
const read = (value: unknown, writer: unknown, reader: unknown) => readerFor(outline(writer), outline(reader))(value)

function failure(value: unknown, writer: unknown, reader: unknown): string {
  try {
    read(value, writer, reader)
  } catch (error) {
    if (error instanceof Unreadable) return `${error.path}: ${error.message}`
    throw error
  }
  throw new Error('it was read')
}

const a = (type: unknown, more: object = {}) => ({ name: 'a', type, ...more })

describe('what depends on the record', () => {
  test('null where null is no branch any more', () => {
    const [writer, reader] = [record(a(['null', 'string'])), record(a('string'))]
    expect(read({ a: 'x' }, writer, reader)).toEqual({ a: 'x' })
    expect(failure({ a: null }, writer, reader)).toBe('R.a: null was written, and string is read')
  })

  test('a symbol that the reader does not know, unless it has a default', () => {
    const kind = (symbols: readonly string[], more = {}) => record(a({ type: 'enum', name: 'K', symbols, ...more }))
    expect(read({ a: 'X' }, kind(['X', 'Y']), kind(['X']))).toEqual({ a: 'X' })
    expect(failure({ a: 'Y' }, kind(['X', 'Y']), kind(['X']))).toContain('R.a: the symbol Y was written')
    expect(read({ a: 'Y' }, kind(['X', 'Y']), kind(['X'], { default: 'X' }))).toEqual({ a: 'X' })
  })

  test('a branch that is gone, in an item of a list', () => {
    const list = (items: unknown) => record(a({ type: 'array', items }))
    expect(read({ a: [1, 2] }, list(['int', 'string']), list('long'))).toEqual({ a: [1n, 2n] })
    expect(failure({ a: [1, 'x'] }, list(['int', 'string']), list('long'))).toBe(
      'R.a[]: string was written, and long is read',
    )
  })
})

describe('what depends on the schemas', () => {
  test.each([
    ['a field without default', record(), record(a('int')), 'R.a: it was not written, and has no default'],
    ['another type', record(a('string')), record(a('int')), 'R.a: string was written, and int is read'],
    [
      'another size',
      record(a({ type: 'fixed', name: 'F', size: 2 })),
      record(a({ type: 'fixed', name: 'F', size: 3 })),
      'R.a: 2 bytes were written, and 3 are read',
    ],
    ['another name', record(), { ...record(), name: 'S' }, 'S: R was written, and S is read'],
  ])('%s', (_name, writer, reader, expected) => {
    expect(failure({ a: 'x' }, writer, reader)).toBe(expected)
  })

  test('aliases, defaults of every kind, promotions, and branches that look alike', () => {
    const writer = record({ name: 'old', type: 'int' }, { name: 'u', type: ['int', 'string'] })
    const reader = record(
      { name: 'fresh', type: 'double', aliases: ['old'] },
      { name: 'u', type: ['long', 'double', 'string'] },
      { name: 'long', type: 'long', default: 7 },
      { name: 'bytes', type: 'bytes', default: 'ÿ' },
      { name: 'late', type: ['null', 'string'], default: null },
      { name: 'inner', type: { type: 'record', name: 'I', fields: [a('long', { default: 1 })] }, default: {} },
    )
    expect(read({ old: 3, u: 5 }, writer, reader)).toEqual({
      fresh: 3,
      u: { long: 5n },
      long: 7n,
      bytes: Buffer.from([255]),
      late: null,
      inner: { a: 1n },
    })
    expect(read({ old: 3, u: 'x' }, writer, reader)).toMatchObject({ u: { string: 'x' } })
  })

  test('a namespace makes no difference; a recursive schema ends with its value', () => {
    const tree = (namespace: string) => ({
      type: 'record',
      name: 'T',
      namespace,
      fields: [{ name: 'next', type: ['null', 'T'], default: null }],
    })
    expect(read({ next: { next: null } }, tree('a'), tree('b'))).toEqual({ next: { next: null } })
  })
})

test('branches of one name inside each other are not tried without end', () => {
  const node = (namespace: string, last: unknown) => ({
    type: 'record',
    name: 'N',
    namespace,
    fields: [{ name: 'next', type: last }],
  })
  const writer = node('w', ['null', 'string', 'w.N'])
  // Two readers of the same short name, each with two for what is in it; the text at the end fits none of them.
  const reader = node('r', ['null', 'r.N', node('s', ['null', 'r.N', 's.N'])])
  const started = performance.now()
  expect(failure({ next: wrapped(1) }, writer, reader)).toContain('string was written')
  expect(failure({ next: wrapped(40) }, writer, reader)).toMatch(/too many branches|string was written/)
  expect(performance.now() - started).toBeLessThan(2_000)
})

/** A chain of records that ends in a text. */
function wrapped(depth: number): unknown {
  return depth === 0 ? 'x' : { next: wrapped(depth - 1) }
}
