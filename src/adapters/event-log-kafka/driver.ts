// The narrow interface to a Kafka client library: one authenticated connection to one broker. What is said over it (client.ts and
// messages/), and above all when a transaction may be ended (L2), is weir's own, so both drivers keep the same promises.
import type { ConnectionOptions } from './options.ts'

export interface DriverRequest {
  readonly apiKey: number
  readonly apiVersion: number
  /** The request's header carries tagged fields (header v2), and the answer's header too (v1). The driver writes and skips them. */
  readonly flexible: boolean
  /** Name of the API, for messages. */
  readonly name: string
  /** The body after the header. */
  readonly body: Uint8Array
  /** Default: `requestTimeoutMs` of the connection. */
  readonly timeoutMs?: number
}

export interface DriverConnection extends AsyncDisposable {
  /** False once it is closed or broken: it is not used again, another is opened. */
  readonly usable: boolean
  /**
   * The body of the answer, after its header. Answers arrive in the order of the requests.
   * @throws log.unavailable when the connection fails or the deadline passes: the request may or may not have been carried out.
   */
  send(request: DriverRequest): Promise<Buffer>
}

export interface Driver {
  readonly name: string
  /**
   * Opens a connection: TCP, TLS, login.
   * @throws log.unavailable: refused, reset, timed out, TLS refused (never falls back to plain);
   *   log.login_refused: the broker refuses the login
   */
  connect(host: string, port: number): Promise<DriverConnection>
}

export type OpenDriver = (options: ConnectionOptions) => Driver
