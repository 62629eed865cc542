// `weir schema prove` and `census` on a topic of 10,000 real reviews in the embedded broker, through the command line.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openEmbeddedRegistry } from '../../src/adapters/registry-embedded/registry.ts'
import { runCli } from '../../src/cli/frame.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { DataCheck, Report } from '../../src/governance/review.ts'
import { runWeir } from '../support/cli.ts'
import { type GovernedWorkspace, governedWorkspace } from '../support/governed-workspace.ts'
import { memoryTerminal } from '../support/terminal.ts'

const root = resolve(import.meta.dirname, '../..')
const rawReview = readFileSync(join(root, 'schemas/raw-review.avsc'), 'utf8')
/** Positions without a headline, as sources of stars alone give reviews; no two of them next to each other. */
const bare = new Set(Array.from({ length: 37 }, (_, i) => 113 + i * 263))

let workspace: GovernedWorkspace

/** The 2,000 reviews five times over, each time under other ids. */
function reviews(): string {
  const set = gunzipSync(readFileSync(join(root, 'pipelines/data/finefoods-first2000.csv.gz'))).toString('utf8')
  const [head, ...lines] = set.trimEnd().split('\n')
  const all = Array.from({ length: 5 }, () => lines).flat()
  expect(all).toHaveLength(10_000)
  return [`Copy,Bare,${head}`, ...all.map((line, i) => `${Math.floor(i / lines.length)},${bare.has(i)},${line}`)].join(
    '\n',
  )
}

beforeAll(async () => {
  workspace = governedWorkspace([])
  workspace.write('data/reviews.csv', reviews())
  workspace.write('schemas/raw-review.avsc', rawReview)
  workspace.write(
    'schemas/governance.yaml',
    'defaults: { owner: reviews team, level: BACKWARD, auto_register: true }\n',
  )
  workspace.write(
    'pipelines/reviews.yaml',
    `pipeline: reviews
source: { file: { paths: [../data/reviews.csv], root: .., format: csv } }
map:
  review_id: 'fallback_id([this.Copy, this.UserId, this.ProductId, this.Time])'
  product_asin: this.ProductId
  reviewer_name: blank_to_null(this.ProfileName)
  review_title: 'this.Bare == "true" ? null : this.Summary'
  review_text: blank_to_null(this.Text)
  rating: double(this.Score)
  review_date: this.Time
  helpfulness_votes: int(this.HelpfulnessNumerator)
topic: { name: raw_reviews, key: record.product_asin, schema: ../schemas/raw-review.avsc, partitions: 3, retention: { time: 30d } }
consume:
  - group: low
    process: [{ filter: record.rating <= 1.0 }]
    sink: { log: { fields: [review_title] } }
  # Fails on the reviews without a headline, which become dead letters.
  - group: long-titles
    process: [{ filter: size(record.review_title) > 5000 }]
    sink: { log: { fields: [review_title] } }
`,
  )
  const run = await runWeir(['run', 'pipelines/reviews.yaml', '--until', 'end', '--log-level', 'fatal'], {
    cwd: workspace.dir,
    deadlineMs: 120_000,
  })
  expect(run).toMatchObject({ code: 0 })
}, 150_000)
afterAll(() => workspace?.[Symbol.dispose]())

async function weir(command: string) {
  const memory = memoryTerminal({ cwd: workspace.dir })
  const code = await runCli(command.split(' '), { ...memory, clock: systemClock, random: Math.random })
  return { code, out: memory.out(), err: memory.err() }
}

function candidate(...replacements: readonly (readonly [from: string, to: string])[]): void {
  const text = replacements.reduce((before, [from, to]) => {
    expect(before).toContain(from)
    return before.replace(from, to)
  }, rawReview)
  const file = join(workspace.dir, 'schemas/raw-review.avsc')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

async function proven(command: string): Promise<{ code: number; data: DataCheck; report: Report }> {
  const { code, out } = await weir(`${command} --json`)
  const report: Report = JSON.parse(out)
  return { code, report, data: report.reviews[0]!.data! }
}

const nullableTitle = '"review_title", "type": ["null", "string"], "default": null'

test('of 10,000 reviews exactly those 37 fail that have no headline, each with its place and why', {
  timeout: 60_000,
}, async () => {
  const { out } = await weir('topic cat raw_reviews --json')
  const records = out
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(records).toHaveLength(10_000)
  const without = records.filter(({ value }) => value.review_title === null)
  expect(without).toHaveLength(37)

  candidate([nullableTitle, '"review_title", "type": "string"'])
  const { code, data, report } = await proven('schema prove raw_reviews-value --dead-letters')
  expect(code).toBe(1)
  expect(data).toMatchObject({ topic: 'raw_reviews', records: 10_000, retained: 10_000, failed: 37, changed: [] })
  const place = ({ partition, offset }: { partition: number; offset: string | number }) => `${partition}/${offset}`
  expect(data.failures.map(place).sort()).toEqual(without.map(place).sort())
  expect(new Set(data.failures.map(({ message }) => message))).toEqual(
    new Set(['RawReview.review_title: null was written, and string is read']),
  )
  expect(data.ids).toEqual([{ id: expect.any(Number), version: 1, records: 10_000 }])
  // avsc resolves schemas, not records: weir as a consumer would fail on all of them.
  expect(data.refused).toMatchObject([{ version: 1, records: 10_000 }])
  expect(data.readers).toEqual([{ version: 1, records: 24, failed: 0, message: null }])
  // What its consumers gave up were the same records.
  expect(data.deadLetters).toMatchObject({ topic: 'raw_reviews_dlq', letters: 37, records: 37, failed: 37 })
  // The first failing record side by side; the reviewer is not shown.
  const [example] = report.reviews[0]!.examples
  expect(example).toMatchObject({
    direction: 'old-by-new',
    from: `raw_reviews ${place(data.failures[0]!)}`,
    error: 'RawReview.review_title: null was written, and string is read',
  })
  expect(example!.fields.find(({ field }) => field === 'RawReview.reviewer_name')!.before).toBe('***')

  const text = await weir('schema prove raw_reviews-value')
  expect(text.out).toContain('37 of 10,000 records of raw_reviews cannot be read with the new schema')
  for (const each of without) expect(text.out).toContain(place(each))
})

test('check and plan take the proof into their reviews', { timeout: 60_000 }, async () => {
  candidate(['"timestamp-millis"', '"timestamp-micros"'])
  const { out, code } = await weir('schema plan --records 10000')
  expect(code).toBe(0)
  expect(out).toContain('data.changed')
  const planned = JSON.parse((await weir('schema plan --records 500 --json')).out)
  const { review } = planned.subjects.find(({ subject }: { subject: string }) => subject === 'raw_reviews-value')
  expect(review.data).toMatchObject({ records: 500, retained: 10_000, failed: 0 })
  expect(review.data.changed).toMatchObject([{ field: 'RawReview.ingestion_timestamp', records: 500 }])
  expect(review.data.changed[0].example.after).toMatch(/^1970-/)
  const { data } = await proven('schema check schemas/raw-review.avsc --records 10000')
  expect(data.changed[0]).toMatchObject({ records: 10_000 })
})

test('what the data says can block a plan, and its application', { timeout: 60_000 }, async () => {
  candidate(['"timestamp-millis"', '"timestamp-micros"'])
  const policy = workspace.read('schemas/governance.yaml')
  try {
    workspace.write('schemas/governance.yaml', policy.replace(' }', ', block: [data.changed] }'))
    expect(await weir('schema plan --records 100 --out plan.json')).toMatchObject({ code: 1 })
    expect(await weir('schema apply plan.json')).toMatchObject({
      code: 2,
      err: expect.stringContaining('in 100 of 100 records'),
    })
  } finally {
    workspace.write('schemas/governance.yaml', policy)
  }
})

test('a census counts by schema id, tells what nothing needs, and where groups stand', {
  timeout: 60_000,
}, async () => {
  candidate()
  await using registry = await openEmbeddedRegistry({ dataDir: join(workspace.dir, '.weir'), clock: systemClock })
  const [first] = await registry.versions('raw_reviews-value')
  const language = '{"name": "language", "type": ["null", "string"], "default": null, "doc": "Language."},\n    '
  for (const fields of [language, language.replace('language', 'tongue')])
    await registry.register('raw_reviews-value', rawReview.replace('{"name": "rating"', `${fields}{"name": "rating"`))
  const { out } = await weir('schema census raw_reviews --json')
  const census = JSON.parse(out)
  expect(census).toMatchObject({ records: 10_000, tombstones: 0, retention_ms: 30 * 86_400_000, unframed: null })
  expect(census.ids).toMatchObject([
    { version: first, records: 10_000, share: 1, safe_to_delete: false, unknown: false },
    { version: 2, records: 0, safe_to_delete: true },
    { version: 3, records: 0, safe_to_delete: false },
  ])
  expect(census.ids[0].free_at).toBe(census.ids[0].last.timestamp + 30 * 86_400_000)
  expect(census.ids[0].dead_letters).toBe(37)
  expect(census.groups).toMatchObject([
    { group: 'long-titles', last_version: 1, ahead: [] },
    { group: 'low', last_version: 1, ahead: [] },
  ])
  const text = await weir('schema census raw_reviews')
  expect(text.out).toContain('safe to delete version 2: 0 records')
  expect(text.out).toContain('read last: version 1; nothing left to read')
})

test('personal data is found by its values, blocks where the policy says so, and is not shown', async () => {
  using own = governedWorkspace()
  const policy = (more: string) =>
    `defaults: { owner: us, auto_register: true, pii: { tags: [PII], names: ["nothing"], values: [email] }${more} }\n`
  own.write('schemas/governance.yaml', policy(''))
  own.write('pipelines/reviews.yaml', own.read('pipelines/reviews.yaml').replace(', follow: true', ''))
  const items = Array.from({ length: 12 }, (_, i) => ({ review_id: `r${i}`, stars: 4, title: `user${i}@example.org` }))
  own.write('data/reviews.ndjson', items.map(each => `${JSON.stringify(each)}\n`).join(''))
  const ask = async (command: string) => {
    const memory = memoryTerminal({ cwd: own.dir })
    const code = await runCli(command.split(' '), { ...memory, clock: systemClock, random: Math.random })
    return { code, out: memory.out(), err: memory.err() }
  }
  expect(await ask('run pipelines/reviews.yaml --until end --log-level fatal')).toMatchObject({ code: 0 })
  const found = await ask('schema prove reviews-value --strict')
  expect(found.code).toBe(3)
  expect(found.out).toContain('pii.values  Review.title')
  expect(found.out).toContain('12 of 12 sampled values look like personal data (email)')
  expect(found.out).not.toContain('example.org')
  own.write('schemas/governance.yaml', policy(', block: [pii.values]'))
  expect(await ask('schema prove reviews-value')).toMatchObject({ code: 1 })
  // With the tag all is well.
  own.write(
    'schemas/reviews.avsc',
    own.read('schemas/reviews.avsc').replace('"name":"title"', '"name":"title","confluent:tags":["PII"]'),
  )
  const tagged = await ask('schema prove reviews-value')
  expect(tagged.code).toBe(0)
  expect(tagged.out).not.toContain('example.org')
})

test('what cannot be proven is told', async () => {
  expect(await weir('schema prove')).toMatchObject({
    code: 2,
    err: expect.stringContaining('Name what is to be proven'),
  })
  expect(await weir('schema prove other-value')).toMatchObject({
    code: 2,
    err: expect.stringContaining('raw_reviews-value'),
  })
  expect(await weir('schema prove schemas/raw-review.avsc --topic nothing')).toMatchObject({
    code: 2,
    err: expect.stringContaining('no topic "nothing"'),
  })
  expect(await weir('schema census nothing')).toMatchObject({ code: 2, err: expect.stringContaining('no topic') })
})
