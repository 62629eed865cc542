// What a good engineer writes in an afternoon with cheerio for the same work: ask for a product page, take out its reviews, encode with avsc,
// insert a row a review and the page's number, a transaction a page, fsynced. No robots.txt, no limits, no dead letters, no look at which
// reviews are new. Without DB nothing is stored. Tells how many reviews there were. Usage: html-to-sqlite.ts BASE_URL PAGES [DB]
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import avsc from 'avsc'
import { asinOf } from '../data.ts'
import { type Review, reviewsOf } from './product-page.ts'

const [base, count, path] = process.argv.slice(2) as [string, string, string | undefined]
const type = avsc.Type.forSchema(
  JSON.parse(readFileSync(new URL('../../schemas/raw-review.avsc', import.meta.url), 'utf8')),
)
const store = path === undefined ? undefined : openStore(path)
let records = 0

for (let n = 0; n < Number(count); n++) {
  const response = await fetch(`${base}/dp/${asinOf(n)}`)
  if (!response.ok) throw new Error(`page ${n}: ${response.status}`)
  const reviews = reviewsOf(await response.text(), asinOf(n))
  const now = Date.now()
  const values = reviews.map(review => type.toBuffer({ ...review, ingestion_timestamp: now }))
  records += values.length
  store?.(n, reviews, values, now)
}
console.log(records)

function openStore(file: string) {
  const db = new DatabaseSync(file)
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE record (partition INTEGER, offset INTEGER, timestamp INTEGER, key BLOB, value BLOB, PRIMARY KEY (partition, offset)) WITHOUT ROWID;
    CREATE TABLE cursor (id INTEGER PRIMARY KEY, page INTEGER)`)
  const insert = db.prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?)')
  const save = db.prepare('INSERT OR REPLACE INTO cursor VALUES (1, ?)')
  const header = Buffer.from([0, 0, 0, 0, 1])
  const next = new Array<number>(6).fill(0)
  return (page: number, reviews: readonly Review[], values: readonly Buffer[], now: number) => {
    db.exec('BEGIN IMMEDIATE')
    for (const [i, { product_asin: asin }] of reviews.entries()) {
      let hash = 0
      for (let at = 0; at < asin.length; at++) hash = (hash * 31 + asin.charCodeAt(at)) | 0
      const partition = (hash >>> 0) % next.length
      insert.run(partition, next[partition]!++, now, Buffer.from(asin), Buffer.concat([header, values[i]!]))
    }
    save.run(page)
    db.exec('COMMIT')
  }
}
