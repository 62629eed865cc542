// A webhook source behind a real producer on an embedded log, and senders for it: signed as a vendor signs, or byte by byte over a socket.
import { createHmac } from 'node:crypto'
import { connect } from 'node:net'
import { systemClock } from '../../src/core/clock.ts'
import type { Event } from '../../src/core/event.ts'
import type { Source } from '../../src/pipeline/ports.ts'
import { runProducer } from '../../src/pipeline/producer.ts'
import { type WebhookConfig, webhookSpec } from '../../src/sources/webhook/spec.ts'
import { webhook } from '../../src/sources/webhook.ts'
import { eventually } from './eventually.ts'
import { configOf } from './http-config.ts'
import { type StageWorld, stageWorld } from './stage-world.ts'

export const secret = 'the-key-of-the-vendor-0123456789'

/** The fields of a definition as the loader gives them. */
export function webhookConfig(fields: Record<string, unknown> = {}): WebhookConfig {
  const { signature, ...rest } = fields
  return configOf(webhookSpec, {
    port: 0,
    path: '/hooks/reviews',
    ...(fields['unsigned'] ? {} : { signature: { ...signedAs, ...(signature as object | undefined) } }),
    ...rest,
  }) as WebhookConfig
}

const signedAs = { header: 'X-Signature', secret, prefix: 'sha256=', timestamp_header: 'X-Timestamp' }

export function openWebhook(
  fields: Record<string, unknown> = {},
  deps: { readonly emit?: (event: Event) => void; readonly clock?: typeof systemClock } = {},
): Source {
  return webhook.open(webhookConfig(fields), {
    pipeline: 'p',
    clock: systemClock,
    random: () => 0.5,
    emit: () => {},
    baseDir: '/',
    fetch: () => {
      throw new Error('a webhook makes no calls')
    },
    ...deps,
  })
}

/** Where it listens, out of what it told. */
export const portOf = (events: readonly Event[]): number | undefined => {
  const told = events.find(event => event.type === 'source_notice' && event.message.startsWith('taking deliveries'))
  return told?.type === 'source_notice' ? Number(/:(\d+)\//.exec(told.message)![1]) : undefined
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

export interface SendOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly key?: string
  readonly atMs?: number
  readonly path?: string
}

/** The headers of a signed delivery. */
export function signed(body: string | Uint8Array, { key = secret, atMs = Date.now() }: SendOptions = {}) {
  const time = String(Math.floor(atMs / 1000))
  const mac = createHmac('sha256', key).update(`${time}.`).update(body).digest('hex')
  return { 'x-timestamp': time, 'x-signature': `sha256=${mac}`, 'content-type': 'application/json' }
}

export async function post(port: number, body: string | Uint8Array, options: SendOptions = {}): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${options.path ?? '/hooks/reviews'}`, {
    method: 'POST',
    headers: { ...signed(body, options), ...options.headers },
    body: body as string,
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer['body'] }
}

/** Writes the pieces as they are and gives all that comes back, until the other side closes or has answered `answers` times. */
export function raw(port: number, pieces: readonly (string | Uint8Array)[], answers = 1): Promise<string> {
  return new Promise(resolve => {
    let received = ''
    const socket = connect(port, '127.0.0.1')
    const end = () => {
      socket.destroy()
      resolve(received)
    }
    socket.on('data', chunk => {
      received += chunk.toString('latin1')
      if (received.split('HTTP/1.1 ').length - 1 >= answers && received.includes('}')) end()
    })
    socket.on('error', end).on('close', end)
    for (const piece of pieces) socket.write(piece)
  })
}

export interface WebhookScene extends AsyncDisposable {
  readonly world: StageWorld
  readonly port: number
  readonly source: Source
  /** Stops the producer as SIGTERM does. */
  stop(): Promise<void>
}

export async function webhookScene(
  fields: Record<string, unknown> = {},
  options: {
    readonly world?: StageWorld
    readonly log?: (world: StageWorld) => StageWorld['log']
    readonly clock?: typeof systemClock
  } = {},
): Promise<WebhookScene> {
  const world = options.world ?? (await stageWorld())
  const events: Event[] = []
  const source = openWebhook(fields, {
    emit: event => events.push(event),
    ...(options.clock ? { clock: options.clock } : {}),
  })
  const stopping = new AbortController()
  const running = runProducer(
    { ...world.producerOptions(source), once: false, ...(options.log ? { log: options.log(world) } : {}) },
    stopping.signal,
  )
  running.catch(() => {})
  await eventually('it takes deliveries', async () => {
    const port = portOf(events)
    // A body that no definition takes: anything but 503 says that it is read.
    return port !== undefined && (await post(port, 'ready?')).status === 400
  })
  const stop = async () => {
    stopping.abort()
    await running
    await source[Symbol.asyncDispose]()
  }
  return {
    world,
    source,
    port: portOf(events)!,
    stop,
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await running.catch(() => {})
      await source[Symbol.asyncDispose]()
      if (!options.world) await world[Symbol.asyncDispose]()
    },
  }
}
