// What both drivers share: a client library's connection (a link) becomes a DriverConnection with one deadline for connecting,
// deadlines for requests, a checked login, and an end to its session. Whatever fails closes the link and rejects all that waits on it.
import type { ConnectionOptions as NodeTlsOptions } from 'node:tls'
import { WeirError } from '../../core/errors.ts'
import type { DriverConnection, DriverRequest } from './driver.ts'
import { logIn } from './login.ts'
import type { ConnectionOptions } from './options.ts'
import type { Api } from './protocol/api.ts'
import { Reader } from './protocol/reader.ts'
import { Writer } from './protocol/writer.ts'
import { connectionFailure, tlsOptions } from './tls.ts'

/** A client library's connection to one broker: TCP, TLS, framing, correlation. It knows no deadlines and no login. */
export interface Link {
  /** Resolves when requests can be sent. */
  readonly opened: Promise<unknown>
  /** False once its socket is closing. */
  readonly open: boolean
  /** The answer after its correlation id. */
  send(request: DriverRequest): Promise<Buffer>
  /** Closes the socket at once. Answers are not waited for. */
  close(): void
}

export type OpenLink = (options: {
  readonly host: string
  readonly port: number
  readonly clientId: string
  readonly tls: NodeTlsOptions | null
  readonly connectTimeoutMs: number
}) => Link

/** A session is used until this share of its lifetime has passed: a request of the last moment must still arrive within it. */
const usedShareOfSession = 0.8

/** Opens a connection over a driver's link, as Driver.connect promises it. */
export async function connectOver(
  openLink: OpenLink,
  options: ConnectionOptions,
  host: string,
  port: number,
): Promise<DriverConnection> {
  const { clientId, connectTimeoutMs } = options
  const address = `${host}:${port}`
  const connection = new LinkConnection(address, options.requestTimeoutMs)
  const deadline = setTimeout(
    () =>
      connection.fail(new WeirError('log.unavailable', `no connection to ${address} within ${connectTimeoutMs} ms`)),
    connectTimeoutMs,
  )
  try {
    const tls = options.tls && (await connection.within(tlsOptions(options.tls, host)))
    await connection.open(openLink({ host, port, clientId, tls, connectTimeoutMs }))
    if (options.sasl) {
      const sessionMs = await connection.within(logIn(options.sasl, address, (api, body) => ask(connection, api, body)))
      if (sessionMs > 0) connection.endsAt = performance.now() + sessionMs * usedShareOfSession
    }
    return connection
  } catch (error) {
    const failure = connectionFailure(error, address, 'no connection to')
    connection.fail(failure)
    throw failure
  } finally {
    clearTimeout(deadline)
  }
}

async function ask<Request, Answer>(
  to: DriverConnection,
  api: Api<Request, Answer>,
  request: Request,
): Promise<Answer> {
  const version = api.versions[0]!
  const body = new Writer()
  api.encode(body, request, version)
  const answer = await to.send({
    apiKey: api.key,
    apiVersion: version,
    flexible: false,
    name: api.name,
    body: body.finish(),
  })
  return api.decode(new Reader(answer), version)
}

class LinkConnection implements DriverConnection {
  /** performance.now() from which on it is not used any more. */
  endsAt = Number.POSITIVE_INFINITY
  readonly #address: string
  readonly #requestTimeoutMs: number
  readonly #waiting = new Set<(failure: WeirError) => void>()
  #link: Link | undefined
  #failure: WeirError | undefined

  constructor(address: string, requestTimeoutMs: number) {
    this.#address = address
    this.#requestTimeoutMs = requestTimeoutMs
  }

  get usable(): boolean {
    return this.#failure === undefined && this.#link?.open === true && performance.now() < this.endsAt
  }

  async open(link: Link): Promise<void> {
    this.#link = link
    if (this.#failure) link.close()
    await this.within(link.opened)
  }

  async send(request: DriverRequest): Promise<Buffer> {
    const { name, flexible, timeoutMs = this.#requestTimeoutMs } = request
    if (this.#failure || !this.#link) throw this.#failure ?? new WeirError('log.unavailable', 'not connected')
    const late = `${this.#address} did not answer ${name} within ${timeoutMs} ms`
    const deadline = setTimeout(() => this.fail(new WeirError('log.unavailable', late)), timeoutMs)
    try {
      const answer = await this.within(this.#link.send(request))
      return flexible ? withoutTags(answer) : answer
    } catch (error) {
      const failure = connectionFailure(error, this.#address, `${name} got no answer of`)
      this.fail(failure)
      throw failure
    } finally {
      clearTimeout(deadline)
    }
  }

  /** Settles as `work` does, or rejects as soon as the connection fails. */
  within<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#failure) reject(this.#failure)
      this.#waiting.add(reject)
      work.then(resolve, reject).finally(() => this.#waiting.delete(reject))
    })
  }

  /** Closes the link for good; whoever waits learns of the first failure. */
  fail(failure: WeirError): void {
    if (this.#failure) return
    this.#failure = failure
    for (const reject of this.#waiting) reject(failure)
    this.#waiting.clear()
    this.#link?.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.fail(new WeirError('log.unavailable', `the connection to ${this.#address} was closed`))
  }
}

/** Header v1 of a flexible answer ends in tagged fields. */
function withoutTags(answer: Buffer): Buffer {
  const reader = new Reader(answer, true)
  reader.tags()
  return answer.subarray(answer.length - reader.left)
}
