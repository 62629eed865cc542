// Rainforest: one call for everything, a key in the query, and success told inside the body. The list of reviews has ten pages of ten.
import { same } from '../gate.ts'
import { callFaults, oddity, ratingFaults } from './faults.ts'
import { factsOfItems, valuesOf, writeItems } from './items.ts'
import { type Locale, localeOfDomain } from './locale.ts'
import type { Look, Product, ShopReview } from './shop.ts'
import { type Answer, asinOf, type Call, type Desk, json, type OpenVendor, type VendorSpec } from './vendor.ts'

const pageSize = 10
const maxPages = 10
/** Of a plan, where no other number of credits is set. */
const planCredits = 10_000

export const rainforest: VendorSpec = {
  name: 'rainforest',
  summary: 'Rainforest: type=reviews and top_reviews of type=product',
  tries: [
    `curl '{url}/request?api_key={key}&type=reviews&amazon_domain=amazon.com&asin=B0WEIRTST1&sort_by=most_recent&page=1'`,
    `curl '{url}/request?api_key={key}&type=product&amazon_domain=amazon.com&asin=B0WEIRTST1'`,
  ],
  login: { key: 'as ?api_key=' },
  faults: {
    ...callFaults,
    not_success: { scope: 'call', doc: 'success is false in a body with status 200' },
    ...ratingFaults('rating'),
    no_asin: oddity('no asin: it is the one that was asked for', 'asin', () => undefined),
    no_profile: oddity('no profile', 'profile', () => undefined),
    no_title: oddity('title is null', 'title', () => null),
  },
  limit: null,
  atOnce: null,
  keepMs: null,
  extras: ['credits'],
  open,
}

const reset = '2026-12-01T00:00:00.000Z'

function open(desk: Desk): OpenVendor {
  const credits = (used: 0 | 1) => ({
    credits_used: desk.spent,
    credits_used_this_request: used,
    credits_remaining: desk.credits ?? planCredits - desk.spent,
    credits_reset_at: reset,
  })
  const failure = (status: number, message: string, more: object = {}): Answer =>
    json(status, { request_info: { success: false, ...more, message } })
  const unable = (status: number) =>
    failure(status, 'Unable to fulfil this request at the moment, please try again. No credit was used.', credits(0))
  const slowDown = () => failure(429, 'Too many requests in a short period.')

  return {
    refuse: ({ query }) => (same(query.get('api_key'), desk.settings.key) ? null : failure(401, 'Invalid API key')),
    trouble: kind =>
      kind === '429'
        ? slowDown()
        : kind === 'not_success'
          ? unable(200)
          : /^5/.test(kind)
            ? unable(Number(kind))
            : null,
    throttled: slowDown,
    notFound: () => failure(404, 'Not found'),
    routes: [
      {
        method: 'GET',
        path: '/request',
        handle(call) {
          const { query } = call
          const type = query.get('type')
          const asin = asinOf(query.get('asin') ?? query.get('url') ?? '')
          if (type !== 'reviews' && type !== 'product') return failure(400, 'Unsupported type')
          if (asin === null) return failure(400, 'Missing or invalid asin')
          const asked = Object.fromEntries([...query].filter(([name]) => name !== 'api_key'))
          if (!desk.charge(call, asked, 0.01))
            return failure(402, 'Account out of credits for this period.', credits(0))
          const look = desk.shop.look(asin)
          if (look === null) return failure(404, 'Product not found', credits(1))
          const info = { request_info: { success: true, ...credits(1) } }
          return type === 'product' ? product(desk, call, look, info) : reviews(desk, call, look, info)
        },
      },
    ],
  }
}

function around(desk: Desk, { query }: Call, path: string, info: object): Record<string, unknown> {
  const domain = query.get('amazon_domain') ?? 'amazon.com'
  const now = desk.clock.now()
  const page = query.get('page')
  return {
    ...info,
    request_parameters: {
      type: query.get('type'),
      amazon_domain: domain,
      asin: query.get('asin'),
      ...(page === null ? {} : { page: Number(page) }),
      ...(query.get('sort_by') === null ? {} : { sort_by: query.get('sort_by') }),
    },
    request_metadata: {
      created_at: new Date(now - 3670).toISOString(),
      processed_at: new Date(now).toISOString(),
      total_time_taken: 3.67,
      amazon_url: `https://www.${domain}${path}`,
    },
  }
}

const localeFor = ({ query }: Call) => localeOfDomain(query.get('amazon_domain') ?? 'amazon.com')

function product(desk: Desk, call: Call, look: Look, info: object): Answer {
  const { asin, title, parent, brand, stars, ratings } = look.product
  const locale = localeFor(call)
  const { local, global } = look.top(locale.country)
  const written = writeItems(desk, rainforest, [...local, ...global], (review, n) => item(review, n, locale))
  const value = {
    ...around(desk, call, `/dp/${asin}?th=1&psc=1`, info),
    product: {
      ...{ title, asin, parent_asin: parent, link: `https://www.${locale.domain}/dp/${asin}`, brand },
      ...{ rating: stars, ratings_total: ratings, top_reviews: valuesOf(written) },
    },
  }
  return { ...json(200, value), facts: factsOfItems(written) }
}

const starFilter = ['', 'one_star', 'two_star', 'three_star', 'four_star', 'five_star']

function reviews(desk: Desk, call: Call, look: Look, info: object): Answer {
  const { query } = call
  const { asin } = look.product
  const locale = localeFor(call)
  const filter = query.get('review_stars') ?? query.get('filter_by_star') ?? 'all_stars'
  const all = look.newest.filter(({ stars }) => !starFilter.includes(filter) || starFilter[stars] === filter)
  const sorted = query.get('sort_by') === 'most_recent' ? all : all.toSorted((a, b) => b.votes - a.votes)
  const page = Math.max(1, Number(query.get('page') ?? 1) || 1)
  const pages = Math.min(maxPages, Math.ceil(sorted.length / pageSize))
  const shown = page > maxPages ? [] : sorted.slice((page - 1) * pageSize, page * pageSize)
  const written = writeItems(desk, rainforest, shown, (review, n) => item(review, n, locale))
  const link = `/product-reviews/${asin}?sortBy=recent&pageNumber=`
  const value = {
    ...around(desk, call, `${link}${page}`, info),
    summary: summary(look.product),
    reviews: valuesOf(written),
    pagination: {
      total_results: sorted.length,
      current_page: page,
      ...(page < pages ? { next_page_link: `https://www.${locale.domain}${link}${page + 1}` } : {}),
      total_pages: pages,
    },
  }
  return { ...json(200, value), facts: factsOfItems(written) }
}

function summary({ stars, ratings, reviews, histogram }: Product): Record<string, unknown> {
  const rows = histogram.map((count, n) => [
    starFilter[n + 1]!,
    { percentage: Math.round((count / ratings) * 100), count },
  ])
  return {
    rating: stars,
    ratings_total: ratings,
    reviews_total: reviews,
    rating_breakdown: Object.fromEntries(rows.reverse()),
  }
}

function item(review: ShopReview, n: number, locale: Locale): Record<string, unknown> {
  const { id, asin, text, date, country, profile } = review
  const site = `https://www.${locale.domain}`
  return {
    id,
    title: review.title,
    body: text,
    body_html: `<span>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('\n', '<br>')}</span>`,
    asin,
    link: `${site}/gp/customer-reviews/${id}/ref=cm_cr_arp_d_rvw_ttl?ie=UTF8&ASIN=${asin}`,
    rating: review.stars,
    date: { raw: locale.dated(country, date), utc: `${date}T00:00:00.000Z` },
    profile: {
      name: review.name,
      link: `${site}/gp/profile/amzn1.account.${profile}/ref=cm_cr_arp_d_gw_btm?ie=UTF8`,
      id: profile,
    },
    vine_program: review.vine,
    isAmazonReview: true,
    verified_purchase: review.verified,
    review_country: country.toLowerCase(),
    is_global_review: country !== locale.country,
    position: n + 1,
    ...(review.votes > 0 ? { helpful_votes: review.votes } : {}),
    ...(review.images.length > 0 ? { images: review.images.map(link => ({ link })) } : {}),
    ...(review.variant.length > 0 ? { attributes: review.variant.map(([name, value]) => ({ name, value })) } : {}),
  }
}
