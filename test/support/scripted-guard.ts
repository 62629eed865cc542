// A fetch guard without a network: a function answers each request, once; what the judge says decides, as in the real one.
import type { FetchGuard, HttpRequest, HttpResponse } from '../../src/fetch/guard.ts'
import { outcomeOf } from '../../src/fetch/outcome.ts'

export interface Reply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Bytes and text as they are, all else as JSON. */
  readonly body: unknown
}

export interface ScriptedGuard extends FetchGuard {
  readonly requests: HttpRequest[]
}

export function scriptedGuard(answer: (url: URL, request: HttpRequest) => Reply): ScriptedGuard {
  const requests: HttpRequest[] = []
  return {
    requests,
    async call(request, judge, signal) {
      signal.throwIfAborted()
      requests.push(request)
      request.once?.('sending')
      const { status = 200, headers = {}, body } = answer(new URL(request.url), request)
      const bytes =
        body instanceof Uint8Array ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
      const response: HttpResponse = { status, headers, url: request.url, body: bytes }
      const outcome = outcomeOf(response, await judge(response), request.url, undefined, 0)
      if (outcome.name === 'failed') throw outcome.error
      return outcome.response
    },
    async [Symbol.asyncDispose]() {},
  }
}
