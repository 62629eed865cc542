// The embedded registry over HTTP: Confluent's contract for Avro. Bound to a loopback address it answers only to loopback names; bound to
// another it wants a token.
import { STATUS_CODES } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { SchemaBook } from '../adapters/registry-embedded/book.ts'
import { RegistryRefusal, refusals } from '../adapters/registry-embedded/refusal.ts'
import { WeirError } from '../core/errors.ts'
import {
  baseUrl,
  hostAllowed,
  isLoopback,
  listenError,
  maxConnections,
  securityHeaders,
  serverLimits,
} from '../core/http-server.ts'
import { hasMoreItemsThan, nestsDeeperThan } from '../core/json-scan.ts'
import { accessOf, type Tokens } from './access.ts'
import { answerType, errorAnswer, mediaType, RawJson, readsType } from './answers.ts'
import { malformed, noSuchRoute, queryOf } from './request.ts'
import { type Route, routes } from './routes.ts'

export interface RegistryServerOptions {
  readonly book: SchemaBook
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  readonly tokens: Tokens
  /** Told what went wrong inside; the client hears no more than that it did. */
  readonly onError: (thrown: unknown) => void
  /** How host and port are set, for errors. */
  readonly words?: { readonly host: string; readonly port: string; readonly token: string }
}

export interface RegistryServer extends AsyncDisposable {
  readonly port: number
  readonly url: string
}

/** A schema of the largest size, with every character of it escaped. */
const bodyLimit = 2 * 1024 * 1024 + 64 * 1024
/** A request has four levels. */
const maxBodyDepth = 16
/** Tags and references; the schema is one text. */
const maxBodyItems = 50_000
/** A subject of 255 characters, percent-encoded, and longer ones that deserve an answer. */
const maxParamLength = 8 * 1024

/** Listens until disposed; the book stays open. @throws usage.refused for an open address without a token, listen.failed */
export async function startRegistryServer(options: RegistryServerOptions): Promise<RegistryServer> {
  const { host, port, tokens } = options
  const words = options.words ?? { host: '--host', port: '--port', token: '--token' }
  if (tokens.full === null && !isLoopback(host))
    throw new WeirError('usage.refused', `A registry on ${host} without a token is open to whoever reaches it.`, {
      at: words.host,
      hint: `Give it a token (${words.token}), or let it listen on 127.0.0.1.`,
    })
  const { fastify } = await import('fastify')
  const server = fastify({
    ...serverLimits,
    bodyLimit,
    // A client keeps its connection: registering is many short calls.
    maxRequestsPerSocket: 0,
    keepAliveTimeout: 30_000,
    routerOptions: {
      ...serverLimits.routerOptions,
      maxParamLength,
      onBadUrl: (_path, _request, response) => {
        response
          .writeHead(400, { 'content-type': mediaType })
          .end('{"error_code":400,"message":"HTTP 400 Bad Request"}')
      },
    },
    clientErrorHandler: (error, socket) => {
      if (error.code === 'ECONNRESET' || socket.destroyed) return
      const status = error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
      const body = `{"error_code":${status},"message":"HTTP ${status} ${STATUS_CODES[status]}"}`
      socket.end(
        `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${mediaType}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
      )
    },
    logger: false,
  })
  server.server.maxConnections = maxConnections
  guard(server, options)
  addRoutes(server, options)
  try {
    await server.listen({ host, port })
  } catch (error) {
    await server.close()
    throw listenError(error, host, port, words)
  }
  const taken = (server.server.address() as { port: number }).port
  return { port: taken, url: baseUrl(host, taken), [Symbol.asyncDispose]: async () => server.close() }
}

function guard(server: FastifyInstance, { host, tokens, onError }: RegistryServerOptions): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'string' }, (request, body, done) => {
    if (!readsType(request.headers['content-type'])) done(new RegistryRefusal(415, 'HTTP 415 Unsupported Media Type'))
    else if (body === '') done(null, undefined)
    // Looked at before it is built: an empty list costs memory many times its two characters.
    else if (nestsDeeperThan(body as string, maxBodyDepth))
      done(malformed(`The body nests deeper than ${maxBodyDepth} levels`))
    else if (hasMoreItemsThan(body as string, maxBodyItems))
      done(malformed(`The body has more than ${maxBodyItems} items`))
    else
      try {
        done(null, JSON.parse(body as string))
      } catch {
        done(malformed('The body is no JSON'))
      }
  })
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders).type(mediaType)
    if (!hostAllowed(request.headers.host, host)) throw new RegistryRefusal(421, 'HTTP 421 Misdirected Request')
    const access = await accessOf(request.headers.authorization, tokens)
    if (access === 'none') {
      reply.header('www-authenticate', 'Basic realm="weir schema registry"')
      throw new RegistryRefusal(401, 'Unauthorized')
    }
    const looks = (request.routeOptions.config as { looks?: boolean }).looks ?? true
    if (access === 'read' && !looks) throw new RegistryRefusal(40301, 'This token may look, not change anything')
    const type = answerType(request.headers.accept)
    if (type === null) throw new RegistryRefusal(406, 'HTTP 406 Not Acceptable')
    reply.type(type)
  })
  const fail = (thrown: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const { status, body } = errorAnswer(ofFramework(thrown), onError)
    return reply
      .code(status)
      .type(answerType(request.headers.accept) ?? mediaType)
      .send(JSON.stringify(body))
  }
  server.setNotFoundHandler((request, reply) => fail(noSuchRoute(), request, reply))
  server.setErrorHandler(fail)
}

/** What fastify itself refuses, in Confluent's numbers. */
function ofFramework(thrown: unknown): unknown {
  const { code, statusCode } = thrown as { code?: unknown; statusCode?: unknown }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return refusals.tooLarge()
  if (typeof code === 'string' && code.startsWith('FST_') && typeof statusCode === 'number' && statusCode < 500)
    return new RegistryRefusal(statusCode, `HTTP ${statusCode} ${STATUS_CODES[statusCode]}`)
  return thrown
}

const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'] as const

function addRoutes(server: FastifyInstance, { book }: RegistryServerOptions): void {
  const handle = async ({ answer }: Route, request: FastifyRequest, reply: FastifyReply) => {
    const { params, query, body } = request
    const value = await answer({ book, path: params as Record<string, string>, query: queryOf(query), body })
    return reply.send(value instanceof RawJson ? value.text : JSON.stringify(value))
  }
  for (const route of routes)
    server.route({
      method: route.method,
      url: route.path,
      config: { looks: route.looks },
      handler: (request, reply) => handle(route, request, reply),
    })
  for (const path of new Set(routes.map(each => each.path))) {
    const has = routes.filter(each => each.path === path).map(each => each.method as string)
    server.route({
      method: methods.filter(each => !has.includes(each)),
      url: path,
      handler: async (_request, reply) => {
        reply.header('allow', has.join(', '))
        throw new RegistryRefusal(405, 'HTTP 405 Method Not Allowed')
      },
    })
  }
}
