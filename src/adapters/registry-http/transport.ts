// One request to the registry through undici: pooled connections, TLS that never falls back, a deadline, a cap on the body, no redirects.
// Credentials go to the one configured origin and into no message (I9).
import type { Agent, buildConnector } from 'undici'
import { WeirError } from '../../core/errors.ts'
import { reveal } from '../../core/secret.ts'
import { unlessAborted } from '../../core/stream.ts'
import type { Credential, HttpRegistryOptions, RegistryTls } from './options.ts'

export interface RegistryRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

export interface Answer {
  readonly status: number
  /** Lower case, without parameters; empty when there is none. */
  readonly contentType: string
  /** Host of the Location header; null without one. */
  readonly redirectTo: string | null
  readonly body: string
}

export interface Transport extends AsyncDisposable {
  /** Any answer, whatever its status. @throws registry.unavailable (no answer in time), registry.denied (no credential to send) */
  send(request: RegistryRequest, deadlineMs: number): Promise<Answer>
}

const maxBodyBytes = 16 * 1024 * 1024
const maxHeaderBytes = 16 * 1024
const connections = 8

export function openTransport(options: HttpRegistryOptions, place: string): Transport {
  const { clock, auth } = options
  const { origin } = new URL(options.url)
  const closing = new AbortController()
  let agent: Promise<Agent> | undefined
  return {
    async send(request, deadlineMs) {
      closing.signal.throwIfAborted()
      const deadline = new AbortController()
      const answered = new AbortController()
      clock.sleep(deadlineMs, answered.signal).then(
        () => deadline.abort(unavailable(place, `it gave no whole answer within ${Math.round(deadlineMs)} ms`)),
        () => {},
      )
      const signal = AbortSignal.any([deadline.signal, closing.signal])
      try {
        const authorization = auth === null ? null : await unlessAborted(headerOf(auth, place), signal)
        const { statusCode, headers, body } = await (await (agent ??= openAgent(options.tls))).request({
          origin,
          path: request.path,
          method: request.method.toUpperCase() as 'GET',
          headers: authorization === null ? request.headers : { ...request.headers, authorization },
          body: request.body,
          signal,
        })
        return {
          status: statusCode,
          contentType: (single(headers['content-type']) ?? '').split(';')[0]!.trim().toLowerCase(),
          redirectTo: hostOf(single(headers['location']), options.url),
          body: await body.text(),
        }
      } catch (error) {
        if (signal.aborted) throw signal.reason
        if (error instanceof WeirError) throw error
        throw unavailable(place, reasonOf(error))
      } finally {
        answered.abort()
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort(unavailable(place, 'the connection to it was closed here'))
      if (agent) await (await agent).destroy()
    },
  }
}

/** The registry gives no answer that could be one. */
export function unavailable(place: string, why: string): WeirError {
  return new WeirError('registry.unavailable', `The schema registry at ${place} cannot be used: ${why}.`, {
    at: place,
    hint: 'Check that it runs and that the address is right, its path included: Apicurio answers under /apis/ccompat/v7.',
  })
}

async function openAgent(tls: RegistryTls | null): Promise<Agent> {
  const undici = await import('undici')
  /** Made anew for each connection, so that a rotated key is read anew. */
  const connectorWith = (key: string | null) =>
    undici.buildConnector({
      allowH2: false,
      timeout: 0,
      rejectUnauthorized: tls?.verify ?? true,
      ...(tls?.ca ? { ca: tls.ca } : {}),
      ...(tls?.cert ? { cert: tls.cert } : {}),
      ...(key ? { key } : {}),
      ...(tls?.serverName ? { servername: tls.serverName } : {}),
    })
  const connect: buildConnector.connector = (target, callback) => {
    const connecting = async () => connectorWith(tls?.key ? reveal(await tls.key()) : null)(target, callback)
    connecting().catch(error => callback(error, null))
  }
  return new undici.Agent({
    connect,
    connections,
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: maxHeaderBytes,
    maxResponseSize: maxBodyBytes,
    // The deadline of the call is the only one.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
}

/** @throws registry.denied */
async function headerOf(auth: NonNullable<HttpRegistryOptions['auth']>, place: string): Promise<string> {
  if ('bearer' in auth) {
    const token = await ask(auth.bearer, place)
    if (/^[\x21-\x7e]+$/.test(token)) return `Bearer ${token}`
    throw new WeirError('registry.denied', 'The token for the schema registry has characters that no header carries.', {
      at: place,
      hint: 'Look for blanks and line ends around it.',
    })
  }
  return `Basic ${Buffer.from(`${auth.username}:${await ask(auth.password, place)}`).toString('base64')}`
}

async function ask(credential: Credential, place: string): Promise<string> {
  try {
    return reveal(await credential())
  } catch (cause) {
    throw new WeirError('registry.denied', 'The credential for the schema registry cannot be read.', {
      at: place,
      hint: 'Look at the file or variable it comes from.',
      cause,
    })
  }
}

const single = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value)

function hostOf(location: string | undefined, base: string): string | null {
  return location === undefined ? null : (URL.parse(location, base)?.host ?? 'an invalid address')
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be looked up now',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'the connection timed out',
  UND_ERR_SOCKET: 'it closed the connection before its answer was whole',
  UND_ERR_HEADERS_OVERFLOW: `its headers pass ${maxHeaderBytes} bytes`,
  UND_ERR_RES_EXCEEDED_MAX_SIZE: `its answer passes ${maxBodyBytes} bytes`,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'its answer does not have its declared length',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate comes from an authority that is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate comes from an authority that is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate comes from an authority that is not trusted',
}

/** A reason by code: the library's own text may quote the answer. */
function reasonOf(error: unknown): string {
  const each = error instanceof AggregateError ? error.errors[0] : error
  const code = (each as { code?: unknown } | null)?.code
  if (typeof code !== 'string') return 'what answers there does not speak HTTP'
  if (code.startsWith('HPE_')) return `what answers there does not speak HTTP (${code})`
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return `TLS with it fails (${code})`
  return reasons[code] ?? code
}
