// One proxied connection: a client's socket, a socket to the service, a flow each way.
import { connect, type Socket } from 'node:net'
import { type Flow, type Network, openFlow } from './flow.ts'

export interface Link {
  /** To the service. */
  readonly up: Flow
  /** To the client. */
  readonly down: Flow
  readonly closed: boolean
  /** Both ends see a reset, and what is on its way is lost. */
  reset(): void
  /** The client sees a reset; the service notices nothing, and what it still says is read and lost. */
  resetClient(): void
  /** Both ends see an end after what has gone through. */
  end(): void
}

/** Where bytes go on their way: into `up` or `down`, changed, later, or not at all. */
export interface Reader {
  request(link: Link, bytes: Buffer): void
  answer(link: Link, bytes: Buffer): void
}

export const passAll: Reader = {
  request: (link, bytes) => link.up.push(bytes),
  answer: (link, bytes) => link.down.push(bytes),
}

/** Calls the service and joins the two. `onClose` comes when both sockets are gone. */
export function openLink(client: Socket, target: string, network: Network, reader: Reader, onClose: () => void): Link {
  const at = target.lastIndexOf(':')
  const service = connect({ host: target.slice(0, at), port: Number(target.slice(at + 1)), allowHalfOpen: true })
  const over = new AbortController()
  const close = () => over.abort()
  const cut = (how: 'end' | 'reset') => (how === 'end' ? link.end() : link.reset())
  const { signal } = over
  const link: Link = {
    up: openFlow(network, { direction: 'request', from: client, to: service, signal, cut }),
    down: openFlow(network, { direction: 'answer', from: service, to: client, signal, cut }),
    get closed() {
      return signal.aborted
    },
    reset() {
      close()
      client.resetAndDestroy()
      service.resetAndDestroy()
    },
    resetClient() {
      close()
      client.resetAndDestroy()
    },
    end() {
      close()
      client.destroySoon()
      service.destroySoon()
    },
  }
  client.setNoDelay(true)
  service.setNoDelay(true)
  client.on('data', (bytes: Buffer) => reader.request(link, bytes)).on('end', () => link.up.after(() => service.end()))
  service.on('data', (bytes: Buffer) => reader.answer(link, bytes)).on('end', () => link.down.after(() => client.end()))
  for (const [socket, other] of [
    [client, service],
    [service, client],
  ] as const) {
    socket.on('error', () => {
      close()
      other.resetAndDestroy()
    })
    socket.on('close', () => {
      if (!client.destroyed || !service.destroyed) return
      close()
      onClose()
    })
  }
  return link
}
