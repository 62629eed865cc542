// The guard against real sockets: faults 48 to 58, redirects, secrets. Where time matters a fake clock is moved.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { openBreakerFile } from '../../src/adapters/breaker-file/breaker-file.ts'
import { Secret } from '../../src/core/secret.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { openGuard } from '../support/open-guard.ts'
import { answer, rawServer } from '../support/raw-server.ts'

const oneAttempt = { retry: { attempts: 1 } }
const codesOf = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.map(each => (each.status === 'fulfilled' ? 'ok' : each.reason.code))

describe('the breaker over the network', () => {
  const settings = { ...oneAttempt, breaker: { failure_rate: '50%', window: 4, open_for: '1m' } }

  test('48: a dead host is called until the breaker opens, then not at all, then once', async () => {
    let isDead = true
    await using server = await rawServer(socket => void (isDead ? socket.destroy() : socket.write(answer('[]'))))
    const clock = createFakeClock()
    await using opened = openGuard({ settings, clock })
    const call = () => opened.get(server.url)
    const codes: string[] = []
    for (let i = 0; i < 10; i++) codes.push(...codesOf(await Promise.allSettled([call()])))
    expect(codes).toEqual([...Array(4).fill('fetch.network'), ...Array(6).fill('fetch.breaker_open')])
    expect(server.requests).toHaveLength(4)
    await clock.advance(60_000)
    isDead = false
    const results = codesOf(await Promise.allSettled(Array.from({ length: 20 }, call)))
    expect(results.filter(code => code === 'ok')).toHaveLength(1)
    expect(results.filter(code => code === 'fetch.breaker_open')).toHaveLength(19)
    expect(server.requests).toHaveLength(5)
    await expect(call()).resolves.toMatchObject({ status: 200 })
    expect(opened.events.flatMap(event => (event.type === 'breaker_changed' ? [event.to] : []))).toEqual([
      'open',
      'half_open',
      'closed',
    ])
  })

  test('I4: a restart does not call a host whose breaker is open', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'weir-fetch-'))
    try {
      await using server = await rawServer(socket => void socket.write(answer('', { status: 503 })))
      const clock = createFakeClock()
      const store = openBreakerFile({ dataDir, pipeline: 'test' })
      {
        await using first = openGuard({ settings, clock, store })
        for (let i = 0; i < 4; i++) await first.get(server.url).catch(() => {})
      }
      expect(server.requests).toHaveLength(4)
      await using second = openGuard({ settings, clock, store: openBreakerFile({ dataDir, pipeline: 'test' }) })
      await expect(second.get(server.url)).rejects.toMatchObject({ code: 'fetch.breaker_open' })
      expect(server.requests).toHaveLength(4)
      await using other = openGuard({ settings, clock, store: openBreakerFile({ dataDir, pipeline: 'other' }) })
      await expect(other.get(server.url)).rejects.toMatchObject({ code: 'fetch.status' })
    } finally {
      await rm(dataDir, { recursive: true, force: true })
    }
  })

  test('throttling and refusals open nothing', async () => {
    const statuses = [429, 403, 404]
    await using server = await rawServer(
      (socket, _, { requests }) => void socket.write(answer('', { status: statuses[requests.length % 3]! })),
    )
    await using opened = openGuard({ settings })
    const codes: string[] = []
    for (let i = 0; i < 12; i++) codes.push(...codesOf(await Promise.allSettled([opened.get(server.url)])))
    expect(codes).not.toContain('fetch.breaker_open')
    expect(server.requests).toHaveLength(12)
  })
})

describe('time', () => {
  test('51: bytes that drip do not extend the deadline, and the socket is closed', async () => {
    const closed = Promise.withResolvers<void>()
    await using server = await rawServer(socket => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n')
      const timer = setInterval(() => socket.write(' '), 10)
      socket.on('close', () => {
        clearInterval(timer)
        closed.resolve()
      })
    })
    await using opened = openGuard({ settings: { ...oneAttempt, timeout: '150ms' } })
    const startedMs = performance.now()
    await expect(opened.get(server.url)).rejects.toMatchObject({ code: 'fetch.timeout', at: `GET ${server.url}/` })
    expect(performance.now() - startedMs).toBeLessThan(2_000)
    await closed.promise
  })

  test('52: silence ends at the deadline, and at once when the caller stops', async () => {
    await using server = await rawServer(() => {})
    await using opened = openGuard({ settings: { ...oneAttempt, timeout: '100ms' } })
    await expect(opened.get(server.url)).rejects.toMatchObject({ code: 'fetch.timeout' })
    await using patient = openGuard({ settings: { ...oneAttempt, timeout: '1m' } })
    const stop = new AbortController()
    const call = patient.get(server.url, {}, stop.signal)
    while (server.requests.length < 2) await new Promise(setImmediate)
    stop.abort(new Error('stop'))
    await expect(call).rejects.toThrow('stop')
  })

  test('closing the guard ends a call under way', async () => {
    await using server = await rawServer(() => {})
    const opened = openGuard({ settings: { timeout: '1m' } })
    const call = opened.get(server.url)
    const result = expect(call).rejects.toMatchObject({ code: 'fetch.network' })
    while (server.requests.length < 1) await new Promise(setImmediate)
    await opened[Symbol.asyncDispose]()
    await result
  })

  test('56: Retry-After holds back the other calls to the host too', async () => {
    await using server = await rawServer(
      (socket, { target }, { requests }) =>
        void socket.write(
          requests.filter(each => each.target === target).length === 1 && target === '/a'
            ? answer('', { status: 429, headers: { 'retry-after': '30' } })
            : answer('[]'),
        ),
    )
    const clock = createFakeClock()
    await using opened = openGuard({
      settings: { retry: { attempts: 2 }, rate_limit: { requests: 10, per: '1s' } },
      clock,
    })
    const first = opened.get(`${server.url}/a`)
    while (!opened.events.some(event => event.type === 'fetch_retry')) await clock.advance(0)
    const second = opened.get(`${server.url}/b`)
    await clock.advance(29_000)
    expect(server.requests).toHaveLength(1)
    const both = Promise.all([first, second])
    for (let i = 0; i < 50 && server.requests.length < 3; i++) await clock.advance(100)
    await both
    expect(server.requests.map(each => each.target).sort()).toEqual(['/a', '/a', '/b'])
  })

  test('57: retries wait longer and longer, with jitter, and stop', async () => {
    await using server = await rawServer(socket => void socket.write(answer('', { status: 500 })))
    const clock = createFakeClock()
    await using opened = openGuard({
      settings: { retry: { attempts: 5, backoff: { min: '4s', max: '10s' } }, timeout: '10m' },
      clock,
    })
    let isDone = false
    const call = opened.get(server.url).catch(error => error)
    void call.then(() => (isDone = true))
    while (!isDone) await clock.advance(250)
    expect(await call).toMatchObject({ code: 'fetch.status', message: 'status 500 (5 attempts)' })
    expect(opened.events.flatMap(event => (event.type === 'fetch_retry' ? [event.waitMs] : []))).toEqual([
      2000, 4000, 5000, 5000,
    ])
  })

  test('55: a name that cannot be resolved is retried, and one that becomes private is refused', async () => {
    await using server = await rawServer(socket => void socket.write(answer('[]')))
    let asked = 0
    const failing = async () => {
      if (asked++ === 0) throw Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' })
      return [{ address: '127.0.0.1', family: 4 as const }]
    }
    await using opened = openGuard({ resolve: failing })
    await expect(opened.get(`http://review.example:${server.port}/`)).resolves.toMatchObject({ status: 200 })
    await using strict = openGuard({ settings: { allow_private: [] }, resolve: failing })
    await expect(strict.get(`http://review.example:${server.port}/`)).rejects.toMatchObject({
      code: 'fetch.egress_refused',
    })
  })
})

describe('bytes', () => {
  test('53: one byte at a time gives the same body', async () => {
    const text = '[{"id":"é😀"}]'
    await using server = await rawServer(async socket => {
      for (const byte of answer(text)) {
        socket.write(Uint8Array.of(byte))
        await new Promise(setImmediate)
      }
    })
    await using opened = openGuard()
    expect(Buffer.from((await opened.get(server.url)).body).toString()).toBe(text)
  })

  test('connections are used again', async () => {
    await using server = await rawServer(socket => void socket.write(answer('[]')))
    await using opened = openGuard()
    for (let i = 0; i < 20; i++) await opened.get(server.url)
    expect(server.requests).toHaveLength(20)
    expect(server.connections()).toBeLessThanOrEqual(2)
  })
})

describe('redirects', () => {
  const to = (location: string, status = 302) => answer('', { status, headers: { location } })

  test('on the same origin headers stay; a POST becomes a GET after 301, 302, 303 and stays one after 307, 308', async () => {
    for (const [status, method, body] of [
      [301, 'GET', ''],
      [302, 'GET', ''],
      [303, 'GET', ''],
      [307, 'POST', 'x=1'],
      [308, 'POST', 'x=1'],
    ] as const) {
      await using server = await rawServer(
        (socket, { target }) => void socket.write(target === '/a' ? to('/b', status) : answer('[]')),
      )
      await using opened = openGuard()
      const response = await opened.get(`${server.url}/a`, {
        method: 'POST',
        body: 'x=1',
        headers: { 'x-api-key': 'k', 'content-type': 'text/plain' },
      })
      expect(response.url).toBe(`${server.url}/b`)
      expect(server.requests[1]).toMatchObject({ method, body, headers: { 'x-api-key': 'k' } })
      expect('content-type' in server.requests[1]!.headers).toBe(method === 'POST')
    }
  })

  test('a body never goes to another origin', async () => {
    await using other = await rawServer(socket => void socket.write(answer('[]')))
    await using server = await rawServer(socket => void socket.write(to(`${other.url}/`, 307)))
    await using opened = openGuard()
    await expect(opened.get(server.url, { method: 'POST', body: 'token=1' })).rejects.toMatchObject({
      code: 'fetch.egress_refused',
    })
    expect(other.connections()).toBe(0)
  })

  test('five are followed, six are not', async () => {
    await using server = await rawServer((socket, { target }) => {
      const left = Number(target.slice(1))
      socket.write(left === 0 ? answer('[]') : to(`/${left - 1}`))
    })
    await using opened = openGuard({ settings: oneAttempt })
    await expect(opened.get(`${server.url}/5`)).resolves.toMatchObject({ status: 200 })
    await expect(opened.get(`${server.url}/6`)).rejects.toMatchObject({ code: 'fetch.status' })
  })
})

test('I9: no secret of a request is in an error, an event or a cause', async () => {
  const canary = new Secret('CANARY-7f3a9c')
  const replies: ((port: number) => Buffer | null)[] = [
    () => answer('CANARY-7f3a9c', { status: 500 }),
    () => answer('CANARY-7f3a9c', { status: 403 }),
    () => answer('CANARY-7f3a9c', { headers: { 'content-encoding': 'CANARY-7f3a9c' } }),
    () => Buffer.from('HTTP/1.1 CANARY-7f3a9c\r\n\r\n'),
    () => answer('', { status: 302, headers: { location: 'http://10.0.0.1/CANARY-7f3a9c' } }),
    () => null,
  ]
  for (const reply of replies) {
    await using server = await rawServer((socket, _, { port }) => {
      const bytes = reply(port)
      if (bytes) socket.write(bytes)
      else socket.destroy()
    })
    await using opened = openGuard()
    const request = {
      headers: { authorization: `Bearer ${canary.reveal()}`, cookie: canary.reveal() },
      method: 'POST',
      body: canary.reveal(),
    }
    const error = await opened
      .get(`${server.url}/path/${canary.reveal()}?key=${canary.reveal()}`, request)
      .catch(e => e)
    expect(error.code).toMatch(/^fetch\./)
    expect(inspect(error, { depth: 10 })).not.toContain('CANARY')
    expect(inspect(opened.events, { depth: 10 })).not.toContain('CANARY')
  }
  await using opened = openGuard()
  const bad = await opened
    .get('http://127.0.0.1:1/', { headers: { 'x-key': `${canary.reveal()}\r\nx: y` } })
    .catch(e => e)
  expect(bad).toMatchObject({ code: 'fetch.fatal' })
  expect(inspect(bad, { depth: 10 })).not.toContain('CANARY')
})
