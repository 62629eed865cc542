// An embedded registry behind its HTTP server, on a folder of its own.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSchemaBook, type SchemaBook } from '../../src/adapters/registry-embedded/book.ts'
import { systemClock } from '../../src/core/clock.ts'
import { Secret } from '../../src/core/secret.ts'
import { type RegistryServer, startRegistryServer } from '../../src/registry-server/server.ts'

export interface ServedRegistry extends RegistryServer {
  readonly book: SchemaBook
  readonly dataDir: string
  /** What went wrong inside. */
  readonly errors: unknown[]
}

export interface Answer {
  readonly status: number
  readonly type: string
  readonly text: string
  /** undefined for what is no JSON. */
  readonly body: unknown
  readonly headers: Headers
}

export async function serveRegistry(
  tokens: { readonly full?: string; readonly read?: string } = {},
): Promise<ServedRegistry> {
  const dataDir = await mkdtemp(join(tmpdir(), 'weir-registry-'))
  const book = await openSchemaBook({ dataDir, clock: systemClock })
  const errors: unknown[] = []
  const token = (text: string | undefined) => {
    const secret = text === undefined ? null : new Secret(text)
    return secret && (() => secret)
  }
  const server = await startRegistryServer({
    book,
    host: '127.0.0.1',
    port: 0,
    tokens: { full: token(tokens.full), read: token(tokens.read) },
    onError: thrown => errors.push(thrown),
  })
  return {
    ...server,
    book,
    dataDir,
    errors,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]()
      await book[Symbol.asyncDispose]()
      await rm(dataDir, { recursive: true })
    },
  }
}

/** One request. A body that is no string is sent as JSON. */
export async function ask(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/vnd.schemaregistry.v1+json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    parsed = undefined
  }
  const type = response.headers.get('content-type') ?? ''
  return { status: response.status, type, text, body: parsed, headers: response.headers }
}
