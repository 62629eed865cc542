// The adapter for Confluent-compatible registries under the contract of the port, over a server that speaks Confluent's contract.
import { openHttpRegistry } from '../../src/adapters/registry-http/registry.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { SchemaRegistry } from '../../src/pipeline/ports.ts'
import { fakeRegistry } from '../support/fake-registry.ts'
import { type RegistryPlace, schemaRegistryContract } from './schema-registry.ts'

async function openPlace(): Promise<RegistryPlace> {
  const server = await fakeRegistry()
  const registries: SchemaRegistry[] = []
  return {
    prefix: 'T',
    connect: async () => {
      const { url } = server
      const options = { url, auth: null, tls: null, timeoutMs: 10_000, clock: systemClock, random: Math.random }
      const registry = await openHttpRegistry(options)
      registries.push(registry)
      return registry
    },
    [Symbol.asyncDispose]: async () => {
      for (const registry of registries) await registry[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

schemaRegistryContract(
  'http',
  { ownGlobalLevel: true, firstGlobalLevel: 'BACKWARD', tellsMissingLevel: true, docsCount: true },
  openPlace,
)
