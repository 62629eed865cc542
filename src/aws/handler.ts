// Carries the calls of an AWS client. A source's calls go through its fetch guard, like any other of a source; those of a sink have a deadline
// and a body cap, and are tried again by the delivery. What the service refuses is left to the client, which knows its errors by name.
import { lookup } from 'node:dns'
import type { Clock } from '../core/clock.ts'
import { WeirError } from '../core/errors.ts'
import { readBody } from '../fetch/body.ts'
import type { FetchGuard, HttpRequest, HttpResponse, Verdict } from '../fetch/guard.ts'
import { withDeadline } from '../fetch/timeout.ts'
import { openTransport } from '../fetch/transport.ts'
import { errorName, isThrottling } from './trouble.ts'

/** A request as the SDK signs it. */
interface SignedRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly method: string
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

interface SdkResponse {
  readonly statusCode: number
  readonly headers: Record<string, string>
  readonly body: Uint8Array
}

/** What the SDK takes as its `requestHandler`. */
export interface AwsHandler {
  handle(
    request: SignedRequest,
    options?: { readonly abortSignal?: unknown },
  ): Promise<{ readonly response: SdkResponse }>
  updateHttpClientConfig(): void
  httpHandlerConfigs(): Record<string, never>
  destroy(): void
}

/** Told to slow down without a time: the limits of both services are by the second. */
const throttledMs = 1_000
const maxAnswerBytes = 4 * 1024 * 1024

/** Through the guard of a source: egress check, rate limit, breaker, retries, deadline, body cap. */
export function guardedHandler(guard: () => FetchGuard): AwsHandler {
  return handlerOf(
    (request, signal) => guard().call(request, judge, signal),
    () => {},
  )
}

/** For a sink: one try, ended by the deadline. */
export function directHandler(timeoutMs: number, clock: Clock): AwsHandler {
  const transport = openTransport(lookup as Parameters<typeof openTransport>[0], timeoutMs)
  const call = (request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> =>
    withDeadline(timeoutMs, clock, signal, async inner => {
      const url = new URL(request.url)
      const { status, headers, body, abandon } = await transport.send(url, request, inner)
      try {
        return { status, headers, url: request.url, body: await readBody(body, headers, maxAnswerBytes) }
      } catch (error) {
        abandon()
        throw error
      }
    })
  return handlerOf(call, () => void transport[Symbol.asyncDispose]())
}

function handlerOf(
  call: (request: HttpRequest, signal: AbortSignal) => Promise<HttpResponse>,
  destroy: () => void,
): AwsHandler {
  return {
    async handle(request, { abortSignal } = {}) {
      const signal = abortSignal instanceof AbortSignal ? abortSignal : new AbortController().signal
      const sent = plain(request)
      const { status, headers, body } = await call(sent, signal)
      if (status < 300 && named in sent.headers && !isObjectText(body))
        throw new WeirError('fetch.body_invalid', 'The answer of the service is no JSON object', {
          hint: 'See whether a proxy answers in its place; the cursor stays where it is.',
        })
      return { response: { statusCode: status, headers: { ...headers }, body } }
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
    destroy,
  }
}

/** Header with the name of the call, in the JSON protocols of queues and streams. Where the SDK asks for keys it has none, and answers are XML. */
const named = 'x-amz-target'

/** Of what is called here all has an answer: one without it, or of another kind, must not be taken for nothing found. */
function isObjectText(body: Uint8Array): boolean {
  return /^\s*\{/.test(Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 64)).toString('latin1'))
}

function plain({ protocol, hostname, port, method, path, query = {}, headers, body }: SignedRequest): HttpRequest {
  const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`)
  for (const [key, value] of Object.entries(query))
    for (const each of Array.isArray(value) ? value : [value]) url.searchParams.append(key, each ?? '')
  return {
    method,
    url: url.href,
    headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value])),
    ...(typeof body === 'string' || body instanceof Uint8Array ? { body } : {}),
  }
}

function judge({ status, headers, body }: HttpResponse): Verdict {
  if (status < 300) return { class: 'ok' }
  const name = errorName(headers, body)
  const reason = `The service answered ${status}${name === undefined ? '' : ` (${name})`}`
  if (isThrottling(status, name)) return { class: 'throttled', reason, waitMs: throttledMs }
  // What has a name is the client's to tell; a redirect or a page of some proxy has none.
  if (status < 500 && name !== undefined) return { class: 'ok' }
  return status < 500 ? { class: 'fatal', reason } : { class: 'retry', reason }
}
