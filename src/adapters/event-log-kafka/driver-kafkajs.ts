// The driver on kafkajs, the default. Its Connection gives the socket, the framing, the queue of requests and their correlation; what it would
// do above that (retry, throttle, time out a request and go on with the connection) is left out.
import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
// @ts-expect-error kafkajs has no types for this class; what is used of it stands below.
import Untyped from 'kafkajs/src/network/connection.js'
import type { DriverRequest, OpenDriver } from './driver.ts'
import { FrameCheck } from './frames.ts'
import { connectOver, type Link, type OpenLink } from './link.ts'
import { Writer } from './protocol/writer.ts'

interface Entry {
  readonly apiKey: number
  readonly apiName: string
  readonly apiVersion: number
  readonly correlationId: number
  readonly resolve: (answer: { readonly payload: Buffer }) => void
  readonly reject: (error: Error) => void
}

interface RequestQueue {
  readonly inflight: ReadonlyMap<number, unknown>
  push(request: { entry: Entry; expectResponse: boolean; requestTimeout: null; sendRequest: () => void }): void
  fulfillRequest(answer: { correlationId: number; payload: Buffer; size: number }): void
  scheduleCheckPendingRequests(): void
  destroy(): void
}

interface KafkaJsSocket {
  write(bytes: Uint8Array): boolean
  cork(): void
  uncork(): void
  destroy(error?: Error): void
}

declare class KafkaJsConnection {
  constructor(options: object)
  readonly clientId: string
  readonly requestQueue: RequestQueue
  readonly socket: KafkaJsSocket | undefined
  connect(): Promise<unknown>
  disconnect(): Promise<unknown>
  isConnected(): boolean
  failIfNotConnected(): void
  nextCorrelationId(): number
  rejectRequests(error: Error): void
  processData(chunk: Buffer): void
}

const quiet = () => {}
const silent = { namespace: () => silent, debug: quiet, info: quiet, warn: quiet, error: quiet }
/** Milliseconds of silence after which TCP asks whether the other side is still there. */
const keepAliveMs = 60_000

class KafkaJsLink extends (Untyped as typeof KafkaJsConnection) implements Link {
  readonly opened: Promise<unknown>
  readonly #frames = new FrameCheck()

  constructor({ host, port, clientId, tls, connectTimeoutMs }: Parameters<OpenLink>[0]) {
    super({
      host,
      port,
      clientId,
      logger: silent,
      connectionTimeout: connectTimeoutMs,
      requestTimeout: 0,
      enforceRequestTimeout: false,
      socketFactory: ({ onConnect }: { onConnect: () => void }) => {
        const socket = tls ? connectTls({ ...tls, host, port }, onConnect) : connectTcp({ host, port }, onConnect)
        return socket.setNoDelay(true).setKeepAlive(true, keepAliveMs)
      },
    })
    const queue = this.requestQueue
    // Without throttling nothing is ever queued; the check would start a timer of a negative time after each answer.
    queue.scheduleCheckPendingRequests = quiet
    const fulfil = queue.fulfillRequest.bind(queue)
    queue.fulfillRequest = answer => {
      if (queue.inflight.has(answer.correlationId)) fulfil(answer)
      else this.#fail('an answer to no request of ours came')
    }
    this.opened = this.connect()
  }

  get open(): boolean {
    return this.isConnected()
  }

  send({ apiKey, apiVersion, name, flexible, body }: DriverRequest): Promise<Buffer> {
    this.failIfNotConnected()
    const correlationId = this.nextCorrelationId()
    const header = new Writer(false, 64).int16(apiKey).int16(apiVersion).int32(correlationId).string(this.clientId)
    if (flexible) header.uvarint(0)
    const head = header.finish()
    const length = new Writer(false, 4).int32(head.length + body.length).finish()
    return new Promise((resolve, reject) =>
      this.requestQueue.push({
        entry: { apiKey, apiVersion, apiName: name, correlationId, resolve: ({ payload }) => resolve(payload), reject },
        expectResponse: true,
        requestTimeout: null,
        sendRequest: () => {
          this.socket!.cork()
          this.socket!.write(length)
          this.socket!.write(head)
          this.socket!.write(body)
          this.socket!.uncork()
        },
      }),
    )
  }

  override processData(chunk: Buffer): void {
    const fault = this.#frames.fault(chunk)
    if (fault === null) super.processData(chunk)
    else this.#fail(fault)
  }

  close(): void {
    this.#fail('the connection was closed')
  }

  /** With an error, so that kafkajs clears its timers; after the requests, for which it would wait. */
  #fail(why: string): void {
    const error = new Error(why)
    this.rejectRequests(error)
    this.socket?.destroy(error)
    this.disconnect().catch(quiet)
  }
}

export const openKafkaJsDriver: OpenDriver = options => ({
  name: 'kafkajs',
  connect: (host, port) => connectOver(link => new KafkaJsLink(link), options, host, port),
})
