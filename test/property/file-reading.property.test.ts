// A file read in parts, each from the cursor of the one before, gives what one pass gives; rows are what csv-parse reads.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import type { SourceBatch } from '../../src/core/record.ts'
import { compileExpression } from '../../src/mapping/expression.ts'
import { readBookmark } from '../../src/sources/file/bookmark.ts'
import { openFile } from '../../src/sources/file/place.ts'
import { type ReadOptions, readFile } from '../../src/sources/file/reader.ts'
import type { FileConfig, Format } from '../../src/sources/file/settings.ts'
import { planStart } from '../../src/sources/file/start.ts'
import { RowScanner } from '../../src/sources/row.ts'
import { plain } from '../support/file-source.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-property-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = join(folder, 'file')
const { signal } = new AbortController()

async function read(options: ReadOptions, cursor: string | null): Promise<SourceBatch[]> {
  await using file = await openFile(path, 'file', folder)
  const mark = cursor === null ? null : readBookmark(cursor)
  const { start } = await planStart(file, mark, {
    name: 'file',
    root: folder,
    follow: false,
    gzip: options.gzip,
    notice: () => {},
  })
  const batches: SourceBatch[] = []
  for await (const batch of readFile(file, start, options, undefined, signal)) batches.push(batch)
  return batches
}

const flat = (batches: readonly SourceBatch[]) => batches.flatMap(({ items }) => items.map(plain))

interface Sample {
  readonly format: Format
  readonly text: string
  readonly records?: string
}

const object = fc.constantFrom(
  '{"a":1}',
  '{"b":"é\\n😀"}',
  '{"c":[1,{"d":2}]}',
  '{"list":[{"x":1},{"x":2},{"x":3}]}',
  '{"list":[]}',
  '{broken',
  '5',
  '',
)
const field = fc.constantFrom('x', '', '"a,b"', '"two\nlines"', '"say ""hi"""', 'é', '"open', '5" tall')
const samples: fc.Arbitrary<Sample> = fc.oneof(
  fc.record({ format: fc.constant('ndjson' as const), text: fc.array(object).map(lines => lines.join('\n')) }),
  fc.record({
    format: fc.constant('ndjson' as const),
    text: fc.array(object).map(lines => lines.join('\r\n')),
    records: fc.constant('this.list'),
  }),
  fc.record({ format: fc.constant('json' as const), text: fc.array(object).map(items => `[${items.join(' ,\n')}] `) }),
  fc.record({
    format: fc.constant('json' as const),
    text: fc.array(object).map(items => `{"list": [${items.join(',')}]}`),
    records: fc.constant('this.list'),
  }),
  fc.record({
    format: fc.constant('csv' as const),
    text: fc.array(fc.tuple(field, field)).map(rows => ['a,b', ...rows.map(row => row.join(','))].join('\n')),
  }),
)

test('I13: for any file and any cursor on the way, going on from the cursor gives exactly the rest', async () => {
  await fc.assert(
    fc.asyncProperty(
      samples,
      fc.boolean(),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 4 }),
      async (sample, gzip, chunkBytes, items) => {
        writeFileSync(path, gzip ? gzipSync(sample.text) : sample.text)
        const options: ReadOptions = {
          config: { quote: '"', max_item: 1024, max_document: 4096 } as FileConfig,
          name: 'file',
          format: sample.format,
          gzip,
          records: sample.records === undefined ? undefined : compileExpression(sample.records, ['this']),
          clock: systemClock,
          chunkBytes,
          limits: { items, bytes: 100 },
        }
        const batches = await read(options, null)
        for (let i = 0; i < batches.length; i++) {
          const rest = await read({ ...options, chunkBytes: 1024 }, batches[i]!.cursor)
          expect(flat(rest)).toEqual(flat(batches.slice(i + 1)))
        }
        const positions = flat(batches).map(({ position }) => position)
        expect(new Set(positions).size).toBe(positions.length)
      },
    ),
    { numRuns: 500 },
  )
})

test('for any fields, rows are read as csv-parse reads them', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'é', '😀', '"', ',', '\n', '\r\n', ' ', "'", ';'), maxLength: 8 })
  const quoted = (value: string) =>
    /[",\n\r]/.test(value) || value === '' ? `"${value.replaceAll('"', '""')}"` : value
  fc.assert(
    fc.property(
      fc.array(fc.array(text, { minLength: 1, maxLength: 4 }), { minLength: 1 }),
      fc.constantFrom('\n', '\r\n'),
      (rows, lineBreak) => {
        const bytes = Buffer.from(rows.map(row => row.map(quoted).join(',') + lineBreak).join(''))
        const scanner = new RowScanner({ delimiter: ',', quote: '"' })
        const read: string[][] = []
        for (let at = 0; at < bytes.length; at = scanner.next) {
          expect(scanner.scan(bytes, at, true)).toBe(true)
          expect(scanner.fault).toBeUndefined()
          read.push(scanner.fields)
        }
        expect(read).toEqual(rows)
        expect(read).toEqual(parse(bytes, { relax_column_count: true, record_delimiter: lineBreak }))
      },
    ),
    { numRuns: 1000 },
  )
})
