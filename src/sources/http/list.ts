// Values of a list in `for_each` that come from a request: asked for page by page, kept for as long as the definition says, shared by all who ask.
import { WeirError } from '../../core/errors.ts'
import type { HttpRequest } from '../../fetch/guard.ts'
import type { Expression } from '../../mapping/expression.ts'
import { answerExpression, evaluateAnswer } from './answer.ts'
import { ask, noPage } from './call.ts'
import { jsonDecoder } from './decoder.ts'
import type { Engine } from './engine.ts'
import { hash, idText } from './order-key.ts'
import { createPaginator, loopError, type Paginator } from './paginate.ts'
import { createRequestBuilder, type RequestBuilder } from './request.ts'
import type { HttpConfig } from './spec.ts'

type SplitValue = string | number
export type SplitVars = Readonly<Record<string, SplitValue>>
/** The values of the list of that name, for the values of the lists before it. @throws fetch.*, source.*, map.failed */
type ListValues = (name: string, vars: SplitVars, signal: AbortSignal) => Promise<readonly SplitValue[]>

interface List {
  readonly builder: RequestBuilder
  readonly paginator: Paginator
  readonly values: Expression
  readonly everyMs: number
}

interface Kept {
  readonly untilMs: number
  readonly values: Promise<readonly SplitValue[]>
}

const maxValues = 100_000

/** @throws config.expression */
export function createLists(engine: Engine): ListValues {
  const lists = new Map<string, List>()
  const kept = new Map<string, Kept>()
  for (const [name, list] of Object.entries(engine.config.for_each ?? {}))
    if (!Array.isArray(list) && 'request' in list) lists.set(name, compile(engine, list))
  return (name, vars, signal) => {
    const list = lists.get(name)!
    const nowMs = engine.clock.monotonic()
    for (const [key, { untilMs }] of kept) if (untilMs <= nowMs) kept.delete(key)
    const key = `${name} ${nameOf(list.builder.build({ ...varsOf(vars), now: 0n }, list.paginator.params(list.paginator.first)))}`
    const known = kept.get(key)
    if (known) return known.values
    const values = read(engine, list, vars, signal)
    kept.set(key, { untilMs: nowMs + list.everyMs, values })
    values.catch(() => kept.delete(key))
    return values
  }
}

type Listed = Extract<NonNullable<HttpConfig['for_each']>[string], { readonly request: unknown }>

function compile({ config, signerOf }: Engine, { request, values, paginate, every }: Listed): List {
  return {
    builder: createRequestBuilder({ ...config, decode: 'json', request }, signerOf(request.auth)),
    paginator: createPaginator(paginate),
    values: answerExpression(values),
    everyMs: every,
  }
}

const nameOf = ({ method, url, body = '' }: HttpRequest) => hash(`${method} ${url} ${hash(body)}`)
const varsOf = (split: SplitVars) => ({ split, page: noPage, cursor: null, job: null })

async function read(
  engine: Engine,
  { builder, paginator, values }: List,
  vars: SplitVars,
  signal: AbortSignal,
): Promise<readonly SplitValue[]> {
  const found = new Set<SplitValue>()
  const visited = new Set<string>()
  for (let page = paginator.first, index = 0; index < paginator.max; index++) {
    const params = paginator.params(page)
    const called = await ask(engine, { builder, vars: varsOf(vars), params, decoder: jsonDecoder }, signal)
    const { at, request, response } = called
    if (called.judgement.nothing || called.judgement.pending) break
    const answer = { ...called.loosely(), body: called.decoded().body }
    const listed = valuesOf(evaluateAnswer(values, answer, at), values, at)
    for (const value of listed) found.add(value)
    if (found.size > maxValues) throw shape(`\`${values.text}\` gave more than ${maxValues} values`, at)
    visited.add(JSON.stringify(page))
    const next = paginator.next(page, {
      vars: answer,
      count: listed.length,
      requestUrl: request.url,
      url: response.url,
      at,
      storable: builder.storable,
    })
    if (next === null) break
    if (visited.has(JSON.stringify(next))) throw loopError(at)
    page = next
  }
  return [...found]
}

function valuesOf(value: unknown, { text }: Expression, at: string): readonly SplitValue[] {
  if (!Array.isArray(value)) throw shape(`\`${text.slice(0, 200)}\` gave no list`, at)
  return value.map(each => {
    const name = typeof each === 'number' && Number.isFinite(each) ? each : idText(each)
    if (name === undefined) throw shape(`\`${text.slice(0, 200)}\` gave a value that is neither text nor number`, at)
    return name
  })
}

function shape(message: string, at: string): WeirError {
  return new WeirError('source.shape', message, {
    at,
    hint: 'Look at an answer and at `values` under `for_each`: it must give a list of texts or numbers.',
  })
}
