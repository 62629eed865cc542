// What a good engineer writes in an afternoon for the same work: read lines, parse, map, encode with avsc, insert a row a record and the
// cursor, in transactions of 1,000, fsynced. No dead letters, no identity, no ownership. Usage: file-to-sqlite.ts INPUT DB
import { createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import avsc from 'avsc'

const [input, path] = process.argv.slice(2) as [string, string]
const db = new DatabaseSync(path)
db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE record (partition INTEGER, offset INTEGER, timestamp INTEGER, key BLOB, value BLOB, PRIMARY KEY (partition, offset)) WITHOUT ROWID;
  CREATE TABLE cursor (id INTEGER PRIMARY KEY, lines INTEGER)`)
const insert = db.prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?)')
const save = db.prepare('INSERT OR REPLACE INTO cursor VALUES (1, ?)')
const type = avsc.Type.forSchema(
  JSON.parse(readFileSync(new URL('../../schemas/raw-review.avsc', import.meta.url), 'utf8')),
)
const header = Buffer.from([0, 0, 0, 0, 1])
const partitions = 6
const next = new Array<number>(partitions).fill(0)

let lines = 0
let batch: string[] = []
const store = () => {
  db.exec('BEGIN IMMEDIATE')
  for (const line of batch) {
    const item = JSON.parse(line)
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
  }
  lines += batch.length
  save.run(lines)
  db.exec('COMMIT')
  batch = []
}
for await (const line of createInterface({
  input: createReadStream(input, { highWaterMark: 1 << 20 }),
  crlfDelay: Number.POSITIVE_INFINITY,
})) {
  batch.push(line)
  if (batch.length === 1000) store()
}
if (batch.length > 0) store()
db.close()
console.log(JSON.stringify({ records: lines, rssMb: Math.round(process.resourceUsage().maxRSS / 1024) }))
