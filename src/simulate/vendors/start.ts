// Starts a simulated vendor: the server before its endpoints, what every call passes (key, limit, faults), the journal.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { baseUrl, hostAllowed, listenError, maxConnections, serverLimits } from '../../core/http-server.ts'
import { chance } from '../chance.ts'
import { createRateGate, htmlPage } from '../gate.ts'
import { createJournal, type Journal } from '../journal.ts'
import { deliver, hangUp } from './deliver.ts'
import type { VendorEntry } from './entry.ts'
import { createFaults } from './faults.ts'
import { createJobs } from './jobs.ts'
import { type VendorOptions, vendorSettings } from './settings.ts'
import { createShop } from './shop.ts'
import { type Answer, type Call, type Desk, type Fact, html, json, type Route, type VendorSpec } from './vendor.ts'
import { vendorWelcome } from './welcome.ts'

export interface VendorSimulation extends AsyncDisposable {
  /** Such as http://127.0.0.1:4505, without a slash at the end. */
  readonly url: string
  /** Everything of note in order. Bounded: the oldest are let go after 200,000. */
  readonly journal: readonly VendorEntry[]
  /** Calls by what they got: a status, or a fault's name. */
  readonly counts: Readonly<Record<string, number>>
  readonly ticks: number
  /** Lets ticks happen now, besides those of `addEveryMs`. */
  advance(ticks?: number): void
  /** Changes the faults from the next call on. @throws usage.invalid */
  setFaults(share: number, each?: Readonly<Record<string, number>>): void
  /** The next call, job or item has this fault. @throws usage.invalid */
  failNext(kind: string): void
  close(): Promise<void>
}

/** Faults after which the call is done as always; the others stand in the place of its answer. */
const afterwards = ['reset', 'truncated', 'slow']

/** @throws listen.failed, usage.invalid */
export async function startVendor(spec: VendorSpec, options: VendorOptions = {}): Promise<VendorSimulation> {
  const settings = vendorSettings(options)
  const { host, port, clock, seed } = settings
  await using stack = new AsyncDisposableStack()
  const journal = stack.use(createJournal<VendorEntry>(settings.journalFile))
  const shop = createShop(settings)
  const faults = createFaults(spec.faults, seed, { share: settings.faults, each: settings.fault })
  const counts: Record<string, number> = {}
  const closing = new AbortController()
  stack.defer(() => closing.abort())
  const startedMs = clock.monotonic()
  let extraTicks = settings.ticks
  const refresh = () => {
    const passed = settings.addEveryMs === null ? 0 : Math.floor((clock.monotonic() - startedMs) / settings.addEveryMs)
    shop.advanceTo(extraTicks + passed)
  }
  refresh()
  const note = (entry: VendorEntry) => journal.add([entry])
  const record = recorder(journal)
  let spent = 0
  const atOnce = settings.atOnce === undefined ? spec.atOnce : settings.atOnce
  const desk: Desk = {
    settings,
    shop,
    clock,
    faults,
    jobs: createJobs(settings, settings.keepMs ?? spec.keepMs ?? 0, shop, spec.faults, faults, note),
    atOnce,
    note,
    spend(units = 1) {
      if (settings.credits !== null && spent + units > settings.credits) return false
      spent += units
      return true
    },
    charge(call, params, cost) {
      if (!desk.spend()) return false
      note({ event: 'charged', call: call.number, params, cost })
      return true
    },
    get credits() {
      return settings.credits === null ? null : settings.credits - spent
    },
    get spent() {
      return spent
    },
    pushed: facts => record(0, { facts }),
    later(ms, act) {
      clock
        .sleep(ms, closing.signal)
        .then(() => {
          refresh()
          return act()
        })
        .catch(() => {})
    },
    count,
  }
  function count(what: string): void {
    counts[what] = (counts[what] ?? 0) + 1
  }

  const vendor = spec.open(desk)
  const { calls, windowMs } = spec.limit ?? { calls: null, windowMs: 1000 }
  const gate = createRateGate(clock, settings.rateLimit === undefined ? calls : settings.rateLimit, windowMs)
  let inFlight = 0
  const slept = (ms: number) =>
    clock.sleep(ms, closing.signal).then(
      () => true,
      () => false,
    )

  /** What stands in the way of the call; null: nothing. `fault` is what it has anyway. */
  async function hindrance(call: Call, fault: string | null): Promise<Answer | null> {
    const refused = vendor.refuse(call)
    if (refused !== null) return refused
    const waitMs = gate.take()
    if (waitMs > 0) return vendor.throttled(call, waitMs)
    if (journal.broken !== null) return json(500, { message: journal.broken.message })
    if (fault === null) return null
    const instead = afterwards.includes(fault) ? null : vendor.trouble(fault, call)
    if (instead === undefined) return null
    note({ event: 'fault', call: call.number, job: null, kind: fault })
    count(fault)
    return afterwards.includes(fault) ? null : (instead ?? plainTrouble(fault))
  }

  async function answer(route: Route, call: Call, fault: string | null): Promise<Answer> {
    if (vendor.busy && atOnce !== null && inFlight > atOnce) return vendor.busy(call)
    const { latencyMs, slowMs } = settings
    const waitMs = fault === 'slow' ? slowMs : latencyMs * (0.5 + chance(seed, 'latency', call.number))
    if (waitMs > 0 && !(await slept(waitMs))) return json(503, { message: 'the vendor is closing' })
    refresh()
    return (await hindrance(call, fault)) ?? (await route.handle(call))
  }

  let callNumber = 0
  const serve = (route: Route) => async (request: FastifyRequest, reply: FastifyReply) => {
    const call = callOf(request, ++callNumber)
    const fault = route.open ? null : faults.draw('call', call.number)
    reply.hijack()
    const { raw } = reply
    if (fault === 'drop') {
      note({ event: 'fault', call: call.number, job: null, kind: fault })
      count(fault)
      return hangUp(raw)
    }
    inFlight++
    try {
      refresh()
      const given = await (route.open ? route.handle(call) : answer(route, call, fault))
      count(String(given.status))
      deliver(raw, given, fault, () => record(call.number, given))
    } catch (error) {
      count('defect')
      deliver(raw, json(500, { message: `defect of the simulator: ${String(error)}` }), null, () => {})
    } finally {
      inFlight--
    }
  }

  const server = await createServer(settings.slowMs + settings.latencyMs * 2)
  stack.defer(() => server.close().then(() => {}))
  const { home } = vendor
  const homeOf = home === undefined ? null : serve({ method: 'GET', path: '/', handle: call => home(call) })
  addHouseRoutes(server, journal, homeOf, url => vendorWelcome(spec, settings, url, shop.asins))
  for (const route of vendor.routes) server.route({ method: route.method, url: route.path, handler: serve(route) })
  const unknown: Route = { method: 'GET', path: '*', open: true, handle: call => vendor.notFound(call) }
  server.setNotFoundHandler(serve(unknown))
  server.addHook('onRequest', async (request, reply) => {
    if (!hostAllowed(request.headers.host, host))
      await reply.code(421).send('this server does not answer to that host name')
  })
  try {
    await server.listen({ host, port })
  } catch (error) {
    throw listenError(error, host, port)
  }
  const bound = (server.server.address() as { port: number }).port
  const opened = stack.move()
  const close = () => {
    closing.abort()
    return opened.disposeAsync()
  }
  return {
    url: baseUrl(host, bound),
    journal: journal.entries,
    counts,
    get ticks() {
      return shop.ticks
    },
    advance(ticks = 1) {
      extraTicks += ticks
      refresh()
    },
    setFaults: (share, each = {}) => faults.set(share, each),
    failNext: kind => faults.next(kind),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function createServer(slowestMs: number): Promise<FastifyInstance> {
  const { fastify } = await import('fastify')
  // A slow answer is not an idle connection.
  const server = fastify({
    ...serverLimits,
    bodyLimit: 8 * 1024 * 1024,
    routerOptions: { ...serverLimits.routerOptions, ignoreTrailingSlash: true },
    connectionTimeout: serverLimits.connectionTimeout + slowestMs,
    logger: false,
  })
  server.server.maxConnections = maxConnections
  // Vendors differ in what they say to a body that is no JSON, and signatures are over its bytes.
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  return server
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

/** What no vendor has: a page for a person, and the journal. */
function addHouseRoutes(
  server: FastifyInstance,
  journal: Journal<VendorEntry>,
  home: Handler | null,
  welcome: (url: string) => string,
): void {
  server.get('/', (request, reply) =>
    home !== null && request.raw.url!.includes('?')
      ? home(request, reply)
      : reply.type('text/plain; charset=utf-8').send(welcome(originOf(request))),
  )
  server.get('/_journal', (_request, reply) =>
    reply.type('application/x-ndjson').send(journal.entries.map(each => `${JSON.stringify(each)}\n`).join('')),
  )
}

const originOf = (request: FastifyRequest) => `http://${request.headers.host}`

function callOf(request: FastifyRequest, number: number): Call {
  const target = request.raw.url!
  const [path, query] = target.split(/\?(.*)/s)
  return {
    number,
    method: request.method,
    target,
    path: path!,
    params: request.params as Record<string, string>,
    query: new URLSearchParams(query ?? ''),
    headers: request.headers,
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
    origin: originOf(request),
  }
}

function plainTrouble(fault: string): Answer {
  if (fault === 'html') return html(200, htmlPage)
  return json(Number(fault) || 500, { message: 'something went wrong' })
}

/** Journals what an answer carried, and knows which versions were served before. */
function recorder(journal: Journal<VendorEntry>) {
  const known = new Set<string>()
  return (call: number, { facts = [], jobs = [] }: { facts?: readonly Fact[]; jobs?: readonly string[] }) => {
    const served = facts.map(fact => {
      const key = `${fact.what} ${fact.asin} ${fact.id} ${fact.id === '' ? fact.sha256 : fact.version}`
      const first = !known.has(key)
      known.add(key)
      return { event: 'served', call, ...fact, first } as const
    })
    journal.add([...(jobs.length > 0 ? [{ event: 'told', call, jobs } as const] : []), ...served])
  }
}
