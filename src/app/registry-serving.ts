// The embedded registry served over HTTP: alone (weir registry serve), and beside a running pipeline.
import { openSchemaBook } from '../adapters/registry-embedded/book.ts'
import type { RegistryServeDefinition } from '../config/definition.ts'
import type { Clock } from '../core/clock.ts'
import { type RegistryServer, type RegistryServerOptions, startRegistryServer } from '../registry-server/server.ts'

export interface RegistryServing {
  readonly dataDir: string
  readonly serve: RegistryServeDefinition
  readonly clock: Clock
  /** Told what went wrong inside. */
  readonly onError: (thrown: unknown) => void
  readonly words?: RegistryServerOptions['words']
}

/** Serves until disposed. @throws log.*, listen.failed, usage.refused */
export async function serveEmbeddedRegistry(options: RegistryServing): Promise<RegistryServer> {
  const { dataDir, serve, clock, onError, words } = options
  await using stack = new AsyncDisposableStack()
  const book = stack.use(await openSchemaBook({ dataDir, clock }))
  const server = stack.use(
    await startRegistryServer({
      book,
      host: serve.host,
      port: serve.port,
      tokens: { full: serve.token, read: serve.readToken },
      onError,
      ...(words ? { words } : {}),
    }),
  )
  const opened = stack.move()
  return { url: server.url, port: server.port, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}
