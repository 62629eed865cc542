// The real fetch guard with quick settings, its events kept, and breaker state in memory.
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { Event } from '../../src/core/event.ts'
import type { BreakerStore } from '../../src/fetch/breaker.ts'
import type { Resolve } from '../../src/fetch/egress.ts'
import type { FetchGuard, HttpRequest, HttpResponse, Verdict } from '../../src/fetch/guard.ts'
import { openFetchGuard } from '../../src/fetch/open.ts'
import { fetchSettings } from './http-config.ts'

export interface OpenedGuard extends AsyncDisposable {
  readonly guard: FetchGuard
  readonly events: Event[]
  /** A GET; 429 and 5xx mean what they say, all else below 400 is fine. */
  get(url: string, request?: Partial<HttpRequest>, signal?: AbortSignal): Promise<HttpResponse>
}

export interface GuardOptions {
  readonly settings?: Record<string, unknown>
  readonly clock?: Clock
  readonly store?: BreakerStore
  readonly resolve?: Resolve
}

export const judgeByStatus = ({ status }: HttpResponse): Verdict => {
  if (status === 429) return { class: 'throttled', reason: 'status 429' }
  if (status >= 500) return { class: 'retry', reason: `status ${status}` }
  return status < 400 ? { class: 'ok' } : { class: 'fatal', reason: `status ${status}` }
}

export function openGuard({ settings, clock = systemClock, store, resolve }: GuardOptions = {}): OpenedGuard {
  const events: Event[] = []
  const memory = new Map<string, string>()
  const guard = openFetchGuard({
    settings: fetchSettings(settings),
    pipeline: 'test',
    clock,
    random: () => 0.5,
    emit: event => events.push(event),
    store: store ?? {
      load: async host => memory.get(host) ?? null,
      save: async (host, state) => void memory.set(host, state),
    },
    ...(resolve ? { resolve } : {}),
  })
  return {
    guard,
    events,
    get: (url, request = {}, signal = new AbortController().signal) =>
      guard.call({ method: 'GET', url, headers: {}, ...request }, judgeByStatus, signal),
    [Symbol.asyncDispose]: () => guard[Symbol.asyncDispose](),
  }
}
