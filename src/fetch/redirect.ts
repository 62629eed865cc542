// Redirects, followed by hand: every hop is checked like the first address, never from https to http, and nothing the caller
// configured (authorization, api keys, signatures, cookies, a body) leaves for another origin.
import { WeirError } from '../core/errors.ts'
import type { HttpRequest } from './guard.ts'

/** An answer whose body is not read yet. */
export interface RawResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: AsyncIterable<Uint8Array>
  /** Reads the rest of a small body away, so that the connection can be used again. */
  discard(): Promise<void>
  /** Closes the connection of a body that nobody will read. */
  abandon(): void
}

/** Sends one request to a checked address. */
export type Send = (url: URL, request: HttpRequest, signal: AbortSignal) => Promise<RawResponse>

const maxRedirects = 5
const redirectStatus = new Set([301, 302, 303, 307, 308])

export interface Followed {
  readonly response: RawResponse
  readonly url: URL
  /** The request that got it, as it was signed; undefined when nothing signed it. */
  readonly signed: HttpRequest | undefined
}

/** The first answer that is no redirect, and where it came from. @throws fetch.egress_refused, fetch.status, and what `send` throws */
export async function followRedirects(
  send: Send,
  check: (url: string) => URL,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<Followed> {
  let url = check(request.url)
  let current = request
  for (let hops = 0; ; hops++) {
    const signed = current.signer?.sign(current)
    const response = await send(signed ? check(signed.url) : url, signed ?? current, signal)
    const location = response.headers['location']
    if (!redirectStatus.has(response.status) || location === undefined) return { response, url, signed }
    await response.discard()
    if (hops === maxRedirects)
      throw new WeirError('fetch.status', `More than ${maxRedirects} redirects`, {
        hint: 'Give the address that answers, not one that redirects.',
      })
    const next = check(URL.parse(location, url)?.href ?? location)
    if (url.protocol === 'https:' && next.protocol !== 'https:')
      throw new WeirError('fetch.egress_refused', 'The call is refused: a redirect leads from https to http')
    current = requestAfter(response.status, current, url, next)
    url = next
  }
}

function requestAfter(status: number, request: HttpRequest, from: URL, to: URL): HttpRequest {
  const becomesGet =
    status === 303 ? request.method !== 'HEAD' : (status === 301 || status === 302) && request.method === 'POST'
  const { body, ...withoutBody } = request
  const next: HttpRequest = becomesGet
    ? { ...withoutBody, method: 'GET', headers: without(request.headers, /^content-/) }
    : request
  if (from.origin === to.origin) return { ...next, url: to.href }
  if (next.body !== undefined)
    throw new WeirError(
      'fetch.egress_refused',
      'The call is refused: a redirect leads to another origin and would take the body of the request there',
    )
  return { method: next.method, url: to.href, headers: {} }
}

function without(headers: Readonly<Record<string, string>>, names: RegExp): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.test(name)))
}
