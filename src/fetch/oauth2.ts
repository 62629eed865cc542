// Access tokens by the client-credentials or the refresh-token grant (RFC 6749 sections 4.4 and 6): how one is asked for, what answers mean, and how long one is kept.
// No message repeats what a token endpoint answers, and tokens are redacted wherever they turn up (I9).
import type { Clock } from '../core/clock.ts'
import { isObject } from '../core/json-text.ts'
import { forget, Secret } from '../core/secret.ts'
import type { HttpRequest, HttpResponse, Verdict } from './guard.ts'

export interface Client {
  readonly id: string
  readonly secret: string
  readonly scope?: string | undefined
  /** Given: the refresh-token grant. */
  readonly refreshToken?: string | undefined
  /** Where id and secret stand: in the form, in JSON, or in a basic header beside the form. */
  readonly send: 'form' | 'json' | 'basic'
}

export interface Granted {
  readonly token: Secret
  readonly lifetimeMs: number
}

export interface Tokens {
  /** A token that is good for a while. One is asked for at a time, however many want it. @throws what `ask` throws */
  token(): Promise<Secret>
  /** The last token that was given, good or not. */
  readonly last: Secret | undefined
  /** True when `token` would ask for another one. */
  readonly isStale: boolean
  /** The last token was refused: the next call asks for another one. */
  drop(): void
}

/** What a token without a usable lifetime is given. */
const unsaidLifetimeMs = 300_000
/** Even a token that is said to last for years is renewed daily. */
const maxLifetimeMs = 86_400_000
/** A token is renewed when so much of its life, and at most this long, is left: a call must not be on the way with a dying one. */
const renewShare = 0.2
const renewMs = 60_000
/** Older tokens than these have expired: they are no secrets any more, and remembering all would fill memory. */
const keptTokens = 16

export function createTokens(ask: () => Promise<Granted>, clock: Clock): Tokens {
  const given: string[] = []
  let current: { readonly token: Secret; readonly renewAtMs: number } | undefined
  let isDropped = false
  let asking: Promise<Secret> | undefined
  const isStale = () => current === undefined || isDropped || clock.monotonic() >= current.renewAtMs
  const renew = async (): Promise<Secret> => {
    const { token, lifetimeMs } = await ask()
    current = { token, renewAtMs: clock.monotonic() + lifetimeMs - Math.min(renewMs, lifetimeMs * renewShare) }
    isDropped = false
    given.push(token.reveal())
    for (const old of given.splice(0, given.length - keptTokens)) if (!given.includes(old)) forget(old)
    return token
  }
  return {
    token: () => {
      if (current && !isStale()) return Promise.resolve(current.token)
      asking ??= renew().finally(() => {
        asking = undefined
      })
      return asking
    },
    get last() {
      return current?.token
    },
    get isStale() {
      return isStale()
    },
    drop() {
      isDropped = true
    },
  }
}

export function tokenRequest(url: string, { id, secret, scope, refreshToken, send }: Client): HttpRequest {
  const grant = {
    ...(refreshToken === undefined
      ? { grant_type: 'client_credentials' }
      : { grant_type: 'refresh_token', refresh_token: refreshToken }),
    ...(scope === undefined ? {} : { scope }),
  }
  const own = { client_id: id, client_secret: secret }
  const accept = { accept: 'application/json' }
  if (send === 'json')
    return {
      method: 'POST',
      url,
      headers: { ...accept, 'content-type': 'application/json' },
      body: JSON.stringify({ ...grant, ...own }),
    }
  // RFC 6749 section 2.3.1: both are form-encoded before they are joined.
  const encoded = (text: string) => new URLSearchParams([['', text]]).toString().slice(1)
  const basic = { authorization: `Basic ${Buffer.from(`${encoded(id)}:${encoded(secret)}`).toString('base64')}` }
  return {
    method: 'POST',
    url,
    headers: {
      ...accept,
      'content-type': 'application/x-www-form-urlencoded',
      ...(send === 'basic' ? basic : {}),
    },
    body: new URLSearchParams(send === 'basic' ? grant : { ...grant, ...own }).toString(),
  }
}

/** RFC 6749 section 5.2: the only words of an answer that are repeated. */
const refusals = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
]

export function judgeTokenAnswer({ status, body }: HttpResponse): Verdict {
  if (status >= 200 && status < 300) return { class: 'ok' }
  if (status === 429) return { class: 'throttled', reason: 'the token endpoint asks to slow down' }
  if (status >= 500) return { class: 'retry', reason: `the token endpoint answered ${status}` }
  const error = jsonIn(body)?.['error']
  const why = refusals.find(word => word === error)
  return { class: 'fatal', reason: `the token endpoint refused us with ${status}${why ? ` (${why})` : ''}` }
}

/** The token in an answer; undefined when it has none that a header could carry. */
export function readToken({ body }: HttpResponse): Granted | undefined {
  const answer = jsonIn(body)
  const token = answer?.['access_token']
  if (typeof token !== 'string' || !/^[\x21-\x7e]{1,8192}$/.test(token)) return undefined
  const seconds = Number(answer?.['expires_in'] ?? Number.NaN)
  const isUsable = seconds > 0 && Number.isFinite(seconds)
  return {
    token: new Secret(token),
    lifetimeMs: isUsable ? Math.min(seconds * 1000, maxLifetimeMs) : unsaidLifetimeMs,
  }
}

function jsonIn(body: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
