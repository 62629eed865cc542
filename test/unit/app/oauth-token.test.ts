import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openTokenProvider, type TokenEndpoint } from '../../../src/app/oauth-token.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { redact, Secret } from '../../../src/core/secret.ts'

interface Answer {
  readonly status?: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

let server: Server
let answers: Answer[]
let asked: { readonly request: IncomingMessage; readonly body: string }[]
let url: string
beforeEach(async () => {
  answers = []
  asked = []
  server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      asked.push({ request, body })
      const { status = 200, body: answer = {}, headers = {} } = answers.shift() ?? { status: 500 }
      response.writeHead(status, headers)
      response.end(typeof answer === 'string' ? answer : JSON.stringify(answer))
    })
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
})
afterEach(() => void server.close())

/** The system's clock, whose monotonic time can be moved, and on which waits between tries take no time. */
function movableClock() {
  let movedMs = 0
  return {
    clock: {
      ...systemClock,
      monotonic: () => systemClock.monotonic() + movedMs,
      sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms < 5_000 ? 0 : ms, signal),
    },
    move: (ms: number) => {
      movedMs += ms
    },
  }
}

function provider(over: Partial<TokenEndpoint> = {}, { clock } = movableClock()) {
  return openTokenProvider(
    {
      kind: 'endpoint',
      url,
      clientId: 'weir client',
      clientSecret: () => new Secret('s:e%c ret'),
      scope: 'kafka produce',
      ...over,
    },
    { clock, random: () => 0.5 },
  )
}

const granted = (token: string, expires_in: unknown = 300) => ({ body: { access_token: token, expires_in } })
const failure = (work: Promise<unknown>) =>
  work.then(
    () => expect.unreachable(),
    error => error as { code: string; message: string; hint: string; at: string },
  )

describe('a token for OAUTHBEARER', () => {
  test('is asked for with the client-credentials grant, the client in a basic header, form-encoded first', async () => {
    answers = [granted('token-one')]
    await using tokens = provider()
    expect((await tokens.token()).reveal()).toBe('token-one')
    const { request, body } = asked[0]!
    expect(request.method).toBe('POST')
    expect(request.headers['content-type']).toBe('application/x-www-form-urlencoded')
    expect(body).toBe('grant_type=client_credentials&scope=kafka+produce')
    const [user, password] = Buffer.from(request.headers.authorization!.replace('Basic ', ''), 'base64')
      .toString()
      .split(':')
    expect([user, password]).toEqual(['weir+client', 's%3Ae%25c+ret'])
  })

  test('is kept until shortly before it expires, and asked for once however many want it', async () => {
    const time = movableClock()
    answers = [granted('token-one', 300), granted('token-two', '300')]
    await using tokens = provider({ scope: null }, time)
    const first = await Promise.all([tokens.token(), tokens.token(), tokens.token()])
    expect(first.map(each => each.reveal())).toEqual(['token-one', 'token-one', 'token-one'])
    time.move(239_000)
    expect((await tokens.token()).reveal()).toBe('token-one')
    time.move(2_000)
    expect((await tokens.token()).reveal()).toBe('token-two')
    expect(asked.map(each => each.body)).toEqual(['grant_type=client_credentials', 'grant_type=client_credentials'])
  })

  test('is used for five minutes where its lifetime is not said', async () => {
    const time = movableClock()
    answers = [granted('token-one', null), granted('token-two', null)]
    await using tokens = provider({}, time)
    await tokens.token()
    time.move(239_000)
    expect((await tokens.token()).reveal()).toBe('token-one')
    time.move(10_000)
    expect((await tokens.token()).reveal()).toBe('token-two')
  })

  test('the client secret is read anew each time, so that a rotated one works', async () => {
    const secrets = ['first-secret', 'second-secret']
    const time = movableClock()
    answers = [granted('token-one', 60), granted('token-two', 60)]
    await using tokens = provider({ clientSecret: () => new Secret(secrets.shift()!) }, time)
    await tokens.token()
    time.move(60_000)
    await tokens.token()
    const sent = asked.map(each => Buffer.from(each.request.headers.authorization!.slice(6), 'base64').toString())
    expect(sent).toEqual(['weir+client:first-secret', 'weir+client:second-secret'])
  })

  test('I9: a token is redacted; of many tokens only the last ones are remembered', async () => {
    const time = movableClock()
    answers = Array.from({ length: 20 }, (_, n) => granted(`token-number-${n}`, 10))
    await using tokens = provider({}, time)
    for (let n = 0; n < 20; n++) {
      expect(String(await tokens.token())).toBe('***')
      time.move(10_000)
    }
    expect(redact('token-number-19')).toBe('***')
    expect(redact('token-number-2 ')).toBe('token-number-2 ')
  })
})

describe('an endpoint that gives none', () => {
  test('a refusal is told with its word of RFC 6749, and nothing else of the answer', async () => {
    answers = [{ status: 401, body: { error: 'invalid_client', error_description: 'canary of the endpoint' } }]
    await using tokens = provider()
    const error = await failure(tokens.token())
    expect(error).toMatchObject({ code: 'log.login_refused', at: `POST ${url}` })
    expect(error.message).toBe('No token to log in with: the token endpoint refused us with 401 (invalid_client)')
    expect(error.hint).toContain('client_secret')
    expect(asked).toHaveLength(1)
  })

  test.each([
    ['a word that is none', { status: 400, body: { error: 'canary-word' } }],
    ['a page', { status: 403, body: '<html>canary</html>' }],
    ['a redirect to a file', { status: 302, headers: { location: 'file:///etc/passwd' } }],
    ['an answer without a token', { body: { token: 'canary' } }],
    ['a token with a line break', { body: { access_token: 'canary\r\nx: y' } }],
    ['no JSON', { body: 'canary' }],
  ])('%s: the login is refused, the answer is not repeated', async (_, answer) => {
    answers = [answer]
    await using tokens = provider()
    const error = await failure(tokens.token())
    expect(error.code).toBe('log.login_refused')
    expect(JSON.stringify([error.message, error.hint, error.at])).not.toMatch(/canary|passwd/)
  })

  test('one that fails in passing is asked again; one that stays away is log.unavailable, and asked at the next login', async () => {
    answers = [{ status: 503 }, granted('token-one')]
    await using tokens = provider()
    expect((await tokens.token()).reveal()).toBe('token-one')
    await using others = provider()
    expect((await failure(others.token())).code).toBe('log.unavailable')
    expect(asked).toHaveLength(5)
    answers = [granted('token-two')]
    expect((await others.token()).reveal()).toBe('token-two')
  })

  test('closing ends a call under way', async () => {
    server.removeAllListeners('request')
    const tokens = provider()
    const asking = failure(tokens.token())
    await new Promise(resolve => server.once('connection', resolve))
    await tokens[Symbol.asyncDispose]()
    expect((await asking).code).toBe('log.unavailable')
    server.closeAllConnections()
  })
})
