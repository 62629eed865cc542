import { describe, expect, test } from 'vitest'
import { codeOf, type WeirError } from '../../../../src/core/errors.ts'
import { robotsGuard } from '../../../../src/sources/http/robots.ts'
import { createFakeClock } from '../../../support/fake-clock.ts'
import { openHttpSource, poll } from '../../../support/open-http.ts'
import { type Reply, scriptedGuard } from '../../../support/scripted-guard.ts'

const day = 24 * 60 * 60 * 1000

/** A host whose robots.txt tests change. */
function host(robots: string | Reply) {
  const state = { robots: typeof robots === 'string' ? { body: robots } : robots }
  const inner = scriptedGuard(url => (url.pathname === '/robots.txt' ? state.robots : { body: {} }))
  const clock = createFakeClock()
  const guard = robotsGuard(() => inner, 'WeirBot/1.0 (ops@example.com)', clock)()
  return {
    state,
    clock,
    asked: () => inner.requests.map(({ url }) => url),
    requests: inner.requests,
    get: (path: string, origin = 'https://a.example') =>
      guard
        .call({ method: 'GET', url: origin + path, headers: {} }, () => ({ class: 'ok' }), new AbortController().signal)
        .then(
          () => 'ok' as const,
          (error: WeirError) => error,
        ),
  }
}

test('robots.txt comes before the first page, once a day for each origin', async () => {
  const { get, asked, clock, requests } = host('User-agent: *\nDisallow: /x')
  await get('/a')
  await get('/b')
  await get('/a', 'https://b.example:8443')
  expect(asked()).toEqual([
    'https://a.example/robots.txt',
    'https://a.example/a',
    'https://a.example/b',
    'https://b.example:8443/robots.txt',
    'https://b.example:8443/a',
  ])
  expect(requests[0]!.headers['user-agent']).toBe('WeirBot/1.0 (ops@example.com)')
  await clock.advance(day - 1)
  await get('/a')
  expect(asked()).toHaveLength(6)
  await clock.advance(1)
  await get('/a')
  expect(asked().slice(6)).toEqual(['https://a.example/robots.txt', 'https://a.example/a'])
})

describe('rules', () => {
  const rules =
    '# of the house\nUser-agent: *\nDisallow: /private\nDisallow: /*.pdf$\nAllow: /private/open\n\nUser-agent: weirbot\nDisallow: /weir\n'

  test.each([
    ['/weir/1', 'line 8, "Disallow: /weir"', 'WeirBot'],
    ['/private/1', 'line 3, "Disallow: /private"', 'every robot'],
    ['/a.pdf', 'line 4, "Disallow: /*.pdf$"', 'every robot'],
  ])('%s is refused by %s', async (path, rule, whom) => {
    const { get, asked } = host(rules)
    const error = await get(path)
    expect(error).toMatchObject({ code: 'fetch.robots_refused', at: `GET https://a.example${path}` })
    expect((error as WeirError).message).toContain(rule)
    expect((error as WeirError).message).toContain(whom)
    expect(asked(), 'the page is not asked for').toEqual(['https://a.example/robots.txt'])
  })

  test.each(['/private/open', '/a.pdf?x', '/', '/weather'])('%s is allowed', async path =>
    expect(await host(rules).get(path)).toBe('ok'),
  )
})

test('a page that a redirect led to where robots may not go is not used', async () => {
  const inner = scriptedGuard(({ pathname }) => ({
    body: pathname === '/robots.txt' ? 'User-agent: *\nDisallow: /login' : {},
  }))
  const redirected = {
    ...inner,
    call: async (...args: Parameters<typeof inner.call>) => ({
      ...(await inner.call(...args)),
      url: 'https://a.example/login?to=a',
    }),
  }
  const guard = robotsGuard(() => redirected, 'WeirBot', createFakeClock())()
  const call = guard.call(
    { method: 'GET', url: 'https://a.example/a', headers: {} },
    () => ({ class: 'ok' }),
    new AbortController().signal,
  )
  await expect(call).rejects.toMatchObject({ code: 'fetch.robots_refused', at: 'GET https://a.example/login' })
})

describe('robots.txt itself', () => {
  test.each([404, 410, 400])('status %i: there is none, all is allowed', async status =>
    expect(await host({ status, body: 'Disallow: /' }).get('/a')).toBe('ok'),
  )

  test.each([
    [500, 'fetch.status'],
    [503, 'fetch.status'],
    [429, 'fetch.throttled'],
    [401, 'fetch.blocked'],
    [403, 'fetch.blocked'],
  ])('status %i: nothing is read, and it is %s', async (status, code) => {
    const { get, asked, state } = host({ status, body: '' })
    expect(codeOf(await get('/a'))).toBe(code)
    expect(asked()).toEqual(['https://a.example/robots.txt'])
    state.robots = { body: '' }
    expect(await get('/a'), 'what failed is not kept').toBe('ok')
  })

  test('a page instead of it, or one that is empty, has no rules', async () => {
    expect(await host('<html><body>User-agent</body></html>').get('/a')).toBe('ok')
    expect(await host('').get('/a')).toBe('ok')
  })

  test('what stands behind 500 KB is not looked at, and a huge one takes no time', async () => {
    const { get } = host(`User-agent: *\n${'Disallow: /*a*a*a*a*b\n'.repeat(30_000)}Disallow: /late`)
    const startedMs = performance.now()
    expect(await get('/late')).toBe('ok')
    expect(performance.now() - startedMs).toBeLessThan(2000)
  })
})

describe('pages', () => {
  const html = { require: 'main', item: 'p', fields: { text: {} } }
  const read = async (body: string, robots: object, headers = {}) => {
    const guard = scriptedGuard(url => (url.pathname === '/robots.txt' ? { status: 404, body: '' } : { body, headers }))
    const { source } = openHttpSource({ request: { url: 'https://a.example/r' }, decode: 'html', html, robots }, guard)
    await using opened = source
    const result = await poll(opened, null).then(
      ({ values }) => values.length,
      (error: WeirError) => error.code,
    )
    return { result, guard }
  }
  const noindex = '<meta name="robots" content="nofollow, noindex"><main><p>a</main>'

  test.each([
    ['says noindex', noindex, {}, 'fetch.robots_refused'],
    ['says none to us by name', '<meta name="weirbot" content="none"><main><p>a</main>', {}, 'fetch.robots_refused'],
    ['says noarchive in a header', '<main><p>a</main>', { 'x-robots-tag': 'noarchive' }, 'fetch.robots_refused'],
    ['says nofollow', '<meta name="robots" content="nofollow"><main><p>a</main>', {}, 1],
    ['says none to another', '<meta name="otherbot" content="none"><main><p>a</main>', {}, 1],
  ])('a page that %s', async (_, body, headers, expected) =>
    expect((await read(body, { agent: 'weirbot' }, headers)).result).toBe(expected),
  )

  test('it is taken where the definition says so', async () =>
    expect((await read(noindex, { agent: 'weirbot', meta: false })).result).toBe(1))

  test('the agent is who asks', async () => {
    const { guard } = await read('<main>', { agent: 'weirbot (ops@example.com)' })
    expect(guard.requests.map(({ headers }) => headers['user-agent'])).toEqual([
      'weirbot (ops@example.com)',
      'weirbot (ops@example.com)',
    ])
  })
})
