// Requests that are signed, through the real source and the real guard over sockets: tokens, signatures, refusals, redirects, secrets.
import { createHmac } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { Event } from '../../src/core/event.ts'
import type { SourceBatch } from '../../src/core/record.ts'
import { redact, Secret } from '../../src/core/secret.ts'
import { http } from '../../src/sources/http/http.ts'
import { awsRefusal } from '../support/aws-verifier.ts'
import { createFakeClock } from '../support/fake-clock.ts'
import { httpConfig } from '../support/http-config.ts'
import { openGuard } from '../support/open-guard.ts'
import { answer, type RawRequest, type RawServer, rawServer } from '../support/raw-server.ts'

const items = answer('[{"id":"a"},{"id":"b"}]')
const status = (code: number, body: unknown = {}) => answer(JSON.stringify(body), { status: code })
const granted = (token: string, expires_in: unknown = 3600) =>
  answer(JSON.stringify({ access_token: token, expires_in }))

/** The system's clock, moved ahead at will; waits of more than a second take no time. */
function movableClock() {
  let movedMs = 0
  const clock: Clock = {
    now: () => systemClock.now() + movedMs,
    monotonic: () => systemClock.monotonic() + movedMs,
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
  }
  return { clock, move: (ms: number) => void (movedMs += ms) }
}

interface Opened extends AsyncDisposable {
  readonly events: Event[]
  /** One poll of a split to its end. */
  poll(split?: string): Promise<SourceBatch[]>
}

function openSource(request: object, o: { clock?: Clock; settings?: object; source?: object } = {}): Opened {
  const clock = o.clock ?? systemClock
  const opened = openGuard({ clock, settings: { ...o.settings } })
  const config = httpConfig({ request, ...o.source })
  const source = http.open(config, {
    pipeline: 'test',
    clock,
    random: () => 0.5,
    emit: event => opened.events.push(event),
    baseDir: '/',
    fetch: () => opened.guard,
  })
  return {
    events: opened.events,
    async poll(split = 'all') {
      const batches: SourceBatch[] = []
      const { signal } = new AbortController()
      for await (const batch of source.read({ id: split, vars: { n: split } }, null, signal)) batches.push(batch)
      return batches
    },
    async [Symbol.asyncDispose]() {
      await source[Symbol.asyncDispose]()
      await opened[Symbol.asyncDispose]()
    },
  }
}

/** An API whose tokens come from `/token`; `tokens` and `api` answer what is asked there. */
function oauthServer(tokens: (n: number) => Buffer, api: (token: string, n: number) => Buffer): Promise<RawServer> {
  return rawServer((socket, request, server) => {
    const n = server.requests.filter(each => each.target === request.target).length
    socket.write(
      request.target === '/token' ? tokens(n) : api(request.headers['authorization'] ?? '', callsOf(server).length),
    )
  })
}
const tokenCalls = (server: RawServer) => server.requests.filter(each => each.target === '/token')
const callsOf = (server: RawServer) => server.requests.filter(each => each.target !== '/token')
const sentTokens = (server: RawServer) => callsOf(server).map(each => each.headers['authorization'])

const oauth = (server: RawServer, over: object = {}) => ({
  url: `${server.url}/r`,
  auth: {
    oauth2: {
      token_url: `${server.url}/token`,
      client_id: 'the-client',
      client_secret: 'CANARY-client-secret',
      ...over,
    },
  },
})

const failure = (work: Promise<unknown>) =>
  work.then(
    () => expect.unreachable(),
    error => error as Error & { code: string; at: string; hint: string },
  )

describe('OAuth2', () => {
  test('all splits at once share one token, which is no page', async () => {
    await using server = await oauthServer(
      () => granted('tok-1'),
      () => items,
    )
    await using source = openSource(oauth(server))
    const polls = await Promise.all(['a', 'b', 'c', 'd'].map(split => source.poll(split)))
    expect(polls.map(batches => batches.flatMap(batch => batch.items).length)).toEqual([2, 2, 2, 2])
    expect(tokenCalls(server)).toHaveLength(1)
    expect(sentTokens(server)).toEqual(Array(4).fill('Bearer tok-1'))
  })

  test('the header has the form that the vendor wants', async () => {
    await using server = await oauthServer(
      () => granted('tok-1'),
      () => items,
    )
    await using odd = openSource(oauth(server, { authorization: 'Bearer {{ token }}, Version 2.1', send: 'json' }))
    await odd.poll()
    expect(sentTokens(server)).toEqual(['Bearer tok-1, Version 2.1'])
    expect(JSON.parse(tokenCalls(server)[0]!.body)).toMatchObject({ client_id: 'the-client' })
    await using named = openSource(oauth(server, { header: 'X-Amz-Access-Token', authorization: '{{ token }}' }))
    await named.poll()
    expect(callsOf(server)[1]!.headers).toMatchObject({ 'x-amz-access-token': 'tok-1' })
    expect(callsOf(server)[1]!.headers).not.toHaveProperty('authorization')
  })

  test('the token is renewed before it expires', async () => {
    const { clock, move } = movableClock()
    await using server = await oauthServer(
      n => granted(`tok-${n}`, 3600),
      () => items,
    )
    await using source = openSource(oauth(server), { clock })
    await source.poll()
    move(3_500_000)
    await source.poll()
    move(60_000)
    await source.poll()
    expect(sentTokens(server)).toEqual(['Bearer tok-1', 'Bearer tok-1', 'Bearer tok-2'])
  })

  test('a token that is refused is renewed once, and the call made again; retries and pages are not spent on it', async () => {
    await using server = await oauthServer(
      n => granted(`tok-${n}`),
      token => (token === 'Bearer tok-1' ? status(401, { reason: 'TokenExpired' }) : items),
    )
    await using source = openSource(oauth(server), { settings: { retry: { attempts: 1 } } })
    const polls = await Promise.all([source.poll('a'), source.poll('b'), source.poll('c')])
    expect(polls.map(batches => batches.flatMap(batch => batch.items).length)).toEqual([2, 2, 2])
    expect(tokenCalls(server)).toHaveLength(2)
    expect(sentTokens(server).slice(3)).toEqual(Array(3).fill('Bearer tok-2'))
    expect(source.events.filter(event => event.type === 'fetch_retry')).toEqual([])
  })

  test('a source that refuses every token gets two calls, then one with each split, and the endpoint is left alone', async () => {
    const { clock, move } = movableClock()
    await using server = await oauthServer(
      n => granted(`tok-${n}`),
      () => status(401, 'CANARY-answer'),
    )
    await using source = openSource(oauth(server), { clock })
    const error = await failure(source.poll('a'))
    expect(error).toMatchObject({ code: 'fetch.fatal', message: 'status 401', at: `GET ${server.url}/r` })
    expect([tokenCalls(server).length, callsOf(server).length]).toEqual([2, 2])
    await failure(source.poll('b'))
    await failure(source.poll('c'))
    expect([tokenCalls(server).length, callsOf(server).length]).toEqual([2, 4])
    move(61_000)
    await failure(source.poll('d'))
    expect([tokenCalls(server).length, callsOf(server).length]).toEqual([3, 6])
  })

  test('a call renews its token once, also where it fails in other ways in between', async () => {
    const { clock, move } = movableClock()
    await using server = await oauthServer(
      n => granted(`tok-${n}`, 60),
      (_, n) => {
        move(100_000)
        return n === 2 ? status(503) : status(401)
      },
    )
    await using source = openSource(oauth(server), { clock, settings: { retry: { attempts: 5 } } })
    expect(await failure(source.poll())).toMatchObject({ code: 'fetch.fatal' })
    expect(sentTokens(server)).toEqual(['Bearer tok-1', 'Bearer tok-2', 'Bearer tok-3'])
  })

  test('a token that runs out while a call waits for its turn is renewed before the call', async () => {
    const clock = createFakeClock()
    await using server = await rawServer((socket, { target }, { port }) => {
      if (target === '/token') return void socket.write(granted(`tok-${tokenCalls(server).length}`, 100))
      const next = target === '/r' ? `"http://127.0.0.1:${port}/r?2"` : 'null'
      const headers = { 'ratelimit-remaining': target === '/r' ? '0' : '5', 'ratelimit-reset': '300' }
      socket.write(answer(`{"items":[{"id":"${target}"}],"next":${next}}`, { headers }))
    })
    await using source = openSource(oauth(server), {
      clock,
      settings: { timeout: '1h' },
      source: { records: 'body.items', paginate: { next_url: { from: 'body.next' } } },
    })
    let isOver = false
    const poll = source.poll().finally(() => (isOver = true))
    while (!isOver) await clock.advance(1000)
    await poll
    expect(sentTokens(server)).toEqual(['Bearer tok-1', 'Bearer tok-2'])
  })

  test('a 401 that is not about a token is no reason to ask for one', async () => {
    await using server = await rawServer(socket => void socket.write(status(401)))
    await using source = openSource({ url: `${server.url}/r`, auth: { bearer: 'x' } })
    await failure(source.poll())
    expect(server.requests).toHaveLength(1)
  })

  test('an endpoint that fails in passing is asked again, one that stays away opens its breaker and not that of the source', async () => {
    await using api = await rawServer(socket => void socket.write(items))
    let isAway = true
    await using auth = await rawServer((socket, _, { requests }) => {
      socket.write(isAway || requests.length === 1 ? status(503) : granted('tok-1'))
    })
    const request = {
      url: `${api.url}/r`,
      auth: { oauth2: { token_url: `${auth.url}/token`, client_id: 'c', client_secret: 's' } },
    }
    const settings = { breaker: { window: 4, failure_rate: '50%', open_for: '1m' } }
    const { clock, move } = movableClock()
    await using source = openSource(request, { settings, clock })
    const away = await failure(source.poll())
    expect(away).toMatchObject({ code: 'fetch.status', at: `POST ${auth.url}/token` })
    expect(away.message).toBe('the token endpoint answered 503 (2 attempts)')
    await failure(source.poll())
    expect(await failure(source.poll())).toMatchObject({ code: 'fetch.breaker_open' })
    expect(api.requests).toHaveLength(0)
    isAway = false
    move(61_000)
    expect(await source.poll()).toHaveLength(1)
    expect(source.events.flatMap(event => (event.type === 'breaker_changed' ? [event.host] : []))).toEqual(
      Array(3).fill(`127.0.0.1:${auth.port}`),
    )
  })

  test('a token endpoint on the host of the source gets the probe of a breaker, and closes it', async () => {
    let isDead = true
    const { clock, move } = movableClock()
    await using server = await oauthServer(
      n => (isDead ? status(500) : granted(`tok-${n}`)),
      () => items,
    )
    await using source = openSource(oauth(server), { clock, settings: { breaker: { window: 2, open_for: '1m' } } })
    await failure(source.poll())
    expect(await failure(source.poll())).toMatchObject({ code: 'fetch.breaker_open' })
    isDead = false
    move(61_000)
    expect(await source.poll()).toHaveLength(1)
  })

  test('the endpoint may not be in a private network', async () => {
    await using server = await rawServer(socket => void socket.write(items), undefined, '127.0.0.2')
    const auth = { oauth2: { token_url: 'http://169.254.169.254/token', client_id: 'c', client_secret: 's' } }
    await using source = openSource({ url: `${server.url}/r`, auth })
    expect(await failure(source.poll())).toMatchObject({ code: 'fetch.egress_refused' })
    expect(server.requests).toHaveLength(0)
  })

  test('a split that stops does not end the call for the token that others wait for', async () => {
    const asked = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    await using server = await rawServer(async (socket, { target }) => {
      if (target !== '/token') return void socket.write(items)
      asked.resolve()
      await release.promise
      socket.write(granted('tok-1'))
    })
    const opened = openGuard({})
    await using _guard = opened
    const source = http.open(httpConfig({ request: oauth(server) }), {
      pipeline: 'test',
      clock: systemClock,
      random: () => 0.5,
      emit: () => {},
      baseDir: '/',
      fetch: () => opened.guard,
    })
    const stop = new AbortController()
    const stopped = failure(source.read({ id: 'a', vars: {} }, null, stop.signal)[Symbol.asyncIterator]().next())
    const goesOn = source.read({ id: 'b', vars: {} }, null, new AbortController().signal)[Symbol.asyncIterator]().next()
    await asked.promise
    stop.abort(new Error('stop'))
    expect((await stopped).message).toBe('stop')
    release.resolve()
    expect((await goesOn).value.items).toHaveLength(2)
    expect(tokenCalls(server)).toHaveLength(1)
  })

  test('the token is not in a stored address of the next page, and the call for that page carries it', async () => {
    const token = 'CANARY-in-an-address'
    await using server = await rawServer((socket, { target }, { port }) => {
      if (target === '/token') return void socket.write(granted(token))
      const next = target === '/r' ? `"http://127.0.0.1:${port}/r?page=2&access_token=${token}"` : 'null'
      socket.write(answer(`{"items":[{"id":"${target}"}],"next":${next}}`))
    })
    await using source = openSource(oauth(server), {
      source: {
        records: 'body.items',
        paginate: { next_url: { from: 'body.next' } },
        cursor: { id: 'this.id', mode: 'membership' },
      },
    })
    const batches = await source.poll()
    expect(JSON.stringify(batches.map(batch => batch.cursor))).not.toContain('CANARY')
    expect(callsOf(server).map(each => [each.target, each.headers['authorization']])).toEqual([
      ['/r', `Bearer ${token}`],
      ['/r?page=2', `Bearer ${token}`],
    ])
  })
})

describe('I9: hostile answers of a token endpoint', () => {
  const secret = 'CANARY-client-secret'
  const refused = { code: 'fetch.fatal' }
  const noToken = { code: 'fetch.fatal', message: 'the token endpoint answered without a token' }
  test.each<[string, () => Buffer, object]>([
    ['no token', () => answer('{"expires_in":3600}'), noToken],
    ['a page', () => answer(`<html>${secret}</html>`, { headers: { 'content-type': 'text/html' } }), noToken],
    ['nothing', () => answer(''), noToken],
    ['a token with a line break', () => granted(`${secret}\r\nx: y`), noToken],
    ['a 401 that repeats the secret', () => status(401, { error: secret, error_description: secret }), refused],
    ['a 400 that repeats the secret in a page', () => answer(`<b>${secret}</b>`, { status: 400 }), refused],
    ['a 500 that repeats the secret', () => answer(secret, { status: 500 }), { code: 'fetch.status' }],
    [
      'a redirect to a file',
      () => answer('', { status: 302, headers: { location: `file:///${secret}` } }),
      { code: 'fetch.egress_refused' },
    ],
    [
      'a redirect into a private network',
      () => answer('', { status: 307, headers: { location: `http://10.0.0.1/${secret}` } }),
      { code: 'fetch.egress_refused' },
    ],
    [
      'an encoding of its own',
      () => answer('x', { headers: { 'content-encoding': secret } }),
      { code: 'fetch.body_invalid' },
    ],
    ['a bomb of 20 MB', () => answer('x'.repeat(20_000_000)), { code: 'fetch.body_too_large' }],
    ['no HTTP', () => Buffer.from(`${secret}\r\n\r\n`), { code: 'fetch.network' }],
  ])('%s', async (_, reply, expected) => {
    await using server = await oauthServer(reply, () => items)
    const request = oauth(server, { client_secret: new Secret(secret).reveal() })
    await using source = openSource(request)
    const error = await failure(source.poll())
    expect(error).toMatchObject({ ...expected, at: `POST ${server.url}/token` })
    expect(callsOf(server)).toEqual([])
    expect(inspect([error, source.events], { depth: 12 })).not.toContain('CANARY')
  })

  test.each([0, -5, 'soon', 315_360_000, null])(
    'a lifetime of %s is no reason to ask with each call',
    async expires => {
      await using server = await oauthServer(
        () => granted('tok-1', expires),
        () => items,
      )
      await using source = openSource(oauth(server))
      await source.poll()
      await source.poll()
      expect(tokenCalls(server)).toHaveLength(1)
    },
  )

  test('a token is redacted, also where the source repeats it', async () => {
    const token = 'CANARY-repeated-token'
    await using server = await oauthServer(
      () => granted(token),
      () => status(403, { message: `bad token ${token}` }),
    )
    await using source = openSource(oauth(server))
    const error = await failure(source.poll())
    expect(inspect([error, source.events], { depth: 12 })).not.toContain('CANARY')
    expect(redact(`authorization: Bearer ${token}`)).toBe('authorization: Bearer ***')
  })
})

describe('signatures', () => {
  const key = { accessKey: 'AKIDTEST', secretKey: 'CANARY-aws-secret' }
  const sigv4 = { access_key: key.accessKey, secret_key: key.secretKey, region: 'eu-west-1', service: 'execute-api' }
  const refusal = (request: RawRequest, nowMs: number) => awsRefusal(request, key, nowMs)

  test('SigV4: a service accepts the call as it comes over the wire, its query and body included', async () => {
    await using server = await rawServer(socket => void socket.write(items))
    await using source = openSource({
      url: `${server.url}/p//a b/reviews`,
      method: 'POST',
      query: { q: 'one two+three*(four)', sort: 'é', n: '{{ split.n }}' },
      headers: { 'content-encoding': 'amz-1.0', 'x-amz-target': 'com.example.Get' },
      body: { asin: '{{ split.n }}' },
      auth: { sigv4 },
    })
    await source.poll('B0')
    const [request] = server.requests
    expect(refusal(request!, Date.now())).toBeNull()
    expect(request!.headers['authorization']).toContain(
      'SignedHeaders=content-encoding;content-type;host;x-amz-date;x-amz-target,',
    )
    expect(Object.fromEntries(new URL(request!.target, server.url).searchParams)).toEqual({
      q: 'one two+three*(four)',
      sort: 'é',
      n: 'B0',
    })
    expect(request!.body).toBe('{"asin":"B0"}')
  })

  test('each attempt is signed with its own date', async () => {
    const { clock, move } = movableClock()
    await using server = await rawServer((socket, _, { requests }) => {
      move(600_000)
      socket.write(requests.length === 1 ? status(500) : items)
    })
    await using source = openSource({ url: `${server.url}/r`, auth: { sigv4 } }, { clock })
    const startMs = clock.now()
    await source.poll()
    const [first, second] = server.requests
    expect(refusal(first!, startMs)).toBeNull()
    expect(refusal(second!, startMs + 600_000)).toBeNull()
    expect(refusal(second!, startMs)).toBe('too old or too new')
  })

  test('a redirect within the origin is signed anew; one to another origin carries nothing of it', async () => {
    await using other = await rawServer(socket => void socket.write(items), undefined, '127.0.0.2')
    await using server = await rawServer((socket, { target }) => {
      const location = target === '/a' ? '/b?x=1' : `${other.url}/c`
      socket.write(answer('', { status: 302, headers: { location } }))
    })
    for (const auth of [
      { sigv4: { ...sigv4, session_token: 'CANARY-session' } },
      { hmac: { secret: 'CANARY-hmac', header: 'x-signature', timestamp_header: 'x-timestamp', sign: '{{ path }}' } },
    ]) {
      await using source = openSource({ url: `${server.url}/a`, headers: { 'x-own': 'kept' }, auth })
      await source.poll()
      const [first, second] = server.requests.splice(0)
      const [third] = other.requests.splice(0)
      expect([first, second].map(each => each!.headers['x-own'])).toEqual(['kept', 'kept'])
      if ('sigv4' in auth) expect([first, second].map(each => refusal(each!, Date.now()))).toEqual([null, null])
      else expect(first!.headers['x-signature']).not.toBe(second!.headers['x-signature'])
      for (const name of ['authorization', 'x-amz-date', 'x-amz-security-token', 'x-signature', 'x-timestamp', 'x-own'])
        expect(third!.headers).not.toHaveProperty(name)
    }
  })

  test('a token goes with a redirect within the origin, and not to another', async () => {
    await using other = await rawServer(socket => void socket.write(status(401)), undefined, '127.0.0.2')
    await using server = await rawServer((socket, { target }) => {
      if (target === '/token') return void socket.write(granted('CANARY-token'))
      const location = target === '/r' ? '/b' : `${other.url}/c`
      socket.write(answer('', { status: 302, headers: { location } }))
    })
    await using source = openSource(oauth(server))
    expect(await failure(source.poll())).toMatchObject({ code: 'fetch.fatal' })
    expect(sentTokens(server)).toEqual(['Bearer CANARY-token', 'Bearer CANARY-token'])
    expect(JSON.stringify(other.requests)).not.toContain('CANARY')
    // The 401 is of a host that never saw the token.
    expect(tokenCalls(server)).toHaveLength(1)
  })

  test.each([
    ['sha256', 'hex'],
    ['sha512', 'base64'],
    ['sha1', 'hex'],
  ] as const)('HMAC with %s as %s: the source can check it from what it was sent', async (algorithm, encoding) => {
    await using server = await rawServer(socket => void socket.write(items))
    await using source = openSource({
      url: `${server.url}/a b/r`,
      method: 'POST',
      query: { x: '1 2' },
      body: { text: 'é', n: '{{ split.n }}' },
      auth: {
        hmac: {
          secret: 'CANARY-hmac',
          algorithm,
          encoding,
          header: 'X-Signature',
          timestamp_header: 'X-Timestamp',
          value: 't={{ timestamp }},v1={{ signature }}',
          sign: '{{ timestamp }}\n{{ method }}\n{{ path }}?{{ query }}\n{{ body }}',
        },
      },
    })
    await source.poll('B0')
    const [{ method, target, headers, body }] = server.requests as [RawRequest]
    const stamp = headers['x-timestamp']!
    expect(Math.abs(Number(stamp) - Date.now() / 1000)).toBeLessThan(60)
    // The server keeps what came as latin1: these are its bytes.
    const bytes = Buffer.concat([Buffer.from(`${stamp}\n${method}\n${target}\n`), Buffer.from(body, 'latin1')])
    const signature = createHmac(algorithm, 'CANARY-hmac').update(bytes).digest(encoding)
    expect(headers['x-signature']).toBe(`t=${stamp},v1=${signature}`)
  })

  test('I9: no secret of a signature is in an error or an event', async () => {
    await using server = await rawServer(socket => void socket.write(status(403, 'no')))
    for (const auth of [{ sigv4 }, { hmac: { secret: 'CANARY-hmac', header: 'x-s', sign: '{{ body }}' } }]) {
      await using source = openSource({ url: `${server.url}/r`, auth })
      const error = await failure(source.poll())
      expect(inspect([error, source.events, server.requests], { depth: 12 })).not.toContain('CANARY')
    }
  })
})

test('the wait that an answer tells of holds the next page', async () => {
  const clock = createFakeClock()
  const at: number[] = []
  await using server = await rawServer((socket, { target }) => {
    at.push(clock.monotonic())
    const page = Number(new URL(target, 'http://x').searchParams.get('page'))
    const tokensLeft = page === 2 ? -1 : 5
    socket.write(answer(JSON.stringify({ items: page < 4 ? [{ id: page }] : [], tokensLeft, refillIn: 40_000 })))
  })
  await using source = openSource(
    { url: `${server.url}/r` },
    {
      clock,
      settings: { timeout: '10m' },
      source: {
        records: 'body.items',
        paginate: { page: { param: 'page' } },
        limits: { wait: 'body.tokensLeft <= 0 ? body.refillIn : 0' },
      },
    },
  )
  let isOver = false
  const poll = source.poll().finally(() => (isOver = true))
  while (!isOver) await clock.advance(100)
  await poll
  expect(at).toHaveLength(4)
  const [first, second, third, fourth] = at as [number, number, number, number]
  expect(second - first).toBeLessThan(20_000)
  expect(third - second).toBeGreaterThanOrEqual(40_000)
  expect(fourth - third).toBeLessThan(20_000)
})
