// `weir schema suggest` through the command line: from items of a source to a patch that is already reviewed.
import { execFileSync } from 'node:child_process'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runCli } from '../../src/cli/frame.ts'
import { systemClock } from '../../src/core/clock.ts'
import { type GovernedWorkspace, governedWorkspace } from '../support/governed-workspace.ts'
import { rawScene } from '../support/raw-scene.ts'
import { memoryTerminal } from '../support/terminal.ts'

let workspace: GovernedWorkspace
beforeEach(() => {
  workspace = governedWorkspace()
  workspace.write(
    'pipelines/reviews.yaml',
    `pipeline: reviews
source: { file: { paths: [../data/reviews.ndjson], root: .., format: ndjson } }
map: { review_id: this.id, stars: this.stars, title: this.?title }
topic: { name: reviews, key: record.review_id, schema: ../schemas/reviews.avsc }
consume: [{ group: all, sink: { log: {} } }]
`,
  )
})
afterEach(() => workspace[Symbol.dispose]())

async function weir(command: string) {
  const memory = memoryTerminal({ cwd: workspace.dir })
  const code = await runCli(command.split(' '), { ...memory, clock: systemClock, random: Math.random })
  return { code, out: memory.out(), err: memory.err() }
}

const items = (...values: readonly object[]) => values.map(value => `${JSON.stringify(value)}\n`).join('')
const plain = { id: '1', stars: 4.5, title: 'Good' }

test('a new field of the source becomes a patch that git applies, a line of the mapping, and a verdict', async () => {
  workspace.write('data/reviews.ndjson', items(plain, { ...plain, id: '2', author: { countryCode: 'DE' } }))
  const { code, out } = await weir('schema suggest pipelines/reviews.yaml')
  expect(code).toBe(0)
  expect(out).toContain('+ author_country_code: new field, string or null, from author.countryCode (1 sample)')
  expect(out).toContain('  author_country_code: this.?author.?countryCode')
  expect(out).toContain('BACKWARD_TRANSITIVE holds')
  const before = workspace.read('schemas/reviews.avsc')
  const { patch, review, fields } = JSON.parse((await weir('schema suggest pipelines/reviews.yaml --json')).out)
  expect(review.verdict).not.toBe('breaking')
  expect(fields).toMatchObject([{ name: 'author_country_code', fails: 0 }])
  expect(workspace.read('schemas/reviews.avsc')).toBe(before)
  execFileSync('git', ['apply'], { cwd: workspace.dir, input: patch })
  const applied = workspace.read('schemas/reviews.avsc')
  expect(JSON.parse(applied).fields.at(-1)).toMatchObject({ name: 'author_country_code', type: ['null', 'string'] })

  // Written by weir it is the same file, and the pipeline runs with the line.
  workspace.write('schemas/reviews.avsc', before)
  expect(await weir('schema suggest pipelines/reviews.yaml --path author.countryCode --write')).toMatchObject({
    code: 0,
  })
  expect(workspace.read('schemas/reviews.avsc')).toBe(applied)
  const pipeline = workspace.read('pipelines/reviews.yaml')
  workspace.write(
    'pipelines/reviews.yaml',
    pipeline.replace('this.?title }', 'this.?title, author_country_code: this.?author.?countryCode }'),
  )
  expect(await weir('schema plan --out plan.json')).toMatchObject({ code: 0 })
  expect(await weir('schema apply plan.json')).toMatchObject({ code: 0 })
  expect(await weir('run pipelines/reviews.yaml --until end --log-level fatal')).toMatchObject({ code: 0 })
  const records = (await weir('topic cat reviews --json')).out.trim().split('\n')
  expect(records.map(line => JSON.parse(line).value.author_country_code)).toEqual([null, 'DE'])
  expect(await weir('schema suggest pipelines/reviews.yaml')).toMatchObject({
    err: expect.stringContaining('Everything that the samples have is read already.'),
  })
})

test('from the drift event of a run to a patch, out of the pages that the run kept: no call is made again', async () => {
  await using scene = await rawScene()
  const page = (from: number, more: object) =>
    Array.from({ length: 4 }, (_, i) => ({ id: `b${from + i}`, v: 1, stars: 3, ...more }))
  scene.pages.set('/b?key=a-secret-of-the-shop&page=1', { reviews: page(0, {}) })
  scene.pages.set('/b?key=a-secret-of-the-shop&page=2', { reviews: page(4, { seller: { countryCode: 'DE' } }) })
  const { events } = await scene.pass()
  const paths = events.flatMap(event => (event.type === 'drift' && event.change === 'appeared' ? [event.path] : []))
  expect(paths).toContain('seller')
  await scene.close()
  const asked = scene.requests.length
  const { code, out } = await scene.weir('schema', 'suggest', 'pipeline.yaml', '--path', 'seller', '--json')
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({
    samples: 8,
    from: 'the newest pages of shop_raw',
    fields: [
      {
        path: 'seller.countryCode',
        name: 'seller_country_code',
        seen: 4,
        fails: 0,
        map: { expression: 'this.?seller.?countryCode' },
      },
    ],
  })
  expect(scene.requests).toHaveLength(asked)
})

test('a field that changed its kind: what fails today, and the conversion that takes it', async () => {
  workspace.write('items.json.txt', items(plain, { ...plain, stars: '4.0' }))
  const { out } = await weir('schema suggest pipelines/reviews.yaml --sample items.json.txt')
  expect(out).toContain('! stars fails on 1 sample today')
  expect(out).toContain('map it as double(this.stars): then all samples pass')
})

test('a change that breaks the level is told with exit code 1, and not written', async () => {
  workspace.write('schemas/governance.yaml', 'defaults: { owner: us, level: FULL, block: [docs.*, naming.*] }\n')
  workspace.write('schemas/reviews.avsc', workspace.read('schemas/reviews.avsc').replace('"double"', '"int"'))
  workspace.write('data/reviews.ndjson', items(plain))
  const before = workspace.read('schemas/reviews.avsc')
  const { code, out } = await weir('schema suggest pipelines/reviews.yaml --write')
  expect(code).toBe(1)
  expect(out).toContain('~ stars: wider type, int to double')
  expect(workspace.read('schemas/reviews.avsc')).toBe(before)
})

test('items out of recorded exchanges; and what there is nothing to learn from', async () => {
  workspace.write(
    'pipelines/polled.yaml',
    `pipeline: polled
source:
  http:
    for_each: { page: [one] }
    request: { url: "http://vendor.test/reviews" }
    records: body.reviews
map: { review_id: this.id, stars: double(this.stars) }
topic: { name: polled, key: record.review_id, schema: ../schemas/reviews.avsc }
consume: [{ group: all, sink: { log: {} } }]
`,
  )
  expect(await weir('schema suggest pipelines/polled.yaml')).toMatchObject({
    code: 2,
    err: expect.stringContaining('none is made here'),
  })
  workspace.write(
    'pipelines/cassettes/polled.yaml',
    `pipeline: ../polled.yaml
now: 2026-01-31T10:00:00Z
exchanges:
  - request: { path: /reviews }
    response: { status: 200, body: { reviews: [{ id: "1", stars: 4, verified: true }] } }
expect: {}
`,
  )
  const { out, err } = await weir('schema suggest pipelines/polled.yaml')
  expect(err).toContain('1 sample from 1 cassette')
  expect(out).toContain('+ verified: new field, boolean or null')
  expect(await weir('schema suggest')).toMatchObject({ code: 2, err: expect.stringContaining('Name a pipeline') })
  expect(await weir('schema suggest --schema schemas/reviews.avsc')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--sample'),
  })
  workspace.write('bad.ndjson', '{"a":1}\n{"a":\n')
  expect(await weir('schema suggest --schema schemas/reviews.avsc --sample bad.ndjson')).toMatchObject({
    code: 2,
    err: expect.stringContaining('bad.ndjson:2'),
  })
})
