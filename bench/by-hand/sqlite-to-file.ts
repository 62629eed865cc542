// What a good engineer writes in an afternoon for the same work: read the rows that file-to-sqlite.ts wrote, partition by partition, decode
// with avsc, append 1,000 lines of JSON, sync, then store the position, synced as well. At least once: a crash between the two repeats
// a batch. Usage: sqlite-to-file.ts DB OUTPUT
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import avsc from 'avsc'

const [path, output] = process.argv.slice(2) as [string, string]
const db = new DatabaseSync(path)
db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  DROP TABLE IF EXISTS position; CREATE TABLE position (partition INTEGER PRIMARY KEY, next INTEGER)`)
const read = db.prepare('SELECT value FROM record WHERE partition = ? AND offset >= ? ORDER BY offset LIMIT 1000')
const save = db.prepare('INSERT OR REPLACE INTO position VALUES (?, ?)')
const type = avsc.Type.forSchema(
  JSON.parse(readFileSync(new URL('../../schemas/raw-review.avsc', import.meta.url), 'utf8')),
)
const file = openSync(output, 'a')

for (let partition = 0; partition < 6; partition++)
  for (let offset = 0; ; ) {
    const rows = read.all(partition, offset) as { value: Uint8Array }[]
    if (rows.length === 0) break
    let text = ''
    for (const { value } of rows)
      text += `${JSON.stringify(type.fromBuffer(Buffer.from(value.buffer, value.byteOffset + 5, value.length - 5)))}\n`
    const bytes = Buffer.from(text)
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
    fdatasyncSync(file)
    offset += rows.length
    save.run(partition, offset)
  }
closeSync(file)
db.close()
