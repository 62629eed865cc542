// A real process that polls a vendor with faults, killed around its calls and at random moments: what the vendor served is, version by version,
// once in the topic or once in the dead letters (faults 1, 2, 57, 58; I1, I2, I3, I4, I13). The vendor's own journal is the truth.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Simulation, simulateReviews } from '../../src/simulate/reviews.ts'
import { shippedReviews } from '../../src/simulate/world.ts'
import { type CliOptions, runWeir } from '../support/cli.ts'

const initial = 200

interface Row {
  readonly key: string | null
  readonly headers: Record<string, string>
  readonly value: { readonly review_id: string; readonly product_asin: string }
}

interface Scene extends AsyncDisposable {
  readonly vendor: Simulation
  run(env?: CliOptions['env'], more?: Partial<CliOptions>): ReturnType<typeof runWeir>
  rows(topic: string): Promise<Row[]>
}

/** A vendor that gets reviews between runs and fails every fifth call, and a pipeline that reads it page by page. */
async function polledVendor(order: 'asc' | 'desc'): Promise<Scene> {
  const dir = mkdtempSync(join(tmpdir(), 'weir-polled-'))
  const vendor = await simulateReviews({ initial, malformed: 0.03, faults: 0.2, seed: 3 })
  const asins = [...new Set(shippedReviews().map(review => review.asin))]
  writeFileSync(
    join(dir, 'pipeline.yaml'),
    `pipeline: polled
source:
  http:
    for_each: { asin: ${JSON.stringify(asins)} }
    request: { method: GET, url: "${vendor.url}/reviews", query: { asin: "{{ split.asin }}", sort: ${order === 'asc' ? 'oldest' : 'newest'}, page_size: "7" } }
    records: body.reviews
    paginate: { page: { param: page, first: 1, max: 50 } }
    cursor: { field: this.updated_at, order: ${order}, id: this.id, lookback: 1d }
  every: 1h
fetch:
  timeout: 5s
  retry: { attempts: 8, backoff: { min: 5ms, max: 50ms } }
  breaker: { failure_rate: 90%, window: 20, open_for: 1s }
  rate_limit: { requests: 1000, per: 1s }
  allow_private: [127.0.0.0/8]
map:
  review_id: this.id
  product_asin: split.asin
  rating: double(this.stars)
  review_text: this.body
  helpfulness_votes: this.helpful
topic: { name: polled, key: record.product_asin, schema: ${join(import.meta.dirname, '../../schemas/raw-review.avsc')}, partitions: 3 }
`,
  )
  const weir = (args: readonly string[], more: Partial<CliOptions> = {}) =>
    runWeir([...args, '--data', join(dir, '.weir')], { cwd: dir, ...more })
  return {
    vendor,
    run: (env = {}, more = {}) => weir(['run', 'pipeline.yaml', '--until', 'end'], { env, ...more }),
    async rows(topic) {
      const { out } = await weir(['topic', 'cat', topic, '--json'])
      return out
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as Row)
    },
    async [Symbol.asyncDispose]() {
      await vendor.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** The vendor is at its end, the pipeline reads to its own; then what was served is compared with what is stored. */
async function settle({ vendor, run, rows }: Scene, order: 'asc' | 'desc'): Promise<void> {
  const reviews = shippedReviews().length
  vendor.advance(reviews - initial)
  vendor.setFaults(0)
  // The first run ends the pass that was interrupted, the second one is a whole pass.
  for (let i = 0; i < 2; i++) expect(await run()).toMatchObject({ code: 0 })

  const versionOf = (each: { id: string; updated_at: string }) => `${each.id} ${each.updated_at}`
  const served = new Set(vendor.journal.map(versionOf))
  expect(served.size).toBe(reviews)
  const records = await rows('polled')
  const dead = await rows('polled_dlq')
  expect(records.length + dead.length).toBe(reviews)
  const identities = [...records, ...dead].map(row => row.headers['weir-id']!)
  expect(new Set(identities).size).toBe(reviews)
  expect(dead.length).toBe(vendor.present().filter(each => each.damage !== null).length)
  expect(dead.length).toBeGreaterThan(5)
  const sound = vendor.present().filter(each => each.damage === null)
  expect(records.map(row => row.value.review_id).sort()).toEqual(sound.map(each => each.id).sort())
  if (order === 'asc') {
    const newest = new Map<string, string>()
    const updatedAt = new Map(vendor.journal.map(each => [each.id, each.updated_at]))
    for (const { key, value } of records) {
      const at = updatedAt.get(value.review_id)!
      expect(at >= (newest.get(key!) ?? '')).toBe(true)
      newest.set(key!, at)
    }
  }
}

test.concurrent.each([
  ['fetch.before', 'desc'],
  ['fetch.after', 'asc'],
] as const)(
  'killed twenty times at %s, %s',
  async (point, order) => {
    await using scene = await polledVendor(order)
    let kills = 0
    for (let n = 1; kills < 20; n = (n % 12) + 1) {
      scene.vendor.advance(2)
      const { signal, code } = await scene.run({ WEIR_FAILPOINT: `${point}:${n}:kill` })
      if (signal === 'SIGKILL') kills++
      else expect([0, 3]).toContain(code)
    }
    await settle(scene, order)
  },
  300_000,
)

test('killed at 30 random moments', async () => {
  await using scene = await polledVendor('desc')
  for (let i = 0; i < 30; i++) {
    scene.vendor.advance(2)
    await scene.run({}, { started: child => void setTimeout(() => child.kill('SIGKILL'), 150 + Math.random() * 350) })
  }
  await settle(scene, 'desc')
}, 120_000)
