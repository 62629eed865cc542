// The least that must happen before a first fetch: Node starts, a store opens, a schema compiles, the call goes out.
// Usage: first-fetch.ts URL DB
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import avsc from 'avsc'

const [url, path] = process.argv.slice(2) as [string, string]
const db = new DatabaseSync(path)
db.exec(
  'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS cursor (id INTEGER PRIMARY KEY, page INTEGER)',
)
avsc.Type.forSchema(JSON.parse(readFileSync(new URL('../../schemas/raw-review.avsc', import.meta.url), 'utf8')))
await (await fetch(url)).json()
db.close()
