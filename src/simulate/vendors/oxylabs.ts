// Oxylabs, Web Scraper API. Push-pull is at /v1/queries, as at data.oxylabs.io; realtime at /realtime/v1/queries, since it has a host of its own there.
// Statuses 612, 613 and 524, 204 for a result that is not ready, and statuses of the page and of the parser inside a 200.
import { same } from '../gate.ts'
import { callFaults, jobFaults } from './faults.ts'
import { factsOfItems, otherFact } from './items.ts'
import { idText, type Job } from './jobs.ts'
import { contentOf, type Page, pageFaults, reviewFaults } from './oxylabs-content.ts'
import { push } from './push.ts'
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

const jobsPerSecond = 50

export const oxylabs: VendorSpec = {
  name: 'oxylabs',
  summary: 'Oxylabs amazon_product: realtime and push-pull',
  tries: [
    `curl -u {user}:{key} {url}/realtime/v1/queries -d '{"source":"amazon_product","query":"B0WEIRTST1","domain":"com","parse":true}'`,
    `curl -u {user}:{key} {url}/v1/queries -d '{"source":"amazon_product","query":"B0WEIRTST1","domain":"com","parse":true}'`,
    'curl -u {user}:{key} {url}/v1/queries/JOB_ID',
    'curl -u {user}:{key} {url}/v1/queries/JOB_ID/results',
  ],
  login: { user: 'API user (basic)', key: 'its password (basic)' },
  faults: {
    ...callFaults,
    '524': { scope: 'call', doc: 'time-out' },
    '612': { scope: 'call', doc: 'undefined internal error, a status that HTTP does not know' },
    '613': { scope: 'call', doc: 'faulted after too many retries, another such' },
    ...jobFaults,
    ...pushFaults,
    ...pageFaults,
    ...reviewFaults,
  },
  limit: { calls: jobsPerSecond, windowMs: 1000 },
  atOnce: null,
  keepMs: 24 * 3_600_000,
  extras: ['webhooks'],
  open,
}

interface Query {
  readonly source: string
  readonly asin: string
  readonly domain: string
  readonly given: Readonly<Record<string, unknown>>
}

const sources = ['amazon_product', 'amazon_reviews', 'amazon']

function open(desk: Desk): OpenVendor {
  const { settings, jobs } = desk
  let left = jobsPerSecond
  const shown = () => {
    left = left <= 1 ? jobsPerSecond : left - 1
    return { 'x-ratelimit-jobs-limit': String(jobsPerSecond), 'x-ratelimit-jobs-remaining': String(left) }
  }
  const slowDown = () =>
    json(
      429,
      { message: 'Too many requests' },
      { 'x-ratelimit-jobs-limit': String(jobsPerSecond), 'x-ratelimit-jobs-remaining': '0' },
    )

  const accept = (call: Call, query: Query): Job => {
    const job = jobs.accept(call, {
      asins: [query.asin],
      params: { ...query.given, source: query.source, domain: query.domain },
      cost: 0.0005,
      id: number => `739${idText('0123456789', 12, settings.seed, 'job', number)}${String(number).padStart(4, '0')}`,
    })
    const url = typeof query.given['callback_url'] === 'string' ? query.given['callback_url'] : null
    // The job, not its content: the result is to be fetched.
    announce(desk, job, [url], () => push({ url: url!, body: JSON.stringify(jobObject(job)) }))
    return job
  }

  return {
    refuse({ headers: { authorization } }) {
      const expected = `Basic ${Buffer.from(`${settings.user}:${settings.key}`).toString('base64')}`
      return same(authorization, expected)
        ? null
        : json(401, { message: 'Authorization header not provided or invalid' })
    },
    trouble(kind) {
      if (kind === '429') return slowDown()
      const message = troubles[kind]
      return message === undefined ? null : json(Number(kind), { message })
    },
    throttled: slowDown,
    notFound: () => json(404, { message: 'Not found' }),
    routes: [
      {
        method: 'POST',
        path: '/realtime/v1/queries',
        handle(call) {
          const query = readQuery(jsonBody(call))
          if ('status' in query) return query
          const fault = desk.faults.draw('job', 'realtime', call.number)
          if (fault !== null) desk.note({ event: 'fault', call: call.number, job: null, kind: fault })
          if (fault === 'failed' || fault === 'stuck') return json(613, { message: troubles['613'] })
          if (!desk.charge(call, query.given, 0.0005)) return json(403, { message: 'Forbidden' })
          const jobId = `738${idText('0123456789', 16, settings.seed, 'realtime', call.number)}`
          return results(pagesOf(desk, query, null, fault), query, {
            id: jobId,
            ms: desk.clock.now(),
            fault,
            job: null,
          })
        },
      },
      {
        method: 'POST',
        path: '/v1/queries',
        handle(call) {
          const query = readQuery(jsonBody(call))
          if ('status' in query) return query
          const job = accept(call, query)
          return { ...json(202, jobObject(job), shown()), jobs: [job.id] }
        },
      },
      {
        method: 'POST',
        path: '/v1/queries/batch',
        handle(call) {
          const body = jsonBody(call)
          const field = isRecord(body) && Array.isArray(body['url']) ? 'url' : 'query'
          const values = isRecord(body) ? body[field] : undefined
          if (!isRecord(body) || !Array.isArray(values) || values.length === 0 || values.length > 5000)
            return json(400, { message: 'Missing or invalid parameter: query' })
          const queries = values.map(value => readQuery({ ...body, [field]: value }, true))
          const bad = queries.find(query => 'status' in query)
          if (bad && 'status' in bad) return bad
          const made = (queries as Query[]).map(query => accept(call, query))
          return { ...json(202, { queries: made.map(jobObject) }, shown()), jobs: made.map(({ id }) => id) }
        },
      },
      {
        method: 'GET',
        path: '/v1/queries/:id',
        handle({ params }) {
          const job = jobs.poll(params['id']!)
          return job === null || job.state === 'expired' ? noJob() : json(200, jobObject(job))
        },
      },
      {
        method: 'GET',
        path: '/v1/queries/:id/results',
        handle({ params, query }) {
          const job = jobs.poll(params['id']!)
          if (job === null || job.state === 'expired') return noJob()
          if (job.state === 'failed') return json(613, { message: troubles['613'] })
          if (job.state === 'pending') return { status: 204, body: '' }
          const asked = queryOf(job, query.get('type') === 'raw')
          const { id, stampMs: ms, fault } = job
          return results(pagesOf(desk, asked, job, fault), asked, { id, ms, fault, job: id })
        },
      },
    ],
  }
}

const noJob = () => json(404, { message: 'Job not found' })

const troubles: Readonly<Record<string, string>> = {
  '500': 'Internal server error',
  '503': 'Service unavailable',
  '524': 'A timeout occurred',
  '612': 'Undefined internal error',
  '613': 'Job faulted after too many retries',
}

/** @param bad true: a value that is no ASIN becomes a job, whose page is not there */
function readQuery(body: unknown, bad = false): Query | Answer {
  if (!isRecord(body)) return json(400, { message: 'Invalid JSON' })
  const source = String(body['source'] ?? '')
  if (!sources.includes(source)) return json(422, { message: 'Unprocessable payload' })
  const given = source === 'amazon' ? (body['url'] ?? body['query']) : body['query']
  if (typeof given !== 'string') return json(400, { message: 'Missing or invalid parameter: query' })
  const asin = asinOf(given)
  if (asin === null && !bad) return json(400, { message: 'Missing or invalid parameter: query' })
  return { source, asin: asin ?? given, domain: String(body['domain'] ?? 'com'), given: body }
}

function queryOf({ params, asins }: Job, raw: boolean): Query {
  const given = raw ? { ...params, parse: false } : params
  return { source: String(params['source']), asin: asins[0]!, domain: String(params['domain']), given }
}

function pagesOf(desk: Desk, query: Query, job: Job | null, fault: string | null): readonly Page[] {
  const look = job === null ? desk.shop.look(query.asin) : (job.found.get(query.asin) ?? null)
  const { source, asin, domain, given } = query
  return contentOf(desk, look, { source, asin, domain, given, fault, job: job?.id ?? null })
}

const stampOf = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace('T', ' ')

interface Made {
  /** What the answer calls the job. */
  readonly id: string
  readonly ms: number
  readonly fault: string | null
  /** The job of the journal; null: realtime has none. */
  readonly job: string | null
}

function results(pages: readonly Page[], query: Query, { id, ms, fault, job }: Made): Answer {
  const stamps = { created_at: stampOf(ms - 7000), updated_at: stampOf(ms) }
  const values = pages.map(({ content, status, url }, n) => ({
    content,
    ...stamps,
    page: n + 1,
    url,
    job_id: id,
    status_code: status,
    parser_type: typeof content === 'string' ? '' : query.source,
  }))
  const facts = pages.flatMap(({ written }, n) =>
    // A page that could not be read shows no reviews, and is an error of its own.
    unreadable.has(fault ?? '') && pages[n]!.status === 200
      ? [{ ...otherFact('error', query.asin, values[n], job), fault, refused: true }]
      : factsOfItems(written),
  )
  return { ...json(200, { results: values }), facts }
}

const unreadable = new Set(['parse_failed', 'unparsed'])

const states = { pending: 'pending', ready: 'done', failed: 'faulted', expired: 'done' } as const

function jobObject({ id, state, params, acceptedMs, endedMs, stampMs }: Job): Record<string, unknown> {
  const created = stampMs - Math.max(0, (endedMs ?? acceptedMs) - acceptedMs)
  const link = `http://data.oxylabs.io/v1/queries/${id}`
  return {
    callback_url: null,
    client_id: 90210,
    context: [{ key: 'autoselect_variant', value: false }],
    created_at: stampOf(created),
    domain: 'com',
    geo_location: null,
    id,
    limit: 10,
    locale: null,
    pages: 1,
    parse: false,
    parser_type: null,
    parsing_instructions: null,
    browser_instructions: null,
    render: null,
    url: null,
    query: null,
    source: null,
    start_page: 1,
    storage_type: null,
    storage_url: null,
    subdomain: 'www',
    content_encoding: 'utf-8',
    user_agent_type: 'desktop',
    session_info: null,
    client_notes: null,
    ...params,
    status: states[state],
    updated_at: stampOf(stampMs),
    statuses: [],
    _links: [
      { rel: 'self', href: link, method: 'GET' },
      { rel: 'results', href: `${link}/results`, method: 'GET' },
    ],
  }
}
