// One circuit breaker per host, on opossum. closed -> open when the share of failures over the last calls is reached, or at once when
// the host blocks us; open -> half_open when its time is over by our clock; half_open lets exactly one probe through, which closes or
// reopens it. Open breakers are saved, so that a restart does not hammer a dead host (I4).
import { EventEmitter } from 'node:events'
import type CircuitBreaker from 'opossum'
import type { Clock } from '../core/clock.ts'
import { WeirError } from '../core/errors.ts'
import { formatDuration } from '../core/units.ts'
import type { Harm, Outcome } from './outcome.ts'
import type { FetchSettings } from './settings.ts'

/** Where the state of open breakers outlives the process. Adapter: breaker-file. */
export interface BreakerStore {
  /** The text saved last for the host, or null. */
  load(host: string): Promise<string | null>
  /** Replaces it as a whole, durably. */
  save(host: string, state: string): Promise<void>
}

export interface BreakerDeps {
  readonly clock: Clock
  readonly store: BreakerStore
  readonly changed: (host: string, to: 'open' | 'half_open' | 'closed', untilMs?: number) => void
  /** Told when the state cannot be saved or understood: no reason to stop fetching. */
  readonly warn: (message: string) => void
}

export interface Breakers extends Disposable {
  /** @throws fetch.breaker_open with the time left, when a call would be refused now */
  check(host: string): Promise<void>
  /** Makes the call unless the breaker refuses it. @throws fetch.breaker_open */
  run(host: string, call: () => Promise<Outcome>): Promise<Outcome>
}

/** What opossum's own timers are given: they never fire in practice, our clock decides. */
const never = 2 ** 31 - 1

export function createBreakers(settings: FetchSettings['breaker'], deps: BreakerDeps): Breakers {
  const hosts = new Map<string, Promise<HostBreaker>>()
  const of = (host: string): Promise<HostBreaker> => {
    let breaker = hosts.get(host)
    if (breaker === undefined) hosts.set(host, (breaker = openHostBreaker(host, settings, deps)))
    return breaker
  }
  return {
    check: async host => (await of(host)).check(),
    run: async (host, call) => (await of(host)).run(call),
    [Symbol.dispose]() {
      for (const breaker of hosts.values()) breaker.then(b => b.close()).catch(() => {})
    },
  }
}

type Call = () => Promise<Outcome>
type Circuit = CircuitBreaker<[Call], Outcome>

async function openHostBreaker(
  host: string,
  settings: FetchSettings['breaker'],
  deps: BreakerDeps,
): Promise<HostBreaker> {
  const { default: CircuitClass } = await import('opossum')
  return new HostBreaker(CircuitClass, host, settings, deps, await restore(host, deps))
}

class HostBreaker {
  readonly #CircuitClass: typeof CircuitBreaker
  readonly #host: string
  readonly #settings: FetchSettings['breaker']
  readonly #deps: BreakerDeps
  /** Rotates opossum's buckets, one a call: its window is then the last calls, not the last seconds. */
  readonly #window = new EventEmitter()
  #circuit: Circuit
  #state: 'closed' | 'open' | 'half_open'
  /** End of the open time on the monotonic clock. */
  #openUntil = 0
  #saving: Promise<void> = Promise.resolve()

  constructor(
    CircuitClass: typeof CircuitBreaker,
    host: string,
    settings: FetchSettings['breaker'],
    deps: BreakerDeps,
    openForMs: number | null,
  ) {
    this.#CircuitClass = CircuitClass
    this.#host = host
    this.#settings = settings
    this.#deps = deps
    this.#state = openForMs === null ? 'closed' : 'open'
    this.#circuit = this.#newCircuit()
    if (openForMs === null) return
    this.#openUntil = deps.clock.monotonic() + openForMs
    deps.changed(host, 'open', deps.clock.now() + openForMs)
  }

  check(): void {
    if (this.#state === 'open') {
      const leftMs = this.#openUntil - this.#deps.clock.monotonic()
      if (leftMs > 0) throw this.#refusal(`for another ${formatDuration(leftMs)}`)
      this.#state = 'half_open'
      this.#replaceCircuit()
      this.#deps.changed(this.#host, 'half_open')
    }
    if (this.#circuit.halfOpen && !this.#circuit.pendingClose) throw this.#refusal('while one call tries it')
  }

  async run(call: Call): Promise<Outcome> {
    this.check()
    const circuit = this.#circuit
    const probing = circuit.halfOpen
    let outcome: Outcome | undefined
    this.#window.emit('rotate')
    try {
      await circuit.fire(async () => {
        outcome = await call()
        if (outcome.name === 'failed' && isFailure(outcome.harm, probing)) throw outcome.error
        return outcome
      })
    } catch (error) {
      if (outcome === undefined)
        throw (error as { code?: unknown }).code === 'EOPENBREAKER' ? this.#refusal('while one call tries it') : error
    }
    const result = outcome as Outcome
    this.#settle(result, circuit)
    await this.#saving
    return result
  }

  close(): void {
    this.#circuit.shutdown()
  }

  /** After a call: opossum has opened or closed its circuit; here the time, the file and the event follow. */
  #settle(outcome: Outcome, circuit: Circuit): void {
    const harm = outcome.name === 'failed' ? outcome.harm : 'none'
    if (harm === 'blocked') {
      this.#circuit.open()
      this.#opened((outcome.name === 'failed' ? outcome.waitMs : undefined) ?? this.#settings.open_for)
      return
    }
    // A call that began under an earlier circuit says nothing about this one.
    if (circuit !== this.#circuit) return
    if (circuit.opened && this.#state !== 'open') {
      // A probe that we cut short ourselves taught nothing: the next call is the probe.
      if (harm === 'unknown') this.#state = 'open'
      else this.#opened(this.#settings.open_for)
    } else if (circuit.closed && this.#state === 'half_open') {
      this.#state = 'closed'
      this.#replaceCircuit()
      this.#deps.changed(this.#host, 'closed')
      this.#save({ version: 1, openUntilMs: null, openForMs: 0 })
    }
  }

  #opened(forMs: number): void {
    const until = this.#deps.clock.monotonic() + forMs
    if (this.#state === 'open' && until <= this.#openUntil) return
    this.#state = 'open'
    this.#openUntil = until
    const openUntilMs = this.#deps.clock.now() + forMs
    this.#deps.changed(this.#host, 'open', openUntilMs)
    this.#save({ version: 1, openUntilMs, openForMs: forMs })
  }

  #save(state: SavedState): void {
    this.#saving = this.#saving
      .then(() => this.#deps.store.save(this.#host, JSON.stringify(state)))
      .catch(() =>
        this.#deps.warn(
          `The state of the breaker of ${this.#host} cannot be saved: after a restart the host is called at once`,
        ),
      )
  }

  #replaceCircuit(): void {
    this.#circuit.shutdown()
    this.#circuit = this.#newCircuit()
  }

  #newCircuit(): Circuit {
    const { failure_rate, window } = this.#settings
    const options = {
      name: this.#host,
      timeout: false as const,
      resetTimeout: never,
      // opossum opens above the share, the definition says at it.
      errorThresholdPercentage: failure_rate * 100 - 1e-6,
      volumeThreshold: window,
      rollingCountBuckets: window,
      rollingCountTimeout: window,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      rotateBucketController: this.#window,
      state: {
        enabled: true,
        closed: this.#state === 'closed',
        open: this.#state === 'open',
        halfOpen: this.#state === 'half_open',
      },
    }
    return new this.#CircuitClass<[Call], Outcome>(call => call(), options)
  }

  #refusal(when: string): WeirError {
    return new WeirError('fetch.breaker_open', `Calls to ${this.#host} are stopped ${when}, because it kept failing`, {
      hint: 'It is tried again by itself; the failures before this one tell why.',
    })
  }
}

function isFailure(harm: Harm, probing: boolean): boolean {
  return harm === 'failure' || harm === 'blocked' || (harm === 'unknown' && probing)
}

interface SavedState {
  readonly version: 1
  /** Wall clock; null: closed. */
  readonly openUntilMs: number | null
  readonly openForMs: number
}

/** How long a saved breaker stays open, milliseconds; null when it is closed or nothing is known. */
async function restore(host: string, { clock, store, warn }: BreakerDeps): Promise<number | null> {
  try {
    const text = await store.load(host)
    if (text === null) return null
    const state = JSON.parse(text) as Partial<SavedState> | null
    if (state?.version !== 1 || typeof state.openUntilMs !== 'number' || typeof state.openForMs !== 'number')
      return null
    // A wall clock that was set back must not keep the host closed for longer than was meant.
    return Math.max(0, Math.min(state.openUntilMs - clock.now(), state.openForMs))
  } catch {
    warn(`The saved state of the breaker of ${host} cannot be read: the host is called at once`)
    return null
  }
}
