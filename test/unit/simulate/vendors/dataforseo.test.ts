import { createServer } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { createFakeClock } from '../../../support/fake-clock.ts'
import { type Heard, type Named, named } from '../../../support/named-vendor.ts'
import { misfits, samples, shapeOf, shapeOfSamples } from '../../../support/vendor-shapes.ts'

const known = samples()
const base = '/v3/merchant/amazon/asin'
const task = (asin: string, more: object = {}) => ({
  asin,
  location_code: 2840,
  language_code: 'en_US',
  tag: 'weir:kettle',
  ...more,
})
const post = ({ ask }: Named, ...tasks: object[]) => ask(`${base}/task_post`, { body: tasks })
const get = ({ ask }: Named, id: string) => ask(`${base}/task_get/advanced/${id}`)
const codes = ({ body }: Heard) => [
  body.status_code,
  ...(body.tasks ?? []).map((each: { status_code: number }) => each.status_code),
]
const fits = (sample: string, { body }: Pick<Heard, 'body'>, ...more: readonly string[]) =>
  expect(misfits(shapeOfSamples(...[sample, ...more].map(name => `dataforseo/${name}.json`)), shapeOf(body))).toEqual(
    [],
  )
const same = (sample: string, { status, body }: Heard) =>
  expect([status, body]).toEqual([known[`dataforseo/${sample}.json`]!.status, known[`dataforseo/${sample}.json`]!.body])

test('without the login: 401, a challenge, and code 40100 in the body', async () => {
  const { ask } = await named('dataforseo')
  const answer = await ask(`${base}/tasks_ready`, { headers: {} })
  same('error_40100_unauthorized', answer)
  expect(answer.headers.get('www-authenticate')).toBe('Basic realm="DataForSEO REST API"')
})

test('a task is created, handed, in queue, listed, fetched, and then listed no more', async () => {
  const it = await named('dataforseo', { readyAfter: 3 })
  const created = await post(it, task('B0WEIRTST1'), task('B0WEIRTST2'))
  fits('asin_task_post', created)
  expect([codes(created), created.body.cost]).toEqual([[20000, 20100, 20100], 0.003])
  const id = created.body.tasks[0].id as string
  expect(codes(await get(it, id))).toEqual([20000, 40601])
  const queued = await get(it, id)
  fits('task_get_in_queue', queued)
  expect(codes(queued)).toEqual([20000, 40602])
  fits('asin_tasks_ready_empty', await it.ask(`${base}/tasks_ready`))
  const ready = await it.ask(`${base}/tasks_ready`)
  fits('asin_tasks_ready', ready)
  expect(ready.body.tasks[0].result.map((each: { id: string }) => each.id)).toEqual([id])
  const done = await get(it, id)
  fits('asin_task_get_advanced', done)
  expect(codes(done)).toEqual([20000, 20000])
  it.vendor.advance(20)
  expect((await get(it, id)).text).toBe(done.text)
  expect((await it.ask('/v3/merchant/tasks_ready')).text).not.toContain(id)
})

test('a call with a bad task accepts the good ones, and the journal knows which were paid', async () => {
  const it = await named('dataforseo')
  const mixed = await post(
    it,
    task('B0WEIRTST1'),
    task('B0WEIRTST1', { location_code: 99 }),
    task('B0WEIRTST2', { x: 1 }),
  )
  expect([mixed.status, codes(mixed), mixed.body.tasks_error]).toEqual([200, [20000, 20100, 40501, 40506], 2])
  fits('error_40501_invalid_field', await post(it, task('B0WEIRTST1', { location_code: 99 })))
  const jobs = it.vendor.journal.filter(({ event }) => event === 'job')
  expect(jobs).toMatchObject([{ job: mixed.body.tasks[0].id, asins: ['B0WEIRTST1'], cost: 0.0015 }])
  it.vendor.failNext('task_refused')
  expect(codes(await post(it, task('B0WEIRTST1'), task('B0WEIRTST2')))).toEqual([20000, 20100, 40501])
})

test('too many tasks, a body that is no list, a retired endpoint, an unknown task', async () => {
  const it = await named('dataforseo')
  const many = Array.from({ length: 101 }, () => task('B0WEIRTST1'))
  expect(codes(await post(it, ...many))).toEqual([40006])
  expect(codes(await it.ask(`${base}/live/advanced`, { body: many.slice(0, 2) }))).toEqual([40000])
  expect(codes(await it.ask(`${base}/task_post`, { body: '{' }))).toEqual([40503])
  same('error_40400_not_found', await it.ask('/v3/merchant/amazon/reviews/task_post', { body: [task('B0WEIRTST1')] }))
  const unknown = await get(it, '11052014-1535-0403-0000-000000000a01')
  fits('task_get_not_found', unknown)
  expect(codes(unknown)).toEqual([20000, 40401])
})

test('tasks end without a result: nothing found, engine error, failed, expired, or never', async () => {
  const it = await named('dataforseo', { readyAfter: 0 })
  const ending = async (kind: string | null, asin = 'B0WEIRTST1') => {
    if (kind !== null) it.vendor.failNext(kind)
    const { body } = await post(it, task(asin))
    return get(it, body.tasks[0].id)
  }
  const nothing = await ending('no_results')
  fits('task_get_no_results', nothing)
  expect([codes(nothing), codes(await ending(null, 'B0WEIRGONE'))]).toEqual([
    [20000, 40102],
    [20000, 40102],
  ])
  const broken = await ending('se_error')
  fits('task_get_se_error', broken)
  expect([codes(broken), broken.body.cost]).toEqual([[20000, 40101], 0.0015])
  expect(codes(await ending('failed'))).toEqual([20000, 40103])
  expect(codes(await ending('expired'))).toEqual([20000, 40403])
  expect(codes(await ending('stuck'))).toEqual([20000, 40601])
})

test('at the limit of the minute it is 40202 under 200, without Retry-After, until the next', async () => {
  const clock = createFakeClock()
  const it = await named('dataforseo', { clock, rateLimit: 3 })
  for (let n = 0; n < 3; n++) expect(codes(await get(it, 'x'))).toEqual([20000, 40401])
  const over = await get(it, 'x')
  same('error_40202_rate_limit', over)
  expect(over.headers.get('retry-after')).toBeNull()
  await clock.advance(60_000)
  expect(codes(await get(it, 'x'))).toEqual([20000, 40401])
})

test('a burst of 40202 lasts five calls', async () => {
  const it = await named('dataforseo')
  it.vendor.failNext('40202')
  for (let n = 0; n < 5; n++) expect(codes(await get(it, 'x'))).toEqual([40202])
  expect(codes(await get(it, 'x'))).toEqual([20000, 40401])
})

test('tasks_ready may be asked twenty times a minute', async () => {
  const it = await named('dataforseo', { clock: createFakeClock() })
  for (let n = 0; n < 20; n++) expect(codes(await it.ask(`${base}/tasks_ready`))).toEqual([20000, 20000])
  expect(codes(await it.ask(`${base}/tasks_ready`))).toEqual([40202])
})

test('more than thirty calls at once get 40209', async () => {
  const clock = createFakeClock()
  const it = await named('dataforseo', { clock, latencyMs: 1000 })
  const waiting = Array.from({ length: 30 }, () => get(it, 'x'))
  await clock.waiting(30)
  same('error_40209_concurrency', await get(it, 'x'))
  await clock.advance(2000)
  for (const answer of await Promise.all(waiting)) expect(codes(answer)).toEqual([20000, 40401])
})

test('live answers at once; without money it is 402', async () => {
  const it = await named('dataforseo', { credits: 1 })
  const live = await it.ask(`${base}/live/advanced`, { body: [task('B0WEIRTST1')] })
  fits('asin_live_advanced', live, 'asin_task_get_advanced')
  expect(it.vendor.journal[0]).toMatchObject({ event: 'charged', cost: 0.003 })
  same('error_40200_payment', await it.ask(`${base}/live/advanced`, { body: [task('B0WEIRTST1')] }))
  same('error_40200_payment', await post(it, task('B0WEIRTST1')))
  it.vendor.failNext('500')
  same('error_50000_internal', await post(it, task('B0WEIRTST1')))
})

test('odd reviews: no profile, no address, no stars', async () => {
  const it = await named('dataforseo', { fault: { profile_null: 0.3, url_null: 0.3, rating_null: 0.3 } })
  const { body } = await it.ask(`${base}/live/advanced`, { body: [task('B000E7WM0K')] })
  const [item] = body.tasks[0].result[0].items
  const reviews = [...item.top_local_reviews, ...(item.top_global_reviews ?? [])]
  const served = it.vendor.journal.filter(each => each.event === 'served')
  expect(served.map(({ fault }) => fault)).toEqual(
    reviews.map(({ user_profile: profile, url, rating }) =>
      profile === null ? 'profile_null' : url === null ? 'url_null' : rating === null ? 'rating_null' : null,
    ),
  )
  expect(new Set(served.map(({ fault }) => fault)).size).toBeGreaterThan(2)
  expect(served.filter(({ refused }) => refused).map(({ fault }) => fault)).not.toContain('url_null')
})

test.each([
  ['push_twice', 2],
  ['push_never', 0],
  [null, 1],
] as const)('a postback (%s) comes gzipped with id and tag filled in: %i times', async (kind, times) => {
  const heard: { url: string; body: unknown }[] = []
  const pinged = Promise.withResolvers<void>()
  const hook = createServer(async (request, response) => {
    const bytes = Buffer.concat(await Array.fromAsync(request))
    if (request.method === 'GET') pinged.resolve()
    else heard.push({ url: request.url!, body: JSON.parse(gunzipSync(bytes).toString()) })
    response.end()
  })
  await new Promise<void>(done => hook.listen(0, '127.0.0.1', done))
  onTestFinished(() => void hook.close())
  const at = `http://127.0.0.1:${(hook.address() as { port: number }).port}`
  const it = await named('dataforseo', { pushAfterMs: 1 })
  if (kind !== null) it.vendor.failNext(kind)
  const postback = { postback_url: `${at}/dfs?id=$id&tag=$tag`, postback_data: 'advanced' }
  const { body } = await post(it, task('B0WEIRTST1', postback))
  // A second job, whose ping comes after all there is of the first.
  await expect.poll(() => heard.length).toBe(times)
  await post(it, task('B0WEIRTST2', { pingback_url: `${at}/ping?id=$id` }))
  await pinged.promise
  expect(heard).toHaveLength(times)
  for (const { url, body: pushed } of heard) {
    expect(url).toBe(`/dfs?id=${body.tasks[0].id}&tag=weir%3Akettle`)
    fits('postback_body', { body: pushed }, 'asin_task_get_advanced')
  }
  const served = it.vendor.journal.filter(each => each.event === 'served')
  expect(served.length > 0).toBe(times > 0)
})
