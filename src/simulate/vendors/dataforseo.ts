// DataForSEO, Merchant API, Amazon ASIN: task_post, tasks_ready, task_get and live. The retired reviews endpoints answer as unknown ones.
import { createRateGate, same } from '../gate.ts'
import { envelope, messages, refusal, type Task, task } from './dataforseo-envelope.ts'
import { resultOf, reviewFaults } from './dataforseo-result.ts'
import { callFaults, jobFaults } from './faults.ts'
import { factsOfItems } from './items.ts'
import { idText, type Job } from './jobs.ts'
import { push } from './push.ts'
import { type Answer, type Call, type Desk, isRecord, jsonBody, type OpenVendor, type VendorSpec } from './vendor.ts'
import { announce, pushFaults } from './webhooks.ts'

const base = '/v3/merchant/amazon/asin'
/** Once it is told to slow down by a fault, so many calls more hear the same. */
const burst = 4

export const dataforseo: VendorSpec = {
  name: 'dataforseo',
  summary: 'DataForSEO Amazon ASIN: tasks and live, codes inside the body',
  tries: [
    `curl -u {user}:{key} {url}${base}/task_post -d '[{"asin":"B0WEIRTST1","location_code":2840,"language_code":"en_US"}]'`,
    `curl -u {user}:{key} {url}${base}/tasks_ready`,
    `curl -u {user}:{key} {url}${base}/task_get/advanced/TASK_ID`,
    `curl -u {user}:{key} {url}${base}/live/advanced -d '[{"asin":"B0WEIRTST1","location_code":2840,"language_code":"en_US"}]'`,
  ],
  login: { user: 'API login (basic)', key: 'API password (basic)' },
  faults: {
    ...callFaults,
    '40202': { scope: 'call', doc: 'more calls than the minute has, with status 200; five calls hear it' },
    '40209': { scope: 'call', doc: 'too many at once, with status 200' },
    '50303': { scope: 'call', doc: 'update in progress, with status 200' },
    task_refused: { scope: 'call', doc: 'the last task of a task_post is refused, the others are accepted' },
    '40200': { scope: 'call', doc: 'no money, with status 200 instead of 402', asked: true },
    ...jobFaults,
    ...pushFaults,
    no_results: { scope: 'job', doc: 'the task ends with 40102', ends: true },
    se_error: { scope: 'job', doc: 'the task ends with 40101, and is billed', ends: true },
    ...reviewFaults,
  },
  limit: { calls: 2000, windowMs: 60_000 },
  atOnce: 30,
  keepMs: 30 * 24 * 3_600_000,
  extras: ['credits', 'webhooks'],
  open,
}

interface Asked {
  readonly given: Readonly<Record<string, unknown>>
  /** What is wrong with it; null: nothing. */
  readonly wrong: { readonly code: number; readonly message: string } | null
}

function open(desk: Desk): OpenVendor {
  const { settings, jobs } = desk
  const listGate = createRateGate(desk.clock, 20, 60_000)
  let slowed = 0
  let refused = 0

  const accept = (call: Call, given: Asked['given']): Job => {
    const asin = String(given['asin'])
    const cost = given['priority'] === 2 ? 0.003 : 0.0015
    const params = { ...dataOf(given), ...pick(given, ['postback_url', 'postback_data', 'pingback_url']) }
    const id = (number: number) => taskId(settings.seed, number)
    const job = jobs.accept(call, { asins: [asin], params, cost, id })
    announce(desk, job, [text(given['postback_url']), text(given['pingback_url'])], () => callBack(desk, job, given))
    return job
  }

  const taskPost = (call: Call, refuseLast = false): Answer => {
    const asked = readTasks(call, 100)
    if (typeof asked === 'number') return refusal(asked)
    const path = `${base}/task_post`
    const created: string[] = []
    const tasks = asked.map(({ given, wrong }, n): Task => {
      const bad = wrong ?? (refuseLast && n === asked.length - 1 ? wrongField('location_code') : null)
      if (bad !== null) return task(refusedId(settings.seed, ++refused), bad.code, path, dataOf(given), bad)
      if (!desk.spend()) return task(refusedId(settings.seed, ++refused), 40200, path, dataOf(given))
      const job = accept(call, given)
      created.push(job.id)
      return task(job.id, 20100, path, dataOf(given), { cost: given['priority'] === 2 ? 0.003 : 0.0015 })
    })
    if (tasks.every(({ status_code: code }) => code === 40200)) return refusal(40200)
    return { ...envelope(tasks), jobs: created }
  }

  const ready = (): Answer => {
    if (listGate.take() > 0) return refusal(40202)
    for (const { id, state } of jobs.all) if (state === 'pending') jobs.poll(id)
    const rows = jobs.all
      .filter(({ id, state }) => (state === 'ready' || state === 'failed') && !collected.has(id))
      .slice(0, 1000)
      .map(job => ({
        id: job.id,
        se: 'amazon',
        se_type: 'shopping',
        date_posted: stamp(job.stampMs),
        tag: job.params['tag'] ?? null,
        endpoint_advanced: `${base}/task_get/advanced/${job.id}`,
        endpoint_html: `${base}/task_get/html/${job.id}`,
      }))
    const data = { api: 'merchant', function: 'asin', se: 'amazon' }
    const list = task(refusedId(settings.seed, ++refused), 20000, `${base}/tasks_ready`, data, {
      result: rows.length > 0 ? rows : null,
    })
    return envelope([list])
  }
  const collected = new Set<string>()

  return {
    refuse({ headers: { authorization } }) {
      const expected = `Basic ${Buffer.from(`${settings.user}:${settings.key}`).toString('base64')}`
      return same(authorization, expected) ? null : refusal(40100)
    },
    trouble(kind, call) {
      if (kind === '40202' || kind === '429') {
        slowed = burst
        return refusal(40202)
      }
      if (kind === 'task_refused') return call.path.endsWith('/task_post') ? taskPost(call, true) : undefined
      if (kind === '500') return refusal(50000)
      if (kind === '503') return refusal(50000, 200)
      return messages[Number(kind)] === undefined ? null : refusal(Number(kind), 200)
    },
    throttled: () => refusal(40202),
    busy: () => refusal(40209),
    notFound: () => refusal(40400),
    routes: (
      [
        { method: 'POST', path: `${base}/task_post`, handle: call => taskPost(call) },
        { method: 'GET', path: `${base}/tasks_ready`, handle: ready },
        { method: 'GET', path: '/v3/merchant/tasks_ready', handle: ready },
        {
          method: 'GET',
          path: `${base}/task_get/advanced/:id`,
          handle({ params }) {
            const job = jobs.poll(params['id']!)
            if (job !== null && job.state !== 'pending') collected.add(job.id)
            return taskGet(desk, params['id']!, job)
          },
        },
        { method: 'POST', path: `${base}/live/advanced`, handle: call => live(desk, call) },
        { method: 'POST', path: '/v3/merchant/id_list', handle: () => idList(desk) },
      ] satisfies OpenVendor['routes']
    ).map(route => ({
      ...route,
      handle: (call: Call) => (slowed > 0 && slowed-- > 0 ? refusal(40202) : route.handle(call)),
    })),
  }
}

const text = (value: unknown) => (typeof value === 'string' ? value : null)
const pick = (from: Asked['given'], names: readonly string[]) =>
  Object.fromEntries(names.filter(name => from[name] !== undefined).map(name => [name, from[name]]))
const stamp = (ms: number) => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} +00:00`

/** Coded by date, and no UUID: 11052014-1535-0403-0000-000000000a01. */
const taskId = (seed: number, number: number) =>
  `11052014-1535-0403-0000-${idText('0123456789abcdef', 8, seed, 'task', number)}${number.toString(16).padStart(4, '0')}`
const refusedId = (seed: number, number: number) =>
  `11052016-1535-0087-0000-${idText('0123456789abcdef', 8, seed, 'refused', number)}${number.toString(16).padStart(4, '0')}`

const dataOf = (given: Asked['given']) => ({
  api: 'merchant',
  function: 'asin',
  se: 'amazon',
  language_code: 'en_US',
  location_code: 2840,
  ...pick(given, known),
  priority: given['priority'] ?? 1,
  device: 'desktop',
  os: 'windows',
})

const known = [
  ...['asin', 'location_code', 'location_name', 'location_coordinate', 'language_code', 'language_name', 'se_domain'],
  ...['priority', 'tag', 'postback_url', 'postback_data', 'pingback_url'],
]
const wrongField = (name: string) => ({ code: 40501, message: `Invalid Field: '${name}'.` })

/** The tasks of a call, or the code that refuses all of it. */
function readTasks(call: Call, max: number): readonly Asked[] | number {
  const body = jsonBody(call)
  if (!Array.isArray(body) || body.length === 0 || !body.every(isRecord)) return 40503
  if (body.length > max) return max === 1 ? 40000 : 40006
  return body.map(given => ({ given, wrong: wrongWith(given) }))
}

function wrongWith(given: Asked['given']): Asked['wrong'] {
  const unknown = Object.keys(given).find(name => !known.includes(name))
  if (unknown !== undefined) return { code: 40506, message: `Unknown Fields in POST Data: '${unknown}'.` }
  if (!/^[A-Z0-9]{10}$/.test(String(given['asin'] ?? ''))) return wrongField('asin')
  const code = given['location_code']
  if (code !== undefined && !(Number.isInteger(code) && Number(code) >= 2004)) return wrongField('location_code')
  if (['location_code', 'location_name', 'location_coordinate'].every(name => given[name] === undefined))
    return wrongField('location_code')
  if (given['language_code'] === undefined && given['language_name'] === undefined) return wrongField('language_code')
  return String(given['tag'] ?? '').length > 255 ? wrongField('tag') : null
}

function taskGet(desk: Desk, id: string, job: Job | null): Answer {
  const path = `${base}/task_get/advanced/${id}`
  const plain = { api: 'merchant', function: 'asin', se: 'amazon' }
  if (job === null) return envelope([task(id, 40401, path, plain)])
  const data = job.params
  if (job.state === 'expired') return envelope([task(id, 40403, path, data)])
  if (job.state === 'pending') return envelope([task(id, job.polls === 1 ? 40601 : 40602, path, data)])
  const cost = data['priority'] === 2 ? 0.003 : 0.0015
  if (job.state === 'failed') {
    const code = job.fault === 'se_error' ? 40101 : job.fault === 'no_results' ? 40102 : 40103
    return envelope([task(id, code, path, data, { cost })])
  }
  const { result, written } = resultOf(desk, job.found.get(job.asins[0]!), data, job.stampMs, job.id)
  if (result === null) return envelope([task(id, 40102, path, data, { cost })])
  return { ...envelope([task(id, 20000, path, data, { cost, result: [result] })]), facts: factsOfItems(written) }
}

function live(desk: Desk, call: Call): Answer {
  const asked = readTasks(call, 1)
  if (typeof asked === 'number') return refusal(asked)
  const { given, wrong } = asked[0]!
  const path = `${base}/live/advanced`
  const id = refusedId(desk.settings.seed, 0xf000 + call.number)
  const data = dataOf(given)
  if (wrong !== null) return envelope([task(id, wrong.code, path, data, wrong)])
  const cost = 0.003
  if (!desk.charge(call, data, cost)) return refusal(40200)
  const { result, written } = resultOf(desk, desk.shop.look(String(given['asin'])), data, desk.clock.now(), null)
  if (result === null) return envelope([task(id, 40102, path, data, { cost })])
  return { ...envelope([task(id, 20000, path, data, { cost, result: [result] })]), facts: factsOfItems(written) }
}

/** What was set lately, for one who lost an id; `metadata` has the task with its tag. */
function idList(desk: Desk): Answer {
  const rows = desk.jobs.all.map(({ id, stampMs, state, params }) => ({
    id,
    url: `https://api.dataforseo.com${base}/task_get/advanced/${id}`,
    datetime_posted: stamp(stampMs),
    datetime_done: state === 'pending' ? null : stamp(stampMs),
    status: state === 'ready' ? 20000 : 40602,
    cost: 0.0015,
    metadata: params,
  }))
  const data = { api: 'merchant', function: 'id_list' }
  return envelope([task(refusedId(desk.settings.seed, 0), 20000, '/v3/merchant/id_list', data, { result: rows })])
}

async function callBack(desk: Desk, job: Job, given: Asked['given']): Promise<void> {
  const fill = (url: string) =>
    url
      .replaceAll('$id', job.id)
      .replaceAll('$tag', encodeURIComponent(String(given['tag'] ?? '')))
      .replaceAll('#', '%23')
  const ping = text(given['pingback_url'])
  if (ping !== null) await push({ url: fill(ping), method: 'GET' })
  const post = text(given['postback_url'])
  if (post === null) return
  const answer = taskGet(desk, job.id, job)
  if (await push({ url: fill(post), body: String(answer.body), gzip: true })) desk.pushed(answer.facts ?? [])
}
