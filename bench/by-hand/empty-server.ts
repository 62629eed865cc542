// What Node itself needs to answer HTTP with a SQLite file open, without a registry. Prints its address; ends with its standard input.
// Usage: empty-server.ts DB
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'

const db = new DatabaseSync(process.argv[2]!)
db.exec('PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS schema (id INTEGER PRIMARY KEY, text TEXT)')
const one = db.prepare('SELECT count(*) AS n FROM schema')
const server = createServer((_, response) =>
  response.setHeader('content-type', 'application/json').end(JSON.stringify(one.get())),
)
server.listen(0, '127.0.0.1', () =>
  console.log(JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })),
)
