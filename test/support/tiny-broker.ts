// A Kafka broker of a few lines, for what no real one does on purpose: it reads requests and answers whatever a test tells it to.
import { createServer, type Socket } from 'node:net'

export interface HeardRequest {
  readonly apiKey: number
  readonly apiVersion: number
  readonly correlationId: number
  /** After api key, version, correlation id and client id. */
  readonly rest: Buffer
}

export interface TinyBroker extends AsyncDisposable {
  readonly port: number
  readonly heard: readonly HeardRequest[]
  readonly sockets: ReadonlySet<Socket>
}

/** A frame: length, correlation id, body. `length` overrides what is announced. */
export function frame(correlationId: number, body: Uint8Array, length = body.length + 4): Buffer {
  const head = Buffer.alloc(8)
  head.writeInt32BE(length)
  head.writeInt32BE(correlationId, 4)
  return Buffer.concat([head, body])
}

/** Listens on 127.0.0.1; each whole request goes to `answer` with the socket it came by. */
export async function openTinyBroker(answer: (request: HeardRequest, socket: Socket) => void): Promise<TinyBroker> {
  const heard: HeardRequest[] = []
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    let pending: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE()) {
        const end = 4 + pending.readInt32BE()
        const clientId = Math.max(pending.readInt16BE(12), 0)
        const request = {
          apiKey: pending.readInt16BE(4),
          apiVersion: pending.readInt16BE(6),
          correlationId: pending.readInt32BE(8),
          rest: pending.subarray(14 + clientId, end),
        }
        pending = pending.subarray(end)
        heard.push(request)
        answer(request, socket)
      }
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    heard,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
