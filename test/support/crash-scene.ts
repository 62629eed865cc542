// A pipeline on files that tests kill and start again until it is through, then have audited.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type CliOptions, type CliResult, runWeir } from './cli.ts'
import { type ReviewFilesOptions, reviewFiles, runAuditor, type Verdict } from './review-files.ts'

const root = resolve(import.meta.dirname, '../..')
const pipeline = 'crash'

export interface CrashScene extends Disposable {
  readonly dir: string
  readonly pipelineFile: string
  /** One run of the pipeline to the end of its source; WEIR_FAILPOINT and the like come as `env`. */
  run(env?: CliOptions['env'], more?: Partial<CliOptions>, args?: readonly string[]): Promise<CliResult>
  weir(args: readonly string[], options?: Partial<CliOptions>): Promise<CliResult>
  /** What the auditor says of topic and dead letters. */
  audit(): Promise<Verdict>
  /** What the exactly-once file sink holds against the topic: '' when each record is there once. */
  auditSink(): Promise<string>
}

/** Sources with `lines` reviews each in `files` files; every malformed line must become one dead letter. */
export function crashScene(options: ReviewFilesOptions): CrashScene {
  const dir = mkdtempSync(join(tmpdir(), 'weir-crash-'))
  const files = reviewFiles(dir, pipeline, options)
  const pipelineFile = join(dir, 'pipeline.yaml')
  writeFileSync(
    pipelineFile,
    `pipeline: ${pipeline}
source: { file: { paths: ["reviews-*.ndjson"], format: ndjson } }
map:
  review_id: this.id
  product_asin: this.asin
  rating: double(this.stars)
  review_text: this.body
topic: { name: reviews, key: record.product_asin, schema: ${join(root, 'schemas/raw-review.avsc')}, partitions: 3 }
consume:
  - group: export
    batch: { records: 300 }
    sink: { file: { path: out/reviews.ndjson, metadata: true } }
`,
  )
  const weir = (args: readonly string[], options: Partial<CliOptions> = {}) =>
    runWeir([...args, '--data', join(dir, '.weir')], { cwd: dir, deadlineMs: 120_000, ...options })
  return {
    dir,
    pipelineFile,
    weir,
    run: (env = {}, more = {}, args = []) =>
      weir(['run', 'pipeline.yaml', '--until', 'end', ...args], { env, ...more }),
    async audit() {
      const topic = await weir(['topic', 'cat', 'reviews', '--json'])
      const dead = await weir(['topic', 'cat', 'reviews_dlq', '--json'])
      writeFileSync(join(dir, 'topic.ndjson'), topic.out)
      writeFileSync(join(dir, 'dead.ndjson'), dead.out)
      return runAuditor([
        ...['--journal', files.journal()],
        ...['--topic', join(dir, 'topic.ndjson')],
        ...['--dead', join(dir, 'dead.ndjson')],
      ])
    },
    async auditSink() {
      const { readFileSync } = await import('node:fs')
      const count = (ids: readonly string[]) =>
        ids.reduce((counts, id) => counts.set(id, (counts.get(id) ?? 0) + 1), new Map<string, number>())
      const written = count(
        rows(readFileSync(join(dir, 'out/reviews.ndjson'), 'utf8')).map(row => row.review_id ?? row.value!.review_id),
      )
      const read = count(rows((await weir(['topic', 'cat', 'reviews', '--json'])).out).map(row => row.value!.review_id))
      const wrong = [...new Set([...written.keys(), ...read.keys()])].filter(id => written.get(id) !== read.get(id))
      return wrong
        .slice(0, 5)
        .map(id => `${id}: ${written.get(id) ?? 0} in the file, ${read.get(id) ?? 0} in the topic`)
        .join('\n')
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  }
}

interface Row {
  readonly review_id?: string
  readonly value?: { readonly review_id: string }
}
const rows = (text: string): Row[] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Row)
