// npm run bench: the bars of docs/benchmarks.md, measured on this machine. Writes nothing but below .cache/bench.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { MissingService } from '../test/support/services/missing.ts'
import { deadLetters } from './bars/dead-letters.ts'
import { embeddedToFile } from './bars/embedded-to-file.ts'
import { fileToEmbedded } from './bars/file-to-embedded.ts'
import { fileToKafka } from './bars/file-to-kafka.ts'
import { htmlToEmbedded } from './bars/html-to-embedded.ts'
import { httpToEmbedded } from './bars/http-to-embedded.ts'
import { httpToKafka } from './bars/http-to-kafka.ts'
import { kafkaToFile } from './bars/kafka-to-file.ts'
import { lint } from './bars/lint.ts'
import { registry } from './bars/registry.ts'
import { schemaCheck } from './bars/schema-check.ts'
import { start } from './bars/start.ts'
import { records } from './data.ts'
import { load, lookAtMachine } from './harness/machine.ts'
import { type Bar, type Report, type Settings, showMachine, showReport } from './harness/report.ts'
import { buildPackage, cache } from './harness/scene.ts'

const bars: readonly Bar[] = [
  fileToEmbedded,
  httpToEmbedded,
  htmlToEmbedded,
  embeddedToFile,
  start,
  lint,
  deadLetters,
  registry,
  schemaCheck,
  fileToKafka,
  httpToKafka,
  kafkaToFile,
]
/** A bar by its name, several by what their names begin with: `kafka`. */
const isMeant = (bar: Bar, word: string): boolean => bar.name === word || bar.name.startsWith(`${word}-`)
const usage = `Usage: npm run bench -- [${bars.map(({ name }) => name).join('|')}|kafka...] [flags]
  --rounds N    measured rounds of each comparison (5)
  --records N   reviews (${records}); the bars are about ${records}
  --letters N   dead letters (1000000)
  --starts N    starts to first fetch (10)
  --compression none|gzip|zstd   of every program that writes to Kafka (none)
  --profile     a CPU profile of every bar, not only of those missed
  --strict      exit with 1 when a bar is missed`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    records: { type: 'string', default: String(records) },
    letters: { type: 'string', default: '1000000' },
    starts: { type: 'string', default: '10' },
    compression: { type: 'string', default: 'none' },
    profile: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const unknown = positionals.filter(name => !bars.some(bar => isMeant(bar, name)))
if (values.help || unknown.length > 0) {
  console.error(unknown.length > 0 ? `There is no bar ${unknown.join(', ')}.\n${usage}` : usage)
  process.exit(unknown.length > 0 ? 2 : 0)
}

const settings: Settings = {
  rounds: countOf('rounds', 2),
  records: countOf('records', 1000),
  letters: countOf('letters', 1000),
  starts: countOf('starts', 2),
  compression: codecOf(values.compression),
  profile: values.profile,
  tell: text => console.error(`  ${text}`),
}

function countOf(name: 'rounds' | 'records' | 'letters' | 'starts', least: number): number {
  const count = Number(values[name])
  if (Number.isSafeInteger(count) && count >= least) return count
  console.error(`--${name} takes a whole number of at least ${least}.\n${usage}`)
  process.exit(2)
}

function codecOf(name: string): Settings['compression'] {
  if (name === 'none' || name === 'gzip' || name === 'zstd') return name
  console.error(`--compression takes none, gzip or zstd.\n${usage}`)
  process.exit(2)
}

buildPackage()
const machine = lookAtMachine()
const text = [showMachine(machine)]
console.log(text[0])
const reports: { name: string; load: readonly number[]; report: Report }[] = []
for (const { name, run } of bars.filter(
  bar => positionals.length === 0 || positionals.some(word => isMeant(bar, word)),
)) {
  console.error(`\n${name} (load ${load().join(' ')})`)
  const report = await run(settings).catch(error => {
    if (!(error instanceof MissingService)) throw error
    text.push(`## ${name}\n\nSKIPPED: ${error.message}`)
    console.log(`\n${text.at(-1)}`)
  })
  if (!report) continue
  const after = load()
  reports.push({ name, load: after, report })
  text.push(`${showReport(report)}\n\nload ${after.join(' ')} after it`)
  console.log(`\n${text.at(-1)}`)
}

const folder = join(cache, 'results')
mkdirSync(folder, { recursive: true })
const path = join(folder, machine.date.replaceAll(':', '-').replace(/\..*/, ''))
writeFileSync(`${path}.txt`, `${text.join('\n\n')}\n`)
writeFileSync(`${path}.json`, `${JSON.stringify({ machine, settings, reports }, null, 2)}\n`)
const missed = reports.flatMap(({ report }) => report.verdicts).filter(({ met }) => !met).length
console.log(`\n${missed === 0 ? 'All bars met' : `${missed} missed`}; kept as ${path}.txt and .json`)
if (missed > 0 && values.strict) process.exitCode = 1
