import { expect, test } from 'vitest'
import { type Heard, type Named, named } from '../../../support/named-vendor.ts'
import { misfits, samples, shapeOf } from '../../../support/vendor-shapes.ts'

const known = samples()
const query = { source: 'amazon_product', query: 'B0WEIRTST1', domain: 'com', parse: true, geo_location: '10001' }
const fits = (sample: string, { body }: Heard) =>
  expect(misfits(known[`oxylabs/${sample}.json`]!.shape!, shapeOf(body))).toEqual([])
const same = (sample: string, { status, body }: Heard) =>
  expect([status, body]).toEqual([known[`oxylabs/${sample}.json`]!.status, known[`oxylabs/${sample}.json`]!.body])
const realtime = ({ ask }: Named, more: object = {}) => ask('/realtime/v1/queries', { body: { ...query, ...more } })
const submit = ({ ask }: Named, more: object = {}) => ask('/v1/queries', { body: { ...query, ...more } })

test('without the login, and with a body that will not do', async () => {
  const it = await named('oxylabs')
  same('error_401', await it.ask('/v1/queries', { body: query, headers: {} }))
  same('error_400', await submit(it, { query: undefined }))
  same('error_422', await submit(it, { source: 'ebay' }))
  expect((await it.ask('/v1/queries/1')).status).toBe(404)
})

test('realtime: the product with its reviews, and a 404 of the shop inside a 200', async () => {
  const it = await named('oxylabs')
  fits('product_realtime', await realtime(it))
  const gone = await realtime(it, { query: 'B0WEIRGONE' })
  fits('product_result_404', gone)
  expect([gone.status, gone.body.results[0].status_code, gone.body.results[0].content]).toEqual([200, 404, ''])
  expect(it.vendor.journal.filter(({ event }) => event === 'charged')).toHaveLength(2)
})

test('localised: the stars before the title, the flag in the date', async () => {
  const it = await named('oxylabs')
  const { body } = await realtime(it, { query: 'B0WEIRTST7', domain: 'nl' })
  const [review] = body.results[0].content.reviews
  expect(review).toMatchObject({
    title: '4,0 van 5 sterren Stevig maar krap',
    timestamp: 'Beoordeeld in Nederland 🇳🇱 op 5 januari 2024',
    product_attributes: 'Maat: 60 cmKleur: Eiken',
    is_verified: true,
  })
})

test('the reviews source: pages, and a word where the product has a boolean', async () => {
  const it = await named('oxylabs')
  const answer = await realtime(it, { source: 'amazon_reviews', query: 'B000E7WM0K', pages: 2 })
  fits('reviews_realtime', answer)
  const ids = answer.body.results.flatMap((page: { content: { reviews: { id: string }[] } }) =>
    page.content.reviews.map(({ id }) => id),
  )
  expect([answer.body.results.length, new Set(ids).size]).toEqual([2, 16])
})

test('push-pull: pending, 204 while it is, done, results', async () => {
  const it = await named('oxylabs', { readyAfter: 2 })
  const submitted = await submit(it, { callback_url: 'https://hooks.example.test/oxylabs' })
  expect(submitted.status).toBe(202)
  fits('pushpull_submit', submitted)
  expect(submitted.headers.get('x-ratelimit-jobs-limit')).toBe('50')
  const { id } = submitted.body
  fits('pushpull_status_pending', await it.ask(`/v1/queries/${id}`))
  const early = await it.ask(`/v1/queries/${id}/results`)
  expect([early.status, early.text]).toEqual([204, ''])
  const done = await it.ask(`/v1/queries/${id}`)
  expect([done.body.status, done.body.id]).toEqual(['done', id])
  fits('pushpull_status_done', done)
  const results = await it.ask(`/v1/queries/${id}/results`)
  fits('pushpull_results', results)
  expect(results.body.results[0].job_id).toBe(id)
  expect(typeof (await it.ask(`/v1/queries/${id}/results?type=raw`)).body.results[0].content).toBe('string')
})

test('jobs that fault, and pages that were not read', async () => {
  const it = await named('oxylabs', { readyAfter: 0 })
  const ending = async (kind: string) => {
    it.vendor.failNext(kind)
    const { id } = (await submit(it)).body
    return [await it.ask(`/v1/queries/${id}`), await it.ask(`/v1/queries/${id}/results`)] as const
  }
  const [faulted, none] = await ending('failed')
  expect(faulted.body.status).toBe('faulted')
  same('error_613', none)
  const [, unread] = await ending('parse_failed')
  fits('product_parse_failed', unread)
  expect(unread.body.results[0].content.parse_status_code).toBe(12004)
  expect(typeof (await ending('unparsed'))[1].body.results[0].content).toBe('string')
  expect((await ending('inner_503'))[1].body.results[0].status_code).toBe(503)
  expect((await ending('expired'))[1].status).toBe(404)
})

test('statuses that HTTP does not know, and the limit of jobs a second', async () => {
  const it = await named('oxylabs', { rateLimit: 1 })
  for (const kind of ['612', '613', '524'] as const) {
    const own = await named('oxylabs')
    own.vendor.failNext(kind)
    expect((await realtime(own)).status).toBe(Number(kind))
  }
  await submit(it)
  const over = await submit(it)
  same('error_429', over)
  expect([over.headers.get('x-ratelimit-jobs-remaining'), over.headers.get('retry-after')]).toEqual(['0', null])
})

test('a batch makes a job a value, also of one that is no product', async () => {
  const it = await named('oxylabs', { readyAfter: 0 })
  const answer = await it.ask('/v1/queries/batch', {
    body: { ...query, query: ['B0WEIRTST1', 'kettle'], callback_url: 'https://hooks.example.test/oxylabs' },
  })
  expect(answer.status).toBe(202)
  fits('batch_submit', answer)
  const [good, bad] = answer.body.queries as { id: string }[]
  expect((await it.ask(`/v1/queries/${good!.id}/results`)).body.results[0].status_code).toBe(200)
  expect((await it.ask(`/v1/queries/${bad!.id}/results`)).body.results[0].status_code).toBe(404)
})
