// The auditor of what was read from a simulated vendor: a separate program that sees only the vendor's journal, what readers of the topics see, and
// which runs were killed, holding which jobs.
// Usage: audit-vendor.ts --journal FILE --runs FILE --topic FILE --dead FILE [--jobs [--can-find]] [--gone ASIN] [--seed TEXT]
//   --journal   what the vendor wrote (src/simulate/vendors/entry.ts)
//   --runs      NDJSON, a line a run: { to, killed, held }; to: journal entries there at its end; held: jobs that the cursors held then
//   --topic, --dead  NDJSON of `weir topic cat --json`
//   --jobs      jobs are submitted and kept in the cursor; left out: a call that makes a job and waits for it is paid for each time it is made
//   --can-find  the vendor lists its jobs by our tag: none may be submitted again because its answer was lost
//   --gone      a product that does not exist: its jobs give nothing
// Prints one line an anomaly and exits 1 when there is any; else prints the counts.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { ServedEntry, VendorEntry } from '../../src/simulate/vendors/entry.ts'

interface Run {
  readonly to: number
  readonly killed: boolean
  readonly held: readonly string[]
}
interface Row {
  readonly headers: Readonly<Record<string, string>>
  readonly value: Readonly<Record<string, unknown>>
}
interface Sighting extends ServedEntry {
  /** In a run that came to its own end, so that it must have been taken. */
  readonly settled: boolean
}

const { values: given } = parseArgs({
  options: {
    journal: { type: 'string' },
    runs: { type: 'string' },
    topic: { type: 'string' },
    dead: { type: 'string' },
    jobs: { type: 'boolean', default: false },
    'can-find': { type: 'boolean', default: false },
    gone: { type: 'string' },
    seed: { type: 'string' },
  },
})
const read = <T>(path: string): T[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as T)
const journal = read<VendorEntry>(given.journal!)
const runs = read<Run>(given.runs!)
const topic = read<Row>(given.topic!)
const dead = read<Row>(given.dead!).map(letterOf)
const anomalies: string[] = []
const tell = (name: string, what: string) => anomalies.push(`${name} ${what}`)

/** Faults of jobs that give no result, though the vendor may call them ready. */
const comesToNothing = new Set(['stuck', 'expired', 'inner_503'])
const runAt = (index: number) => runs.find(({ to }) => index < to)
const served: readonly Sighting[] = journal.flatMap((entry, index) =>
  entry.event === 'served' ? [{ ...entry, settled: runAt(index)?.killed === false }] : [],
)

uniqueIdentities()
const explained = { topic: 0, dead: 0 }
const passedOver = auditErrors()
auditReviews()
auditSignals()
if (explained.topic !== topic.length) tell('invented', `${topic.length - explained.topic} records`)
if (explained.dead !== dead.length) tell('invented', `${dead.length - explained.dead} dead letters`)
const jobs = given.jobs ? auditJobs() : { accepted: 0, inDoubt: 0 }

if (anomalies.length > 0) {
  for (const each of anomalies.slice(0, 20)) console.log(`${each} (seed ${given.seed})`)
  console.log(`${anomalies.length} anomalies`)
  process.exit(1)
}
const repeated = served.length - topic.length - dead.length - passedOver
console.log(
  `${served.length} served = ${topic.length} records + ${dead.length} dead letters + ${passedOver} passed over + ${repeated} again; ` +
    `${jobs.accepted} jobs, ${jobs.inDoubt} submitted again because nobody can tell whether they were taken`,
)

interface Letter extends Row {
  readonly original: string
  /** Of the original, as the journal has it. */
  readonly sha256: string
}

/** Readers see bytes as base64. */
function letterOf(row: Row): Letter {
  const original = Buffer.from(String(row.value['original']), 'base64').toString()
  return { ...row, original, sha256: createHash('sha256').update(original).digest('hex') }
}

function uniqueIdentities(): void {
  const seen = new Set<string>()
  for (const { headers } of [...topic, ...dead]) {
    const id = headers['weir-id']!
    if (seen.has(id)) tell('duplicate', `${id} is the identity of two`)
    seen.add(id)
  }
}

/** Faults after which nothing in the item tells which review it is. */
function isNameless({ fault }: Sighting): boolean {
  return fault === 'no_id' || fault === 'url_null' || fault === 'no_url'
}

/** What a reader can tell apart of one review. */
function contentOf({ version, fault, sha256 }: Sighting): string {
  return fault === 'not_an_object' ? sha256 : `${version}${fault === 'cut_page' ? ' cut' : ''}`
}

/** A page that broke off comes whole the next time: what only killed runs saw of it need not be there. */
function mustBeThere({ fault, settled }: Sighting): boolean {
  return fault !== 'cut_page' || settled
}

/**
 * How often something must be there, and may: once for each content, and once more where a content came back after another one.
 * @param seen all sightings of one review, in order
 */
function bounds(seen: readonly Sighting[], counts: (each: Sighting) => boolean): { min: number; max: number } {
  const min = new Set(seen.filter(each => counts(each) && mustBeThere(each)).map(contentOf)).size
  const changes = seen.filter((each, n) => n === 0 || contentOf(each) !== contentOf(seen[n - 1]!))
  return { min, max: changes.filter(counts).length }
}

function judge(what: string, found: number, { min, max }: { min: number; max: number }, names: [string, string]): void {
  if (found < min) tell(names[0], `${what}: ${found} of ${min}`)
  if (found > max) tell(names[1], `${what}: ${found}, at most ${max}`)
}

function auditReviews(): void {
  const reviews = served.filter(({ what }) => what === 'review')
  // A page that could not be read names reviews too, and is none.
  const pages = new Set(served.filter(({ what }) => what === 'error').map(each => each.sha256))
  const single = dead.filter(letter => !pages.has(letter.sha256))
  for (const [id, seen] of Map.groupBy(reviews, each => each.id)) {
    const letters = single.filter(({ original }) => original.includes(id)).length
    judge(
      id,
      letters,
      bounds(seen, each => each.refused),
      ['dlq-missing', 'dlq-double'],
    )
    const records = topic.filter(({ value }) => value['review_id'] === id).length
    const isRecord = (each: Sighting) => !each.refused && !isNameless(each)
    judge(id, records, bounds(seen, isRecord), ['lost-write', 'duplicate'])
    explained.dead += letters
    explained.topic += records
  }
  for (const [asin, seen] of Map.groupBy(reviews.filter(isNameless), each => each.asin)) {
    const count = new Set(seen.map(each => `${each.id} ${each.version}`)).size
    const records = topic.filter(
      ({ value }) => value['product_asin'] === asin && String(value['review_id']).startsWith('h:'),
    ).length
    judge(`reviews of ${asin} without an id`, records, { min: count, max: count }, ['lost-write', 'duplicate'])
    explained.topic += records
  }
}

/** Counts of a product are one record each time they are others than before. */
function auditSignals(): void {
  const signals = served.filter(({ what }) => what === 'signal')
  for (const [asin, seen] of Map.groupBy(signals, each => each.asin)) {
    const shown = seen.map(each => each.fault ?? each.sha256)
    const changes = shown.filter((each, n) => each !== shown[n - 1]).length
    const records = topic.filter(({ value }) => value['asin'] === asin).length
    judge(`counts of ${asin}`, records, { min: changes, max: changes }, ['lost-write', 'duplicate'])
    explained.topic += records
  }
}

/** Records of an error: passed over, or, where a careful reader refuses them, a dead letter. How many were passed over. */
function auditErrors(): number {
  const errors = served.filter(({ what }) => what === 'error')
  for (const [sha256, seen] of Map.groupBy(
    errors.filter(each => each.refused),
    each => each.sha256,
  )) {
    const letters = dead.filter(letter => letter.sha256 === sha256).length
    // A call that is made again gives another page; a job gives what it gave.
    const isOwed = seen.some(each => each.job !== null || each.settled)
    judge(`an error of ${seen[0]!.asin}`, letters, { min: isOwed ? 1 : 0, max: 1 }, ['dlq-missing', 'dlq-double'])
    explained.dead += letters
  }
  return errors.filter(each => !each.refused).length
}

interface Taken {
  readonly id: string
  readonly index: number
  readonly told: boolean
}

/** No product has a second job before its last one came to its end, or to nothing, or, where that cannot be known, may never have been taken. */
function auditJobs(): { accepted: number; inDoubt: number } {
  const told = new Set(journal.flatMap(entry => (entry.event === 'told' ? entry.jobs : [])))
  const taken = journal.flatMap((entry, index) =>
    entry.event === 'job' ? entry.asins.map(asin => ({ asin, id: entry.job, index, told: told.has(entry.job) })) : [],
  )
  let inDoubt = 0
  for (const [asin, own] of Map.groupBy(taken, each => each.asin))
    for (const [n, next] of own.entries())
      if (n > 0 && !isOver(own[n - 1]!, next, asin)) {
        if (given['can-find'] || !isDoubtful(own[n - 1]!))
          tell('paid-twice', `${asin}: ${next.id} after ${own[n - 1]!.id}`)
        inDoubt++
      }
  return { accepted: new Set(taken.map(({ id }) => id)).size, inDoubt }
}

/** Its result was read, or there was none to read. Where a cursor held it when a run ended, it was after that. */
function isOver({ id, index }: Taken, next: Taken, asin: string): boolean {
  const heldUntil = Math.max(
    index,
    ...runs.filter(run => run.held.includes(id) && run.to <= next.index).map(run => run.to),
  )
  let isReady = false
  for (let n = index; n < next.index; n++) {
    const entry = journal[n]!
    if (entry.event === 'fault' && entry.job === id && comesToNothing.has(entry.kind)) return true
    if (entry.event === 'ended' && entry.job === id) {
      if (entry.state !== 'ready') return true
      isReady = true
    }
    if (entry.event === 'served' && entry.job === id && n >= heldUntil) return true
  }
  return isReady && asin === given.gone
}

/** The process may not have known of it: its answer was lost, or the process was killed before the id was stored. */
function isDoubtful({ id, index, told }: Taken): boolean {
  if (journal.some(entry => (entry.event === 'ended' || entry.event === 'served') && entry.job === id)) return false
  return !told || runAt(index)?.killed === true
}
