// The `webhook` source: takes deliveries over HTTP and answers 2xx only once the transaction that holds them is durable. What was not answered
// so is sent again by the vendor, and what was stored before is known by its id: that is how a source that cannot be asked again loses nothing.
import type { Code } from '../core/errors.ts'
import type { Claim } from '../core/guarantee.ts'
import { decodeUtf8, parseJson } from '../core/json-text.ts'
import type { Source, SourceBatch, Split } from '../pipeline/ports.ts'
import { describeMemory } from './memory.ts'
import { defineSource, type SourceDeps } from './source.ts'
import { Intake, memoryWords } from './webhook/intake.ts'
import { lintWebhook } from './webhook/lint.ts'
import { type Listener, listen } from './webhook/listener.ts'
import { createProof } from './webhook/proof.ts'
import type { Refusal } from './webhook/refusal.ts'
import { type WebhookConfig, webhookSpec } from './webhook/spec.ts'

export const webhook = defineSource({
  name: 'webhook',
  summary: 'Listens for deliveries of a vendor, signed ones or with a token, and answers once they are stored.',
  config: webhookSpec,
  examples: [
    {
      title: 'Signed, with the time of the delivery',
      config: {
        port: 8090,
        path: '/hooks/reviews',
        signature: {
          header: 'X-Signature',
          secret: '${WEBHOOK_SECRET}',
          prefix: 'sha256=',
          timestamp_header: 'X-Timestamp',
        },
        id: 'body.delivery_id',
        records: 'body.reviews',
      },
    },
    {
      title: 'Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature), both keys while they change',
      config: {
        port: 8090,
        signature: {
          header: 'webhook-signature',
          secret: '${NEW_KEY}',
          previous_secret: '${OLD_KEY}',
          secret_encoding: 'base64',
          encoding: 'base64',
          prefix: 'v1,',
          timestamp_header: 'webhook-timestamp',
          sign: '{{ headers["webhook-id"] }}.{{ timestamp }}.{{ body }}',
        },
        id: 'headers["webhook-id"]',
        records: 'body.data',
      },
    },
    {
      title: 'A vendor that signs nothing, behind a proxy with TLS',
      config: {
        port: 8090,
        path: '/postback',
        allowed_hosts: ['hooks.example.com'],
        unsigned: { path_secret: '${POSTBACK_SECRET}' },
        id: 'query.id',
        records: 'flatten(body.tasks.map(t, t.result))',
        max_body: '32mb',
      },
    },
  ],
  replayable: true,
  claim: claimOf,
  lint: lintWebhook,
  open: (config, deps) => new WebhookSource(config, deps),
})

function claimOf({ id, remember }: WebhookConfig): Claim {
  return {
    guarantee: 'exactly_once',
    why: `A delivery is answered with 2xx once it is stored; ${id === undefined ? 'the bodies' : 'the ids'} of the last ${remember} are the cursor, and one that is sent again is answered without being stored again.`,
    while: `the vendor sends again what was not answered with 2xx${id === undefined ? ', means one delivery by one body' : ', under the same id'}, and not after ${remember} others`,
    proof: {
      file: 'test/fault/webhook-kill.test.ts',
      test: 'killed at random moments: what was answered 2xx is in the topic once',
    },
  }
}

const splitId = 'deliveries'
/** One line in the log for all that was refused in this time, by code and status. */
const noticeEveryMs = 60_000

class WebhookSource implements Source {
  readonly endless = true
  readonly #config: WebhookConfig
  readonly #deps: SourceDeps
  readonly #intake: Intake
  readonly #refusals = new Map<string, { toldMs: number; count: number }>()
  #listener: Promise<Listener> | undefined

  constructor(config: WebhookConfig, deps: SourceDeps) {
    this.#config = config
    this.#deps = deps
    this.#intake = new Intake(config, deps.clock)
  }

  /** Every process listens; the one that owns the split takes deliveries, the others answer 503. @throws listen.failed */
  async splits(): Promise<readonly Split[]> {
    await (this.#listener ??= this.#listen())
    return [{ id: splitId, vars: {} }]
  }

  async *read(_split: Split, cursor: string | null, signal: AbortSignal): AsyncGenerator<SourceBatch, void> {
    await this.splits()
    yield* this.#intake.read(cursor, signal)
  }

  reparse(raw: Uint8Array): readonly unknown[] {
    return [parseJson(decodeUtf8(raw))]
  }

  describeCursor(cursor: string): string {
    return describeMemory(cursor, memoryWords)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#intake.close()
    const listener = await this.#listener?.catch(() => undefined)
    await listener?.[Symbol.asyncDispose]()
  }

  async #listen(): Promise<Listener> {
    const { clock } = this.#deps
    const listener = await listen({
      config: this.#config,
      proof: createProof(this.#config, clock),
      intake: this.#intake,
      refused: refusal => this.#refused(refusal),
    })
    this.#notice('info', `taking deliveries at ${listener.url}`)
    return listener
  }

  /** Anyone may knock: a flood of refusals must not be one in the log. */
  #refused({ status, error }: Refusal): void {
    const kind = `${status} ${error.code}`
    const nowMs = this.#deps.clock.monotonic()
    const known = this.#refusals.get(kind) ?? { toldMs: Number.NEGATIVE_INFINITY, count: 0 }
    this.#refusals.set(kind, known)
    known.count++
    if (nowMs - known.toldMs < noticeEveryMs) return
    const { code, message } = error
    this.#notice(
      code,
      `${known.count === 1 ? 'a delivery was' : `${known.count} deliveries were`} answered ${status}: ${message}`,
    )
    known.toldMs = nowMs
    known.count = 0
  }

  #notice(code: Code | 'info', message: string): void {
    this.#deps.emit({ type: 'source_notice', pipeline: this.#deps.pipeline, split: splitId, code, message })
  }
}
