// A pipeline that polls the simulated vendor, run pass by pass, and the audit of what came of it against what the vendor served.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { runPipeline } from '../../src/app/compose.ts'
import { loadDefinition } from '../../src/app/definitions.ts'
import { openBroker, openWorkspace } from '../../src/app/open.ts'
import { deadLetterSchemaText } from '../../src/app/parts.ts'
import { systemClock, systemRandom } from '../../src/core/clock.ts'
import type { WeirError } from '../../src/core/errors.ts'
import type { Event } from '../../src/core/event.ts'
import type { LogRecord } from '../../src/core/record.ts'
import { createSummary, type Summary } from '../../src/observe/summary.ts'
import type { DeadLetter } from '../../src/pipeline/dead-letter.ts'
import { compileDecoder } from '../../src/schema/codec.ts'
import type { Simulation } from '../../src/simulate/reviews.ts'

const root = resolve(import.meta.dirname, '../..')
const pipeline = 'audited'

export const watched = ['B000E7WM0K', 'B000G6RYNE', 'B000HDMUQ2'] as const

/** Each way to page: the query or body of the request, and `paginate`. */
export const styles = {
  page: `query: { asin: "{{ split.asin }}", page_size: "10" }
    paginate: { page: { param: page, first: 1, has_more: body.has_more } }`,
  offset: `query: { asin: "{{ split.asin }}", page_size: "10" }
    paginate: { offset: { param: offset } }`,
  cursor: `query: { asin: "{{ split.asin }}" }
    paginate: { cursor: { param: cursor, from: body.next_cursor, size: { param: page_size, value: 10 } } }`,
  next_url: `query: { asin: "{{ split.asin }}", page_size: "10" }
    paginate: { next_url: { from: body.next } }`,
  link_header: `query: { asin: "{{ split.asin }}", page_size: "10" }
    paginate: { link_header: {} }`,
  token_in_body: `body: { asin: "{{ split.asin }}", page_size: 10 }
    paginate: { token: { param: cursor, in: body, from: body.next_cursor } }`,
  oldest_first: `query: { asin: "{{ split.asin }}", page_size: "10", sort: oldest, updated_since: "{{ cursor }}" }
    paginate: { cursor: { param: cursor, from: body.next_cursor } }`,
} as const
export type Style = keyof typeof styles

export interface VendorScene extends AsyncDisposable {
  readonly dir: string
  readonly pipelineFile: string
  /** Reads each split once to its end, in this process; gives what was given up. */
  pass(onEvent?: (event: Event) => void): Promise<readonly WeirError[]>
  /** What all passes in this process came to. */
  summary(): Summary
  /** Everything stored, as it must not change when nothing can be fetched. */
  stored(): Promise<unknown>
  /** One line an anomaly: served and not stored, stored twice, stored though never served, present and not stored. */
  audit(): Promise<readonly string[]>
  /** Records and dead letters stored. */
  counts(): Promise<{ readonly records: number; readonly letters: number }>
}

export async function vendorScene(vendor: Simulation, style: Style, timeout: string): Promise<VendorScene> {
  const dir = mkdtempSync(join(tmpdir(), 'weir-vendor-'))
  const pipelineFile = join(dir, 'pipeline.yaml')
  writeFileSync(pipelineFile, definitionText(vendor.url, style, timeout))
  const workspace = await openWorkspace({ cwd: dir, env: {}, dataDir: join(dir, '.weir') })
  const counter = createSummary({ pipeline })
  const letterDecoder = compileDecoder(await deadLetterSchemaText(), null)

  const read = async (topic: string): Promise<LogRecord[]> => {
    await using broker = await openBroker(workspace)
    const found: LogRecord[] = []
    for await (const batch of broker.log.browse(topic, { from: 'earliest' })) found.push(...batch)
    return found
  }
  const letters = async () =>
    (await read('reviews_dlq')).map(record => letterDecoder.decode(record.value!) as unknown as DeadLetter)

  return {
    dir,
    pipelineFile,
    async pass(onEvent = () => {}) {
      await using broker = await openBroker(workspace)
      const emit = (event: Event) => {
        counter.emit(event)
        onEvent(event)
      }
      const { failures } = await runPipeline(
        await loadDefinition(pipelineFile, {}),
        broker,
        { clock: systemClock, random: systemRandom, emit, dataDir: workspace.dataDir },
        { stages: ['producer'], until: 'end', idleForMs: 0, version: 'test' },
        new AbortController().signal,
      )
      return failures
    },
    summary: counter.snapshot,
    async stored() {
      const topics = (await Promise.all([read('reviews'), read('reviews_dlq')])).map(records => records.length)
      await using broker = await openBroker(workspace)
      const cursors = (await broker.log.cursors(pipeline)).map(({ split, value }) => `${split} ${value}`)
      return { topics, cursors: cursors.sort() }
    },
    async counts() {
      return { records: (await read('reviews')).length, letters: (await letters()).length }
    },
    async audit() {
      const anomalies: string[] = []
      const records = tally((await read('reviews')).map(versionInHeader))
      const dead = tally((await letters()).map(({ original }) => createHash('sha256').update(original).digest('hex')))
      const served = new Map(vendor.journal.map(each => [each.sha256, each]))
      for (const { id, updated_at, damage, sha256 } of served.values()) {
        const version = `${id}@${updated_at}`
        const found = damage === null ? records.get(version) : dead.get(sha256)
        if (found !== 1)
          anomalies.push(`${version} (${damage ?? 'sound'}) was served and is stored ${found ?? 0} times`)
      }
      const sound = new Set([...served.values()].flatMap(v => (v.damage === null ? [`${v.id}@${v.updated_at}`] : [])))
      for (const version of records.keys()) if (!sound.has(version)) anomalies.push(`${version} is invented`)
      for (const sha256 of dead.keys())
        if ((served.get(sha256)?.damage ?? null) === null) anomalies.push(`dead letter ${sha256} is unexpected`)
      for (const { id, updated_at, sha256 } of watched.flatMap(asin => vendor.present(asin)))
        if (!served.has(sha256)) anomalies.push(`${id}@${updated_at} is there and was never fetched`)
      return anomalies
    },
    async [Symbol.asyncDispose]() {
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function definitionText(url: string, style: Style, timeout: string): string {
  return `pipeline: ${pipeline}
source:
  http:
    for_each: { asin: [${watched.join(', ')}] }
    request:
      method: ${style === 'token_in_body' ? 'POST' : 'GET'}
      url: "${url}/reviews"
      ${styles[style]}
    records: body.reviews
    cursor: { id: this.id, field: this.updated_at, order: ${style === 'oldest_first' ? 'asc' : 'desc'}, lookback: 1d }
    errors: [ { when: 'body.contains("Robot Check")', do: blocked } ]
fetch:
  timeout: ${timeout}
  retry: { attempts: 2, backoff: { min: 1ms, max: 2ms }, retry_after_max: 5ms }
  breaker: { failure_rate: 90%, window: 20, open_for: 10ms }
  rate_limit: { requests: 100000, per: 1s }
  allow_private: [127.0.0.0/8]
map:
  review_id: this.id
  product_asin: this.asin
  review_text: this.body
  rating: double(this.stars)
  helpfulness_votes: this.helpful
topic: { name: reviews, key: record.product_asin, schema: ${join(root, 'schemas/raw-review.avsc')}, partitions: 2 }
dead_letter: { topic: reviews_dlq, stop_after: { records: 100000, per: 1h } }
`
}

/** The position in the identity of a record: id@updated_at. */
function versionInHeader({ headers }: LogRecord): string {
  const [, value] = headers.find(([name]) => name === 'weir-id')!
  return decodeURIComponent(Buffer.from(value).toString().split('/').at(-1)!)
}

function tally(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
