// A real process that takes deliveries, killed while they come (faults 1 and 2; I1, I2): what was answered 2xx is in the topic once, and so is,
// in the end, whatever the vendor sends until it is answered. The sender's own journal is the truth.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { mainFile, runWeir, sharedCache } from '../support/cli.ts'
import { freePort } from '../support/services/ports.ts'
import { post, secret } from '../support/webhook-scene.ts'

const perDelivery = 3
const senders = 6

interface Row {
  readonly headers: Record<string, string>
  readonly value: { readonly review_id: string }
}

interface Scene extends AsyncDisposable {
  /** Runs the pipeline; its end by any road. */
  start(env?: Record<string, string>): { readonly child: ChildProcess; readonly ended: Promise<number | string | null> }
  /** Sends deliveries, each again and again until it is answered 2xx, as long as `until` has not aborted. */
  send(until: AbortSignal): Promise<void>
  /** Resolves after the next 2xx. */
  nextAnswer(): Promise<void>
  readonly answered: ReadonlySet<number>
  /** How many 2xx said that the delivery was stored before. */
  known(): number
  rows(topic: string): Promise<Row[]>
}

async function scene(): Promise<Scene> {
  const dir = mkdtempSync(join(tmpdir(), 'weir-webhook-'))
  const port = await freePort()
  writeFileSync(
    join(dir, 'pipeline.yaml'),
    `pipeline: hooked
source:
  webhook:
    port: ${port}
    path: /hooks/reviews
    signature: { header: X-Signature, secret: "\${KEY}", prefix: "sha256=", timestamp_header: X-Timestamp }
    id: body.delivery
    records: body.reviews
    answer_within: 2s
map:
  review_id: this.id
  product_asin: this.asin
  rating: double(this.stars)
  review_text: this.?text.orValue(null)
topic: { name: hooked, key: record.product_asin, schema: ${join(import.meta.dirname, '../../schemas/raw-review.avsc')}, partitions: 3 }
`,
  )
  const answered = new Set<number>()
  const waiting = new Set<() => void>()
  let next = 0
  let known = 0
  const body = (n: number) =>
    JSON.stringify({
      delivery: `delivery ${n}`,
      // The last of three has no rating: a dead letter.
      reviews: Array.from({ length: perDelivery }, (_, i) => ({
        id: `${n}/${i}`,
        asin: `B${n % 7}`,
        ...(i === perDelivery - 1 ? {} : { stars: 4 }),
      })),
    })
  const sendOne = async (n: number, until: AbortSignal) => {
    while (!until.aborted) {
      const answer = await post(port, body(n)).catch(() => undefined)
      if (answer?.status === 200) {
        answered.add(n)
        if (answer.body['known'] === true) known++
        for (const wake of waiting) wake()
        waiting.clear()
        return
      }
      expect([undefined, 503]).toContain(answer?.status)
      await delay(20)
    }
  }
  const children = new Set<ChildProcess>()
  return {
    answered,
    known: () => known,
    start(env = {}) {
      const args = [mainFile, 'run', 'pipeline.yaml', '--stage', 'producer', '--data', join(dir, '.weir')]
      const child = spawn(process.execPath, args, {
        cwd: dir,
        env: { PATH: process.env['PATH'] ?? '', HOME: dir, XDG_CACHE_HOME: sharedCache, KEY: secret, ...env },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      children.add(child)
      const ended = new Promise<number | string | null>(resolve =>
        child.once('close', (code, signal) => {
          children.delete(child)
          resolve(signal ?? code)
        }),
      )
      return { child, ended }
    },
    async send(until) {
      await Promise.all(
        Array.from({ length: senders }, async () => {
          while (!until.aborted) await sendOne(next++, until)
        }),
      )
    },
    nextAnswer: () => new Promise(resolve => waiting.add(resolve)),
    async rows(topic) {
      const { out, ...end } = await runWeir(['topic', 'cat', topic, '--json', '--data', join(dir, '.weir')], {
        cwd: dir,
        deadlineMs: 120_000,
      })
      expect(end).toMatchObject({ code: 0 })
      return out
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as Row)
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill('SIGKILL')
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** Everything that was answered is there once, and nothing is there that was not sent. */
async function audit({ rows, answered }: Scene): Promise<void> {
  const records = await rows('hooked')
  const dead = await rows('hooked_dlq')
  const ids = records.map(row => row.value.review_id)
  expect(new Set(ids).size).toBe(ids.length)
  const there = new Set(ids)
  for (const n of answered)
    for (let i = 0; i < perDelivery - 1; i++) expect(there.has(`${n}/${i}`), `delivery ${n}, review ${i}`).toBe(true)
  const identities = [...records, ...dead].map(row => row.headers['weir-id']!)
  expect(new Set(identities).size).toBe(identities.length)
  expect(dead.length * (perDelivery - 1)).toBe(records.length)
  expect(records.length).toBeGreaterThanOrEqual(answered.size * (perDelivery - 1))
}

test('killed at random moments: what was answered 2xx is in the topic once', async () => {
  await using here = await scene()
  const over = new AbortController()
  const sending = here.send(over.signal)
  for (let kills = 0; kills < 6; kills++) {
    const { child, ended } = here.start()
    await Promise.race([here.nextAnswer(), sending])
    await delay(20 + Math.random() * 380)
    child.kill('SIGKILL')
    expect(await ended).toBe('SIGKILL')
  }
  const { child, ended } = here.start()
  await Promise.race([here.nextAnswer(), sending])
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
  over.abort()
  await sending
  expect(here.answered.size).toBeGreaterThan(20)
  await audit(here)
}, 400_000)

test('killed after the commit, before the 2xx: what comes again is answered and not stored twice', async () => {
  await using here = await scene()
  const over = new AbortController()
  const sending = here.send(over.signal)
  for (const point of ['append.before_commit', 'append.after_commit'])
    for (const n of [1, 2]) {
      const { ended } = here.start({ WEIR_FAILPOINT: `${point}:${n}:kill` })
      expect(await ended).toBe('SIGKILL')
    }
  const { child, ended } = here.start()
  // Whoever was not answered sends again, so one that was stored before is known in the end. An earlier process may have told so already; an answer
  // of this one says that it is up and hears the signal.
  do await Promise.race([here.nextAnswer(), sending])
  while (here.known() === 0)
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
  over.abort()
  await sending
  await audit(here)
}, 400_000)
