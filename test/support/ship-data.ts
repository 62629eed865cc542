// Makes the data that the project ships from the published files: node test/support/ship-data.ts <folder with datasets/ vendor/ expected/>
// Only files whose licence is stated (LICENSES.md beside the results). Names, ids and links of reviewers become `reviewer-` and the first
// 12 hex digits of their SHA-256, also where a review names its own writer; order numbers become zeros; nothing else changes.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { parseHtml } from '../../src/sources/html/document.ts'

const from = resolve(process.argv[2] ?? '.')
const root = resolve(import.meta.dirname, '../..')

const hashOf = (text: string) => `reviewer-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`
const hashed = (text: string) => (text === '' ? '' : hashOf(text))

/** The text with the name of its writer, and what the name has in quotes, replaced; and without order numbers. */
function withoutName(text: string, name: string): string {
  const quoted = [...name.matchAll(/"([^"]+)"/g)].map(match => match[1]!)
  return [name, ...quoted]
    .filter(each => each.length >= 6 && each.includes(' '))
    .reduce((result, each) => result.replaceAll(each, hashOf(each)), text)
    .replace(/\b\d{3}-\d{7}-\d{7}\b/g, '000-0000000-0000000')
}

function shipCsv(source: string, lineBreak: string, change: (row: Record<string, string>) => void): string {
  const rows: string[][] = parse(readFileSync(join(from, source)))
  const columns = rows[0]!
  const quoted = (field: string) => (/[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)
  const changed = rows.slice(1).map(fields => {
    const row = Object.fromEntries(columns.map((column, i) => [column, fields[i]!]))
    change(row)
    return columns.map(column => row[column]!)
  })
  return [columns, ...changed].map(row => row.map(quoted).join(',') + lineBreak).join('')
}

/** The expected records of a file, names as in what is shipped. */
function shipExpected(name: string): string {
  return readFileSync(join(from, 'expected', `${name}.expected.jsonl`), 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => {
      const record = JSON.parse(line)
      const { reviewer_name: reviewer } = record
      if (reviewer === null) return `${line}\n`
      for (const field of ['review_text', 'review_title'])
        if (record[field] !== null) record[field] = withoutName(record[field], reviewer)
      if (record.review_title_alt)
        record.review_title_alt = record.review_title_alt.map((t: string) => withoutName(t, reviewer))
      record.reviewer_name = hashOf(reviewer)
      return `${JSON.stringify(record)}\n`
    })
    .join('')
}

/** Hashes what tells who wrote a review, however deep it stands. */
function hideReviewers(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  const members = value as Record<string, unknown>
  for (const [key, member] of Object.entries(members))
    if (typeof member === 'string' && /^(userId|username|userProfileLink)$/.test(key)) members[key] = hashOf(member)
    else hideReviewers(member)
}

function put(path: string, content: string | Uint8Array): void {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), content)
}

const finefoods = shipCsv('datasets/finefoods-first2000.csv', '\r\n', row => {
  for (const field of ['Summary', 'Text']) row[field] = withoutName(row[field]!, row['ProfileName']!)
  row['UserId'] = hashed(row['UserId']!)
  row['ProfileName'] = hashed(row['ProfileName']!)
})
put('pipelines/data/finefoods-first2000.csv.gz', gzipSync(finefoods, { level: 9 }))

for (const name of ['scraped-echo-plan.csv', 'scraped-fire-case.csv']) {
  const shipped = shipCsv(`datasets/${name}`, '\n', row => {
    for (const field of ['title', 'body']) row[field] = withoutName(row[field]!, row['author']!)
    row['author'] = hashed(row['author']!)
    row['author_url'] = hashed(row['author_url']!)
  })
  put(`test/data/${name}`, shipped)
}

const oxylabs = JSON.parse(readFileSync(join(from, 'vendor/oxylabs-amazon_product-parsed.json'), 'utf8'))
for (const result of oxylabs.results)
  for (const review of result.content.reviews) {
    for (const field of ['title', 'content']) review[field] = withoutName(review[field], review.author)
    review.author = hashOf(review.author)
    if (review.profile_id) review.profile_id = hashOf(review.profile_id)
  }
put('test/data/oxylabs-amazon_product-parsed.json', `${JSON.stringify(oxylabs, null, 1)}\n`)

const apify = JSON.parse(readFileSync(join(from, 'vendor/apify-amazon-reviews.json'), 'utf8'))
hideReviewers(apify)
put('test/data/apify-amazon-reviews.json', `${JSON.stringify(apify, null, 1)}\n`)

/** Of a page what tells the product and the lists of reviews, with blanks as one. Pictures and accounts of reviewers go, their names are hashed. */
function shipPage(name: string): string {
  const page = readFileSync(join(from, 'html', name), 'utf8')
  const wanted = /^(productTitle|cm-cr-dp-review-list|cm-cr-global-review-list)$/
  const parts = parseHtml(page).elements.filter(
    element =>
      (wanted.test(element.attribute('id') ?? '') && element.name !== 'input') ||
      element.attribute('rel') === 'canonical',
  )
  const names = shipped(name).map(({ reviewer_name: reviewer }) => reviewer as string)
  return parts
    .map(({ start, end }) => page.slice(start, end))
    .map(part => names.reduce(hideName, part))
    .join('\n')
    .replace(/amzn1\.account\.[A-Z0-9]+/g, hashOf)
    .replace(/\/images\/I\/[^"'.]+/g, '/images/I/picture')
    .replace(/\s+/g, ' ')
    .replace(/^/, '<!doctype html><html><body>\n')
    .concat('\n</body></html>\n')
}

const hideName = (part: string, name: string) =>
  withoutName(part.replaceAll(`>${name}<`, `>${hashOf(name)}<`).replaceAll(`"${name}"`, `"${hashOf(name)}"`), name)

const shipped = (name: string): Record<string, unknown>[] =>
  readFileSync(join(from, 'expected', `${name}.expected.jsonl`), 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))

for (const name of ['product-uk-book.html', 'product-es-robot.html']) put(`test/data/${name}`, shipPage(name))

for (const name of [
  'product-uk-book.html',
  'product-es-robot.html',
  'scraped-echo-plan.csv',
  'scraped-fire-case.csv',
  'oxylabs-amazon_product-parsed.json',
  'apify-amazon-reviews.json',
])
  put(`test/data/expected/${name}.expected.jsonl`, shipExpected(name))
put(
  'test/data/expected/finefoods-first2000.csv.expected.jsonl.gz',
  gzipSync(shipExpected('finefoods-first2000.csv'), { level: 9 }),
)
