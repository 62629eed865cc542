// The journal of each simulated vendor against what a client got from it while calls, jobs and items went wrong: every item of every whole answer,
// once for each time, and no other; every job that was accepted, and of each whether the client was told.
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { vendorSpecs } from '../../src/simulate/vendors/index.ts'
import { type Ask, key, type Named, named, user } from '../support/named-vendor.ts'

type Body = Record<string, unknown>
/** JSON that came whole, or null: whatever went wrong, a client asks again another time. */
type Get = (path: string, ask?: Ask) => Promise<unknown>

interface Got {
  readonly items: unknown[]
  readonly jobs: string[]
}

const asins = ['B0WEIRTST1', 'B000E7WM0K', 'B001RVFDOO', 'B0WEIRGONE']
const page = (asin: string) => `https://www.amazon.com/dp/${asin}/`
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])
const at = (value: unknown, ...keys: readonly (string | number)[]): unknown =>
  keys.reduce<unknown>(
    (inner, each) => (inner === null || inner === undefined ? undefined : (inner as Body)[each]),
    value,
  )
const polls = 5

const dataforseoReviews = (body: unknown) =>
  list(at(body, 'tasks', 0, 'result', 0, 'items')).flatMap(item => [
    ...list(at(item, 'top_local_reviews')),
    ...list(at(item, 'top_global_reviews')),
  ])

/** Each reads one product as a client of that vendor does. */
const clients: Record<string, (get: Get, asin: string, got: Got) => Promise<void>> = {
  async brightdata(get, asin, { items, jobs }) {
    const path = '/datasets/v3/trigger?dataset_id=gd_le8e811kzy4ggddlq&include_errors=true'
    const id = at(await get(path, { body: [{ url: page(asin) }] }), 'snapshot_id')
    if (id === undefined) return
    jobs.push(String(id))
    for (let n = 0; n < polls; n++) items.push(...list(await get(`/datasets/v3/snapshot/${id}`)))
  },
  async dataforseo(get, asin, { items, jobs }) {
    const body = [{ asin, location_code: 2840, language_code: 'en_US' }]
    const answer = await get('/v3/merchant/amazon/asin/task_post', { body })
    items.push(...dataforseoReviews(await get('/v3/merchant/amazon/asin/live/advanced', { body })))
    if (at(answer, 'tasks', 0, 'status_code') !== 20100) return
    const id = String(at(answer, 'tasks', 0, 'id'))
    jobs.push(id)
    for (let n = 0; n < polls; n++)
      items.push(...dataforseoReviews(await get(`/v3/merchant/amazon/asin/task_get/advanced/${id}`)))
  },
  async oxylabs(get, asin, { items, jobs }) {
    const body = { source: 'amazon_product', query: asin, domain: 'com', parse: true }
    const read = (answer: unknown) => {
      for (const result of list(at(answer, 'results'))) {
        const content = at(result, 'content')
        // The page as text, or as the parser left it: nobody can read its reviews.
        const isUnreadable = typeof content === 'string' ? content !== '' : at(content, 'parse_status_code') !== 12000
        items.push(...(isUnreadable ? [result] : list(at(content, 'reviews'))))
      }
    }
    read(await get('/realtime/v1/queries', { body }))
    const id = at(await get('/v1/queries', { body }), 'id')
    if (id === undefined) return
    jobs.push(String(id))
    for (let n = 0; n < polls; n++) read(await get(`/v1/queries/${id}/results`))
  },
  async apify(get, asin, { items, jobs }) {
    const body = { productUrls: [{ url: page(asin) }] }
    const run = at(await get('/v2/acts/junglee~amazon-reviews-scraper/runs', { body }), 'data')
    if (run === undefined) return
    jobs.push(String(at(run, 'id')))
    for (let n = 0; n < polls; n++) {
      await get(`/v2/actor-runs/${at(run, 'id')}`)
      items.push(...list(await get(`/v2/datasets/${at(run, 'defaultDatasetId')}/items`)))
    }
  },
  async rainforest(get, asin, { items }) {
    const path = `/request?api_key=${key}&asin=${asin}`
    items.push(...list(at(await get(`${path}&type=product`), 'product', 'top_reviews')))
    for (let n = 1; n <= 3; n++) items.push(...list(at(await get(`${path}&type=reviews&page=${n}`), 'reviews')))
  },
  async outscraper(get, asin, { items, jobs }) {
    const id = at(await get(`/amazon/reviews?query=${asin}&limit=12&async=true`), 'id')
    if (id === undefined) return
    jobs.push(String(id))
    for (let n = 0; n < polls; n++) items.push(...list(at(await get(`/requests/${id}`), 'data')).flatMap(list))
  },
  async scrapehero(get, asin, { items }) {
    for (let n = 1; n <= 3; n++)
      items.push(...list(at(await get(`/amz/product-reviews/?x-api-key=${key}&asin=${asin}&page=${n}`), 'reviews')))
  },
  async creators(get, asin, { items }) {
    const grant = { grant_type: 'client_credentials', client_id: user, client_secret: key }
    const token = at(await get('/auth/o2/token', { body: grant }), 'access_token')
    const headers = { authorization: `Bearer ${token}`, 'x-marketplace': 'www.amazon.com' }
    const body = { partnerTag: 'weirtest-20', itemIds: [asin], resources: ['customerReviews.count'] }
    items.push(...list(at(await get('/catalog/v1/getItems', { body, headers }), 'itemsResult', 'items')))
  },
  async keepa(get, asin, { items }) {
    items.push(...list(at(await get(`/product?key=${key}&domain=1&asin=${asin}&rating=1`), 'products')))
  },
}

const sha256 = (value: unknown) =>
  createHash('sha256')
    .update(typeof value === 'string' ? value : JSON.stringify(value))
    .digest('hex')

async function read({ ask, vendor }: Named, client: (typeof clients)[string], rounds: number): Promise<Got> {
  const got: Got = { items: [], jobs: [] }
  const get: Get = async (path, asked) => {
    try {
      return (await ask(path, asked)).body ?? null
    } catch {
      return null
    }
  }
  for (let n = 0; n < rounds; n++) {
    for (const asin of asins) await client(get, asin, got)
    vendor.advance(5)
  }
  return got
}

const troubled = { faults: 0.3, initial: 200, editEvery: 2, rateLimit: null, atOnce: null, seed: 5 } as const

test.each(Object.keys(clients))(
  '%s: what was served, accepted and told is what was got',
  { timeout: 60_000 },
  async name => {
    const it = await named(name, { ...troubled, ...(name === 'keepa' ? { credits: 100_000 } : {}) })
    // Some make few calls a round, so they take more rounds.
    const got = await read(it, clients[name]!, ['keepa', 'creators'].includes(name) ? 40 : 14)
    const { journal } = it.vendor
    const served = journal.filter(each => each.event === 'served')
    expect(served.map(each => each.sha256).sort()).toEqual(got.items.map(sha256).sort())
    expect(served.length).toBeGreaterThan(20)

    const versions = new Set(
      served.map(({ what, asin, id, version, sha256: hash }) => `${what} ${asin} ${id} ${id === '' ? hash : version}`),
    )
    expect(served.filter(({ first }) => first)).toHaveLength(versions.size)
    const told = journal.flatMap(each => (each.event === 'told' ? each.jobs : []))
    const accepted = journal.flatMap(each => (each.event === 'job' ? [each.job] : []))
    expect(told.sort()).toEqual([...got.jobs].sort())
    expect(new Set(accepted).size).toBe(accepted.length)
    expect(accepted).toEqual(expect.arrayContaining(told))

    // Faults of all three kinds came up; where there are jobs, some was accepted whose answer was lost.
    const faults = journal.flatMap(each => (each.event === 'fault' ? [each] : []))
    expect(new Set(faults.filter(({ job }) => job === null).map(({ kind }) => kind)).size).toBeGreaterThan(5)
    expect(served.some(({ fault }) => fault !== null)).toBe(true)
    if (vendorSpecs[name]!.keepMs === null) return
    expect(faults.some(({ job }) => job !== null)).toBe(true)
    expect(accepted.length).toBeGreaterThan(told.length)
  },
)

test('amazon-page: the reviews of whole pages, and of those that broke off', { timeout: 60_000 }, async () => {
  const { ask, vendor } = await named('amazon-page', troubled)
  const ids: string[] = []
  for (let n = 0; n < 60; n++) {
    const path = `/dp/${asins[n % asins.length]}`
    const page = await ask(path).catch(() => null)
    const nodes = (page?.text ?? '').split(/(?=<(?:li|div)[^>]*data-hook="review")/).slice(1)
    ids.push(...nodes.map(node => /R[A-Z0-9]{9,14}(?=["-])/.exec(node)?.[0] ?? 'none'))
    vendor.advance()
  }
  const served = vendor.journal.filter(each => each.event === 'served')
  const shown = served.map(({ id, fault }) => (fault === 'no_id' ? 'none' : id))
  expect(shown).toEqual(ids)
  expect(served.some(({ fault }) => fault === 'cut_page')).toBe(true)
})

test('the same seed and the same calls give the same journal', async () => {
  const run = async (seed: number) => {
    const it = await named('dataforseo', { ...troubled, seed })
    await read(it, clients['dataforseo']!, 2)
    return it.vendor.journal
  }
  const first = await run(9)
  expect(await run(9)).toEqual(first)
  expect(await run(10)).not.toEqual(first)
})
