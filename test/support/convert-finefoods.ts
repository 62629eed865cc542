// Makes src/simulate/data/finefoods.jsonl from Reviews.csv of the Fine Foods set (see LICENSES.md beside the result):
//   node test/support/convert-finefoods.ts <Reviews.csv> > src/simulate/data/finefoods.jsonl
// Ten products, at most 60 reviews each, repeats and texts with contact data left out, people replaced by hashes, oldest first.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parse } from 'csv-parse/sync'

const products = [
  'B001RVFDOO',
  'B000G6RYNE',
  'B000G6MBX2',
  'B000ER6YO0',
  'B00068PCTU',
  'B001CWZXIY',
  'B0025ULYKI',
  'B0016PKA1C',
  'B000E7WM0K',
  'B000HDMUQ2',
]
const maxPerProduct = 60
const contactData = /@|https?:|www\.|\d{3}[-.]\d{3}[-.]\d{4}|Rebecca Review/

interface Row {
  Id: string
  ProductId: string
  UserId: string
  ProfileName: string
  HelpfulnessNumerator: string
  Score: string
  Time: string
  Summary: string
  Text: string
}

const rows: Row[] = parse(readFileSync(process.argv[2] ?? 'Reviews.csv'), { columns: true, bom: true })
const seen = new Set<string>()
const taken = new Map<string, number>()
const kept = rows.filter(row => {
  const count = taken.get(row.ProductId) ?? 0
  const identity = `${row.ProductId} ${row.UserId} ${row.Text}`
  if (!products.includes(row.ProductId) || count >= maxPerProduct || seen.has(identity)) return false
  if (contactData.test(row.Text) || contactData.test(row.Summary)) return false
  seen.add(identity)
  taken.set(row.ProductId, count + 1)
  return true
})
kept.sort((a, b) => Number(a.Time) - Number(b.Time) || Number(a.Id) - Number(b.Id))
for (const row of kept) {
  const person = createHash('sha256').update(`${row.UserId} ${row.ProfileName}`).digest('hex').slice(0, 12)
  const review = {
    id: `FF${row.Id.padStart(6, '0')}`,
    asin: row.ProductId,
    author: `reviewer-${person}`,
    title: row.Summary,
    body: row.Text,
    stars: Number(row.Score),
    date: new Date(Number(row.Time) * 1000).toISOString().slice(0, 10),
    helpful: Number(row.HelpfulnessNumerator),
  }
  process.stdout.write(`${JSON.stringify(review)}\n`)
}
