// A server that says exactly the bytes a test wants, right or wrong HTTP, over TCP or TLS, and keeps what it was sent.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'

export interface RawRequest {
  readonly method: string
  readonly target: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Writes its answer; the connection stays open unless it is ended. */
export type Respond = (socket: Socket, request: RawRequest, server: RawServer) => void | Promise<void>

export interface RawServer extends AsyncDisposable {
  readonly port: number
  readonly url: string
  readonly requests: RawRequest[]
  /** Connections accepted, requests or not. */
  readonly connections: () => number
}

export async function rawServer(
  respond: Respond,
  tls?: { key: string; cert: string },
  host = '127.0.0.1',
): Promise<RawServer> {
  const requests: RawRequest[] = []
  const sockets = new Set<Socket>()
  let connections = 0
  const onSocket = (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    let received = ''
    socket.setEncoding('latin1').on('data', chunk => {
      received += chunk
      // A TLS greeting where plain text was due is answered like a request.
      if (!tls && received.charCodeAt(0) === 0x16)
        return void respond(socket, { method: 'TLS', target: '', headers: {}, body: '' }, self)
      for (;;) {
        const taken = takeRequest(received)
        if (!taken) return
        received = taken.rest
        requests.push(taken.request)
        void respond(socket, taken.request, self)
      }
    })
  }
  const server: Server = tls ? createTlsServer(tls, onSocket).on('tlsClientError', () => {}) : createServer(onSocket)
  server.listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const self: RawServer = {
    port,
    url: `${tls ? 'https' : 'http'}://${host}:${port}`,
    requests,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
  return self
}

function takeRequest(text: string): { readonly request: RawRequest; readonly rest: string } | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [line, ...lines] = text.slice(0, end).split('\r\n')
  const headers = Object.fromEntries(
    lines.map(each => [each.slice(0, each.indexOf(':')).toLowerCase(), each.slice(each.indexOf(':') + 1).trim()]),
  )
  const length = Number(headers['content-length'] ?? 0)
  if (text.length < end + 4 + length) return undefined
  const [method, target] = line!.split(' ')
  return {
    request: { method: method!, target: target!, headers, body: text.slice(end + 4, end + 4 + length) },
    rest: text.slice(end + 4 + length),
  }
}

/** A well-formed answer; what is written in `headers` wins, `null` leaves a header out. */
export function answer(
  body: string | Uint8Array,
  o: { status?: number; headers?: Readonly<Record<string, string | null>> } = {},
): Buffer {
  const bytes = Buffer.from(body)
  const headers: Record<string, string | null> = {
    'content-type': 'application/json',
    'content-length': String(bytes.length),
    ...o.headers,
  }
  const head = Object.entries(headers).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}\r\n`]))
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${o.status ?? 200} Status\r\n${head.join('')}\r\n`, 'latin1'), bytes])
}
