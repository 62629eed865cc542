// Whatever bytes a file holds, and however they arrive: the same items, and each byte is in an item or stands between items.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Item } from '../../src/core/record.ts'
import type { Cutter } from '../../src/sources/file/cutter.ts'
import { cutElements } from '../../src/sources/file/elements.ts'
import type { ByteInput } from '../../src/sources/file/input.ts'
import { cutLines } from '../../src/sources/file/lines.ts'
import { originOf, Piece } from '../../src/sources/file/piece.ts'
import { cutRows } from '../../src/sources/file/rows.ts'
import { Window } from '../../src/sources/file/window.ts'
import { plain } from '../support/file-source.ts'

const origin = originOf('f', 0)
const limits = { maxItem: 60, maxDocument: 100_000 }
const cutters: Record<string, () => Cutter> = {
  ndjson: () => cutLines(origin, limits.maxItem, false),
  csv: () => cutRows(origin, { delimiter: ',', quote: '"' }, ['a', 'b'], limits.maxItem),
  'tsv without quotes': () => cutRows(origin, { delimiter: '\t', quote: null }, ['a', 'b'], limits.maxItem),
  json: () => cutElements(origin, limits, { whole: false, resumed: false }),
}

/** Gives the bytes in pieces of the given sizes, again and again. */
function inputOf(bytes: Buffer, sizes: readonly number[]): ByteInput {
  let at = 0
  let turn = 0
  return {
    async read(target, from) {
      const size = Math.min(sizes[turn++ % sizes.length]!, target.length - from, bytes.length - at)
      bytes.copy(target, from, at, at + size)
      at += size
      return size
    },
    async [Symbol.asyncDispose]() {},
  }
}

async function cutAll(cutter: Cutter, bytes: Buffer, sizes: readonly number[], chunk: number): Promise<Item[]> {
  const window = new Window(0, 1, chunk)
  const input = inputOf(bytes, sizes)
  const items: Item[] = []
  for (;;) {
    for (let item = cutter.next(window, false); item; item = cutter.next(window, false)) items.push(item)
    if ((await window.fill(input)) === 0) break
  }
  for (let item = cutter.next(window, true); item; item = cutter.next(window, true)) items.push(item)
  return items
}

const soup = fc
  .array(
    fc.oneof(
      {
        weight: 6,
        arbitrary: fc.constantFrom(
          '{"a":1}',
          '{"b":"é😀"}',
          '"',
          '""',
          ',',
          '\n',
          '\r\n',
          '\t',
          '[',
          ']',
          '{',
          '}',
          ':',
          ' ',
          '\\',
          'x,y\n',
          '"p,\n""q""",z\n',
          '\ufeff',
        ),
      },
      { weight: 1, arbitrary: fc.constantFrom('y'.repeat(70), '{"long":"'.padEnd(80, 'z')) },
    ),
    { maxLength: 40 },
  )
  .chain(parts => fc.tuple(fc.constant(parts.join('')), fc.constantFrom('', '[')))
  .map(([text, start]) => Buffer.from(start + text))
const anyBytes = fc.oneof(
  soup,
  fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes)),
)
const anySizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 })

describe.each(Object.keys(cutters))('%s', format => {
  test('for any bytes, split at any boundaries, the items are the same', async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, anySizes, fc.integer({ min: 1, max: 64 }), async (bytes, sizes, chunk) => {
        const whole = await cutAll(cutters[format]!(), bytes, [1_000_000], 1_000_000)
        const parts = await cutAll(cutters[format]!(), bytes, sizes, chunk)
        expect(parts.map(summary)).toEqual(whole.map(summary))
      }),
      { numRuns: 1500 },
    )
  })

  test('I2: for any bytes, every byte is in an item or stands between items', async () => {
    await fc.assert(
      fc.asyncProperty(anyBytes, anySizes, async (bytes, sizes) => {
        const items = await cutAll(cutters[format]!(), bytes, sizes, 32)
        let at = 0
        for (const item of items) {
          const start = Number(item.position)
          expect(start).toBeGreaterThanOrEqual(at)
          expectSeparators(bytes.subarray(at, start), format)
          at = start + lengthOf(item)
          expect(bytes.subarray(start, at).toString('latin1').startsWith(plain(item).raw)).toBe(true)
        }
        expectSeparators(bytes.subarray(at), format)
      }),
      { numRuns: 1500 },
    )
  })
})

/** Errors may tell where a quote was given up differently; what is kept is the same. */
function summary(item: Item) {
  return plain(item)
}

function lengthOf(item: Item): number {
  if (item instanceof Piece) return item.size
  return (JSON.parse(item.context!) as { of: number }).of
}

function expectSeparators(bytes: Buffer, format: string): void {
  const text = bytes.toString('latin1').replaceAll('\u00ef\u00bb\u00bf', '')
  expect(text).toMatch(format === 'json' ? /^[\s,[\]]*$/ : format === 'ndjson' ? /^[\s]*$/ : /^[\r\n]*$/)
}
