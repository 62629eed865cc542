// Vendors that answer later: the job is submitted, asked for until it is ready, and its result gives exactly the expected records. A pass
// pays for one job; a job that fails is told, and nothing moves.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  type Expected,
  expectedOfPublished,
  expectedOfSample,
  expectRecords,
  havePublished,
  haveSamples,
  publishedFolder,
  samplesFolder,
} from '../../support/vendor-expectations.ts'
import { type Answer, runVendor, type VendorReply, type VendorServer, vendorServer } from '../../support/vendor-run.ts'

const sample = (file: string) => readFileSync(join(samplesFolder, file), 'utf8')
const asins = ['B0WEIRTST1']

interface Route {
  readonly at: RegExp
  /** One after the other; the last stays. */
  readonly answers: readonly VendorReply[]
}

/** Answers by `METHOD path`; what no route knows is a 404 that fails the test. */
function routed(routes: readonly Route[]): Answer {
  const counts = new Map<Route, number>()
  return ({ method, path }) => {
    const route = routes.find(({ at }) => at.test(`${method} ${path}`))
    if (!route) return { status: 404, body: `no route for ${method} ${path}` }
    const n = counts.get(route) ?? 0
    counts.set(route, n + 1)
    return route.answers[Math.min(n, route.answers.length - 1)]!
  }
}

const asked = ({ requests }: VendorServer) => requests.map(({ method, path }) => `${method} ${path}`)

const brightdata = { vendor: 'brightdata_reviews', config: { token: 'secret-of-the-test', asins } }
const brightdataRoutes = (result: readonly VendorReply[]): readonly Route[] => [
  { at: /^POST .*\/trigger$/, answers: [{ body: sample('brightdata/trigger.json') }] },
  {
    at: /progress\/s_weir0k3ttl3sn4psh0t$/,
    answers: ['starting', 'running', 'ready'].map(name => ({ body: sample(`brightdata/progress_${name}.json`) })),
  },
  { at: /snapshot\/s_weir0k3ttl3sn4psh0t$/, answers: result },
]

const apify = { vendor: 'apify_reviews', config: { token: 'secret-of-the-test', asins } }
const apifyRoutes = (items: string): readonly Route[] => [
  { at: /^POST .*\/runs$/, answers: [{ status: 201, body: sample('apify/run.json') }] },
  {
    at: /actor-runs/,
    answers: [{ body: sample('apify/run.json') }, { body: sample('apify/run_succeeded.json') }],
  },
  { at: /datasets\/WeirData000000001\/items$/, answers: [{ body: items }] },
]

const login = { username: 'me', password: 'secret-of-the-test', asins }
const dataforseo = {
  vendor: 'dataforseo_asin',
  config: { mode: 'task', login: 'me', password: 'secret-of-the-test', asins },
}
const oneTask = () => {
  const answer = JSON.parse(sample('dataforseo/asin_task_post.json'))
  return JSON.stringify({ ...answer, tasks: answer.tasks.slice(0, 1) })
}

interface Case {
  readonly name: string
  readonly use: { readonly vendor: string; readonly config: Readonly<Record<string, unknown>> }
  readonly routes: () => readonly Route[]
  readonly expected: () => readonly Expected[]
  readonly calls: readonly string[]
}

const cases: readonly Case[] = [
  {
    name: 'Bright Data: trigger, progress, a snapshot that is still built, the snapshot',
    use: brightdata,
    routes: () =>
      brightdataRoutes([
        { status: 202, headers: { 'retry-after': '10' }, body: sample('brightdata/snapshot_202.json') },
        { body: sample('brightdata/snapshot.json') },
      ]),
    expected: () => expectedOfSample('brightdata/snapshot.json'),
    calls: [
      'POST /datasets/v3/trigger',
      ...Array(3).fill('GET /datasets/v3/progress/s_weir0k3ttl3sn4psh0t'),
      ...Array(2).fill('GET /datasets/v3/snapshot/s_weir0k3ttl3sn4psh0t'),
    ],
  },
  {
    name: 'Apify: run, dataset',
    use: apify,
    routes: () => apifyRoutes(sample('apify/items.json')),
    expected: () => expectedOfSample('apify/items.json'),
    calls: [
      'POST /v2/acts/junglee~amazon-reviews-scraper/runs',
      ...Array(2).fill('GET /v2/actor-runs/WeirRun0000000001'),
      'GET /v2/datasets/WeirData000000001/items',
    ],
  },
  {
    name: 'DataForSEO: task, in the queue, its result',
    use: dataforseo,
    routes: () => [
      { at: /task_post$/, answers: [{ body: oneTask() }] },
      {
        at: /task_get/,
        answers: [
          { body: sample('dataforseo/task_get_in_queue.json') },
          { body: sample('dataforseo/asin_task_get_advanced.json') },
        ],
      },
    ],
    expected: () => expectedOfSample('dataforseo/asin_task_get_advanced.json'),
    calls: [
      'POST /v3/merchant/amazon/asin/task_post',
      ...Array(2).fill('GET /v3/merchant/amazon/asin/task_get/advanced/11052014-1535-0403-0000-000000000a01'),
    ],
  },
  {
    name: 'Oxylabs: job, pending, done, a result that is not there at once',
    use: { vendor: 'oxylabs', config: { mode: 'push_pull', ...login } },
    routes: () => [
      { at: /^POST/, answers: [{ status: 202, body: sample('oxylabs/pushpull_submit.json') }] },
      { at: /results$/, answers: [{ status: 204 }, { body: sample('oxylabs/pushpull_results.json') }] },
      {
        at: /^GET/,
        answers: ['pending', 'done'].map(name => ({ body: sample(`oxylabs/pushpull_status_${name}.json`) })),
      },
    ],
    expected: () => expectedOfSample('oxylabs/pushpull_results.json'),
    calls: [
      'POST /v1/queries',
      ...Array(2).fill('GET /v1/queries/7391000000000000001'),
      ...Array(2).fill('GET /v1/queries/7391000000000000001/results'),
    ],
  },
  {
    name: 'Outscraper: request, pending, its result',
    use: { vendor: 'outscraper', config: { mode: 'async', api_key: 'secret-of-the-test', asins } },
    routes: () => [
      { at: /amazon\/reviews$/, answers: [{ status: 202, body: sample('outscraper/submit_async.json') }] },
      {
        at: /requests/,
        answers: ['pending', 'success'].map(name => ({ body: sample(`outscraper/request_${name}.json`) })),
      },
    ],
    expected: () => expectedOfSample('outscraper/request_success.json'),
    calls: ['GET /amazon/reviews', ...Array(2).fill('GET /requests/weir-rq-0000000000000000000000000001')],
  },
]

describe.skipIf(!haveSamples)(haveSamples ? 'jobs' : 'jobs (skipped: no samples)', () => {
  test.each(cases)('$name', async ({ use, routes, expected, calls }) => {
    await using server = await vendorServer(routed(routes()))
    const config = { ...use.config, base_url: server.url }
    const { records, refused, failure } = await runVendor({ ...use, config })
    expect({ failure, refused: refused.length }).toEqual({ failure: null, refused: 0 })
    expectRecords(records, expected())
    expect(asked(server)).toEqual(calls)
  })

  test.each([
    ['Bright Data', brightdata, () => brightdataRoutes([]).with(1, failed('brightdata/progress_failed.json'))],
    [
      'Oxylabs',
      { vendor: 'oxylabs', config: { mode: 'push_pull', ...login } },
      () => [
        { at: /^POST/, answers: [{ status: 202, body: sample('oxylabs/pushpull_submit.json') }] },
        { at: /^GET/, answers: [{ body: sample('oxylabs/pushpull_status_faulted.json') }] },
      ],
    ],
    [
      'Outscraper',
      { vendor: 'outscraper', config: { mode: 'async', api_key: 'secret-of-the-test', asins } },
      () => [
        { at: /amazon\/reviews$/, answers: [{ status: 202, body: sample('outscraper/submit_async.json') }] },
        { at: /requests/, answers: [{ body: sample('outscraper/request_error.json') }] },
      ],
    ],
  ] as const)('%s: a job that fails is told and makes no record', async (_, use, routes) => {
    await using server = await vendorServer(routed(routes()))
    const { records, refused, failure } = await runVendor({ ...use, config: { ...use.config, base_url: server.url } })
    expect({ code: failure?.code, records, refused }).toEqual({ code: 'fetch.job_failed', records: [], refused: [] })
  })

  test('Apify asks for reviews since the newest one less three days', async () => {
    await using server = await vendorServer(routed(apifyRoutes(sample('apify/items.json'))))
    const config = { ...apify.config, base_url: server.url, since: '2020-01-01' }
    const first = await runVendor({ ...apify, config })
    const second = await runVendor({ ...apify, config, cursors: first.cursors })
    expect(second.records).toEqual([])
    const sent = server.requests.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body))
    expect(sent.map(body => body.reviewsCutoffDate)).toEqual(['2020-01-01', '2024-01-02'])
    expect(sent[0]).toMatchObject({ includeGdprSensitive: false, maxReviews: 100, sort: 'recent' })
  })

  test.each([
    ['brightdata/error_400_validation.json', 400, 'fetch.fatal'],
    ['brightdata/error_400_parse.json', 400, 'fetch.fatal'],
    ['brightdata/error_401.txt', 401, 'fetch.fatal'],
    ['brightdata/error_404.txt', 404, 'fetch.fatal'],
    ['brightdata/error_429.json', 429, 'fetch.throttled'],
    ['apify/error_401.json', 401, 'fetch.fatal'],
    ['apify/error_402.json', 402, 'fetch.fatal'],
    ['apify/error_429.json', 429, 'fetch.throttled'],
  ])('%s at submit is %s, %s', async (file, status, code) => {
    const use = file.startsWith('apify') ? apify : brightdata
    const headers = { 'retry-after': '30' }
    await using server = await vendorServer(() => ({ status, headers, body: sample(file) }))
    const { records, failure } = await runVendor({ ...use, config: { ...use.config, base_url: server.url } })
    expect({ code: failure?.code, records }).toEqual({ code, records: [] })
  })
})

const failed = (file: string): Route => ({ at: /progress/, answers: [{ body: sample(file) }] })

describe.skipIf(!havePublished)(havePublished ? 'published results of jobs' : 'published results (skipped)', () => {
  test.each([
    ['brightdata-amazon-reviews.json', brightdata, (body: string) => brightdataRoutes([{ body }])],
    ['apify-amazon-reviews.json', apify, (body: string) => apifyRoutes(body)],
  ] as const)('%s', async (file, use, routes) => {
    const body = readFileSync(join(publishedFolder, 'vendor', file), 'utf8')
    await using server = await vendorServer(routed(routes(body)))
    const { records, refused, failure } = await runVendor({ ...use, config: { ...use.config, base_url: server.url } })
    expect({ failure, refused: refused.length }).toEqual({ failure: null, refused: 0 })
    expectRecords(records, expectedOfPublished(file))
  })
})

describe('trouble of the account or of the vendor, told in the body, ends no job that is paid for', () => {
  const one = { asin: asins[0], url: 'https://www.amazon.com/gp/customer-reviews/R2QK7VX91MZ0TA' }
  const tasks = (status_code: number, result: object[] | null) => ({
    status_code: 20000,
    tasks: [{ id: 'j1', status_code, result }],
  })
  const review = { ...one, url: `${one.url}?ASIN=${one.asin}`, review_text: 'x', rating: { value: 5 } }
  test.each([
    [
      'Outscraper',
      { vendor: 'outscraper', config: { mode: 'async', api_key: 'secret-of-the-test', asins } },
      {
        submit: { id: 'j1', status: 'Pending' },
        trouble: { error: true, errorMessage: 'Something went wrong' },
        result: { id: 'j1', status: 'Success', data: [[{ ...one, body: 'x', rating: 5, query: one.asin }]] },
      },
    ],
    [
      'DataForSEO',
      dataforseo,
      {
        submit: tasks(20100, null),
        trouble: { status_code: 40200, status_message: 'Payment Required.', tasks: [] },
        result: tasks(20000, [{ asin: one.asin, items: [{ top_local_reviews: [review], top_global_reviews: null }] }]),
      },
    ],
  ] as const)('%s', async (_, use, { submit, trouble, result }) => {
    let submits = 0
    let body: object = trouble
    await using server = await vendorServer(({ path }) => {
      const isSubmit = /amazon\/reviews$|task_post$/.test(path)
      if (isSubmit) submits++
      return { body: JSON.stringify(isSubmit ? submit : body) }
    })
    const config = { ...use.config, base_url: server.url }
    const first = await runVendor({ ...use, config })
    expect(first.failure?.code).toBe('fetch.status')
    body = result
    const second = await runVendor({ ...use, config, cursors: first.cursors })
    expect({ failure: second.failure, records: second.records.length, submits }).toEqual({
      failure: null,
      records: 1,
      submits: 1,
    })
  })
})
