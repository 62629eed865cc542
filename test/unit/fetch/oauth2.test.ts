import { describe, expect, test } from 'vitest'
import { redact, Secret } from '../../../src/core/secret.ts'
import { createTokens, type Granted, judgeTokenAnswer, readToken, tokenRequest } from '../../../src/fetch/oauth2.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const answer = (body: unknown, status = 200) => ({
  status,
  headers: {},
  url: '',
  body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
})

describe('a token', () => {
  function scene(lifetimeMs: number) {
    const clock = createFakeClock()
    let asked = 0
    const grant = async (): Promise<Granted> => ({ token: new Secret(`token-${++asked}`), lifetimeMs })
    return { clock, tokens: createTokens(grant, clock), asked: () => asked }
  }

  test('is asked for once, however many want it, and kept until shortly before it expires', async () => {
    const { clock, tokens, asked } = scene(3_600_000)
    const all = await Promise.all([tokens.token(), tokens.token(), tokens.token()])
    expect(all.map(each => each.reveal())).toEqual(['token-1', 'token-1', 'token-1'])
    await clock.advance(3_600_000 - 60_001)
    expect((await tokens.token()).reveal()).toBe('token-1')
    await clock.advance(1)
    expect(tokens.isStale).toBe(true)
    expect((await tokens.token()).reveal()).toBe('token-2')
    expect(asked()).toBe(2)
  })

  test('of a short life is renewed when a fifth of it is left', async () => {
    const { clock, tokens } = scene(10_000)
    await tokens.token()
    await clock.advance(7_999)
    expect((await tokens.token()).reveal()).toBe('token-1')
    await clock.advance(1)
    expect((await tokens.token()).reveal()).toBe('token-2')
  })

  test('that was dropped is asked for anew; until then the last one is known', async () => {
    const { tokens } = scene(3_600_000)
    expect([tokens.isStale, tokens.last]).toEqual([true, undefined])
    await tokens.token()
    tokens.drop()
    expect([tokens.isStale, tokens.last?.reveal()]).toEqual([true, 'token-1'])
    expect((await tokens.token()).reveal()).toBe('token-2')
    expect(tokens.isStale).toBe(false)
  })

  test('that could not be had is asked for at the next call', async () => {
    let asked = 0
    const tokens = createTokens(async () => {
      if (++asked === 1) throw new Error('away')
      return { token: new Secret('token-x'), lifetimeMs: 1000 }
    }, createFakeClock())
    const both = await Promise.allSettled([tokens.token(), tokens.token()])
    expect(both.map(each => each.status)).toEqual(['rejected', 'rejected'])
    expect((await tokens.token()).reveal()).toBe('token-x')
    expect(asked).toBe(2)
  })
})

describe('the answer of a token endpoint', () => {
  test.each<[string, unknown, number]>([
    ['an hour', 3600, 3_600_000],
    ['an hour as text', '3600', 3_600_000],
    ['a fraction', 0.5, 500],
    ['not said', undefined, 300_000],
    ['null', null, 300_000],
    ['zero', 0, 300_000],
    ['negative', -60, 300_000],
    ['words', 'soon', 300_000],
    ['a list', [1, 2], 300_000],
    ['no number', '1e999', 300_000],
    ['ten years', 315_360_000, 86_400_000],
  ])('with a lifetime: %s', (_, expires_in, ms) =>
    expect(readToken(answer({ access_token: 'abcd', expires_in }))?.lifetimeMs).toBe(ms),
  )

  test.each([
    ['nothing', ''],
    ['a page', '<html>abcd</html>'],
    ['null', 'null'],
    ['a list', ['abcd']],
    ['another field', { token: 'abcd' }],
    ['a number', { access_token: 1234 }],
    ['an empty token', { access_token: '' }],
    ['a token with a line break', { access_token: 'abcd\r\nx-injected: 1' }],
    ['a token with a space', { access_token: 'ab cd' }],
    ['a token of 9 KB', { access_token: 'a'.repeat(9000) }],
    ['a token that is not ASCII', { access_token: 'abcdé' }],
  ])('with no token in it: %s', (_, body) => expect(readToken(answer(body))).toBeUndefined())

  test('I9: a token is redacted from the moment it is read', () => {
    expect(String(readToken(answer({ access_token: 'canary-of-a-token' }))!.token)).toBe('***')
    expect(redact('x canary-of-a-token y')).toBe('x *** y')
  })

  test.each<[number, unknown, object]>([
    [200, {}, { class: 'ok' }],
    [429, {}, { class: 'throttled' }],
    [500, {}, { class: 'retry' }],
    [503, 'canary', { class: 'retry', reason: 'the token endpoint answered 503' }],
    [
      401,
      { error: 'invalid_client', error_description: 'canary' },
      { class: 'fatal', reason: 'the token endpoint refused us with 401 (invalid_client)' },
    ],
    [400, { error: 'canary' }, { class: 'fatal', reason: 'the token endpoint refused us with 400' }],
    [302, 'canary', { class: 'fatal', reason: 'the token endpoint refused us with 302' }],
  ])('status %d is judged, and none of it repeated', (status, body, verdict) =>
    expect(judgeTokenAnswer(answer(body, status))).toMatchObject(verdict),
  )
})

describe('a request for a token', () => {
  const client = { id: 'the client', secret: 's:e%c ret', scope: 'a/b c' }
  const ask = (over: object) => {
    const { headers, body, ...rest } = tokenRequest('https://auth.example/token', { ...client, ...over } as never)
    expect(rest).toEqual({ method: 'POST', url: 'https://auth.example/token' })
    return { headers, body: String(body) }
  }

  test('as a form', () => {
    const { headers, body } = ask({ send: 'form' })
    expect(headers).toEqual({ accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' })
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      grant_type: 'client_credentials',
      scope: 'a/b c',
      client_id: 'the client',
      client_secret: 's:e%c ret',
    })
  })

  test('as JSON', () => {
    const { headers, body } = ask({ send: 'json', scope: undefined })
    expect(headers['content-type']).toBe('application/json')
    expect(JSON.parse(body)).toEqual({
      grant_type: 'client_credentials',
      client_id: 'the client',
      client_secret: 's:e%c ret',
    })
  })

  test('with a basic header, its parts form-encoded, and the secret nowhere else', () => {
    const { headers, body } = ask({ send: 'basic' })
    expect(body).toBe('grant_type=client_credentials&scope=a%2Fb+c')
    expect(Buffer.from(headers['authorization']!.slice(6), 'base64').toString()).toBe('the+client:s%3Ae%25c+ret')
  })

  test('with a refresh token', () => {
    const { body } = ask({ send: 'form', refreshToken: 'rt', scope: undefined })
    expect(body).toBe('grant_type=refresh_token&refresh_token=rt&client_id=the+client&client_secret=s%3Ae%25c+ret')
  })
})
