// One pass over the pages of a split: fetch, find the items, yield what is new with the cursor that covers it (I4, I10, I13).
// A pass moves: started or resumed -> page after page -> over. Every batch carries the state from which the pass can go on.
import type { Clock } from '../../core/clock.ts'
import { WeirError, weirErrorOf } from '../../core/errors.ts'
import type { Emit } from '../../core/event.ts'
import type { Item, SourceBatch, Split } from '../../core/record.ts'
import { redact } from '../../core/secret.ts'
import type { FetchGuard, HttpRequest, HttpResponse } from '../../fetch/guard.ts'
import type { Expression } from '../../mapping/expression.ts'
import { answerVarsOf, evaluateAnswer } from './answer.ts'
import { type Decoded, decodeBody } from './decode.ts'
import type { Itemizer, Page } from './items.ts'
import type { Judge } from './judge.ts'
import { hash, renderKey } from './order-key.ts'
import { loopError, type PageAnswer, type Paginator } from './paginate.ts'
import type { RequestBuilder } from './request.ts'
import type { HttpConfig } from './spec.ts'
import {
  decodeState,
  emptyState,
  encodeState,
  type Mark,
  type PageState,
  type PassState,
  type SplitState,
  type StateKind,
} from './state.ts'
import { openTracker, type Tracker } from './tracker.ts'

/** Items in one batch at most: a page with more is yielded in parts. */
const maxBatchItems = 2000
/** The very same items once more is possible where just a page of new items came in between; so often in a row, the source ignores the number. */
const maxSameBodies = 4

/** The compiled parts of a definition. */
export interface Engine {
  readonly config: HttpConfig
  readonly pipeline: string
  readonly clock: Clock
  readonly emit: Emit
  readonly fetch: () => FetchGuard
  readonly builder: RequestBuilder
  readonly paginator: Paginator
  readonly judge: Judge
  readonly records: Expression
  readonly itemizer: Itemizer
}

function stateKindOf({ cursor }: HttpConfig): StateKind {
  if (cursor === undefined) return 'none'
  return cursor.mode === 'membership' ? 'membership' : cursor.as
}

/** What one call came to: a page, or nothing by an error rule. */
interface Answer {
  readonly nothing?: 'skip' | 'gone'
  readonly status: number
  readonly page: Page
  readonly pageAnswer: PageAnswer
  /** The same for pages of the same items, whatever else the answers tell; undefined where nothing is numbered, or nothing came. */
  readonly sameness: string | undefined
}

export async function* readSplit(
  engine: Engine,
  split: Split,
  cursor: string | null,
  signal: AbortSignal,
): AsyncGenerator<SourceBatch> {
  const kind = stateKindOf(engine.config)
  const given = cursor === null ? emptyState : decodeState(cursor, kind)
  const isResumed = given.pass !== null && engine.paginator.accepts(given.pass.page)
  const tracker = openTracker(engine.config.cursor, given, engine.clock.now())
  const visited = new Set<string>()
  let pass: PassState = isResumed ? resumed(engine, given.pass!) : { page: engine.paginator.first, index: 0, top: null }
  let latest = cursor
  const batch = (items: readonly Item[], duplicates: number, state: SplitState): SourceBatch | undefined => {
    const text = encodeState(state, kind)
    if (items.length === 0 && duplicates === 0 && text === latest) return undefined
    latest = text
    return { items, cursor: text, ...(duplicates > 0 ? { drops: { duplicate: duplicates } } : {}) }
  }
  for (let first = true; ; first = false) {
    signal.throwIfAborted()
    const answer = await call(engine, split, pass, tracker.since, first && isResumed, signal)
    if (answer.nothing) {
      tell(engine, split, 'info', `Nothing here (${answer.nothing}, status ${answer.status})`)
      const last = batch([], 0, tracker.after(pass.top))
      if (last) yield last
      return
    }
    const { page } = answer
    const next = nextPage(engine, pass, answer, visited)
    tracker.beginPage()
    const parts = partsOf(engine, page, tracker, split, given.passes, pass)
    let end: PageEnd | undefined
    for (const part of parts) {
      if (part.rest) {
        const middle = batch(part.items, part.duplicates, tracker.during({ ...pass, taken: part.rest }))
        if (middle) yield middle
        continue
      }
      end = endOf(engine, split, pass, next, tracker, answer)
      const whole = batch(part.items, part.duplicates, end.over ? tracker.after(end.top) : tracker.during(end.pass))
      if (whole) yield whole
    }
    if (!end || end.over) return
    pass = end.pass
  }
}

/**
 * Where a pass that was interrupted goes on. Oldest first and by page number, one page before: it may have been the last and short then, and what
 * has filled it since would lie below the mark once the pass is over. What is known of it is counted as repeated.
 */
function resumed({ config, paginator }: Engine, stored: PassState): PassState {
  const { cursor } = config
  // What was alike before does not count on: a pass that was stopped for it by mistake must be able to go on.
  const { last: _last, ...pass } = stored
  if (cursor === undefined || cursor.mode === 'membership' || cursor.order !== 'asc' || pass.taken) return pass
  const page = paginator.before(pass.page)
  return page === null ? pass : { page, index: Math.max(0, pass.index - 1), top: pass.top }
}

type PageEnd = { readonly over: true; readonly top: Mark | null } | { readonly over: false; readonly pass: PassState }

/** After the items of a page: is the pass over, and where does it go on. */
function endOf(
  engine: Engine,
  split: Split,
  pass: PassState,
  next: PageState | null,
  tracker: Tracker,
  answer: Answer,
): PageEnd {
  const { top, covered } = tracker.endPage(pass)
  if (covered && pass.index === 0)
    tell(
      engine,
      split,
      'source.cursor_refused',
      'The newest item of the source is older than the cursor: items were removed, or the source was reset; `weir cursor reset` reads it anew',
    )
  if (next === null || covered) return { over: true, top }
  if (pass.index + 1 >= engine.paginator.max) {
    tell(engine, split, 'info', `The pass stops after ${engine.paginator.max} pages, as \`max\` says; there are more`)
    return { over: true, top }
  }
  const body = answer.sameness
  const last = body === undefined ? {} : { last: { body, times: body === pass.last?.body ? pass.last.times + 1 : 1 } }
  return { over: false, pass: { page: next, index: pass.index + 1, top, ...last } }
}

/** @throws source.loop when the next page was read in this pass, or when the pages no longer differ */
function nextPage(engine: Engine, pass: PassState, answer: Answer, visited: Set<string>): PageState | null {
  const { at } = answer.pageAnswer
  const isSame = answer.sameness !== undefined && answer.sameness === pass.last?.body
  if (isSame && pass.last!.times + 1 >= maxSameBodies) throw loopError(at)
  const next = engine.paginator.next(pass.page, answer.pageAnswer)
  // The first page has no stored address; the one it was asked for at counts as well.
  if (next?.kind === 'url')
    visited.add(nameOf({ kind: 'url', value: engine.builder.storable(new URL(answer.pageAnswer.requestUrl)) }))
  visited.add(nameOf(pass.page))
  if (next !== null && visited.has(nameOf(next))) throw loopError(at)
  return next
}

const nameOf = (page: PageState) => hash(JSON.stringify(page))

interface Part {
  readonly items: readonly Item[]
  readonly duplicates: number
  /** Set when more of the page follows: what is taken so far. */
  readonly rest?: NonNullable<PassState['taken']>
}

/** The page in parts of at most `maxBatchItems` new items. What an earlier run took of it already is counted as repeated. */
function* partsOf(
  engine: Engine,
  page: Page,
  tracker: Tracker,
  split: Split,
  passes: number,
  pass: PassState,
): Generator<Part> {
  const { itemizer } = engine
  const count = itemizer.count(page)
  const { taken } = pass
  const skip =
    taken && taken.count <= count && itemizer.signature(page, taken.count - 1, split) === taken.last ? taken.count : 0
  let items: Item[] = []
  let duplicates = 0
  for (let n = 0; n < count; n++) {
    const item = itemizer.item(page, n, tracker, split, passes)
    if (item === undefined || n < skip) duplicates++
    else items.push(item)
    if (items.length < maxBatchItems || n + 1 === count) continue
    yield { items, duplicates, rest: { count: n + 1, last: itemizer.signature(page, n, split) } }
    items = []
    duplicates = 0
  }
  yield { items, duplicates }
}

async function call(
  engine: Engine,
  split: Split,
  pass: PassState,
  since: Mark | null,
  isResumed: boolean,
  signal: AbortSignal,
): Promise<Answer> {
  const { builder, paginator, config } = engine
  const pageVars = { index: BigInt(pass.index), ...pageValue(pass.page) }
  const vars = { split: split.vars, page: pageVars, cursor: sinceValue(since), now: BigInt(engine.clock.now()) }
  const request = builder.build(vars, paginator.params(pass.page))
  const at = placeOf(request)
  let seen: Seen | undefined
  let response: HttpResponse
  try {
    response = await engine.fetch().call(
      request,
      answer => {
        seen = look(engine, answer, at)
        return seen.judgement.verdict
      },
      signal,
    )
  } catch (error) {
    throw refusedCursor(error, seen?.status, pass, isResumed)
  }
  const { nothing } = seen!.judgement
  const decoded = nothing ? emptyAnswer : seen!.decoded()
  const answerVars = answerVarsOf(response, decoded.body, split.vars, pageVars)
  const records = nothing ? [] : listOf(engine, evaluateAnswer(engine.records, answerVars, at), at)
  const page = { decoded, records, index: pass.index, bytes: response.body.byteLength }
  return {
    ...(nothing ? { nothing } : {}),
    status: response.status,
    page,
    pageAnswer: {
      vars: answerVars,
      count: engine.itemizer.count(page),
      requestUrl: request.url,
      url: response.url,
      at,
      storable: builder.storable,
    },
    sameness: pass.page.kind === 'number' && config.paginate ? samenessOf(engine.itemizer, page, split) : undefined,
  }
}

/** Longer pages are told apart by their length, their first and their last item. */
const maxComparedItems = 200

/** By the items alone: answers often carry a time or a request id beside them. */
function samenessOf({ count, signature }: Itemizer, page: Page, split: Split): string | undefined {
  const items = count(page)
  if (items === 0) return undefined
  const compared = items <= maxComparedItems ? Array.from({ length: items }, (_, i) => i) : [0, items - 1]
  return hash(`${items} ${compared.map(i => signature(page, i, split)).join(' ')}`)
}

const emptyAnswer: Decoded = { body: null, bad: [], rawOf: () => new Uint8Array() }

interface Seen {
  readonly status: number
  readonly judgement: ReturnType<Judge>
  readonly decoded: () => Decoded
}

/** Judges an answer; its body is decoded once, for the rules and for the page. */
function look(engine: Engine, response: HttpResponse, at: string): Seen {
  let known: Decoded | undefined
  const decoded = () => (known ??= decodeBody(response, engine.config.decode, at))
  const body = () => {
    try {
      return decoded().body
    } catch {
      return Buffer.from(response.body.subarray(0, 65_536)).toString('utf8')
    }
  }
  return { status: response.status, judgement: engine.judge(response, body), decoded }
}

function listOf(engine: Engine, value: unknown, at: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  const what =
    value === null || value === undefined ? 'nothing' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
  throw new WeirError('source.shape', `\`records: ${engine.config.records.slice(0, 200)}\` gave ${what}, not a list`, {
    at,
    hint: 'If that means "no items", say so in the expression: body.items == null ? [] : body.items.',
  })
}

/** A page address that was valid when it was stored and is refused now: there is a choice to make, and no silent rewind. */
function refusedCursor(error: unknown, status: number | undefined, pass: PassState, isResumed: boolean): unknown {
  const isOurs = isResumed && (pass.page.kind === 'token' || pass.page.kind === 'url') && pass.page.value !== null
  if (!isOurs || weirErrorOf(error)?.code !== 'fetch.fatal' || ![400, 404, 409, 410, 422].includes(status ?? 0))
    return error
  return new WeirError('source.cursor_refused', `The source refuses the page that comes next (status ${status})`, {
    ...(weirErrorOf(error)?.at === undefined ? {} : { at: weirErrorOf(error)!.at! }),
    hint: 'Its page tokens may have run out: `weir cursor reset` reads the source anew, `weir cursor set` goes on from elsewhere.',
    cause: error,
  })
}

function pageValue(page: PageState): Readonly<Record<string, unknown>> {
  if (page.kind === 'number') return { number: BigInt(page.value), offset: BigInt(page.value), token: null }
  return { number: null, offset: null, token: page.kind === 'token' ? page.value : null }
}

function sinceValue(since: Mark | null): unknown {
  if (since === null) return null
  const value = renderKey(since.key, since.form)
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value
}

/** Method, host and path, for people: no query, it may hold a key (I9). */
function placeOf({ method, url }: HttpRequest): string {
  const { origin, pathname } = new URL(url)
  return redact(`${method} ${origin}${pathname}`)
}

function tell({ emit, pipeline }: Engine, split: Split, code: 'info' | 'source.cursor_refused', message: string): void {
  emit({ type: 'source_notice', pipeline, split: split.id, code, message })
}
