// A real process that submits jobs to a vendor, killed around its calls and its commits: what the vendor has is once in the topic, and no job is
// paid for twice, because each that was taken is read to its end (I1, I2, I13). The vendor's own journal is the truth.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { type CliOptions, runWeir } from '../support/cli.ts'
import { createJobVendor, type JobVendor } from '../support/job-vendor.ts'

interface Scene extends AsyncDisposable {
  readonly vendor: JobVendor
  /** Gives the vendor one more item. */
  grow(): void
  run(more?: Partial<CliOptions>): ReturnType<typeof runWeir>
  ids(): Promise<string[]>
  /** Called when a call is there, before it is answered. */
  onCall(work: () => void): void
}

/** The pipeline looks its jobs up. Every third call to take a job is cut off once the job is taken. */
async function jobsAtVendor(): Promise<Scene> {
  const dir = mkdtempSync(join(tmpdir(), 'weir-jobs-'))
  const vendor = createJobVendor({ B1: Array.from({ length: 5 }, (_, i) => ({ id: `r${i}` })) })
  vendor.readyAfter = 1
  let submits = 0
  let onCall = () => {}
  const server = createServer(async (request, response) => {
    const body = await text(request)
    onCall()
    const { status, body: answer } = vendor.answer(new URL(request.url!, 'http://vendor'), request.method!, body)
    if (request.method === 'POST' && ++submits % 3 === 0) return void response.destroy()
    response.writeHead(status ?? 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  await new Promise<void>(listening => void server.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  writeFileSync(
    join(dir, 'pipeline.yaml'),
    `pipeline: jobs
source:
  http:
    for_each: { asin: [B1] }
    job:
      submit: { method: POST, url: "${url}/jobs", body: { asin: "{{ split.asin }}", tag: "{{ job.tag }}" } }
      id: body.job.id
      poll:
        request: { url: "${url}/jobs/{{ job.id }}" }
        ready: body.status == "ready"
        every: 20ms
        give_up_after: 1m
      find: { request: { url: "${url}/jobs", query: { tag: "{{ job.tag }}" } }, id: "body.jobs.map(j, j.id)", settle: 50ms }
      pause: 0s
    request: { method: GET, url: "${url}/results/{{ job.id }}" }
    records: body.items
    paginate: { page: { param: page, has_more: body.more } }
    cursor: { mode: membership, id: this.id }
  every: 1h
fetch:
  timeout: 5s
  rate_limit: { requests: 1000, per: 1s }
  allow_private: [127.0.0.0/8]
map:
  review_id: this.id
  product_asin: split.asin
  rating: "5.0"
  review_text: this.id
topic: { name: jobs, key: record.product_asin, schema: ${join(import.meta.dirname, '../../schemas/raw-review.avsc')}, partitions: 1 }
`,
  )
  const weir = (args: readonly string[], more: Partial<CliOptions> = {}) =>
    runWeir([...args, '--data', join(dir, '.weir')], { cwd: dir, deadlineMs: 60_000, ...more })
  return {
    vendor,
    grow() {
      const items = vendor.items.get('B1')!
      items.push({ id: `r${items.length}` })
    },
    run: (more = {}) => weir(['run', 'pipeline.yaml', '--until', 'end'], more),
    async ids() {
      const { out } = await weir(['topic', 'cat', 'jobs', '--json'])
      return out
        .split('\n')
        .filter(line => line !== '')
        .map(line => (JSON.parse(line) as { value: { review_id: string } }).value.review_id)
    },
    onCall(work) {
      onCall = work
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(closed => server.close(closed))
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** One run to its end, then the journal is held against the topic. */
async function settle({ vendor, run, ids, grow }: Scene): Promise<void> {
  grow()
  for (let i = 0; i < 2; i++) expect(await run()).toMatchObject({ code: 0 })
  expect((await ids()).sort()).toEqual(
    vendor.items
      .get('B1')!
      .map(item => (item as { id: string }).id)
      .sort(),
  )
  expect(vendor.journal.filter(job => !job.isRead)).toEqual([])
  expect(new Set(vendor.journal.map(job => job.tag)).size).toBe(vendor.journal.length)
}

/** The calls and the commits of a pass: submit, poll, results; intent, id, pages. */
const places = ['fetch.before', 'fetch.after', 'append.before_commit', 'append.after_commit']

test.each(places)(
  'killed at the first three %s of a pass: no job is paid for twice',
  async place => {
    await using scene = await jobsAtVendor()
    let kills = 0
    // A pass that goes on where it was killed is shorter: not each place comes three times.
    for (let n = 1; n <= 3; n++) {
      scene.grow()
      const { signal, code } = await scene.run({ env: { WEIR_FAILPOINT: `${place}:${n}:kill` } })
      if (signal === 'SIGKILL') kills++
      else expect(code).toBe(0)
    }
    expect(kills).toBeGreaterThanOrEqual(2)
    await settle(scene)
  },
  240_000,
)

test.each(['SIGTERM', 'SIGKILL'] as const)(
  '%s while the vendor has a call in hand: no job is paid for twice',
  async signal => {
    await using scene = await jobsAtVendor()
    let stops = 0
    for (let n = 1; n <= 3; n++) {
      scene.grow()
      let calls = 0
      await scene.run({
        started: child =>
          scene.onCall(() => {
            if (++calls === n && child.kill(signal)) stops++
          }),
      })
    }
    expect(stops).toBeGreaterThanOrEqual(2)
    scene.onCall(() => {})
    await settle(scene)
  },
  240_000,
)
