// Limits that hosts tell in their answers, and budgets, through the real guard over sockets, on a clock that is moved.
import { describe, expect, test } from 'vitest'
import { robotsGuard } from '../../src/sources/http/robots.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { type OpenedGuard, openGuard } from '../support/open-guard.ts'
import { answer, type RawServer, rawServer } from '../support/raw-server.ts'

const quick = { requests: 1000, per: '1s' }

/** Answers each call with the next of these headers, then with none. */
function serving(...headers: Record<string, string>[]): Promise<RawServer> {
  const left = [...headers]
  return rawServer(socket => void socket.write(answer('[]', { headers: left.shift() ?? {} })))
}

async function scene(rate_limit: object, server: RawServer, over: object = {}) {
  const clock = createFakeClock()
  const opened = openGuard({ settings: { rate_limit: { ...quick, ...rate_limit }, timeout: '10m', ...over }, clock })
  return { clock, opened, until: (calls: number) => untilCalled(server, calls) }
}

async function untilCalled(server: RawServer, calls: number): Promise<void> {
  for (let turns = 0; server.requests.length < calls; turns++) {
    if (turns > 20_000) throw new Error(`${server.requests.length} calls came, ${calls} were expected`)
    await new Promise(setImmediate)
  }
}

const held = ({ events }: OpenedGuard) =>
  events.flatMap(event => (event.type === 'fetch_held' ? [[event.by, event.waitMs]] : []))

describe('nothing left', () => {
  test('holds every call to the host until the reset, and is told of', async () => {
    await using server = await serving({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset-after': '30' })
    const { clock, opened, until } = await scene({}, server)
    await using _guard = opened
    await opened.get(server.url)
    const both = Promise.all([opened.get(server.url), opened.get(server.url)])
    await clock.waiting(2)
    await clock.advance(29_900)
    expect(server.requests).toHaveLength(1)
    await clock.advance(200)
    await until(3)
    await both
    expect(held(opened)).toEqual([['asked', 30_000]])
  })

  test('also where another pipeline was told', async () => {
    await using server = await serving({ ratelimit: '"default";r=0;t=30' })
    const { clock, opened } = await scene({}, server)
    await using _guard = opened
    await using other = openGuard({ settings: { rate_limit: quick, timeout: '10m' }, clock })
    await opened.get(server.url)
    const call = other.get(server.url)
    await clock.waiting()
    expect(held(other)).toEqual([['asked', 30_000]])
    await clock.advance(31_000)
    await call
  })

  test('for ten years is waited for as long as Retry-After would be at most', async () => {
    await using server = await serving({ 'ratelimit-remaining': '0', 'ratelimit-reset': '315360000' })
    const { clock, opened } = await scene({}, server, { retry: { attempts: 1, retry_after_max: '2m' } })
    await using _guard = opened
    await opened.get(server.url)
    const call = opened.get(server.url)
    await clock.waiting()
    expect(held(opened)).toEqual([['asked', 120_000]])
    await clock.advance(121_000)
    await call
  })

  test('means nothing where it is not to be learnt', async () => {
    await using server = await serving({
      'ratelimit-remaining': '0',
      'ratelimit-reset': '60',
      'x-amzn-ratelimit-limit': '0.01',
    })
    const { opened, clock } = await scene({ learn: false }, server)
    await using _guard = opened
    await opened.get(server.url)
    const second = opened.get(server.url)
    await clock.advance(2)
    await second
    expect(held(opened)).toEqual([])
  })
})

test("Amazon's rate spaces the calls that follow", async () => {
  await using server = await serving({ 'x-amzn-ratelimit-limit': '0.5' })
  const { clock, opened, until } = await scene({}, server)
  await using _guard = opened
  await opened.get(server.url)
  const both = Promise.all([opened.get(server.url), opened.get(server.url)])
  await clock.advance(10)
  await until(2)
  await clock.advance(1_900)
  expect(server.requests).toHaveLength(2)
  await clock.advance(200)
  await until(3)
  await both
})

describe('the crawl delay of robots.txt', () => {
  const rules = (text: string) => {
    const left = [text]
    return rawServer(socket => void socket.write(answer(left.shift() ?? '[]')))
  }

  test.each([
    ['for us', 'User-agent: *\nCrawl-delay: 1\n\nUser-agent: weirbot\nCrawl-delay: 20\n', 20_000],
    [
      'for everyone, where ours is shorter',
      'User-agent: *\nCrawl-delay: 2.5\n\nUser-agent: weirbot\nCrawl-delay: 1\n',
      2500,
    ],
    ['for a year is kept as long as Retry-After would be', 'User-agent: *\nCrawl-delay: 31536000\n', 900_000],
  ])('%s spaces the pages of the host, of all pipelines', async (_, text, delayMs) => {
    await using server = await rules(text)
    const { clock, opened, until } = await scene({}, server)
    await using _guard = opened
    await using other = openGuard({ settings: { rate_limit: quick, timeout: '10m' }, clock })
    const { signal } = new AbortController()
    const obedient = robotsGuard(() => opened.guard, 'weirbot', clock)()
    const page = () =>
      obedient.call({ method: 'GET', url: `${server.url}/a`, headers: {} }, () => ({ class: 'ok' }), signal)
    const first = page()
    await until(1)
    await clock.waiting()
    await clock.advance(5)
    await first
    const both = [page(), other.get(`${server.url}/b`)]
    await clock.waiting(2)
    await clock.advance(delayMs - 10)
    expect(server.requests, 'robots.txt and a page').toHaveLength(2)
    await clock.advance(10)
    await Promise.race(both)
    expect(server.requests).toHaveLength(3)
    await clock.advance(delayMs)
    await Promise.all(both)
  })

  test.each(['-5', 'soon', '1e999', ''])('of %j is none', async delay => {
    await using server = await rules(`User-agent: *\nCrawl-delay: ${delay}\n`)
    const { clock, opened, until } = await scene({}, server)
    await using _guard = opened
    const obedient = robotsGuard(() => opened.guard, 'weirbot', clock)()
    const { signal } = new AbortController()
    const page = () =>
      obedient.call({ method: 'GET', url: `${server.url}/a`, headers: {} }, () => ({ class: 'ok' }), signal)
    const all = Promise.all([page(), page()])
    await until(1)
    await clock.waiting()
    await clock.advance(10)
    await all
  })
})

test('what a verdict asks for holds the host, whatever the answer was', async () => {
  await using server = await serving()
  const { clock, opened } = await scene({}, server)
  await using _guard = opened
  const request = { method: 'GET', url: server.url, headers: {} }
  const { signal } = new AbortController()
  await opened.guard.call(request, () => ({ class: 'ok', holdMs: 45_000 }), signal)
  const call = opened.get(server.url)
  await clock.waiting()
  expect(held(opened)).toEqual([['asked', 45_000]])
  await clock.advance(46_000)
  await call
})

test('a budget is one for all pipelines; who waits for it says so once a minute, not once a call', async () => {
  await using server = await serving()
  const budget = { requests: 2, per: '1h' }
  const { clock, opened } = await scene({ budget }, server)
  await using _guard = opened
  await using other = openGuard({ settings: { rate_limit: { ...quick, budget }, timeout: '10m' }, clock })
  await opened.get(server.url)
  const second = other.get(server.url)
  await clock.advance(1)
  await second
  const rest = Promise.all([opened.get(server.url), opened.get(server.url), other.get(server.url)])
  await clock.waiting(3)
  expect(held(opened)).toHaveLength(1)
  expect(held(other)).toHaveLength(1)
  expect(held(opened)[0]![0]).toBe('budget')
  await clock.advance(3_500_000)
  expect(server.requests).toHaveLength(2)
  while (server.requests.length < 5) await clock.advance(60_000)
  await rest
})

test('a pipeline that stops does not wait for its budget', async () => {
  await using server = await serving()
  const { clock, opened } = await scene({ budget: { requests: 1, per: '1d' } }, server)
  await opened.get(server.url)
  const call = opened.get(server.url)
  const result = expect(call).rejects.toMatchObject({ code: 'fetch.network' })
  await clock.waiting()
  await opened[Symbol.asyncDispose]()
  await result
})
