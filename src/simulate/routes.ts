// The endpoints of the simulated vendor: one list of reviews with every way of paging, and what a person needs to look in.
// An item is journaled only when the answer that carries it was sent whole.
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hostAllowed, securityHeaders } from '../core/http-server.ts'
import { authorized, challenge, createRateGate, faultOf, htmlPage, retryAfter, robotCheck } from './gate.ts'
import type { WireItem } from './item.ts'
import { factsOf, type Journal } from './journal.ts'
import { type FaultKind, faultKinds, type Settings } from './options.ts'
import { pageOf, type Query, readQuery, writeCursor } from './pages.ts'
import { welcome } from './welcome.ts'
import type { Version, World } from './world.ts'

export interface Vendor {
  readonly settings: Settings
  readonly world: World
  readonly journal: Journal
  readonly write: (version: Version) => WireItem
  /** What calls fail with from now on; may change. */
  faults: Pick<Settings, 'faults' | 'faultKinds'>
  readonly count: (what: string) => void
  /** Aborts when the server closes: nothing is slow any more. */
  readonly closing: AbortSignal
  /** Moves the world to where the clock has it. */
  refresh(): void
}

type Params = Readonly<Record<string, unknown>>

/** Adds every endpoint to the server. */
export function addRoutes(server: FastifyInstance, vendor: Vendor): void {
  const { settings, world, journal } = vendor
  const gated = gate(vendor)
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders)
    if (!hostAllowed(request.headers.host, settings.host))
      await reply.code(421).send({ error: 'this server does not answer to that host name' })
  })
  server.setErrorHandler((error: { statusCode?: number; message: string }, _request, reply) => {
    const status = error.statusCode ?? 500
    return reply.code(status).send({ error: status < 500 ? error.message : 'internal error' })
  })
  server.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: 'no such endpoint; GET / lists them' }))

  server.get('/', (request, reply) => {
    vendor.refresh()
    return reply.type('text/plain; charset=utf-8').send(welcome(originOf(request), world, settings))
  })
  server.get('/_journal', (_request, reply) =>
    reply.type('application/x-ndjson').send(Readable.from(linesOf(journal.entries))),
  )
  server.get('/products', (request, reply) =>
    gated(request, reply, request.query, () =>
      reply.send({
        products: [...world.products]
          .map(asin => ({ asin, reviews: world.versions(asin).length }))
          .filter(({ reviews }) => reviews > 0),
      }),
    ),
  )
  server.get('/reviews', (request, reply) => list(request, reply, request.query))
  server.post('/reviews', (request, reply) => list(request, reply, request.body))

  const list = (request: FastifyRequest, reply: FastifyReply, given: unknown) =>
    gated(request, reply, given, (raw, call, fault) => {
      const query = readQuery(raw)
      if (typeof query === 'string') return refuse(reply, vendor, 400, query)
      if (query.asin !== null && !world.products.has(query.asin)) return refuse(reply, vendor, 404, 'no such product')
      return sendPage(request, reply, vendor, raw, query, call, fault)
    })
}

type Handler = (raw: Params, call: number, fault: FaultKind | null) => FastifyReply

/** Key, rate and faults before the handler; what the call came to is counted. */
function gate(vendor: Vendor) {
  const { settings, count } = vendor
  const rate = createRateGate(settings.clock, settings.perSecond)
  let calls = 0
  return async (request: FastifyRequest, reply: FastifyReply, given: unknown, handle: Handler) => {
    const raw: Params = typeof given === 'object' && given !== null && !Array.isArray(given) ? (given as Params) : {}
    if (!authorized(request.headers, (request.query as Params)['key'], settings)) {
      count('401')
      return reply.code(401).header('www-authenticate', challenge(settings)).send({ error: 'no valid key' })
    }
    const waitMs = rate.take()
    if (waitMs > 0) {
      count('429')
      return throttle(reply, settings, waitMs)
    }
    const call = ++calls
    const asked = raw['fault']
    if (asked !== undefined && !faultKinds.some(kind => kind === asked))
      return refuse(reply, vendor, 400, `fault is one of ${faultKinds.join(', ')}`)
    const { faults, faultKinds: kinds } = vendor.faults
    const fault = (asked as FaultKind | undefined) ?? faultOf(faults, kinds, settings.seed, call)
    if (vendor.journal.broken !== null) return refuse(reply, vendor, 500, vendor.journal.broken.message)
    if (fault !== null) count(fault)
    if (fault === 'slow' && !(await slept(vendor))) return reply.code(503).send({ error: 'the vendor is closing' })
    vendor.refresh()
    const failed = fault === null ? undefined : trouble(reply, settings, fault)
    if (failed) return failed
    const answered = handle(raw, call, fault)
    if (fault === null && reply.statusCode < 400) count('ok')
    return answered
  }
}

/** False when the server closed meanwhile. */
async function slept({ settings, closing }: Vendor): Promise<boolean> {
  try {
    await settings.clock.sleep(settings.slowMs, closing)
    return true
  } catch (error) {
    if (closing.aborted) return false
    throw error
  }
}

/** The answer in the place of the endpoint's own; undefined: the endpoint answers. */
function trouble(reply: FastifyReply, settings: Settings, fault: FaultKind): FastifyReply | undefined {
  switch (fault) {
    case '500':
      return reply.code(500).send({ error: 'internal error' })
    case '503':
      return reply.code(503).send({ error: 'overloaded' })
    case '429':
      return throttle(reply, settings, 1000)
    case 'html':
      return reply.type('text/html; charset=utf-8').send(htmlPage)
    case 'captcha':
      return reply.type('text/html; charset=utf-8').send(robotCheck)
    default:
      return undefined
  }
}

function throttle(reply: FastifyReply, { retryAfter: style, clock }: Settings, waitMs: number): FastifyReply {
  return reply
    .code(429)
    .header('retry-after', retryAfter(waitMs, style, clock))
    .send({ error: 'slow down' })
}

function refuse(reply: FastifyReply, { count }: Vendor, status: number, error: string): FastifyReply {
  count(String(status))
  return reply.code(status).send({ error })
}

function sendPage(
  request: FastifyRequest,
  reply: FastifyReply,
  vendor: Vendor,
  raw: Params,
  query: Query,
  call: number,
  fault: FaultKind | null,
): FastifyReply {
  const { versions, total, next } = pageOf(vendor.world.versions(query.asin), query)
  const items = versions.map(version => [version, vendor.write(version)] as const)
  const cursor = next === null ? null : writeCursor(next)
  const nextUrl = cursor === null ? null : nextUrlOf(request, raw, cursor)
  const around = JSON.stringify({
    ...('offset' in query.from ? { page: Math.floor(query.from.offset / query.size) + 1 } : {}),
    total,
    has_more: cursor !== null,
    next_cursor: cursor,
    next: nextUrl,
  })
  const body = `{"reviews":[${items.map(([, item]) => item.json).join(',')}],${around.slice(1)}`
  if (fault === 'reset') return cutOff(reply, body)
  if (nextUrl !== null) reply.header('link', `<${nextUrl}>; rel="next"`)
  const served = items.map(([version, item]) => ({ request: call, ...factsOf(version, item) }))
  // Not emitted where the client went away before the whole answer was handed to the system.
  reply.raw.once('finish', () => vendor.journal.add(served))
  return reply.type('application/json; charset=utf-8').send(body)
}

/** Announces the whole body, sends half of it and breaks the connection. */
function cutOff(reply: FastifyReply, body: string): FastifyReply {
  const bytes = Buffer.from(body)
  reply.hijack()
  const { raw } = reply
  raw.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': bytes.length })
  raw.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => raw.socket?.resetAndDestroy())
  return reply
}

/** Where the client found us, so that the next page is at the same origin. The Host header was checked. */
const originOf = (request: FastifyRequest) => `http://${request.headers.host}`

function nextUrlOf(request: FastifyRequest, raw: Params, cursor: string): string {
  const { page: _page, offset: _offset, cursor: _cursor, fault: _fault, ...rest } = raw
  const kept = Object.entries(rest).map(([name, value]) => [name, String(value)])
  return `${originOf(request)}/reviews?${new URLSearchParams([...kept, ['cursor', cursor]])}`
}

function* linesOf(entries: readonly unknown[]): Generator<string> {
  const chunk = 1000
  // What is served while this is read comes too; the end is where it stood at the start.
  const end = entries.length
  for (let from = 0; from < end; from += chunk)
    yield entries
      .slice(from, Math.min(end, from + chunk))
      .map(each => `${JSON.stringify(each)}\n`)
      .join('')
}
