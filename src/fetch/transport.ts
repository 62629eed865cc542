// One request over the network through undici: HTTP/1.1, pooled connections, bounded headers. Loaded on the first call, so that a
// pipeline that fetches nothing does not pay for it.
import type { LookupFunction } from 'node:net'
import type { Agent, Dispatcher } from 'undici'
import { WeirError, weirErrorOf } from '../core/errors.ts'
import { acceptedEncodings } from './body.ts'
import type { RawResponse, Send } from './redirect.ts'

export interface Transport extends AsyncDisposable {
  readonly send: Send
}

const maxHeaderBytes = 16 * 1024
const connectionsPerHost = 32
/** What a discarded body may still cost before its connection is closed instead. */
const maxDiscardedBytes = 64 * 1024

/** @param timeoutMs the deadline of a call; the transport's own limits stand just behind it */
export function openTransport(lookup: LookupFunction, timeoutMs: number): Transport {
  let agent: Promise<Agent> | undefined
  const open = async (): Promise<Agent> => {
    const undici = await import('undici')
    return new undici.Agent({
      allowH2: false,
      connections: connectionsPerHost,
      pipelining: 1,
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: timeoutMs + 1000,
      bodyTimeout: timeoutMs + 1000,
      keepAliveTimeout: 10_000,
      keepAliveMaxTimeout: 60_000,
      connect: { lookup, timeout: timeoutMs + 1000, allowH2: false },
    })
  }
  return {
    send: async (url, request, signal) => {
      agent ??= open()
      try {
        const answer = await (await agent).request({
          origin: url.origin,
          path: url.pathname + url.search,
          method: request.method as Dispatcher.HttpMethod,
          headers: { 'accept-encoding': acceptedEncodings, 'user-agent': 'weir', accept: '*/*', ...request.headers },
          body: request.body ?? null,
          signal,
        })
        return rawResponse(answer)
      } catch (error) {
        throw networkError(error, url, signal)
      }
    },
    async [Symbol.asyncDispose]() {
      if (agent) await (await agent).destroy()
    },
  }
}

function rawResponse(answer: Dispatcher.ResponseData): RawResponse {
  const headers: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(answer.headers))
    if (value !== undefined) headers[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value
  return {
    status: answer.statusCode,
    headers,
    body: readable(answer.body),
    discard: async () => {
      try {
        await answer.body.dump({ limit: maxDiscardedBytes })
      } catch {
        answer.body.destroy()
      }
    },
    abandon: () => {
      answer.body.on('error', () => {}).destroy()
    },
  }
}

/** The body, with a failure in its midst as the error it is: what came before it is no answer. */
async function* readable(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body
  } catch (error) {
    if (weirErrorOf(error)) throw error
    throw new WeirError('fetch.body_invalid', `The body is cut short or broken: ${reasonOf(error)}`)
  }
}

/** Errors of calls that found no connection: the host has seen nothing of them. */
const notSent = new WeakSet<object>()

export function wasNotSent(error: unknown): boolean {
  return typeof error === 'object' && error !== null && notSent.has(error)
}

function networkError(error: unknown, url: URL, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason
  const known =
    weirErrorOf(error) ?? (error instanceof AggregateError ? error.errors.map(weirErrorOf).find(Boolean) : undefined)
  if (known) {
    notSent.add(known)
    return known
  }
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED')
    return new WeirError(
      'fetch.fatal',
      'The request cannot be sent: a header or the method holds characters that HTTP does not allow',
      { hint: 'Look for line breaks or non-ASCII characters in headers and secrets.' },
    )
  const failed = new WeirError('fetch.network', `The call to ${url.host} failed: ${reasonOf(error)}`)
  if (code !== undefined && unconnected.has(code)) notSent.add(failed)
  return failed
}

const unconnected: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'connection timed out',
  UND_ERR_CONNECT_TIMEOUT: 'connection timed out',
  UND_ERR_SOCKET: 'the other side closed the connection',
  UND_ERR_HEADERS_OVERFLOW: 'the headers pass 16 KB',
  UND_ERR_HEADERS_TIMEOUT: 'no headers in time',
  UND_ERR_BODY_TIMEOUT: 'no body in time',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'it does not have its declared length',
  CERT_HAS_EXPIRED: 'the certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate is for another host',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'the certificate chain is self-signed',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the certificate cannot be verified',
}

/** A reason by code. The library's own error is no cause of ours: its text and fields can quote the answer (I9). */
function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown })?.code
  if (typeof code !== 'string') return 'the answer is not HTTP'
  return reasons[code] ?? (code.startsWith('HPE_') ? `the answer is not valid HTTP (${code})` : code)
}
