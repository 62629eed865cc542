import { createServer } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { createFakeClock } from '../../../support/fake-clock.ts'
import { type Named, named } from '../../../support/named-vendor.ts'
import { misfits, samples, shapeOf } from '../../../support/vendor-shapes.ts'

const known = samples()
const dataset = 'gd_le8e811kzy4ggddlq'
const trigger = `/datasets/v3/trigger?dataset_id=${dataset}&include_errors=true&format=json`
const inputs = [{ url: 'https://www.amazon.com/dp/B0WEIRTST1/' }, { url: 'https://www.amazon.com/dp/B0WEIRGONE/' }]

const start = async ({ ask }: Named) => (await ask(trigger, { body: inputs })).body.snapshot_id as string
const statusOf = async ({ ask }: Named, id: string) => (await ask(`/datasets/v3/progress/${id}`)).body.status as string

test('a key that is missing or wrong hears so in plain text', async () => {
  const { ask } = await named('brightdata')
  const missing = await ask(trigger, { body: inputs, headers: {} })
  expect([missing.status, missing.text]).toEqual([401, 'Credentials are missing'])
  const wrong = await ask(trigger, { body: inputs, headers: { authorization: 'Bearer nope' } })
  expect([wrong.status, wrong.text]).toEqual([401, known['brightdata/error_401.txt']!.body])
  expect(wrong.headers.get('content-type')).toBe('text/plain')
})

test('what cannot be triggered is refused as documented', async () => {
  const { ask, vendor } = await named('brightdata')
  const of = async (path: string, body: unknown) => {
    const { status, text, body: json } = await ask(path, { body })
    return [status, json ?? text]
  }
  expect(await of(trigger, '{')).toEqual([400, known['brightdata/error_400_parse.json']!.body])
  expect(await of(trigger, [{ url: 'kettle' }])).toEqual([400, known['brightdata/error_400_validation.json']!.body])
  expect(await of(trigger, [])).toEqual([400, 'No data to trigger'])
  expect(await of('/datasets/v3/trigger?dataset_id=gd_other', inputs)).toEqual([404, 'Collector not found'])
  expect(vendor.journal).toEqual([])
})

test('a snapshot starts, runs, is ready, and is the same each time it is fetched', async () => {
  const it = await named('brightdata', { readyAfter: 3 })
  const answer = await it.ask(trigger, { body: inputs })
  expect(misfits(known['brightdata/trigger.json']!.shape!, shapeOf(answer.body))).toEqual([])
  const id = answer.body.snapshot_id as string
  expect([await statusOf(it, id), await statusOf(it, id)]).toEqual(['starting', 'running'])
  const early = await it.ask(`/datasets/v3/snapshot/${id}?format=json`)
  expect([early.status, early.headers.get('retry-after')]).toEqual([202, '10'])
  expect(misfits(known['brightdata/snapshot_202.json']!.shape!, shapeOf(early.body))).toEqual([])
  const ready = await it.ask(`/datasets/v3/progress/${id}`)
  expect(ready.body).toMatchObject({ status: 'ready', records: 9, errors: 1 })
  expect(misfits(known['brightdata/progress_ready.json']!.shape!, shapeOf(ready.body))).toEqual([])

  const first = await it.ask(`/datasets/v3/snapshot/${id}?format=json`)
  expect(misfits(known['brightdata/snapshot.json']!.shape!, shapeOf(first.body))).toEqual([])
  expect(first.body.at(-1)).toMatchObject({ input: inputs[1], error_code: 'dead_page' })
  it.vendor.advance(50)
  expect((await it.ask(`/datasets/v3/snapshot/${id}?format=json`)).text).toBe(first.text)
  const lines = (await it.ask(`/datasets/v3/snapshot/${id}?format=ndjson`)).text.trim().split('\n')
  expect(lines.map(line => JSON.parse(line))).toEqual(first.body)
  const parts = await Promise.all(
    [1, 2].map(async part => (await it.ask(`/datasets/v3/snapshot/${id}?batch_size=5&part=${part}`)).body),
  )
  expect(parts.flat()).toEqual(first.body)
  const csv = (await it.ask(`/datasets/v3/snapshot/${id}?format=csv`)).text
  expect(csv.split('\n')[0]).toContain('url,product_name,')
  const zipped = await fetch(`${it.vendor.url}/datasets/v3/snapshot/${id}?compress=true`, {
    headers: { authorization: 'Bearer weir-demo-key' },
  })
  expect(gunzipSync(Buffer.from(await zipped.arrayBuffer())).toString()).toBe(first.text)
})

test('a job fails, stays, or loses its result, when asked to', async () => {
  const it = await named('brightdata', { readyAfter: 0 })
  it.vendor.failNext('failed')
  expect(await statusOf(it, await start(it))).toBe('failed')
  it.vendor.failNext('stuck')
  const stuck = await start(it)
  for (let n = 0; n < 20; n++) expect(await statusOf(it, stuck)).not.toBe('ready')
  it.vendor.failNext('expired')
  const expired = await start(it)
  expect((await it.ask(`/datasets/v3/snapshot/${expired}`)).status).toBe(404)
})

test('a snapshot is kept for as long as it is told', async () => {
  const clock = createFakeClock()
  const it = await named('brightdata', { clock, readyAfter: 0, keepMs: 60_000 })
  const id = await start(it)
  expect((await it.ask(`/datasets/v3/snapshot/${id}`)).status).toBe(200)
  await clock.advance(61_000)
  expect((await it.ask(`/datasets/v3/snapshot/${id}`)).status).toBe(404)
})

test('too many running jobs get 429 with Retry-After, and 25 of those shut the caller out', async () => {
  const it = await named('brightdata', { atOnce: 2 })
  await start(it)
  await start(it)
  const over = await it.ask(trigger, { body: inputs })
  expect([over.status, over.body, over.headers.get('retry-after')]).toEqual([
    429,
    known['brightdata/error_429.json']!.body,
    '30',
  ])
  for (let n = 1; n < 25; n++) expect((await it.ask(trigger, { body: inputs })).status).toBe(429)
  expect((await it.ask('/datasets/v3/progress/any')).status).toBe(403)
})

test('25 answers of 429 over more than five minutes shut nobody out', async () => {
  const clock = createFakeClock()
  const it = await named('brightdata', { clock, fault: { '429': 1 } })
  for (let n = 0; n < 30; n++) {
    expect((await it.ask('/datasets/v3/progress/any')).status).toBe(429)
    await clock.advance(15_000)
  }
})

test('the synchronous call gives records, or a snapshot to wait for', async () => {
  const it = await named('brightdata')
  const path = `/datasets/v3/scrape?dataset_id=${dataset}&format=json&limit_per_input=3`
  const at = await it.ask(path, { body: [inputs[0]] })
  expect([at.status, at.body.length]).toEqual([200, 3])
  expect(misfits(known['brightdata/scrape_sync.json']!.shape!, shapeOf(at.body))).toEqual([])
  const later = await it.ask(path, { body: Array.from({ length: 9 }, () => inputs[0]) })
  expect([later.status, later.headers.get('retry-after')]).toEqual([202, '10'])
  expect(misfits(known['brightdata/scrape_sync_202.json']!.shape!, shapeOf(later.body))).toEqual([])
})

test('webhooks are told of the snapshot and get its records, on this machine only', async () => {
  const heard: { path: string; body: unknown; auth: string | undefined }[] = []
  const taken = Promise.withResolvers<void>()
  const hook = createServer(async (request, response) => {
    const chunks = await Array.fromAsync(request)
    const bytes = Buffer.concat(chunks)
    const body = JSON.parse((request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString())
    heard.push({ path: request.url!, body, auth: request.headers.authorization })
    response.end(() => heard.length === 2 && taken.resolve())
  })
  await new Promise<void>(done => hook.listen(0, '127.0.0.1', done))
  onTestFinished(() => void hook.close())
  const base = `http://127.0.0.1:${(hook.address() as { port: number }).port}`
  const it = await named('brightdata', { pushAfterMs: 1 })
  const outside = 'https://hooks.example.test/x'
  await it.ask(`${trigger}&notify=${outside}&endpoint=${outside}`, { body: inputs })
  const { body } = await it.ask(`${trigger}&notify=${base}/n&endpoint=${base}/e&auth_header=Basic%20x`, {
    body: inputs,
  })
  await taken.promise
  expect(heard.map(({ path, auth }) => [path, auth])).toEqual([
    ['/n', 'Basic x'],
    ['/e', 'Basic x'],
  ])
  expect(heard[0]!.body).toEqual({ snapshot_id: body.snapshot_id, status: 'ready' })
  expect(heard[1]!.body).toHaveLength(9)
})
