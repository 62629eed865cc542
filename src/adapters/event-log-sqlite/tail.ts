// Waiting at the end of the log: woken at once by commits of this process, within 50 ms by those of others. Idle, it does nothing.
import type { Clock } from '../../core/clock.ts'
import type { Store } from '../embedded-store/store.ts'

const foreignCheckMs = 40

export class Tail {
  readonly #store: Store
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()
  readonly #stop = new AbortController()
  #changes = 0
  #dataVersion: number | null = null
  #loop: Promise<void> | null = null

  constructor(store: Store) {
    this.#store = store
    this.#clock = store.clock
    store.onGone(() => this.notify())
  }

  /** Take it before reading; `wait` returns at once when anything was committed since. */
  mark(): number {
    this.#lookForeign()
    return this.#changes
  }

  /** Something was committed, or changed for those who wait. */
  notify(): void {
    this.#changes++
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  /** Resolves after a change since `mark`, after `maxWaitMs`, or when `signal` aborts. */
  async wait(mark: number, maxWaitMs: number, signal?: AbortSignal): Promise<void> {
    if (mark !== this.#changes || maxWaitMs <= 0 || signal?.aborted || this.#stop.signal.aborted) return
    const ended = new AbortController()
    const wake = (): void => ended.abort()
    this.#waiting.add(wake)
    signal?.addEventListener('abort', wake, { once: true })
    this.#loop ??= this.#watchForeign().finally(() => (this.#loop = null))
    try {
      if (Number.isFinite(maxWaitMs)) await this.#clock.sleep(maxWaitMs, ended.signal).catch(() => {})
      else if (!ended.signal.aborted)
        await new Promise<void>(resolve => ended.signal.addEventListener('abort', () => resolve(), { once: true }))
    } finally {
      this.#waiting.delete(wake)
      signal?.removeEventListener('abort', wake)
    }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.notify()
    await this.#loop
  }

  #lookForeign(): void {
    const version = this.#store.dataVersion()
    if (version === this.#dataVersion) return
    this.#dataVersion = version
    this.notify()
  }

  async #watchForeign(): Promise<void> {
    while (this.#waiting.size > 0) {
      try {
        await this.#clock.sleep(foreignCheckMs, this.#stop.signal)
      } catch {
        return
      }
      this.#lookForeign()
    }
  }
}
