// The registry adapter over a fake registry, for tests: opened with what a test cares about, closed together.
import type { HttpRegistryOptions } from '../../src/adapters/registry-http/options.ts'
import { openHttpRegistry } from '../../src/adapters/registry-http/registry.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { SchemaRegistry } from '../../src/pipeline/ports.ts'
import { type FakeRegistry, fakeRegistry } from './fake-registry.ts'

export interface RegistryScene extends AsyncDisposable {
  readonly server: FakeRegistry
  /** A registry as another process would open it. */
  open(options?: Partial<HttpRegistryOptions>): Promise<SchemaRegistry>
}

export async function registryScene(): Promise<RegistryScene> {
  const stack = new AsyncDisposableStack()
  const server = stack.use(await fakeRegistry())
  return {
    server,
    open: async options => stack.use(await openHttpRegistry({ ...registryOptions(server.url), ...options })),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

export function registryOptions(url: string): HttpRegistryOptions {
  return { url, auth: null, tls: null, timeoutMs: 5_000, clock: systemClock, random: () => 0.5 }
}

/** A record schema with one field. */
export function schemaOf(name: string, type: unknown = 'string', more: object = {}): string {
  return JSON.stringify({ type: 'record', name, fields: [{ name: 'id', type, ...more }] })
}
