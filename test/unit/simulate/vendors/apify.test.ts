import { expect, test } from 'vitest'
import { type Heard, type Named, named } from '../../../support/named-vendor.ts'
import { misfits, samples, shapeOf } from '../../../support/vendor-shapes.ts'

const known = samples()
const actor = '/v2/acts/junglee~amazon-reviews-scraper'
const input = {
  productUrls: [{ url: 'https://www.amazon.com/dp/B0WEIRTST1' }, { url: 'https://www.amazon.com/dp/B0WEIRGONE' }],
  maxReviews: 100,
  sort: 'recent',
}
const fits = (sample: string, { body }: Heard) =>
  expect(misfits(known[`apify/${sample}.json`]!.shape!, shapeOf(body))).toEqual([])
const run = async ({ ask }: Named, more: object = {}) =>
  (await ask(`${actor}/runs`, { body: { ...input, ...more } })).body.data
const itemsOf = async ({ ask }: Named, dataset: string) =>
  (await ask(`/v2/datasets/${dataset}/items?format=json&clean=true`)).body

test('the token: in the query or as bearer; wrong, missing, no money', async () => {
  const it = await named('apify', { credits: 1 })
  const wrong = await it.ask(`${actor}/runs?token=nope`, { body: input, headers: {} })
  expect([wrong.status, Object.keys(wrong.body.error)]).toEqual([401, ['type', 'message']])
  fits('error_401', wrong)
  expect((await it.ask(`${actor}/runs`, { body: input, headers: {} })).status).toBe(401)
  expect((await it.ask(`${actor}/runs?token=weir-demo-key`, { body: input, headers: {} })).status).toBe(201)
  const broke = await it.ask(`${actor}/runs`, { body: input })
  expect([broke.status, broke.body.error.type]).toEqual([402, 'not-enough-usage-to-run-paid-actor'])
})

test('a run is ready, running, succeeded; its dataset has pages and ends with a billed error', async () => {
  const it = await named('apify')
  const started = await it.ask(`${actor}/runs`, { body: input })
  expect(started.status).toBe(201)
  fits('run', started)
  const { id, defaultDatasetId: dataset, status } = started.body.data
  const asked = async () => (await it.ask(`/v2/actor-runs/${id}`)).body.data.status
  expect([status, await asked(), await asked()]).toEqual(['READY', 'RUNNING', 'RUNNING'])
  expect(await itemsOf(it, dataset)).toEqual([])
  const done = await it.ask(`/v2/actor-runs/${id}`)
  fits('run_succeeded', done)
  expect(done.body.data.status).toBe('SUCCEEDED')
  const items = await it.ask(`/v2/datasets/${dataset}/items?format=json&clean=true`)
  fits('items', items)
  expect(items.headers.get('x-apify-pagination-total')).toBe('9')
  expect(items.body.at(-1).error).toBe('no_relevant_reviews_found')
  const page = await it.ask(`/v2/datasets/${dataset}/items?offset=4&limit=3`)
  expect(page.body).toEqual(items.body.slice(4, 7))
  expect(page.headers.get('x-apify-pagination-count')).toBe('3')
})

test('only what is newer than the cut-off, with these stars, so many', async () => {
  const it = await named('apify', { readyAfter: 0 })
  const of = async (more: object) => {
    const data = await run(it, { productUrls: [input.productUrls[0]], ...more })
    await it.ask(`/v2/actor-runs/${data.id}`)
    return itemsOf(it, data.defaultDatasetId) as Promise<{ date: string; ratingScore: number }[]>
  }
  const dates = (await of({ reviewsCutoffDate: '2024-01-03' })).map(({ date }) => date)
  expect(dates).toEqual(['2024-01-05', '2024-01-05', '2024-01-05', '2024-01-03'])
  expect((await of({ filterByRatings: ['fiveStar'] })).every(({ ratingScore }) => ratingScore === 5)).toBe(true)
  expect(await of({ maxReviews: 2 })).toHaveLength(2)
})

test('the name only with the flag for personal data', async () => {
  const it = await named('apify', { readyAfter: 0 })
  const data = await run(it, { includeGdprSensitive: true })
  await it.ask(`/v2/actor-runs/${data.id}`)
  expect((await itemsOf(it, data.defaultDatasetId))[0].userName).toBe('Lise-Anne Ø.')
})

test.each(['failed', 'aborted', 'timed_out'] as const)('a run that ends as %s has no items', async kind => {
  const it = await named('apify', { readyAfter: 0 })
  it.vendor.failNext(kind)
  const data = await run(it)
  const { status } = (await it.ask(`/v2/actor-runs/${data.id}`)).body.data
  expect(status).toBe({ failed: 'FAILED', aborted: 'ABORTED', timed_out: 'TIMED-OUT' }[kind])
  expect(await itemsOf(it, data.defaultDatasetId)).toEqual([])
})

test('at once, the runs of an actor, an input that will not do, too fast', async () => {
  const it = await named('apify')
  const at = await it.ask(`${actor}/run-sync-get-dataset-items`, { body: input })
  expect([at.status, at.body.length]).toEqual([201, 9])
  expect((await it.ask(`${actor}/runs?desc=1`)).body.data.items).toHaveLength(1)
  expect((await it.ask(`${actor}/runs`, { body: {} })).status).toBe(400)
  expect((await it.ask(`${actor}/runs?maxTotalChargeUsd=0.1`, { body: input })).status).toBe(400)
  it.vendor.failNext('429')
  const over = await it.ask(`${actor}/runs`, { body: input })
  expect(over.status).toBe(429)
  fits('error_429', over)
})
