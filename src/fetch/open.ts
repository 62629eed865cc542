// Joins the wrappers of a call, outermost first: retry, breaker check, credentials, rate limit, breaker, deadline, redirects with egress
// check and signature, transport with body caps. A failed call throws and does nothing else (I4); no header, body or query reaches an error or event (I9).
import type { Clock, Random } from '../core/clock.ts'
import { toWeirError, WeirError, weirErrorOf } from '../core/errors.ts'
import type { Emit } from '../core/event.ts'
import { failpoint } from '../core/failpoint.ts'
import { redact } from '../core/secret.ts'
import { readBody } from './body.ts'
import { type BreakerStore, createBreakers } from './breaker.ts'
import { createEgress, type Resolve } from './egress.ts'
import type { FetchGuard, HttpRequest, HttpResponse, Judge } from './guard.ts'
import { exhaustedForMs, spacingMs } from './limit-headers.ts'
import { type Outcome, outcomeOf, outcomeOfThrown } from './outcome.ts'
import { type HeldBy, sharedRateLimits } from './rate-limit.ts'
import { type Followed, followRedirects, type Send } from './redirect.ts'
import { retry } from './retry.ts'
import { retryAfterMs } from './retry-after.ts'
import type { FetchSettings } from './settings.ts'
import { withDeadline } from './timeout.ts'
import { openTransport, type Transport, wasNotSent } from './transport.ts'

export interface FetchGuardOptions {
  readonly settings: FetchSettings
  /** Name of the pipeline, for events. */
  readonly pipeline: string
  readonly clock: Clock
  readonly random: Random
  readonly emit: Emit
  readonly store: BreakerStore
  /** How host names become addresses; omitted: the system's resolver. */
  readonly resolve?: Resolve
  /** What carries the calls; omitted: the network. Given the one that would, by a function. */
  readonly transport?: (network: () => Transport) => Transport
}

/** A guard with its own connections and breakers; rate limits are shared by all guards on the same clock. @throws config.invalid */
export function openFetchGuard(options: FetchGuardOptions): FetchGuard {
  const { settings, pipeline, clock, random, emit, store } = options
  const egress = createEgress(settings.allow_private, options.resolve)
  const network = () => openTransport(egress.lookup, settings.timeout)
  const transport = options.transport ? options.transport(network) : network()
  const limits = sharedRateLimits(clock)
  const closing = new AbortController()
  const breakers = createBreakers(settings.breaker, {
    clock,
    store,
    changed: (host, to, untilMs) =>
      emit({ type: 'breaker_changed', pipeline, host, to, ...(untilMs === undefined ? {} : { untilMs }) }),
    warn: message => emit({ type: 'warning', pipeline, code: 'info', message }),
  })

  const exchange = (request: HttpRequest, signal: AbortSignal): Promise<Exchanged> =>
    withDeadline(settings.timeout, clock, signal, async inner => {
      let hops = 0
      const send: Send = (url, hop, hopSignal) => {
        hops++
        return transport.send(url, hop, hopSignal)
      }
      const { response, url, signed } = await followRedirects(send, egress.check, request, inner).catch(error => {
        // A redirect was an answer: what it stood for may have been done.
        if (hops <= 1 && wasNotSent(error)) request.once?.('not_sent')
        throw error
      })
      try {
        const body = await readBody(response.body, response.headers, settings.max_body)
        return { response: { status: response.status, headers: response.headers, url: url.href, body }, signed }
      } catch (error) {
        response.abandon()
        throw error
      }
    })

  const capped = (ms: number | undefined) => Math.min(ms ?? 0, settings.retry.retry_after_max)
  /** Limits of the host, as its answer tells them. */
  const learn = (host: string, headers: HttpResponse['headers']): void => {
    if (!settings.rate_limit.learn) return
    const heldMs = capped(exhaustedForMs(headers, clock.now()))
    if (heldMs > 0) limits.hold(host, heldMs)
    const spacing = spacingMs(headers)
    if (spacing !== undefined) limits.space(host, capped(spacing), 'headers')
  }

  const attempt = async (
    request: HttpRequest,
    target: Target,
    judge: Judge,
    number: number,
    mayRenew: boolean,
    signal: AbortSignal,
  ): Promise<Outcome> => {
    const startedMs = clock.monotonic()
    try {
      failpoint('fetch.before')
      request.once?.('sending')
      const { response, signed } = await exchange(request, signal)
      failpoint('fetch.after')
      const { status } = response
      emit({
        type: 'fetch_done',
        pipeline,
        host: target.host,
        status,
        bytes: response.body.byteLength,
        ms: Math.round(clock.monotonic() - startedMs),
        attempt: number,
      })
      learn(target.host, response.headers)
      if (status === 401 && signed && mayRenew && request.signer?.refused?.(signed)) return renewedOutcome(target.at)
      const asked = retryAfterMs(response.headers['retry-after'], clock.now())
      const verdict = await judge(response)
      if (verdict.spaceMs !== undefined) limits.space(target.host, capped(verdict.spaceMs), 'robots')
      if (verdict.holdMs) limits.hold(target.host, capped(verdict.holdMs))
      return outcomeOf(response, verdict, target.at, asked, settings.retry.retry_after_max)
    } catch (thrown) {
      return outcomeOfThrown(placed(thrown, target.at), signal)
    }
  }

  /** Once a minute for a host and a reason: a host at its limit holds every call. */
  const told = new Map<string, number>()
  const tell = (host: string, by: HeldBy, ms: number): void => {
    const now = clock.monotonic()
    const name = `${by} ${host}`
    if (ms < 1000 || now < (told.get(name) ?? 0)) return
    if (told.size >= maxTold) told.clear()
    told.set(name, now + 60_000)
    emit({ type: 'fetch_held', pipeline, host, by, waitMs: Math.round(ms) })
  }

  return {
    async call(request, judge, callerSignal) {
      const signal = AbortSignal.any([callerSignal, closing.signal])
      const target = targetOf(egress.check(request.url), request.method)
      let mayRenew = true
      const once = async (number: number): Promise<Outcome> => {
        await breakers.check(target.host)
        await request.signer?.prepare?.(signal)
        await limits.wait(target.host, settings.rate_limit, signal, (by, ms) => tell(target.host, by, ms))
        // The wait may have outlasted a token.
        await request.signer?.prepare?.(signal)
        return breakers.run(target.host, () => attempt(request, target, judge, number, mayRenew, signal))
      }
      const guarded = async (number: number): Promise<Outcome> => {
        let outcome = await once(number)
        if (outcome.name === 'failed' && outcome.renewed) {
          mayRenew = false
          outcome = await once(number)
        }
        if (outcome.name === 'failed' && outcome.again && outcome.hostAsked && outcome.waitMs)
          limits.hold(target.host, outcome.waitMs)
        return request.once ? notRepeated(outcome) : outcome
      }
      const retrying = (number: number, waitMs: number, error: WeirError) =>
        emit({
          type: 'fetch_retry',
          pipeline,
          host: target.host,
          attempt: number,
          waitMs,
          code: error.code,
          message: redact(error.message),
        })
      try {
        return await retry(guarded, settings.retry, { clock, random, retrying }, signal)
      } catch (error) {
        throw signal.aborted ? signal.reason : toWeirError(error)
      }
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new WeirError('fetch.network', 'The pipeline stops'))
      breakers[Symbol.dispose]()
      await transport[Symbol.asyncDispose]()
    },
  }
}

/** A call that must not be carried out twice is made again only where the host has refused it. */
function notRepeated(outcome: Outcome): Outcome {
  return outcome.name === 'failed' && toWeirError(outcome.error).code !== 'fetch.throttled'
    ? { ...outcome, again: false }
    : outcome
}

interface Exchanged {
  readonly response: HttpResponse
  readonly signed: Followed['signed']
}

const maxTold = 1000

function renewedOutcome(at: string): Outcome {
  const error = new WeirError('fetch.fatal', 'status 401', { at })
  return { name: 'failed', error, again: false, harm: 'none', renewed: true }
}

interface Target {
  /** Host and port: the scope of breaker and rate limit. */
  readonly host: string
  /** Method, host and path, for people: never the query, which may hold a key. */
  readonly at: string
}

function targetOf(url: URL, method: string): Target {
  return { host: url.host, at: redact(`${method} ${url.origin}${url.pathname}`) }
}

/** The same error, with the place of the call if it has none. */
function placed(thrown: unknown, at: string): unknown {
  const error = weirErrorOf(thrown)
  if (error === undefined || error !== thrown || error.at !== undefined || !error.code.startsWith('fetch.'))
    return thrown
  return new WeirError(error.code, error.message, {
    at,
    cause: error.cause,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  })
}
