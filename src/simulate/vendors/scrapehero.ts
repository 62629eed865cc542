// ScrapeHero: a GET with the key in the query. The reviews endpoint is a guess by analogy, shaped as the vendor's self-hosted service is.
import { same } from '../gate.ts'
import { callFaults, oddity, ratingFaults } from './faults.ts'
import { factsOfItems, valuesOf, writeItems } from './items.ts'
import { localeOf } from './locale.ts'
import type { Product, ShopReview } from './shop.ts'
import { type Answer, asinOf, type Call, type Desk, json, type OpenVendor, type VendorSpec } from './vendor.ts'

const pageSize = 10

export const scrapehero: VendorSpec = {
  name: 'scrapehero',
  summary: 'ScrapeHero: reviews by GET; unverified, by analogy',
  tries: [
    `curl '{url}/amz/product-reviews/?x-api-key={key}&asin=B0WEIRTST1&country_code=US&page=1'`,
    `curl '{url}/amz/product-details/?x-api-key={key}&asin=B0WEIRTST1&country_code=US'`,
  ],
  login: { key: 'as ?x-api-key=' },
  faults: {
    ...callFaults,
    ...ratingFaults('rating'),
    no_url: oddity('url is null: the review has no id', 'url', () => null),
    no_author: oddity('author is null', 'author', () => null),
    url_with_break: oddity('a line break at the end of url', 'url', value => `${value}\n`),
  },
  limit: null,
  atOnce: null,
  keepMs: null,
  extras: ['credits'],
  open,
}

const failure = (status: number, message: string): Answer => json(status, { message })
const slowDown = () => failure(429, 'Limit exceeded')

function open(desk: Desk): OpenVendor {
  /** 200 and 404 are billed, nothing else is. */
  const found = (call: Call, answer: (product: Product, newest: readonly ShopReview[]) => Answer): Answer => {
    const asin = call.query.get('asin') ?? ''
    if (!/^[A-Z0-9]{10}$/.test(asin)) return failure(400, 'Invalid asin')
    const asked = Object.fromEntries([...call.query].filter(([name]) => name !== 'x-api-key'))
    if (!desk.charge(call, { path: call.path, ...asked }, 0.002)) return failure(403, 'Quota exceeded')
    const look = desk.shop.look(asin)
    return look === null ? failure(404, 'Product not found') : answer(look.product, look.newest)
  }
  return {
    refuse: ({ path, query }) =>
      path === '/' || same(query.get('x-api-key'), desk.settings.key) ? null : failure(401, 'Invalid API key'),
    trouble: kind =>
      kind === '429' ? slowDown() : /^5/.test(kind) ? failure(Number(kind), 'Internal server error') : null,
    throttled: slowDown,
    notFound: () => failure(404, 'Not found'),
    // The vendor's service for one's own machine: the page's address, no key, nothing billed.
    home(call) {
      const url = call.query.get('url') ?? ''
      const look = desk.shop.look(asinOf(url) ?? '')
      if (look === null) return failure(404, 'Product not found')
      const page = Number(/[?&]pageNumber=(\d+)/.exec(url)?.[1] ?? 1)
      return reviews(desk, page, look.product, look.newest, true)
    },
    routes: [
      {
        method: 'GET',
        path: '/amz/product-reviews/',
        handle: call =>
          found(call, (product, newest) =>
            reviews(desk, Math.max(1, Number(call.query.get('page') ?? 1) || 1), product, newest),
          ),
      },
      { method: 'GET', path: '/amz/product-details/', handle: call => found(call, product => details(product, call)) },
    ],
  }
}

const shares = ({ histogram, ratings }: Product, name: (stars: number) => string) =>
  Object.fromEntries(
    histogram.map((count, n) => [name(n + 1), `${Math.round((count / ratings) * 100)}%`] as const).reverse(),
  )

function reviews(
  desk: Desk,
  page: number,
  product: Product,
  newest: readonly ShopReview[],
  ownMachine = false,
): Answer {
  const shown = newest.slice((page - 1) * pageSize, page * pageSize)
  const written = writeItems(desk, scrapehero, shown, review => item(review, product))
  const more = page * pageSize < newest.length
  const value = {
    ...(ownMachine ? {} : { asin: product.asin }),
    product_title: product.title,
    number_of_reviews: `${product.ratings.toLocaleString('en-US')} customer ratings`,
    average_rating: product.stars,
    histogram: shares(product, stars => `${stars} star`),
    next_page: more
      ? `https://www.amazon.com/product-reviews/${product.asin}/ref=cm_cr_arp_d_paging_btm_next_${page + 1}?pageNumber=${page + 1}`
      : null,
    reviews: valuesOf(written),
  }
  return { ...json(200, value), facts: factsOfItems(written) }
}

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' })

function item(review: ShopReview, { title }: Product): Record<string, unknown> {
  return {
    author: review.name,
    content: review.text,
    date: day.format(Date.parse(`${review.date}T00:00:00Z`)).replace('Sept', 'Sep'),
    found_helpful: review.votes === 0 ? null : localeOf('en-US')!.helpful(review.votes),
    images: review.images.length > 0 ? review.images : null,
    product: title,
    rating: review.stars.toFixed(1),
    title: review.title,
    url: `https://www.amazon.com/gp/customer-reviews/${review.id}/ref=cm_cr_arp_d_rvw_ttl?ie=UTF8&ASIN=${review.asin}`,
    variant: review.variant.map(([name, value]) => `${name}: ${value}`).join(' | ') || null,
    verified_purchase: review.verified,
  }
}

function details(product: Product, { query }: Call): Answer {
  return json(200, {
    asin: product.asin,
    product_name: product.title,
    url: `https://www.amazon.com/dp/${product.asin}`,
    brand: product.brand,
    average_rating: localeOf('en-US')!.stars(product.stars),
    total_reviews: `${product.ratings.toLocaleString('en-US')} ratings`,
    rating_histogram: shares(product, String),
    product_information: { 'Item model number': 'WR-1200', Capacity: '1.2 L' },
    price: '$39.99',
    country_code: query.get('country_code') ?? 'US',
  })
}
