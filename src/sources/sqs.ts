// The `sqs` source: a queue of AWS. A message is deleted only once the transaction that holds it is durable; one that comes again, because a
// process died between the two or because SQS delivers at least once, is known by its id in the cursor and left out (I1, I13).
import { lintAws } from '../aws/spec.ts'
import type { Code } from '../core/errors.ts'
import type { Claim } from '../core/guarantee.ts'
import type { Problem } from '../core/spec.ts'
import type { Source, SourceBatch, Split } from '../pipeline/ports.ts'
import { describeMemory, hashOf, Memory } from './memory.ts'
import { defineSource, type SourceDeps } from './source.ts'
import { InWork } from './sqs/in-work.ts'
import { itemOf, type Message, messageOf, type RawMessage, reparsed } from './sqs/message.ts'
import { openQueue, type Queue } from './sqs/queue.ts'
import { type SqsConfig, sqsSpec } from './sqs/spec.ts'

const perReceive = 10
/** One line in the log for all trouble of one kind in this time. */
const noticeEveryMs = 60_000
const words = { source: 'the queue', things: 'messages' } as const

export const sqs = defineSource({
  name: 'sqs',
  summary:
    'Reads a queue of AWS SQS, and deletes a message once it is stored. Tested against stand-ins, not against AWS.',
  config: sqsSpec,
  examples: [
    {
      title: 'JSON messages, keys where the SDK finds them',
      config: { queue_url: 'https://sqs.eu-central-1.amazonaws.com/123456789012/reviews', region: 'eu-central-1' },
    },
    {
      title: 'A FIFO queue, known by the ids of its sender, with keys of its own',
      config: {
        queue_url: 'https://sqs.eu-central-1.amazonaws.com/123456789012/reviews.fifo',
        region: 'eu-central-1',
        credentials: { access_key_id: '${AWS_KEY}', secret_access_key: '${AWS_SECRET}' },
        identity: 'deduplication_id',
        visibility_timeout: '2m',
      },
    },
  ],
  replayable: true,
  rate: { requests: 200, per: 1000 },
  claim: claimOf,
  lint: lintSqs,
  open: (config, deps) => new SqsSource(config, deps),
})

function claimOf({ identity, remember }: SqsConfig): Claim {
  const ids = identity === 'message_id' ? 'the message ids' : 'the deduplication ids'
  return {
    guarantee: 'exactly_once',
    why: `A message is deleted once it is stored; ${ids} of the last ${remember} are the cursor, and one that is delivered again is left out. Beyond them it is at least once.`,
    while: `no message comes again after ${remember} others${identity === 'message_id' ? ', or is sent twice by its sender' : ''}`,
    proof: {
      file: 'test/fault/aws-kill.test.ts',
      test: 'sqs, killed at %s: every message is in the topic once, and none is left',
    },
  }
}

function lintSqs(config: SqsConfig): readonly Problem[] {
  const { queue_url, region, identity } = config
  const problems = [...lintAws(config)]
  const add = (pointer: string, message: string, hint: string) =>
    problems.push({ severity: 'error', code: 'config.conflict', message, pointer, hint })
  const url = URL.parse(queue_url)
  const ofUrl = /^sqs\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$/.exec(url?.hostname ?? '')?.[1]
  if (url && queueName(queue_url) === '')
    add(
      '/queue_url',
      '`queue_url` names no queue.',
      'Write it as AWS gives it: https://sqs.<region>.amazonaws.com/<account>/<queue>.',
    )
  if (ofUrl !== undefined && ofUrl !== region)
    add(
      '/region',
      `\`queue_url\` is of the region ${ofUrl}, \`region\` is ${region}.`,
      'Write the same region in both.',
    )
  if (identity === 'deduplication_id' && !queue_url.endsWith('.fifo'))
    add(
      '/identity',
      'Only FIFO queues have deduplication ids.',
      'Use `identity: message_id`, or the address of a queue ending in .fifo.',
    )
  return problems
}

const queueName = (url: string): string => URL.parse(url)?.pathname.replace(/^\/+|\/+$/g, '') ?? ''

class SqsSource implements Source {
  readonly endless = false
  readonly #config: SqsConfig
  readonly #deps: SourceDeps
  readonly #queue: Queue
  readonly #inWork: InWork
  readonly #told = new Map<string, number>()

  constructor(config: SqsConfig, deps: SourceDeps) {
    this.#config = config
    this.#deps = deps
    this.#queue = openQueue(config, queueName(config.queue_url), deps.fetch)
    this.#inWork = new InWork(this.#queue, {
      clock: deps.clock,
      visibilityMs: config.visibility_timeout,
      trouble: (code, message) => this.#notice(code, message),
    })
  }

  /** One split: the owner receives, others stand by, because what comes again must meet the memory that knows it. */
  async splits(): Promise<readonly Split[]> {
    const { name } = this.#queue
    return [{ id: name, vars: { queue: name.split('/').at(-1)! } }]
  }

  async *read(_split: Split, cursor: string | null, signal: AbortSignal): AsyncGenerator<SourceBatch, void> {
    const memory = new Memory(cursor, this.#config.remember, words)
    await this.#inWork.settle(identity => memory.has(hashOf('id', identity)), signal)
    const reading = { live: true }
    // Of a FIFO queue nothing more of a group comes until what came is deleted: an empty answer is the end only when all was before it was asked.
    const isFifo = this.#config.queue_url.endsWith('.fifo')
    try {
      for (;;) {
        await this.#inWork.room()
        if (signal.aborted) return
        const wasIdle = this.#inWork.isIdle
        const messages = await this.#receive(signal)
        if (messages.length === 0) {
          if (isFifo && !wasIdle) continue
          return
        }
        for (const { identity, receipt, context } of messages)
          this.#inWork.take(context.id, { identity, receipt, reading })
        yield this.#batch(messages, memory)
      }
    } catch (thrown) {
      if (!signal.aborted) throw thrown
    } finally {
      // Told to stop: what is not stored by then is not kept from others any longer. Else the last batch is about to be stored.
      if (signal.aborted) reading.live = false
    }
  }

  reparse(raw: Uint8Array, context: string | undefined): readonly unknown[] {
    return [reparsed(raw, context, this.#config.format)]
  }

  describeCursor(cursor: string): string {
    return describeMemory(cursor, words)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inWork.close()
    this.#queue[Symbol.dispose]()
  }

  /** What there is, up to `batch`: a full answer is followed by others side by side. */
  async #receive(signal: AbortSignal): Promise<readonly Message[]> {
    const { wait, batch, identity } = this.#config
    const first = await this.#queue.receive(wait, signal)
    const more =
      first.length < perReceive
        ? []
        : await Promise.allSettled(Array.from({ length: batch / perReceive - 1 }, () => this.#queue.receive(0, signal)))
    // What fails beside others that do not comes up again with the next call.
    const all: RawMessage[] = [...first, ...more.flatMap(each => (each.status === 'fulfilled' ? each.value : []))]
    return all.map(raw => messageOf(raw, this.#queue.name, identity))
  }

  #batch(messages: readonly Message[], memory: Memory): SourceBatch {
    const fresh = messages.filter(({ identity }) => {
      const hash = hashOf('id', identity)
      if (memory.has(hash)) return false
      memory.add(hash)
      return true
    })
    const duplicate = messages.length - fresh.length
    return {
      items: fresh.map(message => itemOf(message, this.#config.format)),
      cursor: memory.cursor,
      ...(duplicate > 0 ? { drops: { duplicate } } : {}),
      // Known ones too only now: what they repeat may be in the transaction before this one.
      stored: () => this.#inWork.stored(messages.map(({ context }) => context.id)),
    }
  }

  #notice(code: Code | 'info', message: string): void {
    const { clock, emit, pipeline } = this.#deps
    const nowMs = clock.monotonic()
    if (nowMs - (this.#told.get(code) ?? Number.NEGATIVE_INFINITY) < noticeEveryMs) return
    this.#told.set(code, nowMs)
    emit({ type: 'source_notice', pipeline, split: this.#queue.name, code, message })
  }
}
