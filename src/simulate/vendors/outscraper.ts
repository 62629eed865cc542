// Outscraper: a query that waits or becomes a request to ask after; at most twelve reviews a query; texts with dirt in them; errors under status 200.
import { same } from '../gate.ts'
import { callFaults, jobFaults, oddity, ratingFaults } from './faults.ts'
import { factsOfItems, valuesOf, writeItems } from './items.ts'
import { idText, type Job } from './jobs.ts'
import { type Locale, localeOfDomain } from './locale.ts'
import { push } from './push.ts'
import type { ShopReview } from './shop.ts'
import { type Answer, asinOf, type Call, type Desk, json, type OpenVendor, type VendorSpec } from './vendor.ts'
import { announce, pushFaults } from './webhooks.ts'

const maxQueries = 250
const maxReviews = 12

export const outscraper: VendorSpec = {
  name: 'outscraper',
  summary: 'Outscraper Amazon reviews: asynchronous or at once',
  tries: [
    `curl -H 'X-API-KEY: {key}' '{url}/amazon/reviews?query=B0WEIRTST1&limit=10&sort=recent&async=true'`,
    `curl -H 'X-API-KEY: {key}' {url}/requests/REQUEST_ID`,
  ],
  login: { key: 'as X-API-KEY' },
  faults: {
    ...callFaults,
    error_body: { scope: 'call', doc: 'error: true in a body with status 200' },
    ...jobFaults,
    ...pushFaults,
    ...ratingFaults('rating'),
    ten_fold: oddity('stars ten-fold: 50 for 5', 'rating', value => Number(value) * 10),
    read_more: oddity('the text ends with "Read more"', 'body', value => `${value} Read more`),
    script_text: oddity(
      'page script in the place of the text',
      'body',
      () => "(function() { P.when('A').execute(function(A) {}); })();",
    ),
    no_helpful: oddity('helpful is null', 'helpful', () => null),
    other_names: {
      scope: 'item',
      doc: 'badge and author for bage and author_title',
      change: ({ bage, author_title: author, ...item }) => ({ ...item, badge: bage, author }),
    },
  },
  limit: null,
  atOnce: null,
  keepMs: 2 * 3_600_000,
  extras: ['credits', 'webhooks'],
  open,
}

const failure = (status: number, errorMessage: string): Answer => json(status, { error: true, errorMessage })
const slowDown = () => failure(429, 'Too many requests')

function open(desk: Desk): OpenVendor {
  const { settings, jobs } = desk
  return {
    refuse: ({ headers }) => (same(headers['x-api-key'], settings.key) ? null : failure(401, 'Invalid API key')),
    trouble: kind =>
      kind === '429'
        ? slowDown()
        : kind === 'error_body'
          ? failure(200, 'Something went wrong')
          : /^5/.test(kind)
            ? failure(Number(kind), 'Internal server error')
            : null,
    throttled: slowDown,
    notFound: () => failure(404, 'Not found'),
    routes: [
      {
        method: 'GET',
        path: '/amazon/reviews',
        handle(call) {
          const { query } = call
          const queries = query.getAll('query').filter(each => each !== '')
          if (queries.length === 0) return failure(200, 'Query is empty')
          if (queries.length > maxQueries) return failure(200, `At most ${maxQueries} queries`)
          if (!desk.spend(queries.length)) return failure(402, 'Payment required')
          const asked = Object.fromEntries([...query].filter(([name]) => name !== 'query'))
          const job = jobs.accept(call, {
            asins: queries.map(each => asinOf(each) ?? each),
            params: { ...asked, queries },
            cost: 0.002 * queries.length,
            id: number =>
              `weir-rq-${idText('0123456789abcdef', 24, settings.seed, 'request', number)}${String(number).padStart(4, '0')}`,
          })
          if (query.get('async') === 'false') {
            jobs.finish(job.id)
            return { ...answerOf(desk, job), jobs: [job.id] }
          }
          const hook = query.get('webhook')
          announce(desk, job, [hook], async () => {
            const { body, facts = [] } = answerOf(desk, job)
            if (await push({ url: hook!, body: String(body) })) desk.pushed(facts)
          })
          const location = `${call.origin}/requests/${job.id}`
          return { ...json(202, { id: job.id, status: 'Pending', results_location: location }), jobs: [job.id] }
        },
      },
      {
        method: 'GET',
        path: '/requests/:id',
        handle({ params }: Call) {
          const job = jobs.poll(params['id']!)
          return job === null || job.state === 'expired' ? failure(404, 'Request not found') : answerOf(desk, job)
        },
      },
    ],
  }
}

function answerOf(desk: Desk, job: Job): Answer {
  const { id, params } = job
  if (job.state === 'failed') return json(200, { id, status: 'Error', error: 'The task failed' })
  if (job.state !== 'ready') return json(200, { id, status: 'Pending' })
  const queries = params['queries'] as string[]
  const limit = Math.min(maxReviews, Number(params['limit'] ?? 10) || 10)
  const locale = localeOfDomain(String(params['domain'] ?? 'amazon.com'))
  const found = queries.map((query, n) => {
    const look = job.found.get(job.asins[n]!)
    if (look === undefined) return []
    const sorted = params['sort'] === 'helpful' ? look.newest.toSorted((a, b) => b.votes - a.votes) : look.newest
    const chosen = sorted.filter(filterOf(params, locale)).slice(0, limit)
    return writeItems(desk, outscraper, chosen, review => item(review, query, locale), id)
  })
  return { ...json(200, { id, status: 'Success', data: found.map(valuesOf) }), facts: found.flatMap(factsOfItems) }
}

const starNames = ['', 'one_star', 'two_star', 'three_star', 'four_star', 'five_star']

/** Outside the US the filter is ignored, as has been seen. */
const filterOf =
  ({ filterByStar }: Job['params'], { country }: Locale) =>
  ({ stars }: ShopReview) =>
    country !== 'US' || !starNames.includes(String(filterByStar)) || starNames[stars] === filterByStar

function item(review: ShopReview, query: string, locale: Locale): Record<string, unknown> {
  return {
    query,
    id: review.id,
    product_asin: review.asin,
    title: review.title,
    body: review.text,
    rating: review.stars,
    date: locale.dated(review.country, review.date),
    helpful: review.votes === 0 ? null : locale.helpful(review.votes),
    bage: review.verified ? locale.verified : null,
    author_title: review.name,
    url: `https://www.${locale.domain}/gp/customer-reviews/${review.id}`,
  }
}
