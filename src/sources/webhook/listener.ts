// The HTTP side: what a request must be before anyone looks at its body, the body within its cap and its time, one short JSON answer.
// Node's own server, strict parser: a delivery is verified over its bytes as they came, so nothing may have read them before.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WeirError } from '../../core/errors.ts'
import {
  baseUrl,
  hostAllowed,
  listenError,
  maxConnections,
  securityHeaders,
  serverLimits,
} from '../../core/http-server.ts'
import { reveal } from '../../core/secret.ts'
import { formatBytes } from '../../core/units.ts'
import { createReader } from './delivery.ts'
import type { Intake, Outcome } from './intake.ts'
import { type Envelope, type Proof, same } from './proof.ts'
import { asRefusal, invalid, type Refusal } from './refusal.ts'
import type { WebhookConfig } from './spec.ts'

export interface ListenerOptions {
  readonly config: WebhookConfig
  readonly proof: Proof
  readonly intake: Intake
  /** Told of each delivery that is not taken. */
  readonly refused: (refusal: Refusal) => void
}

export interface Listener extends AsyncDisposable {
  /** Where deliveries go, without a secret. */
  readonly url: string
}

const jsonTypes = ['application/json', 'text/json', 'application/*+json']
const lineTypes = [
  ...jsonTypes,
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonlines',
]
/** So much of a refused body is read on, so that its sender gets to read the answer. */
const drainedBytes = 1024 * 1024
const drainedMs = 1_000

/** Listens until disposed. @throws listen.failed */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { config } = options
  // Loaded here: an import of it takes 60 ms, which no other pipeline should wait for.
  const { createServer } = await import('node:http')
  const { http, keepAliveTimeout, maxRequestsPerSocket } = serverLimits
  const server = createServer({
    maxHeaderSize: http.maxHeaderSize,
    headersTimeout: Math.min(http.headersTimeout, config.request_timeout),
    requestTimeout: config.request_timeout,
    connectionsCheckingInterval: Math.min(http.connectionsCheckingInterval, config.request_timeout / 2),
    keepAliveTimeout,
  })
  server.maxConnections = maxConnections
  server.maxRequestsPerSocket = maxRequestsPerSocket
  const answer = createAnswer(options)
  server.on('request', (request, response) => void answer(request, response))
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => void answer(request, response))
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => void answer(request, response))
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => refuseSocket(error, socket))
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(config.port, config.host, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (error) {
    throw listenError(error, config.host, config.port, { host: '`host`', port: '`port`' })
  }
  const { port } = server.address() as AddressInfo
  return { url: baseUrl(config.host, port) + config.path, [Symbol.asyncDispose]: () => close(server) }
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return
  const closed = new Promise<void>(resolve => server.close(() => resolve()))
  server.closeIdleConnections()
  // What is being answered has been answered; who sends a body still has to send it again.
  setImmediate(() => server.closeAllConnections())
  await closed
}

function createAnswer({ config, proof, intake, refused }: ListenerOptions) {
  const read = createReader(config)
  const secretPath = config.unsigned?.path_secret
  const hasPath = pathMatcher(config.path, secretPath === undefined ? undefined : reveal(secretPath))
  const takesType = typeMatcher(config.content_types ?? (config.format === 'ndjson' ? lineTypes : jsonTypes))

  const checkHead = (request: IncomingMessage): { query: Record<string, string>; envelope: Envelope } => {
    const { headers, method, url = '' } = request
    if (!hostAllowed(headers.host, config.host, config.allowed_hosts))
      throw invalid(421, 'This server does not answer to that host name', 'List the name in `allowed_hosts`.')
    const [, path = '', search = ''] = /^([^?]*)(?:\?(.*))?$/s.exec(url) ?? []
    if (!hasPath(path)) throw invalid(404, 'There is nothing at that path', 'See `path`.')
    if (method !== 'POST') throw invalid(405, 'Deliveries are posted', 'Use POST.', { allow: 'POST' })
    const envelope = envelopeOf(request)
    proof.before(envelope)
    checkForm(request, takesType, config.max_body)
    const obstacle = intake.obstacle()
    if (obstacle) throw obstacle
    return { query: Object.fromEntries(new URLSearchParams(search)), envelope }
  }

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let held = 0
    try {
      const { query, envelope } = checkHead(request)
      if (request.headers.expect !== undefined) response.writeContinue()
      const body = await bodyOf(request, config.max_body, bytes => {
        intake.reserve(bytes)
        held += bytes
      })
      if (body === null) return
      proof.check(envelope, body)
      const delivery = await read({ headers: envelope.headers, query, body })
      const outcome: Outcome = await intake.take(delivery)
      send(request, response, 200, {
        stored: outcome === 'stored' ? delivery.items.length : 0,
        known: outcome === 'known',
      })
    } catch (thrown) {
      const refusal = asRefusal(thrown)
      refused(refusal)
      const { code, message, hint } = refusal.error
      // A key or a signature is not talked about with whoever has none.
      const told = refusal.status === 401 ? { error: code, message } : { error: code, message, hint }
      send(request, response, refusal.status, told, refusal.headers)
    } finally {
      intake.release(held)
    }
  }
}

/** Compares the path as it was sent: nothing in it is decoded. */
function pathMatcher(path: string, secret: string | undefined): (given: string) => boolean {
  if (secret === undefined) return given => given === path
  const start = path.endsWith('/') ? path : `${path}/`
  return given => given.startsWith(start) && same(given.slice(start.length), secret)
}

function typeMatcher(types: readonly string[]): (type: string) => boolean {
  const patterns = types.map(type => new RegExp(`^${type.replace(/[.+^$]/g, '\\$&').replaceAll('*', '[^/;]+')}$`))
  return type => patterns.some(pattern => pattern.test(type))
}

function envelopeOf({ headers, rawHeaders }: IncomingMessage): Envelope {
  const counts = new Map<string, number>()
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  const single = Object.entries(headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : value!,
  ])
  return { headers: Object.fromEntries(single), counts }
}

/** Content type decides whether a body is looked at, never what it says of itself. @throws Refusal 411, 413, 415, 417 */
function checkForm({ headers }: IncomingMessage, takesType: (type: string) => boolean, maxBytes: number): void {
  const type = (headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()
  if (!takesType(type))
    throw invalid(415, 'The content type is not one that is taken', 'Send application/json, or set `content_types`.')
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue')
    throw invalid(417, 'What the request expects is not known here', 'Only 100-continue is.')
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (encoding !== 'identity' && encoding !== 'gzip')
    throw invalid(415, 'The content encoding is not one that is taken', 'Send the body plain or as gzip.')
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined)
    throw invalid(411, 'The request has no body', 'Send the items as JSON.')
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes)
}

function tooLarge(maxBytes: number): Refusal {
  return invalid(413, `The body has more than ${formatBytes(maxBytes)}`, 'Raise `max_body`.')
}

/** The bytes as they came; null when the sender went away or was too slow, who is answered already. @throws Refusal 413, 503 */
function bodyOf(request: IncomingMessage, maxBytes: number, reserve: (bytes: number) => void): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const stop = (error: unknown) => {
      request.removeAllListeners('data')
      reject(error)
    }
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > maxBytes) return stop(tooLarge(maxBytes))
      try {
        reserve(chunk.length)
      } catch (error) {
        return stop(error)
      }
      chunks.push(chunk)
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', () => resolve(null))
    request.on('close', () => resolve(null))
  })
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.destroyed || response.headersSent) return
  const text = JSON.stringify(body)
  response.writeHead(status, {
    ...securityHeaders,
    ...headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...(request.complete ? {} : { connection: 'close' }),
  })
  if (request.complete) return void response.end(text)
  // The answer goes out first; a connection that is closed over unread bytes would take it back.
  response.write(text)
  let rest = 0
  const end = () => {
    clearTimeout(timer)
    request.socket.destroy()
  }
  const timer = setTimeout(end, drainedMs)
  request.on('data', (chunk: Buffer) => {
    rest += chunk.length
    if (rest > drainedBytes) end()
  })
  request.on('end', () => {
    clearTimeout(timer)
    response.end()
  })
  request.on('close', () => clearTimeout(timer))
  request.resume()
}

/** What is no HTTP, or is not there in time, has no request to answer to. */
function refuseSocket(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || socket.destroyed || (socket as { bytesWritten?: number }).bytesWritten)
    return void socket.destroy()
  const [status, what] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? ['408 Request Timeout', 'The request did not arrive in time']
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? ['431 Request Header Fields Too Large', 'The headers are too large']
        : ['400 Bad Request', 'This is not HTTP as it must be']
  const { code, message } = new WeirError('webhook.invalid', what)
  const body = JSON.stringify({ error: code, message })
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}
