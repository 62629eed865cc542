// A schema registry that speaks Confluent's REST contract, in this process, with everything that can go wrong at hand.
// Compatibility is decided by the embedded registry's check.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { checkLevel } from '../../src/governance/levels.ts'
import { parseStoredSchema } from '../../src/governance/named-schema.ts'
import { confluentText } from '../../src/governance/reason.ts'
import type { CompatibilityLevel, RegisteredSchema } from '../../src/pipeline/ports.ts'
import { canonicalText } from '../../src/schema/parse.ts'

export interface FakeRequest {
  readonly method: string
  /** Path and query as sent. */
  readonly target: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface FakeRegistry extends AsyncDisposable {
  readonly url: string
  readonly requests: FakeRequest[]
  /** Writes the answer itself and returns true, or leaves it to the registry. A thrown thing is an answer that never comes. */
  trouble: ((request: FakeRequest, response: ServerResponse) => boolean) | null
  /** What the registry would answer is changed on its way out. */
  lie: ((request: FakeRequest, value: unknown) => unknown) | null
  /** Credentials it wants, as in the authorization header. */
  authorization: string | null
  /** Stops listening and cuts connections; `start` listens on the same port again. */
  stop(): Promise<void>
  start(): Promise<void>
  /** Forgets everything; ids begin anew. */
  wipe(): void
}

class Refusal {
  readonly code: number
  readonly message: string

  constructor(code: number, message: string) {
    this.code = code
    this.message = message
  }
}

class Store {
  readonly texts: string[] = []
  readonly subjects = new Map<string, { version: number; id: number }[]>()
  readonly levels = new Map<string, CompatibilityLevel>()
  globalLevel: CompatibilityLevel = 'BACKWARD'

  registered(subject: string): RegisteredSchema[] {
    return (this.subjects.get(subject) ?? []).map(({ version, id }) => ({
      subject,
      version,
      id,
      schema: this.texts[id - 1]!,
    }))
  }

  known(subject: string): RegisteredSchema[] {
    const versions = this.registered(subject)
    if (versions.length === 0) throw new Refusal(40401, `Subject '${subject}' not found.`)
    return versions
  }

  version(subject: string, version: string): RegisteredSchema {
    const versions = this.known(subject)
    const found = version === 'latest' ? versions.at(-1) : versions.find(each => each.version === Number(version))
    if (found) return found
    if (!/^[1-9]\d*$/.test(version))
      throw new Refusal(42202, `The specified version '${version}' is not a valid version id.`)
    throw new Refusal(40402, `Version ${version} not found.`)
  }

  levelOf(subject: string): CompatibilityLevel {
    return this.levels.get(subject) ?? this.globalLevel
  }

  register(subject: string, written: string): { id: number } {
    const text = validated(written)
    const versions = this.registered(subject)
    const there = versions.find(each => each.schema === text)
    if (there) return { id: there.id }
    const reasons = reasonsAgainst(this.levelOf(subject), text, versions)
    if (reasons.length > 0)
      throw new Refusal(
        40901,
        `Schema being registered is incompatible with an earlier schema for subject "${subject}", details: [${reasons.join(', ')}, {oldSchemaVersion: ${versions.at(-1)!.version}}, {oldSchema: '${versions.at(-1)!.schema}'}, {validateFields: 'false', compatibility: '${this.levelOf(subject)}'}]`,
      )
    if (!this.texts.includes(text)) this.texts.push(text)
    const id = this.texts.indexOf(text) + 1
    this.subjects.set(subject, [...(this.subjects.get(subject) ?? []), { version: versions.length + 1, id }])
    return { id }
  }
}

function reasonsAgainst(level: CompatibilityLevel, text: string, versions: readonly RegisteredSchema[]): string[] {
  const old = versions.map(({ version, schema }) => ({ version, schema: parseStoredSchema(schema) }))
  return checkLevel(level, parseStoredSchema(text), old).flatMap(({ direction, reasons }) =>
    reasons.map(reason => confluentText(reason, direction === 'backward' ? 'new' : 'old')),
  )
}

function validated(text: string): string {
  try {
    return canonicalText(text)
  } catch {
    throw new Refusal(42201, 'Either the input schema or one its references is invalid')
  }
}

type Handle = (store: Store, parts: readonly string[], body: Record<string, string>, query: URLSearchParams) => unknown

/** Method and path, `*` for a part; parts are handed over in their order. */
const routes: readonly (readonly [string, Handle])[] = [
  ['GET /subjects', store => [...store.subjects.keys()]],
  ['GET /subjects/*/versions', (store, [subject]) => store.known(subject!).map(each => each.version)],
  ['GET /subjects/*/versions/*', (store, [subject, version]) => store.version(subject!, version!)],
  ['POST /subjects/*/versions', (store, [subject], { schema }) => store.register(subject!, schema!)],
  [
    'POST /subjects/*',
    (store, [subject], { schema }) => {
      const versions = store.known(subject!)
      const text = validated(schema!)
      const found = versions.find(each => each.schema === text)
      if (found) return found
      throw new Refusal(40403, 'Schema not found')
    },
  ],
  [
    'GET /schemas/ids/*',
    (store, [id]) => {
      const schema = store.texts[Number(id) - 1]
      if (schema !== undefined) return { schema }
      throw new Refusal(40403, `Schema ${id} not found`)
    },
  ],
  [
    'POST /compatibility/subjects/*/versions/*',
    (store, [subject, version], { schema }) => {
      const text = validated(schema!)
      if (version === 'latest' && !store.subjects.has(subject!)) return { is_compatible: true, messages: [] }
      // Against one version only, whatever the level.
      const level = store.levelOf(subject!).replace('_TRANSITIVE', '') as CompatibilityLevel
      const reasons = reasonsAgainst(level, text, [store.version(subject!, version!)])
      return reasons.length > 0
        ? { is_compatible: false, messages: [...reasons, '{oldSchemaVersion: 1}', "{oldSchema: '{}'}"] }
        : { is_compatible: true, messages: [] }
    },
  ],
  ['GET /config', store => ({ compatibilityLevel: store.globalLevel })],
  ['PUT /config', (store, _, { compatibility }) => ({ compatibility: (store.globalLevel = compatibility as never) })],
  [
    'GET /config/*',
    (store, [subject], _, query) => {
      const own = store.levels.get(subject!)
      if (own) return { compatibilityLevel: own }
      if (query.get('defaultToGlobal') === 'true') return { compatibilityLevel: store.globalLevel }
      throw new Refusal(40408, `Subject '${subject}' does not have subject-level compatibility configured`)
    },
  ],
  [
    'PUT /config/*',
    (store, [subject], { compatibility }) => {
      store.levels.set(subject!, compatibility as CompatibilityLevel)
      return { compatibility }
    },
  ],
]

function route(store: Store, request: FakeRequest): unknown {
  const { pathname, searchParams } = new URL(request.target, 'http://host')
  const parts = pathname.slice(1).split('/')
  for (const [pattern, handle] of routes) {
    const [method, path] = pattern.split(' ') as [string, string]
    const wanted = path.slice(1).split('/')
    if (method !== request.method || wanted.length !== parts.length) continue
    if (!wanted.every((each, i) => each === '*' || each === parts[i])) continue
    const given = parts.filter((_, i) => wanted[i] === '*').map(decodeURIComponent)
    return handle(store, given, request.body === '' ? {} : JSON.parse(request.body), searchParams)
  }
  throw new Refusal(404, 'HTTP 404 Not Found')
}

export async function fakeRegistry(tls?: ServerOptions): Promise<FakeRegistry> {
  let store = new Store()
  const requests: FakeRequest[] = []
  const answer = (request: FakeRequest, response: ServerResponse) => {
    if (self.authorization !== null && request.headers.authorization !== self.authorization)
      return give(response, 401, { error_code: 401, message: 'Unauthorized' })
    try {
      const value = route(store, request)
      give(response, 200, self.lie ? self.lie(request, value) : value)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const { code, message } = error
      give(response, code > 999 ? Math.floor(code / 100) : code, { error_code: code, message })
    }
  }
  const onRequest = (incoming: IncomingMessage, response: ServerResponse) => {
    let body = ''
    incoming.setEncoding('utf8')
    incoming.on('data', chunk => (body += chunk))
    incoming.on('end', () => {
      const { method, url, headers } = incoming
      const request = { method: method!, target: url!, headers, body }
      requests.push(request)
      if (!self.trouble?.(request, response)) answer(request, response)
    })
  }
  const server: Server = tls ? createTlsServer(tls, onRequest) : createServer(onRequest)
  server.on('tlsClientError', () => {})
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const port = await listen(0)
  const self: FakeRegistry = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    trouble: null,
    lie: null,
    authorization: null,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
    async start() {
      await listen(port)
    },
    wipe() {
      store = new Store()
    },
    async [Symbol.asyncDispose]() {
      if (server.listening) await self.stop()
    },
  }
  return self
}

/** Writes an answer as Confluent does. */
export function give(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/vnd.schemaregistry.v1+json' }).end(JSON.stringify(value))
}
