// What a good engineer writes in an afternoon for the same work: ask for page after page, parse, map, encode with avsc, insert a row a
// record and the page's number, a transaction a page, fsynced. No retries, no limits, no dead letters, no identity, no look at which items
// are new. Usage: http-to-sqlite.ts URL DB
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import avsc from 'avsc'

interface Review {
  readonly rating: number
  readonly title: string
  readonly text: string
  readonly asin: string
  readonly user_id: string
  readonly timestamp: number
  readonly helpful_vote: number
}

const [url, path] = process.argv.slice(2) as [string, string]
const db = new DatabaseSync(path)
db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE record (partition INTEGER, offset INTEGER, timestamp INTEGER, key BLOB, value BLOB, PRIMARY KEY (partition, offset)) WITHOUT ROWID;
  CREATE TABLE cursor (id INTEGER PRIMARY KEY, page INTEGER, newest INTEGER)`)
const insert = db.prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?)')
const save = db.prepare('INSERT OR REPLACE INTO cursor VALUES (1, ?, ?)')
const type = avsc.Type.forSchema(
  JSON.parse(readFileSync(new URL('../../schemas/raw-review.avsc', import.meta.url), 'utf8')),
)
const header = Buffer.from([0, 0, 0, 0, 1])
const partitions = 6
const next = new Array<number>(partitions).fill(0)

let newest = 0
for (let page = 1; ; page++) {
  const response = await fetch(`${url}?page=${page}`)
  if (!response.ok) throw new Error(`page ${page}: ${response.status}`)
  const { reviews } = (await response.json()) as { reviews: Review[] }
  if (reviews.length === 0) break
  db.exec('BEGIN IMMEDIATE')
  for (const item of reviews) {
    const now = Date.now()
    const value = type.toBuffer({
      review_id: `${item.user_id}-${item.timestamp}`,
      product_asin: item.asin,
      reviewer_name: item.user_id,
      review_text: item.text,
      review_title: item.title,
      rating: item.rating,
      review_date: String(item.timestamp),
      helpfulness_votes: item.helpful_vote,
      ingestion_timestamp: now,
    })
    let hash = 0
    for (let i = 0; i < item.asin.length; i++) hash = (hash * 31 + item.asin.charCodeAt(i)) | 0
    const partition = (hash >>> 0) % partitions
    insert.run(partition, next[partition]!++, now, Buffer.from(item.asin), Buffer.concat([header, value]))
    newest = Math.max(newest, item.timestamp)
  }
  save.run(page, newest)
  db.exec('COMMIT')
}
db.close()
