// Bright Data, Web Scraper API, the dataset "Amazon reviews": trigger, progress, snapshot; the synchronous call; webhooks; bodies that are plain text.
import { gzipSync } from 'node:zlib'
import { retryAfter, same } from '../gate.ts'
import { callFaults, jobFaults, oddity, ratingFaults } from './faults.ts'
import { factsOfItems, otherFact, valuesOf, type Written, writeItems } from './items.ts'
import { idText, type Job, lowerDigits } from './jobs.ts'
import { localeOf } from './locale.ts'
import { push } from './push.ts'
import type { Product, ShopReview } from './shop.ts'
import {
  type Answer,
  asinOf,
  type Call,
  type Desk,
  isRecord,
  json,
  jsonBody,
  type OpenVendor,
  text,
  type VendorSpec,
} from './vendor.ts'
import { announce, pushFaults } from './webhooks.ts'

const dataset = 'gd_le8e811kzy4ggddlq'
const base = '/datasets/v3'
/** So many 429 answers within the window, and the address is shut out until somebody lifts it. */
const ban = { answers: 25, windowMs: 5 * 60_000 }
/** An input more than this, and the synchronous call hands over a snapshot. */
const syncInputs = 5

export const brightdata: VendorSpec = {
  name: 'brightdata',
  summary: 'Bright Data reviews: trigger, progress, snapshot',
  tries: [
    `curl -X POST '{url}${base}/trigger?dataset_id=${dataset}&include_errors=true' -H 'Authorization: Bearer {key}' -d '[{"url":"https://www.amazon.com/dp/B0WEIRTST1/"}]'`,
    `curl -H 'Authorization: Bearer {key}' {url}${base}/progress/SNAPSHOT_ID`,
    `curl -H 'Authorization: Bearer {key}' '{url}${base}/snapshot/SNAPSHOT_ID?format=json'`,
  ],
  login: { key: 'as Authorization: Bearer' },
  faults: {
    ...callFaults,
    ...jobFaults,
    ...pushFaults,
    ...ratingFaults('rating'),
    no_id: oddity('no review_id', 'review_id', () => undefined),
    no_author: oddity('author_name is null', 'author_name', () => null),
    no_header: oddity('review_header is null', 'review_header', () => null),
    votes_missing: oddity('no helpful_count', 'helpful_count', () => undefined),
  },
  limit: null,
  atOnce: 100,
  keepMs: 30 * 24 * 3_600_000,
  extras: ['webhooks'],
  open,
}

interface Order {
  readonly urls: readonly string[]
  readonly limit: number
}

function open(desk: Desk): OpenVendor {
  const { settings, jobs, clock } = desk
  let slowdowns: number[] = []

  const tooMany = (): Answer => {
    slowdowns = [...slowdowns, clock.monotonic()].slice(-ban.answers)
    const headers = { 'retry-after': retryAfter(30_000, 'seconds', clock) }
    return json(429, { error: 'You have too many running jobs for this dataset' }, headers)
  }
  const banned = () => slowdowns.length >= ban.answers && slowdowns.at(-1)! - slowdowns[0]! <= ban.windowMs

  function refuse(call: Call): Answer | null {
    // What a shut-out address hears is not documented; it is not another 429.
    if (banned()) return text(403, 'Your IP is blocked, please contact support')
    const { authorization } = call.headers
    if (authorization === undefined) return text(401, 'Credentials are missing')
    return same(authorization, `Bearer ${settings.key}`) ? null : text(401, 'Invalid credentials')
  }

  const submit = (call: Call): Job | Answer => {
    if (call.query.get('dataset_id') !== dataset) return text(404, 'Collector not found')
    const order = readOrder(call)
    if ('status' in order) return order
    if (desk.atOnce !== null && jobs.running >= desk.atOnce) return tooMany()
    const asins = order.urls.map(url => asinOf(url) ?? url)
    const job = jobs.accept(call, {
      asins,
      params: { dataset_id: dataset, ...order, include_errors: call.query.get('include_errors') === 'true' },
      cost: asins.length * 0.001,
      id: number => `s_${idText(lowerDigits, 17, settings.seed, 'snapshot', number)}`,
    })
    announceSnapshot(desk, call, job)
    return job
  }

  return {
    refuse,
    trouble: kind => (kind === '429' ? tooMany() : /^5/.test(kind) ? text(Number(kind), 'Something went wrong') : null),
    throttled: tooMany,
    notFound: () => text(404, 'Not found'),
    routes: [
      {
        method: 'POST',
        path: `${base}/trigger`,
        handle(call) {
          const job = submit(call)
          return 'status' in job ? job : { ...json(200, { snapshot_id: job.id }), jobs: [job.id] }
        },
      },
      {
        method: 'POST',
        path: `${base}/scrape`,
        handle(call) {
          const job = submit(call)
          if ('status' in job) return job
          if (job.fault === null && job.asins.length <= syncInputs) jobs.finish(job.id)
          if (job.state === 'ready') return { ...snapshot(desk, call, job), jobs: [job.id] }
          const message = 'The request takes longer than the synchronous limit, fetch the snapshot instead.'
          return { ...json(202, { snapshot_id: job.id, message }, { 'retry-after': '10' }), jobs: [job.id] }
        },
      },
      {
        method: 'GET',
        path: `${base}/progress/:id`,
        handle({ params }) {
          const job = jobs.poll(params['id']!)
          return job === null ? text(404, 'Snapshot not found') : json(200, progressOf(desk, job))
        },
      },
      {
        method: 'GET',
        path: `${base}/snapshot/:id`,
        handle(call) {
          const job = jobs.poll(call.params['id']!)
          if (job === null || job.state === 'expired') return text(404, 'Snapshot not found')
          if (job.state === 'failed') return json(400, { error: 'Snapshot failed' })
          if (job.state === 'ready') return snapshot(desk, call, job)
          const status = String(progressOf(desk, job)['status'])
          return json(202, { status, message: 'Snapshot is not ready yet, try again in 10s' }, { 'retry-after': '10' })
        },
      },
      // Lists what was triggered, for one who lost an id. The vendor has such a list; its rows here are a guess.
      {
        method: 'GET',
        path: `${base}/snapshots`,
        handle: ({ query }) =>
          json(
            200,
            jobs.all
              .filter(job => query.get('dataset_id') === dataset && (query.get('status') ?? job.state) === job.state)
              .map(job => ({ id: job.id, dataset_id: dataset, status: job.state, inputs: job.params['urls'] })),
          ),
      },
    ],
  }
}

function readOrder(call: Call): Order | Answer {
  const body = jsonBody(call)
  if (body === undefined)
    return json(400, { error: 'Parser cannot parse input: expecting json, jsonl or csv format', code: 'parse_error' })
  const inputs = Array.isArray(body) ? body : isRecord(body) && Array.isArray(body['input']) ? body['input'] : []
  if (inputs.length === 0) return text(400, 'No data to trigger')
  const urls = inputs.map(input => (isRecord(input) ? String(input['url'] ?? '') : ''))
  if (!urls.every(url => /^https?:/.test(url) && URL.canParse(url)))
    return json(400, {
      error: 'Invalid input provided',
      code: 'validation_error',
      errors: [['url', 'This field must be a valid url']],
    })
  const limit = call.query.get('limit_per_input') ?? (isRecord(body) ? body['limit_per_input'] : undefined)
  return { urls, limit: Number(limit ?? 1000) || 1000 }
}

const states = ['starting', 'running', 'collecting', 'digesting', 'running']

function progressOf(desk: Desk, job: Job): Record<string, unknown> {
  const common = { snapshot_id: job.id, dataset_id: dataset }
  if (job.state === 'pending')
    return { ...common, status: states[Math.min(job.polls, states.length) - 1] ?? 'starting' }
  const records = recordsOf(desk, job)
  const errors = records.filter(({ fact }) => fact.what === 'error').length
  const status = job.state === 'failed' ? 'failed' : 'ready'
  return { ...common, status, records: records.length, errors, collection_duration: 61_234 }
}

function recordsOf(desk: Desk, job: Job): readonly Written[] {
  return (job.params['urls'] as string[]).flatMap((url, n) => {
    const asin = job.asins[n]!
    const look = job.found.get(asin)
    if (look === undefined) return job.params['include_errors'] ? [deadPage(job, asin, url)] : []
    const reviews = look.newest.slice(0, Number(job.params['limit']))
    return writeItems(desk, brightdata, reviews, review => record(look.product, review, url, stampOf(job)), job.id)
  })
}

const stampOf = ({ stampMs }: Job) => new Date(stampMs).toISOString()

function deadPage(job: Job, asin: string, url: string): Written {
  const value = {
    input: { url },
    error: 'The page does not exist (404)',
    error_code: 'dead_page',
    timestamp: stampOf(job),
  }
  return { value, fact: otherFact('error', asin, value, job.id) }
}

function record(product: Product, review: ShopReview, url: string, timestamp: string): Record<string, unknown> {
  const [one, two, three, four, five] = product.histogram
  const american = localeOf('en-US')!
  return {
    url,
    product_name: product.title,
    product_rating: product.stars,
    product_rating_object: { one_star: one, two_star: two, three_star: three, four_star: four, five_star: five },
    product_rating_max: 5,
    rating: review.stars,
    author_name: review.name,
    asin: review.asin,
    product_rating_count: product.ratings,
    product_reviews_number: product.reviews,
    review_header: review.title,
    review_id: review.id,
    review_text: review.text,
    author_id: review.profile,
    author_link: `https://www.amazon.com/gp/profile/amzn1.account.${review.profile}/ref=cm_cr_arp_d_gw_btm?ie=UTF8`,
    badge: review.verified ? american.verified : null,
    brand: product.brand,
    review_posted_date: american.dated('US', review.date).split(' on ')[1],
    review_country: american.dated(review.country, review.date).replace(/^Reviewed in (?:the )?| on .*$/g, ''),
    ...(review.images.length > 0 ? { review_images: review.images } : {}),
    helpful_count: review.votes,
    keyword: null,
    timestamp,
    input: { url },
  }
}

function snapshot(desk: Desk, { query }: Call, job: Job): Answer {
  const all = recordsOf(desk, job)
  const size = Number(query.get('batch_size') ?? 0)
  const from = size > 0 ? (Number(query.get('part') ?? 1) - 1) * size : 0
  const records = size > 0 ? all.slice(from, from + size) : all
  const { body, type } = formatted(valuesOf(records), query.get('format') ?? 'json')
  const zipped = query.get('compress') === 'true'
  return {
    status: 200,
    headers: { 'content-type': zipped ? 'application/gzip' : type },
    body: zipped ? gzipSync(body) : body,
    facts: factsOfItems(records),
  }
}

function formatted(records: readonly unknown[], format: string): { readonly body: string; readonly type: string } {
  if (format === 'ndjson' || format === 'jsonl')
    return { body: records.map(each => `${JSON.stringify(each)}\n`).join(''), type: 'application/x-ndjson' }
  if (format !== 'csv') return { body: JSON.stringify(records), type: 'application/json' }
  const names = [...new Set(records.flatMap(each => (isRecord(each) ? Object.keys(each) : [])))]
  const cell = (value: unknown) =>
    value === null || value === undefined
      ? ''
      : `"${(typeof value === 'string' ? value : JSON.stringify(value)).replaceAll('"', '""')}"`
  const rows = records.map(each => names.map(name => cell(isRecord(each) ? each[name] : undefined)).join(','))
  return { body: [names.join(','), ...rows].map(line => `${line}\n`).join(''), type: 'text/csv' }
}

/** `notify` hears of the snapshot, `endpoint` gets its records. */
function announceSnapshot(desk: Desk, { query }: Call, job: Job): void {
  const notify = query.get('notify')
  const endpoint = query.get('endpoint')
  const auth = query.get('auth_header')
  const headers = { ...(auth === null ? {} : { authorization: auth }) }
  announce(desk, job, [notify, endpoint], async () => {
    const status = job.state === 'failed' ? 'failed' : 'ready'
    if (notify) await push({ url: notify, headers, body: JSON.stringify({ snapshot_id: job.id, status }) })
    if (!endpoint || job.state !== 'ready') return
    const records = recordsOf(desk, job)
    const gzip = query.get('uncompressed_webhook') !== 'true'
    const taken = await push({ url: endpoint, headers, body: JSON.stringify(valuesOf(records)), gzip })
    if (taken) desk.pushed(factsOfItems(records))
  })
}
