// The connections of one lane, one per broker, opened when first asked for. Each asks the broker which versions it speaks before anything
// else. I10: an answer that cannot be read closes its connection, since nothing after it can be trusted.
import { WeirError, weirErrorOf } from '../../core/errors.ts'
import type { Driver, DriverConnection } from './driver.ts'
import { type Address, apiVersions } from './messages/cluster.ts'
import type { Api } from './protocol/api.ts'
import { Reader } from './protocol/reader.ts'
import { Writer } from './protocol/writer.ts'
import { BrokerRefusal, refusals } from './refusal.ts'

export interface AskOptions {
  /** Default: the connection's own deadline. */
  readonly timeoutMs?: number
  /** Aborting closes the connection, and with it what is on its way. */
  readonly signal?: AbortSignal
}

/** One connection and the versions its broker speaks. */
class NodeConnection {
  readonly #connection: DriverConnection
  readonly #address: string
  #ranges: ReadonlyMap<number, readonly [min: number, max: number]> = new Map([[apiVersions.key, [0, 0]]])
  #asking = 0
  #retired = false

  constructor(connection: DriverConnection, address: string) {
    this.#connection = connection
    this.#address = address
  }

  get usable(): boolean {
    return this.#connection.usable && !this.#retired
  }

  async learnVersions(): Promise<void> {
    const { error, ranges } = await this.ask(apiVersions, null)
    if (error !== 0) throw new WeirError('log.unavailable', `${this.#address} does not say what it speaks (${error})`)
    this.#ranges = ranges
  }

  async ask<Request, Answer>(api: Api<Request, Answer>, request: Request, { timeoutMs, signal }: AskOptions = {}) {
    const version = this.#versionOf(api)
    const flexible = version >= (api.flexibleFrom ?? Number.POSITIVE_INFINITY)
    const writer = new Writer(flexible, api.size?.(request))
    api.encode(writer, request, version)
    const close = () => void this.close()
    signal?.throwIfAborted()
    signal?.addEventListener('abort', close, { once: true })
    this.#asking++
    try {
      const bytes = await this.#connection.send({
        apiKey: api.key,
        apiVersion: version,
        flexible,
        name: api.name,
        body: writer.finish(),
        ...(timeoutMs !== undefined && { timeoutMs }),
      })
      return this.#decode(api, new Reader(bytes, flexible), version)
    } catch (error) {
      throw signal?.aborted ? signal.reason : error
    } finally {
      signal?.removeEventListener('abort', close)
      if (--this.#asking === 0 && this.#retired) close()
    }
  }

  /** Closes it once its last answer has come. */
  retire(): void {
    this.#retired = true
    if (this.#asking === 0) void this.close()
  }

  async close(): Promise<void> {
    await this.#connection[Symbol.asyncDispose]()
  }

  #versionOf(api: Api<never, unknown>): number {
    const [min, max] = this.#ranges.get(api.key) ?? [0, -1]
    const version = api.versions.find(each => each >= min && each <= max)
    if (version !== undefined) return version
    throw new WeirError(
      'log.unavailable',
      `${this.#address} does not speak ${api.name} v${api.versions.join(' or v')}`,
      {
        hint: 'Weir works with Apache Kafka from 2.5 and with Redpanda from 24.1 on.',
        cause: new BrokerRefusal(refusals.UNSUPPORTED_VERSION, api.name, this.#address),
      },
    )
  }

  #decode<Answer>(api: Api<never, Answer>, reader: Reader, version: number): Answer {
    try {
      return api.decode(reader, version)
    } catch (error) {
      void this.close()
      throw new WeirError(
        'log.unavailable',
        `${this.#address} answered ${api.name}: ${weirErrorOf(error)?.message ?? error}`,
      )
    }
  }
}

/** Nobody else uses these connections, so that what waits on one holds up nobody. */
export class Connections {
  readonly #driver: Driver
  readonly #open = new Map<string, { readonly opening: Promise<NodeConnection>; opened?: NodeConnection }>()

  constructor(driver: Driver) {
    this.#driver = driver
  }

  /** True when a connection to the broker stands already. */
  has({ host, port }: Address): boolean {
    return this.#open.get(`${host}:${port}`)?.opened?.usable ?? false
  }

  /** The answer of the broker at the address. @throws log.unavailable, log.login_refused */
  async ask<Request, Answer>(
    address: Address,
    api: Api<Request, Answer>,
    request: Request,
    options: AskOptions = {},
  ): Promise<Answer> {
    const connection = await abortable(this.#to(address), options.signal)
    return await connection.ask(api, request, options)
  }

  /** Closes all of them; what is on its way is given up. */
  drop(): void {
    for (const { opening } of this.#open.values()) opening.then(each => each.close()).catch(() => {})
    this.#open.clear()
  }

  #to({ host, port }: Address): Promise<NodeConnection> {
    const key = `${host}:${port}`
    const known = this.#open.get(key)
    if (known && (known.opened === undefined || known.opened.usable)) return known.opening
    known?.opened?.retire()
    const slot: { opening: Promise<NodeConnection>; opened?: NodeConnection } = { opening: this.#connect(host, port) }
    this.#open.set(key, slot)
    slot.opening.then(
      opened => {
        slot.opened = opened
      },
      () => {
        if (this.#open.get(key) === slot) this.#open.delete(key)
      },
    )
    return slot.opening
  }

  async #connect(host: string, port: number): Promise<NodeConnection> {
    const connection = new NodeConnection(await this.#driver.connect(host, port), `${host}:${port}`)
    try {
      await connection.learnVersions()
      return connection
    } catch (error) {
      await connection.close()
      throw error
    }
  }
}

/** Settles as `work` does, or rejects with the signal's reason as soon as it aborts; the work then goes on unobserved. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return await work
  return await new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
