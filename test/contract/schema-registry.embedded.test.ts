// The embedded registry under the contract of the port.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedRegistry } from '../../src/adapters/registry-embedded/registry.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { SchemaRegistry } from '../../src/pipeline/ports.ts'
import { type RegistryPlace, schemaRegistryContract } from './schema-registry.ts'

async function openPlace(): Promise<RegistryPlace> {
  const dataDir = await mkdtemp(join(tmpdir(), 'weir-registry-'))
  const registries: SchemaRegistry[] = []
  return {
    prefix: 'T',
    connect: async () => {
      const registry = await openEmbeddedRegistry({ dataDir, clock: systemClock })
      registries.push(registry)
      return registry
    },
    [Symbol.asyncDispose]: async () => {
      for (const registry of registries) await registry[Symbol.asyncDispose]()
      await rm(dataDir, { recursive: true })
    },
  }
}

schemaRegistryContract(
  'embedded',
  { ownGlobalLevel: true, firstGlobalLevel: 'BACKWARD', tellsMissingLevel: true, docsCount: true },
  openPlace,
)
