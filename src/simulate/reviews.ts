// A simulated review vendor: real reviews behind an API with pages, limits and faults on request. What tests, the demo and a user without
// credentials run against. It keeps a journal of every review version it served, for an auditor.
import { appendFileSync } from 'node:fs'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Clock, systemClock } from '../core/clock.ts'
import { baseUrl, listenError } from '../core/http-server.ts'
import { chance, createWorld, type VendorReview, type WorldOptions } from './world.ts'

/** Faults the vendor can have: a status, a reset in the middle of the body, an HTML page with status 200, a slow answer. */
export const faultKinds = ['500', '503', 'reset', 'html', 'slow'] as const
export type FaultKind = (typeof faultKinds)[number]

export interface SimulateOptions extends Partial<WorldOptions> {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  /** Share of requests that fail, 0 to 1. Default 0. */
  readonly faults?: number
  /** Which faults. Default all but `slow`. */
  readonly faultKinds?: readonly FaultKind[]
  /** Requests that are served in a second before 429 with Retry-After. Default: no limit. */
  readonly perSecond?: number | null
  /** Asked for as `Authorization: Bearer`, `X-Api-Key` or `?key=`. Default: none. */
  readonly token?: string | null
  /** How long a slow answer takes. Default 2 s. */
  readonly slowMs?: number
  /** File the journal is appended to, NDJSON. */
  readonly journalFile?: string | null
  readonly clock?: Clock
}

/** A review version that was served. */
export interface Served {
  readonly request: number
  readonly asin: string
  readonly id: string
  readonly updated_at: string
  /** False where the review is damaged on purpose. */
  readonly sound: boolean
}

export interface Simulation extends AsyncDisposable {
  readonly url: string
  /** Every review version served in full, in order. Bounded: the oldest are let go after 200,000. */
  readonly journal: readonly Served[]
  /** Requests answered, by what they got. */
  readonly counts: Readonly<Record<string, number>>
  close(): Promise<void>
}

const maxJournal = 200_000
const maxPageSize = 1000
const defaultPageSize = 20
const textOf: Readonly<Record<string, string>> = { '500': 'internal error', '503': 'overloaded' }

/** Starts the vendor. @throws listen.failed */
export async function simulateReviews(options: SimulateOptions = {}): Promise<Simulation> {
  const { host = '127.0.0.1', port = 0, seed = 1, slowMs = 2000, clock = systemClock } = options
  const kinds = options.faultKinds ?? ['500', '503', 'reset', 'html']
  const world = createWorld(
    {
      seed,
      initial: options.initial ?? 300,
      addEveryMs: options.addEveryMs ?? null,
      editEvery: options.editEvery ?? 0,
      malformed: options.malformed ?? 0,
    },
    clock.now(),
  )
  const { fastify } = await import('fastify')
  const server = fastify({ logger: false, forceCloseConnections: true })
  const journal: Served[] = []
  const counts: Record<string, number> = {}
  let requests = 0
  let second = 0
  let inSecond = 0
  let url = ''
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1
  }

  const refused = (request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined => {
    const { token = null, perSecond = null } = options
    const key = (request.query as Record<string, string>)['key']
    if (
      token !== null &&
      request.headers.authorization !== `Bearer ${token}` &&
      request.headers['x-api-key'] !== token &&
      key !== token
    ) {
      count('401')
      return reply.code(401).send({ error: 'no valid key' })
    }
    const now = Math.floor(clock.now() / 1000)
    if (now !== second) [second, inSecond] = [now, 0]
    if (perSecond !== null && ++inSecond > perSecond) {
      count('429')
      return reply.code(429).header('retry-after', '1').send({ error: 'slow down' })
    }
    return undefined
  }

  const serve = (page: Page, number: number): string => {
    for (const review of page.reviews) {
      const { asin, id, updated_at } = review
      const served: Served = { request: number, asin, id, updated_at, sound: isSound(review) }
      journal.push(served)
      if (options.journalFile) appendFileSync(options.journalFile, `${JSON.stringify(served)}\n`)
    }
    if (journal.length > maxJournal) journal.splice(0, journal.length - maxJournal)
    return JSON.stringify(page)
  }

  server.get('/reviews', async (request, reply) => {
    const denied = refused(request, reply)
    if (denied) return denied
    const number = ++requests
    const page = pageOf(world.reviews(clock.now()), request.query as Record<string, string>, url)
    const fault =
      chance(seed, 'fault', number) < (options.faults ?? 0)
        ? kinds[Math.floor(chance(seed, 'fault kind', number) * kinds.length)]
        : undefined
    count(fault ?? 'ok')
    if (fault === 'slow') await clock.sleep(slowMs)
    if (fault === '500' || fault === '503') return reply.code(Number(fault)).send({ error: textOf[fault] })
    if (fault === 'html') return reply.type('text/html').send('<html><body>Please try again later.</body></html>')
    if (fault === 'reset') return breakOff(reply, JSON.stringify(page))
    if (page.next !== null) reply.header('link', `<${page.next}>; rel="next"`)
    return reply.type('application/json').send(serve(page, number))
  })
  server.get('/_journal', async (_request, reply) =>
    reply.type('application/x-ndjson').send(journal.map(each => `${JSON.stringify(each)}\n`).join('')),
  )
  server.get('/', async (_request, reply) => reply.type('text/plain').send(explain(url)))

  try {
    await server.listen({ host, port })
  } catch (error) {
    await server.close()
    throw listenError(error, host, port)
  }
  const address = server.server.address()
  url = baseUrl(host, typeof address === 'object' && address ? address.port : port)
  const close = () => server.close().then(() => {})
  return { url, journal, counts, close, [Symbol.asyncDispose]: close }
}

interface Page {
  readonly reviews: readonly VendorReview[]
  readonly page: number
  readonly total: number
  readonly has_more: boolean
  readonly next_cursor: string | null
  readonly next: string | null
}

/** A page by `page`, `offset` or `cursor`, newest first unless `sort=oldest`. */
function pageOf(reviews: readonly VendorReview[], query: Record<string, string>, url: string): Page {
  const whole = (text: string | undefined, fallback: number, min: number) =>
    /^\d{1,9}$/.test(text ?? '') ? Math.max(min, Number(text)) : fallback
  const size = Math.min(maxPageSize, whole(query['page_size'], defaultPageSize, 1))
  const oldest = query['sort'] === 'oldest'
  const found = reviews
    .filter(review => query['asin'] === undefined || review.asin === query['asin'])
    .sort(
      (a, b) =>
        (oldest ? 1 : -1) * (a.updated_at < b.updated_at ? -1 : a.updated_at > b.updated_at ? 1 : a.id < b.id ? -1 : 1),
    )
  const from =
    query['cursor'] === undefined
      ? whole(query['offset'], (whole(query['page'], 1, 1) - 1) * size, 0)
      : whole(Buffer.from(query['cursor'], 'base64url').toString(), 0, 0)
  const end = from + size
  const more = end < found.length
  const cursor = more ? Buffer.from(String(end)).toString('base64url') : null
  const { page: _page, offset: _offset, cursor: _cursor, ...rest } = query
  return {
    reviews: found.slice(from, end),
    page: Math.floor(from / size) + 1,
    total: found.length,
    has_more: more,
    next_cursor: cursor,
    next: cursor === null ? null : `${url}/reviews?${new URLSearchParams({ ...rest, cursor })}`,
  }
}

const isSound = ({ stars, helpful }: VendorReview) => typeof stars === 'number' && typeof helpful === 'number'

/** Announces the whole body, sends half of it and breaks the connection. */
function breakOff(reply: FastifyReply, body: string): FastifyReply {
  reply.hijack()
  const { raw } = reply
  raw.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  raw.write(body.slice(0, Math.floor(body.length / 2)), () => raw.destroy())
  return reply
}

function explain(url: string): string {
  return `A simulated review vendor. The reviews are real ones of the Amazon Fine Foods set (CC0), their writers' names replaced by hashes.

  ${url}/reviews?asin=B000E7WM0K&page=1&page_size=20&sort=newest
  ${url}/reviews?offset=40            also by offset, by ?cursor= (next_cursor), by next (a URL) and by the Link header
  ${url}/_journal                     every review version served, NDJSON
`
}
