// Global set-up of the vitest project `services`: keeps the shared services of one run in vitest's own process, and hands them out to
// test files, which run in others, over a local port. Nothing starts before a test file asks.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'
import { MissingService } from './missing.ts'
import { openServices, type SharedName } from './shared.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    weirServiceDesk: string
  }
}

/** What the desk answers: the service, or why there is none. */
export type DeskAnswer<T> = { readonly service: T } | { readonly missing: string } | { readonly failed: string }

export default async function openDesk(project: TestProject): Promise<() => Promise<void>> {
  const services = openServices()
  const server = createServer(async (request, response) => {
    let answer: DeskAnswer<unknown>
    try {
      answer = { service: await services.take(request.url!.slice(1) as SharedName) }
    } catch (error) {
      const { message } = error as Error
      answer = error instanceof MissingService ? { missing: message } : { failed: message }
    }
    response.end(JSON.stringify(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  project.provide('weirServiceDesk', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  return async () => {
    server.closeAllConnections()
    server.close()
    await services[Symbol.asyncDispose]()
  }
}
