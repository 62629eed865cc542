// What the sample answers and the published files are expected to give, and the rules by which a record is compared with it: null, an empty
// text and zero votes are the same; white space is collapsed; entities and tags of data sets are decoded on both sides; `<field>_alt` is as
// good as the field.
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'vitest'
import { compileExpression } from '../../src/mapping/expression.ts'

const shared = resolve(import.meta.dirname, '../../../shared')
/** Not part of the project: tests of them are skipped by name where they are not. */
export const samplesFolder = join(shared, 'sources/samples')
export const publishedFolder = join(shared, 'data/real')
export const haveSamples = existsSync(join(samplesFolder, 'EXPECTED.jsonl'))
export const havePublished = existsSync(join(publishedFolder, 'MANIFEST.md'))

export type Expected = Readonly<Record<string, unknown>>

const fields = [
  'review_id',
  'product_asin',
  'reviewer_name',
  'review_text',
  'review_title',
  'rating',
  'review_date',
  'helpfulness_votes',
]

const linesOf = (text: string): Expected[] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Expected)

/** The records expected of a sample answer, in the order of the document. */
export function expectedOfSample(file: string): readonly Expected[] {
  const all = linesOf(readFileSync(join(samplesFolder, 'EXPECTED.jsonl'), 'utf8'))
  const found = all.filter(line => line['file'] === file)
  expect(found.length, `records expected of ${file}`).toBeGreaterThan(0)
  return found.map(line => line['raw'] as Expected)
}

export const expectedOfPublished = (name: string): readonly Expected[] =>
  linesOf(readFileSync(join(publishedFolder, 'expected', `${name}.expected.jsonl`), 'utf8'))

const decode = compileExpression('clean_text(this.text)', ['this'])

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value === '' || value === undefined || value === 0) return null
  if (typeof value !== 'string') return value
  return (value.includes('<') || value.includes('&') ? String(decode.evaluate({ this: { text: value } })) : value)
    .replace(/\s+/g, ' ')
    .trim()
}

/** Fails unless the records are exactly the expected ones, in their order. An id of our own stands where the source gives none. */
export function expectRecords(records: readonly Expected[], expected: readonly Expected[]): void {
  expect(records.length).toBe(expected.length)
  records.forEach((record, n) => {
    for (const field of fields) {
      const allowed = [expected[n]![field], ...((expected[n]![`${field}_alt`] as unknown[]) ?? [])].map(plain)
      const given = plain(record[field])
      const isOwnId = field === 'review_id' && allowed.includes(null) && /^h:[0-9a-f]{24}$/.test(String(given))
      if (!allowed.includes(given) && !isOwnId) expect({ n, field, given }).toEqual({ n, field, given: allowed[0] })
    }
  })
}
