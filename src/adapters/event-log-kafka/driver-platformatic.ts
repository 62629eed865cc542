// The driver on @platformatic/kafka. Its Connection gives the socket, the framing and the correlation of requests with answers.
import { Connection, Writer } from '@platformatic/kafka'
import type { DriverRequest, OpenDriver } from './driver.ts'
import { FrameCheck } from './frames.ts'
import { connectOver, type Link, type OpenLink } from './link.ts'

/** Deadlines are link.ts's: the library's own must never come first. */
const never = 2 ** 31 - 1
/** Requests on their way at once; more wait in the library. */
const maxInFlight = 1000
/** Milliseconds of silence after which TCP asks whether the other side is still there. */
const keepAliveMs = 60_000

class PlatformaticLink implements Link {
  readonly opened: Promise<void>
  readonly #connection: Connection
  /** What is wrong with the broker's bytes; the library only says that the connection closed. */
  #fault: Error | undefined

  constructor({ host, port, clientId, tls, connectTimeoutMs }: Parameters<OpenLink>[0]) {
    this.#connection = new Connection(clientId, {
      connectTimeout: connectTimeoutMs,
      requestTimeout: never,
      maxInflights: maxInFlight,
      ...(tls && { tls }),
    })
    this.#connection.on('error', () => {})
    this.opened = Promise.resolve(this.#connection.connect(host, port))
    const socket = this.#connection.socket
    socket.setKeepAlive(true, keepAliveMs)
    socket.once(tls ? 'secureConnect' : 'connect', () => this.#checkFrames())
  }

  get open(): boolean {
    return this.#connection.isConnected() && !this.#connection.socket.destroyed
  }

  send({ apiKey, apiVersion, flexible, body }: DriverRequest): Promise<Buffer> {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    return new Promise((resolve, reject) =>
      this.#connection.send<Buffer>(
        apiKey,
        apiVersion,
        () => Writer.create().append(bytes),
        (_correlationId, _key, _version, reader) => reader.buffer.slice(),
        flexible,
        false,
        (error, answer) => (error ? reject(this.#fault ?? error) : resolve(answer!)),
      ),
    )
  }

  close(): void {
    this.#connection.socket?.destroy(new Error('the connection was closed'))
  }

  /** Stands before the library's own reader, which believes any length. */
  #checkFrames(): void {
    const socket = this.#connection.socket
    const frames = new FrameCheck()
    const readers = socket.listeners('data')
    socket.removeAllListeners('data')
    socket.on('data', (chunk: Buffer<ArrayBuffer>) => {
      if (socket.destroyed) return
      const fault = frames.fault(chunk)
      if (fault === null) for (const read of readers) read.call(socket, chunk)
      else {
        this.#fault = new Error(fault)
        socket.destroy(this.#fault)
      }
    })
  }
}

export const openPlatformaticDriver: OpenDriver = options => ({
  name: 'platformatic',
  connect: (host, port) => connectOver(link => new PlatformaticLink(link), options, host, port),
})
