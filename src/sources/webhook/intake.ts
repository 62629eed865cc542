// Between the listener and the pipeline: deliveries wait here until the transaction that holds them is durable (2xx), or it is known that this
// process does not store them (503). A delivery here: queued -> handed on -> stored; handed on -> queued again, when a commit was in doubt and
// the cursor read back does not have it; queued or handed on -> given up, when its time is over.
import type { Clock } from '../../core/clock.ts'
import type { SourceBatch } from '../../core/record.ts'
import { Memory } from '../memory.ts'
import type { Delivery } from './delivery.ts'
import { type Refusal, unavailable } from './refusal.ts'
import type { WebhookConfig } from './spec.ts'

export type Outcome = 'stored' | 'known'

interface Waiting extends Delivery {
  /** Requests that wait for it: the vendor may send it again meanwhile. */
  readonly answers: Set<PromiseWithResolvers<Outcome>>
  handedOn: boolean
}

/** How this source speaks of its cursor. */
export const memoryWords = { source: 'the webhook', things: 'deliveries' } as const

/** Deliveries that wait at once: each holds a request open. */
const maxWaiting = 1_000
/** Stored in one transaction, unless one delivery alone has more. */
const batchItems = 1_000
const batchBytes = 1024 * 1024

export class Intake {
  readonly #config: WebhookConfig
  readonly #clock: Clock
  readonly #waiting = new Map<string, Waiting>()
  readonly #over = new AbortController()
  #queue: Waiting[] = []
  /** There while this process reads the split: it is the owner. Holds what was handed on too. */
  #memory: Memory | null = null
  #bytes = 0
  #duplicates = 0
  /** True from when a delivery that was handed on was not stored in time until one is. */
  #isStuck = false
  #wake = () => {}

  constructor(config: WebhookConfig, clock: Clock) {
    this.#config = config
    this.#clock = clock
  }

  /** Why nothing can be taken now, or undefined. Asked before a body is read too. */
  obstacle(): Refusal | undefined {
    if (this.#over.signal.aborted) return unavailable('This process is shutting down', 'Send the delivery again.')
    if (this.#memory === null)
      return unavailable(
        'This process does not take deliveries now',
        'Another one may own this source: send the delivery again.',
      )
    if (this.#isStuck) return unavailable('The log takes no records now', 'Send the delivery again.')
    if (this.#waiting.size >= maxWaiting) return tooMuch()
    return undefined
  }

  /** Takes room for bytes that are being received. @throws Refusal 503 */
  reserve(bytes: number): void {
    if (this.#bytes + bytes > this.#config.max_in_flight) throw tooMuch()
    this.#bytes += bytes
  }

  release(bytes: number): void {
    this.#bytes -= bytes
  }

  /** Resolves once the delivery is durable, or was before. @throws Refusal 503: it may be stored nevertheless, and is known then when it is sent again */
  async take(delivery: Delivery): Promise<Outcome> {
    const answer = Promise.withResolvers<Outcome>()
    const there = this.#waiting.get(delivery.hash)
    if (there) there.answers.add(answer)
    else {
      if (this.#memory?.has(delivery.hash)) {
        this.#duplicates += delivery.items.length
        this.#wake()
        return 'known'
      }
      const obstacle = this.obstacle()
      if (obstacle) throw obstacle
      const waiting: Waiting = { ...delivery, answers: new Set([answer]), handedOn: false }
      this.#waiting.set(delivery.hash, waiting)
      this.#queue.push(waiting)
      this.#wake()
    }
    return this.#inTime(this.#waiting.get(delivery.hash)!, answer)
  }

  /** Batches of what is taken, until the signal aborts. @throws cursor.invalid */
  async *read(cursor: string | null, signal: AbortSignal): AsyncGenerator<SourceBatch, void> {
    const memory = new Memory(cursor, this.#config.remember, memoryWords)
    this.#memory = memory
    this.#resume(memory)
    try {
      while (!signal.aborted) {
        const batch = this.#queue.length > 0 || this.#duplicates > 0 ? this.#next(memory) : undefined
        if (batch) yield batch
        else await this.#change(signal)
      }
    } finally {
      // Another reading may have begun by now; what was handed on may still be stored, and is not answered here.
      if (this.#memory === memory) {
        this.#memory = null
        for (const waiting of this.#queue.splice(0))
          this.#fail(waiting, unavailable('This process gives its share up', 'Send the delivery again.'))
      }
    }
  }

  /** Ends all waiting. */
  close(): void {
    this.#over.abort()
    this.#queue = []
    for (const waiting of [...this.#waiting.values()])
      this.#fail(waiting, unavailable('This process is shutting down', 'Send the delivery again.'))
    this.#wake()
  }

  /** What an earlier reading handed on without hearing of it: the cursor says whether it is stored. */
  #resume(memory: Memory): void {
    const handedOn = [...this.#waiting.values()].filter(waiting => waiting.handedOn)
    for (const waiting of handedOn)
      if (memory.has(waiting.hash)) this.#stored([waiting])
      else if (waiting.answers.size === 0) this.#waiting.delete(waiting.hash)
      else waiting.handedOn = false
    this.#queue = [...handedOn.filter(waiting => !waiting.handedOn && this.#waiting.has(waiting.hash)), ...this.#queue]
    this.#isStuck = false
  }

  #next(memory: Memory): SourceBatch {
    const taken: Waiting[] = []
    let items = 0
    let bytes = 0
    for (const waiting of this.#queue) {
      if (taken.length > 0 && (items + waiting.items.length > batchItems || bytes + waiting.bytes > batchBytes)) break
      taken.push(waiting)
      items += waiting.items.length
      bytes += waiting.bytes
    }
    this.#queue.splice(0, taken.length)
    for (const waiting of taken) {
      waiting.handedOn = true
      memory.add(waiting.hash)
    }
    const duplicate = this.#duplicates
    this.#duplicates = 0
    return {
      items: taken.flatMap(waiting => waiting.items),
      cursor: memory.cursor,
      ...(duplicate > 0 ? { drops: { duplicate } } : {}),
      stored: () => this.#stored(taken),
    }
  }

  #stored(all: readonly Waiting[]): void {
    this.#isStuck = false
    for (const waiting of all) {
      this.#waiting.delete(waiting.hash)
      for (const answer of waiting.answers) answer.resolve('stored')
    }
  }

  #fail(waiting: Waiting, refusal: Refusal): void {
    this.#waiting.delete(waiting.hash)
    for (const answer of waiting.answers) answer.reject(refusal)
  }

  async #inTime(waiting: Waiting, answer: PromiseWithResolvers<Outcome>): Promise<Outcome> {
    const answered = new AbortController()
    const late = this.#clock.sleep(this.#config.answer_within, answered.signal).then(
      () => {
        waiting.answers.delete(answer)
        const inWork = waiting.handedOn && this.#memory !== null
        if (inWork) this.#isStuck = true
        else if (waiting.answers.size === 0) {
          this.#queue = this.#queue.filter(each => each !== waiting)
          this.#waiting.delete(waiting.hash)
        }
        answer.reject(unavailable('The delivery was not stored in time', 'Send it again: it is stored once.'))
      },
      () => {},
    )
    try {
      return await answer.promise
    } finally {
      answered.abort()
      await late
    }
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        signal.removeEventListener('abort', wake)
        this.#wake = () => {}
        resolve()
      }
      this.#wake = wake
      signal.addEventListener('abort', wake)
      if (signal.aborted) wake()
    })
  }
}

function tooMuch(): Refusal {
  return unavailable('Too much is waiting to be stored', 'Send the delivery again, later.')
}
