// One call of an `http` source: the request is made from its templates, the answer judged, and its body decoded once for rules and expressions.
import { redact } from '../../core/secret.ts'
import type { HttpRequest, HttpResponse } from '../../fetch/guard.ts'
import { type AnswerVars, answerVarsOf } from './answer.ts'
import type { Decoder, LazyBody } from './decoder.ts'
import type { Engine } from './engine.ts'
import type { Judgement } from './judge.ts'
import { renderKey } from './order-key.ts'
import type { PageParams } from './paginate.ts'
import type { RequestBuilder, RequestVars } from './request.ts'
import type { Mark } from './state.ts'

export interface Call {
  readonly builder: RequestBuilder
  readonly vars: Omit<RequestVars, 'now'>
  readonly params?: PageParams
  readonly decoder: Decoder
  /** Headers besides those of the definition, for the request as it was made. */
  readonly headers?: (request: HttpRequest) => Readonly<Record<string, string>>
  /** Sees each answer and what it was taken for; what it gives counts. */
  readonly reading?: (judgement: Judgement, response: HttpResponse) => Judgement
  readonly once?: NonNullable<HttpRequest['once']>
}

export interface Called {
  readonly request: HttpRequest
  readonly response: HttpResponse
  readonly judgement: Judgement
  /** @throws source.invalid_json and its like */
  readonly decoded: LazyBody
  /** What expressions over the answer see; a body that cannot be decoded is its text. */
  readonly loosely: () => AnswerVars
  /** For errors: method, host and path. */
  readonly at: string
}

const noParams: PageParams = { query: new Map(), body: new Map() }

/** What templates see as `page` in a call that is none of a page. */
export const noPage = { index: 0n, number: null, offset: null, token: null }

/** @throws fetch.*, map.failed */
export async function ask(engine: Engine, call: Call, signal: AbortSignal): Promise<Called> {
  const { builder, vars, headers, reading, once } = call
  const made = builder.build({ ...vars, now: BigInt(engine.clock.now()) }, call.params ?? noParams)
  const request: HttpRequest = {
    ...made,
    ...(headers ? { headers: { ...made.headers, ...headers(made) } } : {}),
    ...(once ? { once } : {}),
  }
  const at = placeOf(request)
  let seen: Pick<Called, 'judgement' | 'decoded' | 'loosely'> | undefined
  const response = await engine.fetch().call(
    request,
    async answer => {
      const decoded = await call.decoder.open(answer, at)
      const body = () => bodyOrText(decoded, answer)
      const judged = engine.judge(answer, body, vars.job)
      seen = {
        judgement: reading ? reading(judged, answer) : judged,
        decoded,
        loosely: () => answerVarsOf(answer, body(), vars),
      }
      return seen.judgement.verdict
    },
    signal,
  )
  return { request, response, at, ...seen! }
}

function bodyOrText(decoded: LazyBody, response: HttpResponse): unknown {
  try {
    return decoded().body
  } catch {
    return Buffer.from(response.body.subarray(0, 65_536)).toString('utf8')
  }
}

/** What templates see as `cursor`. */
export function sinceValue(since: Mark | null): unknown {
  if (since === null) return null
  const value = renderKey(since.key, since.form)
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
}

/** Method, host and path, for people: no query, it may hold a key (I9). */
function placeOf({ method, url }: HttpRequest): string {
  const { origin, pathname } = new URL(url)
  return redact(`${method} ${origin}${pathname}`)
}
