// Ports for services that come and go. They are taken below the range from which the kernel picks ports of outgoing connections: a client
// that keeps calling a closed port inside that range sooner or later connects to itself, and the service cannot take its port again.
import { once } from 'node:events'
import { createServer } from 'node:net'

const first = 18_000
const count = 14_000
const given = new Set<number>()

/** A port of 127.0.0.1 that nobody listens on and that this process has not asked for before. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const port = first + Math.floor(Math.random() * count)
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port)) return port
  }
  throw new Error('no free port of 127.0.0.1 found')
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}
