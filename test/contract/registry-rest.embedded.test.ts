// The embedded registry under the REST contract.
import { afterAll, beforeAll, describe } from 'vitest'
import { type ServedRegistry, serveRegistry } from '../support/registry-server.ts'
import { registryRestContract } from './registry-rest.ts'

let served: ServedRegistry
beforeAll(async () => {
  served = await serveRegistry()
})
afterAll(() => served?.[Symbol.asyncDispose]())

describe('REST contract: embedded', () => registryRestContract(() => served))
