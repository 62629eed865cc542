// The file source and the mapping language over real data: every file it can read gives exactly the records of its expected file. What the
// project ships is always tested; the published files, which are not part of it, where their folder is there.
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { codeOf } from '../../src/core/errors.ts'
import { openFileSource, readOnce } from '../support/file-source.ts'
import { type Definition, definitions, expectRecords } from '../support/real-files.ts'

const published = resolve(import.meta.dirname, '../../../shared/data/real')
const isThere = existsSync(published)
const project = resolve(import.meta.dirname, '../..')

const definitionOf = (name: string): Definition => definitions.find(({ file }) => file.endsWith(`/${name}`))!

describe('shipped data', () => {
  test.each([
    'scraped-echo-plan.csv',
    'scraped-fire-case.csv',
    'oxylabs-amazon_product-parsed.json',
    'apify-amazon-reviews.json',
  ])('%s gives exactly its records', async name => {
    const expected = readFileSync(join(project, `test/data/expected/${name}.expected.jsonl`), 'utf8')
    await expectRecords(project, `test/data/${name}`, definitionOf(name), expected)
  })

  test('finefoods-first2000.csv.gz gives exactly its records', async () => {
    const name = 'finefoods-first2000.csv'
    const expected = gunzipSync(readFileSync(join(project, `test/data/expected/${name}.expected.jsonl.gz`)))
    await expectRecords(project, `pipelines/data/${name}.gz`, definitionOf(name), expected.toString())
  })

  test('names no reviewer', () => {
    const files = [
      'test/data/scraped-echo-plan.csv',
      'test/data/scraped-fire-case.csv',
      'test/data/oxylabs-amazon_product-parsed.json',
      'test/data/apify-amazon-reviews.json',
    ]
    for (const file of files)
      expect(readFileSync(join(project, file), 'utf8')).not.toMatch(/amzn1\.account|gp\/profile/)
    const finefoods = gunzipSync(readFileSync(join(project, 'pipelines/data/finefoods-first2000.csv.gz'))).toString()
    expect(finefoods.match(/^\d+,[A-Z0-9]{10},reviewer-[0-9a-f]{12},reviewer-[0-9a-f]{12},/gm)?.length).toBe(2000)
  })
})

describe.skipIf(!isThere)(isThere ? 'published data' : 'published data (skipped: its folder is not there)', () => {
  test.each(definitions)('$file gives exactly its records', async definition => {
    const expected = readFileSync(
      join(published, 'expected', `${definition.file.split('/')[1]}.expected.jsonl`),
      'utf8',
    )
    await expectRecords(published, definition.file, definition, expected)
  })

  test('every data file that the file source can read is in the table', () => {
    const manifest = readFileSync(join(published, 'MANIFEST.md'), 'utf8')
    const listed = [...manifest.matchAll(/^\| `((?:datasets|vendor)\/[^`]+)`/gm)].map(match => match[1]!)
    // Pseudo-XML that is no XML: none of the formats of the file source.
    const unreadable = ['datasets/blitzer-books-positive-first200.review']
    expect([...definitions.map(({ file }) => file), ...unreadable].sort()).toEqual(listed.sort())
  })

  test('the .review set is refused with its reason, not read as something else', async () => {
    await using opened = openFileSource(published, { paths: ['datasets/blitzer-books-positive-first200.review'] })
    const error = await readOnce(opened.source).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(codeOf(error)).toBe('config.invalid')
  })
})
