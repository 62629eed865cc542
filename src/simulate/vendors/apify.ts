// Apify, an actor that lists Amazon reviews: run, dataset, items. The only vendor with a date cut-off; items that only say "nothing found" are billed.
import { same } from '../gate.ts'
import { callFaults, jobFaults, oddity, ratingFaults } from './faults.ts'
import { factsOfItems, otherFact, valuesOf, type Written, writeItems } from './items.ts'
import { idText, type Job, mixedDigits } from './jobs.ts'
import { localeOf } from './locale.ts'
import { push } from './push.ts'
import type { Look, ShopReview } from './shop.ts'
import {
  type Answer,
  asinOf,
  type Call,
  type Desk,
  isRecord,
  json,
  jsonBody,
  type OpenVendor,
  type VendorSpec,
} from './vendor.ts'
import { announce, pushFaults } from './webhooks.ts'

export const apify: VendorSpec = {
  name: 'apify',
  summary: 'Apify review actor: run, dataset items, date cut-off',
  tries: [
    `curl -X POST '{url}/v2/acts/junglee~amazon-reviews-scraper/runs?token={key}' -d '{"productUrls":[{"url":"https://www.amazon.com/dp/B0WEIRTST1"}],"maxReviews":10,"sort":"recent"}'`,
    `curl '{url}/v2/actor-runs/RUN_ID?token={key}'`,
    `curl '{url}/v2/datasets/DATASET_ID/items?format=json&clean=true&token={key}'`,
  ],
  login: { key: 'as ?token= or Authorization: Bearer' },
  faults: {
    ...callFaults,
    ...jobFaults,
    ...pushFaults,
    aborted: { scope: 'job', doc: 'the run ends as ABORTED', ends: true },
    timed_out: { scope: 'job', doc: 'the run ends as TIMED-OUT', ends: true },
    ...ratingFaults('ratingScore'),
    no_id: oddity('reviewId is null', 'reviewId', () => null),
    no_title: oddity('reviewTitle is null', 'reviewTitle', () => null),
    no_text: oddity('reviewDescription is empty', 'reviewDescription', () => ''),
  },
  limit: null,
  atOnce: null,
  keepMs: 7 * 24 * 3_600_000,
  extras: ['credits', 'webhooks'],
  open,
}

const failure = (status: number, type: string, message: string): Answer => json(status, { error: { type, message } })
const slowDown = () => failure(429, 'rate-limit-exceeded', 'You have exceeded the rate limit')

function open(desk: Desk): OpenVendor {
  const { settings, jobs } = desk

  const start = (call: Call): Job | Answer => {
    const input = jsonBody(call)
    const wrong = wrongWith(input, call.query)
    if (wrong !== null) return failure(400, 'invalid-input', wrong)
    if (!desk.spend())
      return failure(
        402,
        'not-enough-usage-to-run-paid-actor',
        'By launching this run you would exceed your remaining usage.',
      )
    const given = input as Record<string, unknown>
    const urls = (given['productUrls'] as { url: string }[]).map(({ url }) => url)
    const job = jobs.accept(call, {
      asins: urls.map(url => asinOf(url) ?? url),
      params: { actor: call.params['act'], ...given },
      cost: 0.003 * urls.length,
      id: number => idText(mixedDigits, 17, settings.seed, 'run', number),
    })
    const hook = webhookOf(call.query.get('webhooks'))
    announce(desk, job, [hook], () => push({ url: hook!, body: JSON.stringify(eventOf(job)) }))
    return job
  }
  const jobOfDataset = (id: string) => jobs.all.find(job => datasetOf(job) === id) ?? null
  const run = (job: Job) => ({ data: runOf(job) })

  return {
    refuse({ headers, query }) {
      const given = query.get('token') ?? headers.authorization?.replace(/^Bearer /, '')
      if (given === undefined) return failure(401, 'token-not-provided', 'Authentication token was not provided')
      return same(given, settings.key)
        ? null
        : failure(401, 'user-or-token-not-found', 'User was not found or authentication token is not valid')
    },
    trouble: kind =>
      kind === '429'
        ? slowDown()
        : /^5/.test(kind)
          ? failure(Number(kind), 'internal-server-error', 'Internal server error')
          : null,
    throttled: slowDown,
    notFound: () => failure(404, 'page-not-found', 'We have bad news: there is no API endpoint at this URL'),
    routes: [
      {
        method: 'POST',
        path: '/v2/acts/:act/runs',
        handle(call) {
          const job = start(call)
          return 'status' in job ? job : { ...json(201, run(job)), jobs: [job.id] }
        },
      },
      {
        method: 'POST',
        path: '/v2/acts/:act/run-sync-get-dataset-items',
        handle(call) {
          const job = start(call)
          if ('status' in job) return job
          jobs.finish(job.id)
          if (job.state !== 'ready')
            return failure(408, 'run-timeout-exceeded', 'Actor run exceeded the timeout of 300 seconds')
          return { ...items(desk, call, job, 201), jobs: [job.id] }
        },
      },
      // The runs of an actor, for one who lost an id.
      {
        method: 'GET',
        path: '/v2/acts/:act/runs',
        handle({ params }) {
          const own = jobs.all.filter(job => job.params['actor'] === params['act']).reverse()
          return json(200, {
            data: { total: own.length, offset: 0, limit: 1000, desc: true, count: own.length, items: own.map(runOf) },
          })
        },
      },
      {
        method: 'GET',
        path: '/v2/actor-runs/:id',
        handle({ params }) {
          const job = jobs.poll(params['id']!)
          return job === null ? failure(404, 'record-not-found', 'Actor run was not found') : json(200, run(job))
        },
      },
      {
        method: 'GET',
        path: '/v2/datasets/:id/items',
        handle(call) {
          const job = jobOfDataset(call.params['id']!)
          if (job === null || job.state === 'expired') return failure(404, 'record-not-found', 'Dataset was not found')
          // A run that is not done has an empty dataset, and so has one that failed.
          return items(desk, call, job, 200)
        },
      },
    ],
  }
}

function wrongWith(input: unknown, query: URLSearchParams): string | null {
  if (!isRecord(input)) return 'Input is not valid: it must be an object'
  const urls = input['productUrls']
  if (
    !Array.isArray(urls) ||
    urls.length === 0 ||
    !urls.every(each => isRecord(each) && typeof each['url'] === 'string')
  )
    return 'Input is not valid: Field input.productUrls is required'
  const charge = query.get('maxTotalChargeUsd')
  if (charge !== null && Number(charge) < 0.5) return 'Maximum cost per run must be at least $0.5'
  return null
}

const datasetOf = ({ id }: Job) => `Data${id.slice(4)}`

function statusOf({ state, fault, polls }: Job): string {
  if (state === 'pending') return polls === 0 ? 'READY' : 'RUNNING'
  if (state !== 'failed') return 'SUCCEEDED'
  return fault === 'aborted' ? 'ABORTED' : fault === 'timed_out' ? 'TIMED-OUT' : 'FAILED'
}

function runOf(job: Job): Record<string, unknown> {
  const { id, acceptedMs, endedMs, stampMs } = job
  const iso = (ms: number) => new Date(ms).toISOString()
  return {
    id,
    actId: 'WeirAct0000000001',
    userId: 'WeirUser000000001',
    startedAt: iso(stampMs - ((endedMs ?? acceptedMs) - acceptedMs)),
    finishedAt: endedMs === null ? null : iso(stampMs),
    status: statusOf(job),
    statusMessage: null,
    defaultKeyValueStoreId: `Keys${id.slice(4)}`,
    defaultDatasetId: datasetOf(job),
    defaultRequestQueueId: `Queu${id.slice(4)}`,
    buildId: 'WeirBuild00000001',
  }
}

function items(desk: Desk, { query }: Call, job: Job, status: number): Answer {
  const all = job.state === 'ready' ? recordsOf(desk, job) : []
  const offset = Number(query.get('offset') ?? 0)
  const limit = Number(query.get('limit') ?? 1000)
  const shown = all.slice(offset, offset + limit)
  const headers = {
    'x-apify-pagination-total': String(all.length),
    'x-apify-pagination-offset': String(offset),
    'x-apify-pagination-limit': String(limit),
    'x-apify-pagination-count': String(shown.length),
  }
  return { ...json(status, valuesOf(shown), headers), facts: factsOfItems(shown) }
}

function recordsOf(desk: Desk, job: Job): readonly Written[] {
  const { params } = job
  const urls = (params['productUrls'] as { url: string }[]).map(({ url }) => url)
  return urls.flatMap((url, n) => {
    const asin = job.asins[n]!
    const look = job.found.get(asin)
    const chosen = look === undefined ? [] : wanted(look, params)
    if (look === undefined || chosen.length === 0) return [nothingFound(url, asin, job.id)]
    const gdpr = params['includeGdprSensitive'] === true
    return writeItems(desk, apify, chosen, (review, at) => item(review, at, look, url, gdpr), job.id)
  })
}

const starNames = ['', 'oneStar', 'twoStar', 'threeStar', 'fourStar', 'fiveStar']

function wanted({ newest }: Look, params: Job['params']): readonly ShopReview[] {
  const filter = Array.isArray(params['filterByRatings']) ? params['filterByRatings'] : ['allStars']
  const cutoff = typeof params['reviewsCutoffDate'] === 'string' ? params['reviewsCutoffDate'].slice(0, 10) : ''
  const chosen = newest.filter(
    ({ stars, date }) => (filter.includes('allStars') || filter.includes(starNames[stars])) && date >= cutoff,
  )
  const sorted = params['sort'] === 'helpful' ? chosen.toSorted((a, b) => b.votes - a.votes) : chosen
  return sorted.slice(0, Number(params['maxReviews'] ?? 100))
}

function nothingFound(url: string, asin: string, job: string): Written {
  const value = {
    error: 'no_relevant_reviews_found',
    errorDescription: 'No reviews match the given filters.',
    input: url,
  }
  return { value, fact: otherFact('error', asin, value, job) }
}

function item(review: ShopReview, n: number, { product }: Look, url: string, gdpr: boolean): Record<string, unknown> {
  const { asin, id, stars, date, country, votes, variant } = review
  const american = localeOf('en-US')!
  const line = american.dated(country, date)
  return {
    reviewTitle: review.title,
    reviewDescription: review.text,
    ratingScore: stars,
    date,
    reviewedIn: line,
    reviewId: id,
    reviewUrl: `https://www.amazon.com/gp/customer-reviews/${id}/`,
    isVerified: review.verified,
    isAmazonVine: review.vine,
    reviewReaction: votes === 0 ? null : american.helpful(votes),
    position: n + 1,
    variant: variant.map(([name, value]) => `${name}: ${value}`).join(' | ') || null,
    variantAttributes: variant.map(([key, value]) => ({ key, value })),
    userId: review.profile,
    userProfileLink: gdpr ? `https://www.amazon.com/gp/profile/amzn1.account.${review.profile}` : null,
    ...(gdpr ? { userName: review.name } : {}),
    country: line.replace(/^Reviewed in (?:the )?| on .*$/g, ''),
    countryCode: country,
    totalCategoryRatings: product.ratings,
    totalCategoryReviews: product.reviews,
    reviewCategoryUrl: `https://www.amazon.com/product-reviews/${asin}?sortBy=recent`,
    filterByRating: 'allStars',
    productAsin: asin,
    productOriginalAsin: asin,
    variantAsin: asin,
    product: { asin, title: product.title },
    input: url,
  }
}

/** The address in `webhooks`, which is base64 of a JSON list. */
function webhookOf(given: string | null): string | null {
  try {
    const [hook] = JSON.parse(Buffer.from(given ?? '', 'base64').toString('utf8')) as { requestUrl: string }[]
    return hook?.requestUrl ?? null
  } catch {
    return null
  }
}

const eventOf = (job: Job) => ({
  userId: 'WeirUser000000001',
  eventType: `ACTOR.RUN.${statusOf(job).replace('-', '_')}`,
  eventData: { actorId: 'WeirAct0000000001', actorRunId: job.id },
  resource: runOf(job),
})
