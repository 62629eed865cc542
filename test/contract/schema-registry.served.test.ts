// The adapter for Confluent-compatible registries over the embedded registry's own server: both ends of the REST contract, under the contract
// of the port.

import { openHttpRegistry } from '../../src/adapters/registry-http/registry.ts'
import { systemClock } from '../../src/core/clock.ts'
import { Secret } from '../../src/core/secret.ts'
import type { SchemaRegistry } from '../../src/pipeline/ports.ts'
import { serveRegistry } from '../support/registry-server.ts'
import { type RegistryPlace, schemaRegistryContract } from './schema-registry.ts'

const token = 'canary-served-token'

async function openPlace(): Promise<RegistryPlace> {
  const served = await serveRegistry({ full: token })
  const registries: SchemaRegistry[] = []
  return {
    prefix: 'T',
    connect: async () => {
      const registry = await openHttpRegistry({
        url: served.url,
        auth: { username: 'weir', password: () => new Secret(token) },
        tls: null,
        timeoutMs: 10_000,
        clock: systemClock,
        random: Math.random,
      })
      registries.push(registry)
      return registry
    },
    [Symbol.asyncDispose]: async () => {
      for (const registry of registries) await registry[Symbol.asyncDispose]()
      await served[Symbol.asyncDispose]()
    },
  }
}

schemaRegistryContract(
  'http over the embedded registry',
  { ownGlobalLevel: true, firstGlobalLevel: 'BACKWARD', tellsMissingLevel: true, docsCount: true },
  openPlace,
)
