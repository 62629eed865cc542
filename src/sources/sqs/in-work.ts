// Messages that were received and are not settled yet. One here: received -> stored, then deleted; received -> given back, when it is known
// not to be stored. Those in work are kept invisible to others; a deletion that fails does no harm, for the message is known when it comes again.
import type { Clock } from '../../core/clock.ts'
import { toWeirError } from '../../core/errors.ts'
import type { Queue } from './queue.ts'

export interface InWorkDeps {
  readonly clock: Clock
  readonly visibilityMs: number
  /** Told of calls that were given up; nothing is lost by one. */
  readonly trouble: (code: ReturnType<typeof toWeirError>['code'] | 'info', message: string) => void
}

interface Held {
  /** What makes the message known. */
  readonly identity: string
  readonly receipt: string
  /** Whether the reading that received it still goes on, or may yet hear of its being stored. */
  readonly reading: { readonly live: boolean }
}

/** Deletions under way at once; with more the reading waits. */
const maxRemovals = 4
/** What closing may take: messages that are not given back come again by themselves. */
const closingMs = 2_000

export class InWork {
  readonly #queue: Queue
  readonly #deps: InWorkDeps
  readonly #held = new Map<string, Held>()
  readonly #removals = new Set<Promise<void>>()
  readonly #over = new AbortController()
  #beating: Promise<void> | undefined

  constructor(queue: Queue, deps: InWorkDeps) {
    this.#queue = queue
    this.#deps = deps
  }

  /** True when nothing is held, nor on its way to be deleted. */
  get isIdle(): boolean {
    return this.#held.size === 0 && this.#removals.size === 0
  }

  /** A message that came again has a new receipt: the newest counts. */
  take(id: string, held: Held): void {
    this.#held.set(id, held)
    this.#beating ??= this.#beat()
  }

  /** The transaction with these is durable: they are deleted, without anybody waiting for it. */
  stored(ids: readonly string[]): void {
    const receipts = ids.flatMap(id => {
      const held = this.#held.get(id)
      this.#held.delete(id)
      return held ? [held.receipt] : []
    })
    if (receipts.length === 0) return
    const removal = this.#remove(receipts).finally(() => this.#removals.delete(removal))
    this.#removals.add(removal)
  }

  /** What an earlier reading left: `isStored` says, by the cursor, what became of it. */
  async settle(isStored: (identity: string) => boolean, signal: AbortSignal): Promise<void> {
    this.stored([...this.#held].filter(([, { identity }]) => isStored(identity)).map(([id]) => id))
    await this.#giveBack(signal)
  }

  /** Waits until there is room for more. */
  async room(): Promise<void> {
    while (this.#removals.size >= maxRemovals) await Promise.race(this.#removals)
  }

  /** Gives back what is not stored, and ends the deletions. */
  async close(): Promise<void> {
    const { clock } = this.#deps
    const done = new AbortController()
    const late = clock.sleep(closingMs, done.signal).then(
      () => this.#over.abort(),
      () => {},
    )
    await Promise.all([this.#giveBack(this.#over.signal), ...this.#removals])
    done.abort()
    this.#over.abort()
    await late
    await this.#beating
  }

  async #giveBack(signal: AbortSignal): Promise<void> {
    const receipts = [...this.#held.values()].map(({ receipt }) => receipt)
    this.#held.clear()
    if (receipts.length === 0) return
    const work = () => this.#queue.hide(receipts, 0, signal)
    await this.#attempt('given back', work, 'they come again by themselves', signal)
  }

  #remove(receipts: readonly string[]): Promise<void> {
    const { signal } = this.#over
    return this.#attempt(
      'deleted',
      () => this.#queue.remove(receipts, signal),
      'they come again, and are known then',
      signal,
    )
  }

  async #beat(): Promise<void> {
    const { clock, visibilityMs } = this.#deps
    const { signal } = this.#over
    while (!signal.aborted) {
      await clock.sleep(visibilityMs / 2, signal).catch(() => {})
      const receipts = [...this.#held.values()].filter(({ reading }) => reading.live).map(({ receipt }) => receipt)
      if (receipts.length === 0 || signal.aborted) continue
      const work = () => this.#queue.hide(receipts, visibilityMs, signal)
      await this.#attempt('kept from others', work, 'they may come again, and are known then', signal)
    }
  }

  async #attempt(what: string, work: () => Promise<number>, but: string, signal: AbortSignal): Promise<void> {
    const { trouble } = this.#deps
    try {
      const failed = await work()
      if (failed > 0) trouble('info', `${failed} messages could not be ${what}: ${but}`)
    } catch (thrown) {
      if (signal.aborted) return
      const { code, message } = toWeirError(thrown)
      trouble(code, `messages could not be ${what}: ${but}; ${message}`)
    }
  }
}
