// A stand-in for SQS and Kinesis in this process: the JSON protocols of both, over HTTP, with their limits, errors and visible behaviour, as their
// documentation tells them. test/integration/aws.test.ts holds it against moto, another implementation, where that is installed.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { kinesisService } from './stand-in-kinesis.ts'
import { sqsService } from './stand-in-sqs.ts'

export type Input = Readonly<Record<string, never>> & Record<string, unknown>

/** What the service answers with instead of what it would have. */
export interface Fault {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Text as it is, all else as JSON. `drop`: the connection is closed without an answer. */
  readonly body?: unknown
  readonly drop?: true
  /** True: the work is done all the same, and only its answer is lost. */
  readonly done?: true
}

export class AwsError extends Error {
  readonly type: string
  readonly status: number

  constructor(type: string, message = type, status = 400) {
    super(message)
    this.type = type
    this.status = status
  }
}

export interface StandInOptions {
  readonly now?: () => number
  /** Milliseconds of a second of long polling. */
  readonly waitSecondMs?: number
}

export interface StandInContext extends Required<StandInOptions> {
  readonly url: () => string
  /** Ends when the stand-in does. */
  readonly over: AbortSignal
}

export interface Call {
  readonly action: string
  readonly input: Record<string, unknown>
}

export interface StandIn extends AsyncDisposable {
  readonly url: string
  /** All calls in the order they came. */
  readonly calls: Call[]
  /** Asked for each call; what it gives is answered instead. */
  fault: (call: Call) => Fault | undefined
  /** Moves the clock of the services. */
  advance(ms: number): void
}

type Service = (action: string, input: Record<string, unknown>, signal: AbortSignal) => unknown

export async function openStandIn({ now = Date.now, waitSecondMs = 20 }: StandInOptions = {}): Promise<StandIn> {
  let offsetMs = 0
  const over = new AbortController()
  const context: StandInContext = {
    now: () => now() + offsetMs,
    waitSecondMs,
    url: () => standIn.url,
    over: over.signal,
  }
  const services: Record<string, Service> = {
    AmazonSQS: sqsService(context),
    Kinesis_20131202: kinesisService(context),
  }
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const [target = '', action = ''] = String(request.headers['x-amz-target'] ?? '').split('.')
    const reply = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'r', ...headers })
      response.end(typeof body === 'string' ? body : JSON.stringify(body))
    }
    const leaving = new AbortController()
    response.on('close', () => leaving.abort())
    try {
      if (
        !/^AWS4-HMAC-SHA256 Credential=[^/]+\/\d{8}\/[^/]+\/(sqs|kinesis)\/aws4_request/.test(
          request.headers.authorization ?? '',
        )
      )
        throw new AwsError('MissingAuthenticationTokenException', 'not signed', 403)
      const input = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>
      const call = { action, input }
      standIn.calls.push(call)
      const fault = standIn.fault(call)
      if (fault?.done) await services[target]!(action, input, leaving.signal)
      if (fault?.drop) return void response.destroy()
      if (fault) return reply(fault.status ?? 200, fault.body ?? '', fault.headers)
      const service = services[target]
      if (!service) throw new AwsError('UnknownOperationException')
      reply(200, (await service(action, input, leaving.signal)) ?? {})
    } catch (thrown) {
      const error = thrown instanceof AwsError ? thrown : new AwsError('InternalFailure', String(thrown), 500)
      const space = target === 'AmazonSQS' ? 'com.amazonaws.sqs#' : ''
      reply(error.status, { __type: `${space}${error.type}`, message: error.message })
    }
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const standIn: StandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls: [],
    fault: () => undefined,
    advance: ms => void (offsetMs += ms),
    async [Symbol.asyncDispose]() {
      over.abort()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
  return standIn
}
