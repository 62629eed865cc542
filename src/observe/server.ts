// /livez, /readyz and /metrics over HTTP: small, read-only, safe to leave open to the machine it runs on.
// Bound to a loopback address it answers only to loopback names, so that a web page cannot read it through DNS rebinding.
import type { FastifyInstance } from 'fastify'
import {
  baseUrl,
  hostAllowed,
  listenError,
  maxConnections,
  securityHeaders,
  serverLimits,
} from '../core/http-server.ts'
import type { Health, HealthState } from './health.ts'
import type { Metrics } from './metrics.ts'
import { safeValue } from './safe-text.ts'

export interface HealthServerOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** 0 takes a free port. */
  readonly port: number
  readonly health: Health
  /** Omitted: /metrics answers 404. */
  readonly metrics?: Metrics | undefined
  /** Host names it answers to besides loopback names. */
  readonly allowedHosts?: readonly string[]
}

export interface HealthServer extends AsyncDisposable {
  readonly port: number
  readonly url: string
}

const bodyOf = (status: string, state: HealthState) => ({
  status,
  live: state.live,
  ready: state.ready,
  degraded: state.degraded,
  reasons: state.reasons.map(({ sinceMs, ...reason }) => ({
    ...(safeValue(reason) as object),
    since: new Date(sinceMs).toISOString(),
  })),
})

/** Listens until disposed. @throws listen.failed */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const host = options.host ?? '127.0.0.1'
  const { fastify } = await import('fastify')
  const server = fastify({ ...serverLimits, bodyLimit: 1024, logger: false })
  server.server.maxConnections = maxConnections
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders)
    if (!hostAllowed(request.headers.host, host, options.allowedHosts))
      await reply.code(421).send({ error: 'this server does not answer to that host name' })
  })
  addRoutes(server, options)
  try {
    await server.listen({ host, port: options.port })
  } catch (error) {
    await server.close()
    throw listenError(error, host, options.port)
  }
  const { port } = server.server.address() as { port: number }
  return { port, url: baseUrl(host, port), [Symbol.asyncDispose]: async () => server.close() }
}

function addRoutes(server: FastifyInstance, { health, metrics }: HealthServerOptions): void {
  server.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ error: 'not found', paths: ['/livez', '/readyz', ...(metrics ? ['/metrics'] : [])] }),
  )
  server.setErrorHandler((error: { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? 500
    return reply.code(status).send({ error: status < 500 ? 'bad request' : 'internal error' })
  })
  server.get('/livez', (_request, reply) => {
    const state = health.state()
    return reply.code(state.live ? 200 : 503).send(bodyOf(state.live ? 'live' : 'dead', state))
  })
  server.get('/readyz', (_request, reply) => {
    const state = health.state()
    const status = state.ready ? (state.degraded ? 'degraded' : 'ready') : 'unready'
    return reply.code(state.ready ? 200 : 503).send(bodyOf(status, state))
  })
  if (metrics)
    server.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()))
}
