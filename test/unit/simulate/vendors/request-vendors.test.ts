// The vendors with one call for everything: Rainforest, ScrapeHero, and Outscraper, which may also be asked to take its time.
import { expect, test } from 'vitest'
import { createFakeClock } from '../../../support/fake-clock.ts'
import { type Heard, key, named } from '../../../support/named-vendor.ts'
import { misfits, samples, shapeOf } from '../../../support/vendor-shapes.ts'

const known = samples()
const fits = (sample: string, { body }: Heard, nulls: readonly string[] = []) =>
  expect(misfits(known[sample]!.shape!, shapeOf(body)).filter(each => !nulls.includes(each))).toEqual([])
const same = (sample: string, { status, body }: Heard) =>
  expect([status, body]).toEqual([known[sample]!.status, known[sample]!.body])

const reviews = `/request?api_key=${key}&type=reviews&amazon_domain=amazon.com&sort_by=most_recent`

test('Rainforest: pages of ten, no link on the last, ten pages and then none', async () => {
  const { ask, vendor } = await named('rainforest', { initial: 366 })
  const first = await ask(`${reviews}&asin=B001RVFDOO&page=1`)
  fits('rainforest/reviews.json', first)
  const { total_results: total, total_pages: pages } = first.body.pagination
  const ids: string[] = []
  for (let page = 1; page <= pages; page++) {
    const { body } = await ask(`${reviews}&asin=B001RVFDOO&page=${page}`)
    ids.push(...body.reviews.map(({ id }: { id: string }) => id))
    expect('next_page_link' in body.pagination).toBe(page < pages)
  }
  expect([ids.length, new Set(ids).size]).toEqual([total, total])
  expect((await ask(`${reviews}&asin=B001RVFDOO&page=11`)).body.reviews).toEqual([])
  expect(vendor.journal.filter(each => each.event === 'served' && each.first)).toHaveLength(total)
})

test('Rainforest: votes are absent when there are none, and stars can be chosen', async () => {
  const { ask } = await named('rainforest')
  const { body } = await ask(`${reviews}&asin=B0WEIRTST1&review_stars=five_star`)
  expect(body.reviews.map((each: { rating: number }) => each.rating)).toEqual([5, 5, 5])
  expect(body.reviews.filter((each: object) => !('helpful_votes' in each))).toHaveLength(2)
  fits(
    'rainforest/product_top_reviews.json',
    await ask(`/request?api_key=${key}&type=product&amazon_domain=amazon.com&asin=B0WEIRTST1`),
  )
})

test('Rainforest: a wrong key, no success under 200 and 503, no money in the middle of a run', async () => {
  const { ask, vendor } = await named('rainforest', { credits: 1 })
  same('rainforest/error_401.json', await ask('/request?type=reviews&asin=B0WEIRTST1'))
  vendor.failNext('not_success')
  const failed = await ask(`${reviews}&asin=B0WEIRTST1`)
  expect([failed.status, failed.body.request_info.success]).toEqual([200, false])
  vendor.failNext('503')
  fits('rainforest/error_503.json', await ask(`${reviews}&asin=B0WEIRTST1`))
  vendor.failNext('429')
  same('rainforest/error_429.json', await ask(`${reviews}&asin=B0WEIRTST1`))
  expect((await ask(`${reviews}&asin=B0WEIRTST1`)).status).toBe(200)
  const broke = await ask(`${reviews}&asin=B0WEIRTST1`)
  expect(broke.status).toBe(402)
  fits('rainforest/error_402.json', broke)
  expect(JSON.stringify(vendor.journal)).not.toContain(key)
})

test('ScrapeHero: reviews by page and details; 404 is billed, 401 and 429 are not', async () => {
  const { ask, vendor } = await named('scrapehero')
  const at = (what: string, asin: string, more = '') =>
    ask(`/amz/${what}/?x-api-key=${key}&asin=${asin}&country_code=US${more}`)
  fits('scrapehero/product_reviews.json', await at('product-reviews', 'B0WEIRTST1'))
  const first = await at('product-reviews', 'B000E7WM0K')
  expect(first.body.next_page).toContain('pageNumber=2')
  const second = await at('product-reviews', 'B000E7WM0K', '&page=2')
  expect(second.body.reviews).not.toEqual(first.body.reviews)
  fits('scrapehero/product_details.json', await at('product-details', 'B0WEIRTST1'))
  same('scrapehero/error_404.json', await at('product-details', 'B0WEIRGONE'))
  same('scrapehero/error_401.json', await ask('/amz/product-details/?asin=B0WEIRTST1'))
  vendor.failNext('429')
  same('scrapehero/error_429.json', await at('product-details', 'B0WEIRTST1'))
  expect(vendor.journal.filter(({ event }) => event === 'charged')).toHaveLength(5)
})

test("ScrapeHero on one's own machine: the address of the page, no key, nothing billed", async () => {
  const { ask, vendor } = await named('scrapehero')
  const at = (asin: string, more = '') =>
    ask(`/?url=${encodeURIComponent(`https://www.amazon.com/product-reviews/${asin}/${more}`)}`)
  const first = await at('B000E7WM0K')
  fits('scrapehero/self_hosted_reviews.json', first)
  const second = await at('B000E7WM0K', '?pageNumber=2')
  expect(second.body.reviews).not.toEqual(first.body.reviews)
  expect((await at('B0WEIRGONE')).status).toBe(404)
  expect(vendor.journal.filter(({ event }) => event === 'charged')).toEqual([])
  expect(vendor.journal.filter(({ event }) => event === 'served')).toHaveLength(
    first.body.reviews.length + second.body.reviews.length,
  )
})

test('Outscraper: a request is pending and then has a list a query, at most twelve each', async () => {
  const { ask, vendor } = await named('outscraper')
  const submitted = await ask(
    '/amazon/reviews?query=https://www.amazon.com/dp/B0WEIRTST1&query=B000E7WM0K&query=B0WEIRGONE&limit=99&sort=recent&async=true',
  )
  expect(submitted.status).toBe(202)
  fits('outscraper/submit_async.json', submitted)
  const path = `/requests/${submitted.body.id}`
  expect(submitted.body.results_location).toBe(vendor.url + path)
  fits('outscraper/request_pending.json', await ask(path))
  await ask(path)
  const done = await ask(path)
  fits('outscraper/request_success.json', done)
  expect(done.body.data.map((each: unknown[]) => each.length)).toEqual([8, 12, 0])
})

test('Outscraper: at once, errors under 200, a failed task, no money, a wrong key', async () => {
  const { ask, vendor } = await named('outscraper', { credits: 2, readyAfter: 0 })
  // The sample has no review without votes or badge; that of a finished request has.
  const at = await ask('/amazon/reviews?query=B0WEIRTST1&async=false')
  fits('outscraper/reviews_sync.json', at, ['.data[][].helpful is null', '.data[][].bage is null'])
  fits('outscraper/request_success.json', at)
  same('outscraper/error_body.json', await ask('/amazon/reviews?async=true'))
  vendor.failNext('failed')
  const { id } = (await ask('/amazon/reviews?query=B0WEIRTST1')).body
  const failed = await ask(`/requests/${id}`)
  expect(failed.body).toEqual({ ...(known['outscraper/request_error.json']!.body as object), id })
  same('outscraper/error_402.json', await ask('/amazon/reviews?query=B0WEIRTST1'))
  expect((await ask('/amazon/reviews?query=B0WEIRTST1', { headers: {} })).status).toBe(401)
})

test('Outscraper: results are kept for two hours', async () => {
  const clock = createFakeClock()
  const { ask } = await named('outscraper', { clock, readyAfter: 0 })
  const { id } = (await ask('/amazon/reviews?query=B0WEIRTST1')).body
  expect((await ask(`/requests/${id}`)).status).toBe(200)
  await clock.advance(2 * 3_600_000 + 1000)
  expect((await ask(`/requests/${id}`)).status).toBe(404)
})

test('Outscraper: the dirt that has been seen', async () => {
  const { ask, vendor } = await named('outscraper', {
    fault: { ten_fold: 0.2, read_more: 0.2, script_text: 0.2, other_names: 0.2 },
  })
  const { body } = await ask('/amazon/reviews?query=B000E7WM0K&query=B001RVFDOO&limit=12&async=false')
  const served = vendor.journal.filter(each => each.event === 'served')
  const marks = {
    ten_fold: (item: { rating: number }) => item.rating >= 10,
    read_more: (item: { body: string }) => item.body.endsWith(' Read more'),
    script_text: (item: { body: string }) => item.body.includes('P.when('),
    other_names: (item: object) => 'author' in item && !('author_title' in item),
  }
  for (const [n, item] of body.data.flat().entries())
    for (const [kind, marked] of Object.entries(marks)) expect(marked(item)).toBe(served[n]!.fault === kind)
  expect(new Set(served.map(({ fault }) => fault)).size).toBe(5)
  expect(served.some(({ refused }) => refused)).toBe(false)
})
