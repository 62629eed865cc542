// Joins the wrappers of a call, outermost first: retry, breaker check, rate limit, breaker, deadline, redirects with egress check,
// transport with body caps. A failed call throws and does nothing else (I4); no header, body or query reaches an error or event (I9).
import type { Clock, Random } from '../core/clock.ts'
import { toWeirError, WeirError, weirErrorOf } from '../core/errors.ts'
import type { Emit } from '../core/event.ts'
import { failpoint } from '../core/failpoint.ts'
import { redact } from '../core/secret.ts'
import { readBody } from './body.ts'
import { type BreakerStore, createBreakers } from './breaker.ts'
import { createEgress, type Resolve } from './egress.ts'
import type { FetchGuard, HttpRequest, HttpResponse, Verdict } from './guard.ts'
import { type Outcome, outcomeOf, outcomeOfThrown } from './outcome.ts'
import { sharedRateLimits } from './rate-limit.ts'
import { followRedirects } from './redirect.ts'
import { retry } from './retry.ts'
import { retryAfterMs } from './retry-after.ts'
import type { FetchSettings } from './settings.ts'
import { withDeadline } from './timeout.ts'
import { openTransport } from './transport.ts'

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
}

type Judge = (response: HttpResponse) => Verdict

/** A guard with its own connections and breakers; rate limits are shared by all guards on the same clock. @throws config.invalid */
export function openFetchGuard(options: FetchGuardOptions): FetchGuard {
  const { settings, pipeline, clock, random, emit, store } = options
  const egress = createEgress(settings.allow_private, options.resolve)
  const transport = openTransport(egress.lookup, settings.timeout)
  const limits = sharedRateLimits(clock)
  const closing = new AbortController()
  const breakers = createBreakers(settings.breaker, {
    clock,
    store,
    changed: (host, to, untilMs) =>
      emit({ type: 'breaker_changed', pipeline, host, to, ...(untilMs === undefined ? {} : { untilMs }) }),
    warn: message => emit({ type: 'warning', pipeline, code: 'info', message }),
  })

  const exchange = (request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> =>
    withDeadline(settings.timeout, clock, signal, async inner => {
      const { response, url } = await followRedirects(transport.send, egress.check, request, inner)
      try {
        const body = await readBody(response.body, response.headers, settings.max_body)
        return { status: response.status, headers: response.headers, url: url.href, body }
      } catch (error) {
        response.abandon()
        throw error
      }
    })

  const attempt = async (
    request: HttpRequest,
    target: Target,
    judge: Judge,
    number: number,
    signal: AbortSignal,
  ): Promise<Outcome> => {
    const startedMs = clock.monotonic()
    try {
      failpoint('fetch.before')
      const response = await exchange(request, signal)
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
      const asked = retryAfterMs(response.headers['retry-after'], clock.now())
      return outcomeOf(response, judge(response), target.at, asked, settings.retry.retry_after_max)
    } catch (thrown) {
      return outcomeOfThrown(placed(thrown, target.at), signal)
    }
  }

  return {
    async call(request, judge, callerSignal) {
      const signal = AbortSignal.any([callerSignal, closing.signal])
      const target = targetOf(egress.check(request.url), request.method)
      const guarded = async (number: number): Promise<Outcome> => {
        await breakers.check(target.host)
        await limits.wait(target.host, settings.rate_limit, signal)
        const outcome = await breakers.run(target.host, () => attempt(request, target, judge, number, signal))
        if (outcome.name === 'failed' && outcome.again && outcome.hostAsked && outcome.waitMs)
          limits.hold(target.host, outcome.waitMs)
        return outcome
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
