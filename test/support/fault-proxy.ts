// A TCP proxy that does to connections what networks do: late, slow, in slices, silent, refused, reset, cut short. Deterministic: what it does
// is ordered by the test, and it waits for nothing but the latency it was told. For HTTP as for Kafka; openKafkaProxy knows Kafka's frames.
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import type { Direction, Network } from './fault-proxy/flow.ts'
import { type Link, openLink, passAll, type Reader } from './fault-proxy/link.ts'
import { freePort } from './services/ports.ts'

export interface ProxyOptions {
  /** host:port of the service. */
  readonly target: string
  /** Port of 127.0.0.1; default: a free one. */
  readonly listen?: number
}

export interface FaultProxy extends AsyncDisposable {
  /** host:port for clients. */
  readonly address: string
  readonly port: number
  /** Connections accepted so far, and those open now. */
  readonly accepted: number
  readonly open: number

  /** Each byte arrives so much later, both ways; order stays. */
  latency(ms: number, jitterMs?: number): void
  /** Each way, for each connection. */
  bandwidth(bytesPerSecond: number): void
  /** Writes of at most so many bytes. */
  slice(bytes?: number): void
  /** Connections are accepted and stay open, but nothing moves, ends neither. What has come meanwhile goes on at `heal`. */
  blackHole(): void
  /** The port is closed, as when no process listens; what is open is reset. */
  refuse(): Promise<void>
  /** Listens again after `refuse`. */
  accept(): Promise<void>
  /** All open connections. */
  resetAll(): void
  /** Each connection is reset after so many more bytes of a direction (default: answers). */
  resetAfter(bytes: number, direction?: Direction): void
  /** Each connection is ended in good order after so many more bytes of a direction (default: answers). */
  endAfter(bytes: number, direction?: Direction): void
  /** Latency, bandwidth, slices, black hole and cuts are over. A refused port stays so. */
  heal(): void
}

/** @throws when the port is taken */
export function openFaultProxy(options: ProxyOptions): Promise<FaultProxy> {
  return openProxy(options, passAll)
}

export async function openProxy(options: ProxyOptions, reader: Reader): Promise<FaultProxy> {
  const port = options.listen ?? (await freePort())
  const network: Network = { ...healthy, silence: null, cut: null, chance: chances(1) }
  const links = new Set<Link>()
  let accepted = 0
  let server: Server | null = null

  const proxy: FaultProxy = {
    address: `127.0.0.1:${port}`,
    port,
    get accepted() {
      return accepted
    },
    get open() {
      return [...links].filter(link => !link.closed).length
    },
    latency(ms, jitterMs = 0) {
      network.latencyMs = ms
      network.jitterMs = jitterMs
    },
    bandwidth(bytesPerSecond) {
      network.bytesPerSecond = bytesPerSecond
    },
    slice(bytes = 1) {
      network.sliceBytes = bytes
    },
    blackHole() {
      network.silence ??= Promise.withResolvers()
    },
    async refuse() {
      const closing = server
      server = null
      const closed = closing && once(closing, 'close')
      closing?.close()
      proxy.resetAll()
      await closed
    },
    async accept() {
      if (server !== null) return
      server = createServer({ allowHalfOpen: true }, client => {
        accepted++
        const link = openLink(client, options.target, network, reader, () => links.delete(link))
        links.add(link)
      })
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
    resetAll() {
      for (const link of links) link.reset()
    },
    resetAfter(afterBytes, direction = 'answer') {
      network.cut = { afterBytes, direction, how: 'reset', passed: new WeakMap() }
    },
    endAfter(afterBytes, direction = 'answer') {
      network.cut = { afterBytes, direction, how: 'end', passed: new WeakMap() }
    },
    heal() {
      Object.assign(network, healthy)
      network.cut = null
      network.silence?.resolve()
      network.silence = null
    },
    async [Symbol.asyncDispose]() {
      await proxy.refuse()
      proxy.heal()
    },
  }
  await proxy.accept()
  return proxy
}

const healthy = {
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  sliceBytes: Number.POSITIVE_INFINITY,
}

/** Numbers from 0 to 1 that look like chance and are the same for the same seed (mulberry32). */
function chances(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
