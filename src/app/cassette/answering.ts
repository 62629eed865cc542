// The network of a replay: each request is answered by the first exchange of the cassette that fits it and is not used up. What fits none
// is an error that names the nearest.
import type { Cassette, Exchange } from '../../config/cassette/spec.ts'
import type { Problems } from '../../config/problem.ts'
import { WeirError } from '../../core/errors.ts'
import { redact } from '../../core/secret.ts'
import type { HttpRequest } from '../../fetch/guard.ts'
import type { RawResponse } from '../../fetch/redirect.ts'
import type { Transport } from '../../fetch/transport.ts'
import { type Mismatch, mismatches } from './match.ts'

export interface Answering extends Transport {
  /** Requests so far. */
  readonly asked: number
  /** Whether each exchange was used, and how often. */
  readonly used: readonly number[]
  /** True when a request fitted no exchange; told in the problems. */
  readonly isLost: boolean
  /** The exchange that came nearest to it, by its index, and in what they differ. */
  readonly nearest: Nearest | undefined
}

export function createAnswering({ exchanges }: Cassette, problems: Problems): Answering {
  const used = exchanges.map(() => 0)
  let asked = 0
  let isLost = false
  let nearest: Nearest | undefined
  return {
    get nearest() {
      return nearest
    },
    used,
    get asked() {
      return asked
    },
    get isLost() {
      return isLost
    },
    async send(url, request, signal) {
      signal.throwIfAborted()
      asked++
      const index = exchanges.findIndex(
        (exchange, i) => used[i]! < exchange.times && mismatches(exchange, url, request).length === 0,
      )
      if (index < 0) {
        isLost = true
        nearest = nearestOf(exchanges, used, url, request)
        throw unmatched(exchanges, nearest, asked, requestText(url, request), problems)
      }
      used[index]!++
      return answerOf(exchanges[index]!)
    },
    async [Symbol.asyncDispose]() {},
  }
}

function answerOf({ response, fails }: Exchange): RawResponse {
  if (fails === 'timeout') throw new WeirError('fetch.timeout', 'No complete answer in time, as the cassette says')
  if (!response) throw new WeirError('fetch.network', 'The call failed, as the cassette says: connection refused')
  const { status, headers = {}, body, base64 } = response
  const bytes =
    base64 !== undefined
      ? Buffer.from(base64, 'base64')
      : Buffer.from(body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body))
  const isText = body === undefined || typeof body === 'string'
  return {
    status,
    headers: {
      'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json',
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)])),
    },
    body: (async function* () {
      yield bytes
    })(),
    discard: async () => {},
    abandon: () => {},
  }
}

/** Adds the problem, at the exchange that comes nearest; what it gives ends the call. */
function unmatched(
  exchanges: readonly Exchange[],
  nearest: Nearest | undefined,
  number: number,
  request: string,
  problems: Problems,
): WeirError {
  const what = `Request ${number}, ${request}, is answered by no exchange.`
  if (!nearest) {
    problems.add({
      code: 'cassette.unmatched',
      message: what,
      pointer: '/exchanges',
      on: 'key',
      hint: 'The cassette has none: add it, or record it anew with weir record.',
    })
  } else {
    const { index, found } = nearest
    const { times } = exchanges[index]!
    problems.add({
      code: 'cassette.unmatched',
      message:
        found.length === 0
          ? `${what} Exchange ${index + 1} fits, but it was asked for ${times === 1 ? 'once' : `${times} times`} already.`
          : `${what} The nearest is exchange ${index + 1}: ${found.map(({ message }) => message).join('; ')}.`,
      pointer: `/exchanges/${index}/request${found[0]?.pointer ?? ''}`,
      hint:
        found.length === 0
          ? 'Raise its `times`, or find out why the call is made again.'
          : 'Correct the definition or the exchange, or record the cassette anew.',
    })
  }
  return new WeirError('cassette.unmatched', what)
}

interface Nearest {
  readonly index: number
  readonly found: readonly Mismatch[]
}

function nearestOf(
  exchanges: readonly Exchange[],
  used: readonly number[],
  url: URL,
  request: HttpRequest,
): Nearest | undefined {
  let best: (Nearest & { readonly weight: number }) | undefined
  exchanges.forEach((exchange, index) => {
    const found = mismatches(exchange, url, request)
    // One that is used up is the likelier one only where it fits.
    const weight = found.reduce((sum, each) => sum + each.weight, 0) + (used[index]! >= exchange.times ? 0.5 : 0)
    if (!best || weight < best.weight) best = { index, found, weight }
  })
  return best
}

/** Method, path and query, for people; secrets in it are masked. */
const requestText = ({ pathname, search, host }: URL, { method }: HttpRequest) =>
  redact(`${method} ${host}${pathname}${search.length > 300 ? `${search.slice(0, 300)}…` : search}`)
