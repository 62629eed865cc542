// A simulated review vendor: real reviews behind an API with pages, limits and faults on request. What tests, the demo and a user without
// credentials run against. It keeps a journal of every review version it served, for an auditor. `GET /` on it says what it offers.
import { baseUrl, listenError, maxConnections, serverLimits } from '../core/http-server.ts'
import { createItemWriter } from './item.ts'
import { createJournal, factsOf, type Served, type VersionFacts } from './journal.ts'
import { checkFaults, type FaultKind, type Settings, type SimulateOptions, settingsOf } from './options.ts'
import { addRoutes } from './routes.ts'
import { createWorld } from './world.ts'

export type { Damage } from './item.ts'
export type { Served, VersionFacts } from './journal.ts'
export type { FaultKind, SimulateOptions } from './options.ts'
export { faultKinds } from './options.ts'

export interface Simulation extends AsyncDisposable {
  /** Such as http://127.0.0.1:4505, without a slash at the end. */
  readonly url: string
  /** Every review version served in full, in order. Bounded: the oldest are let go after 200,000. */
  readonly journal: readonly Served[]
  /** Calls answered, by what they got. */
  readonly counts: Readonly<Record<string, number>>
  /** New reviews and edits so far, the ticks it was started with included. */
  readonly ticks: number
  /** What the vendor has now, each review in its newest version, oldest first. Looking is not serving. */
  present(asin?: string): readonly VersionFacts[]
  /** Lets ticks happen now, besides those of `addEveryMs`. */
  advance(ticks?: number): void
  /** Changes the faults from the next call on. @throws usage.invalid */
  setFaults(share: number, kinds?: readonly FaultKind[]): void
  close(): Promise<void>
}

/** Starts the vendor. @throws listen.failed, usage.invalid */
export async function simulateReviews(options: SimulateOptions = {}): Promise<Simulation> {
  const settings = settingsOf(options)
  const { host, port, addEveryMs, clock } = settings
  await using stack = new AsyncDisposableStack()
  const journal = stack.use(createJournal(settings.journalFile))
  const world = createWorld(settings)
  const write = createItemWriter(settings)
  const counts: Record<string, number> = {}
  const startedMs = clock.monotonic()
  let extraTicks = settings.ticks
  const refresh = () => {
    const passed = addEveryMs === null ? 0 : Math.floor((clock.monotonic() - startedMs) / addEveryMs)
    world.advanceTo(extraTicks + passed)
  }
  const closing = new AbortController()
  const vendor = {
    settings,
    world,
    journal,
    write,
    faults: settings as Pick<Settings, 'faults' | 'faultKinds'>,
    count: (what: string) => {
      counts[what] = (counts[what] ?? 0) + 1
    },
    closing: closing.signal,
    refresh,
  }
  const { fastify } = await import('fastify')
  const server = fastify({
    ...serverLimits,
    // A slow answer is not an idle connection.
    connectionTimeout: serverLimits.connectionTimeout + settings.slowMs,
    logger: false,
  })
  server.server.maxConnections = maxConnections
  stack.defer(() => server.close().then(() => {}))
  stack.defer(() => closing.abort())
  addRoutes(server, vendor)
  refresh()
  try {
    await server.listen({ host, port })
  } catch (error) {
    throw listenError(error, host, port)
  }
  const bound = (server.server.address() as { port: number }).port
  const opened = stack.move()
  const close = () => opened.disposeAsync()
  return {
    url: baseUrl(host, bound),
    journal: journal.entries,
    counts,
    get ticks() {
      return world.ticks
    },
    present(asin) {
      refresh()
      return world.versions(asin ?? null).map(version => factsOf(version, write(version)))
    },
    advance(ticks = 1) {
      extraTicks += ticks
      refresh()
    },
    setFaults(share, kinds = settings.faultKinds) {
      checkFaults(share, kinds)
      vendor.faults = { faults: share, faultKinds: kinds }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
