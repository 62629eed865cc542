// One page of a split: the call that gives it, what it came to, and its items in parts.
import { WeirError, weirErrorOf } from '../../core/errors.ts'
import type { DropReason, Drops, Item, Split } from '../../core/record.ts'
import { answerVarsOf, evaluateAnswer } from './answer.ts'
import { ask, type Call, sinceValue } from './call.ts'
import { conditionsOf, validatorsOf } from './conditional.ts'
import type { Decoded } from './decode.ts'
import type { Engine } from './engine.ts'
import type { Itemizer, Page } from './items.ts'
import type { AboutJob } from './job.ts'
import { hash } from './order-key.ts'
import type { PageAnswer } from './paginate.ts'
import { type Provenance, provenanceOf } from './provenance.ts'
import type { Mark, PageState, PassState, Validators } from './state.ts'
import type { Tracker } from './tracker.ts'

/** Items in one batch at most: a page with more is yielded in parts. */
export const maxBatchItems = 2000

/** What one call came to: a page, or nothing by an error rule. */
export interface Answer extends AboutJob {
  readonly nothing?: 'skip' | 'gone' | 'unchanged'
  readonly page: Page
  readonly pageAnswer: PageAnswer
  /** The same for pages of the same items, whatever else the answers tell; undefined where nothing is numbered, or nothing came. */
  readonly sameness: string | undefined
  /** What the page can be compared by the next time. */
  readonly validators: Validators | null
  /** Where its records come from; null where they do not say, or where there is nothing. */
  readonly provenance: Provenance | null
}

/** Where a page is asked for. */
export interface PageCall {
  readonly split: Split
  readonly pass: PassState
  readonly since: Mark | null
  /** What templates and expressions see as `job`. */
  readonly job: unknown
  /** True for the first call of a pass that was begun earlier. */
  readonly isResumed: boolean
  /** The page is asked for only if it has changed since; null: whatever it is. */
  readonly validators: Validators | null
  readonly reading?: NonNullable<Call['reading']>
  /** False: what the answer holds is not the result of the job yet. */
  readonly isReady?: (vars: PageAnswer['vars'], at: string) => boolean
}

/** @throws fetch.*, source.*, map.failed */
export async function askForPage(engine: Engine, call: PageCall, signal: AbortSignal): Promise<Answer> {
  const { builder, paginator, config, itemizer } = engine
  const { split, pass, job } = call
  const page = { index: BigInt(pass.index), ...pageValue(pass.page) }
  const vars = { split: split.vars, page, cursor: sinceValue(call.since), job }
  let isConditional = false
  let status: number | undefined
  const called = await ask(
    engine,
    {
      builder,
      vars,
      params: paginator.params(pass.page),
      decoder: engine.decoder,
      headers: request => {
        const conditions = conditionsOf(call.validators, request)
        isConditional = Object.keys(conditions).length > 0
        return conditions
      },
      reading: (judgement, response) => {
        status = response.status
        const read = call.reading?.(judgement, response) ?? judgement
        return isConditional && status === 304 && !read.byRule ? { verdict: { class: 'ok' } } : read
      },
    },
    signal,
  ).catch(error => {
    throw refusedCursor(error, status, pass, call.isResumed)
  })
  const { judgement, response, request, at } = called
  const isPending = judgement.pending !== undefined
  const isUnchanged = isConditional && response.status === 304 && !judgement.byRule
  const nothing = isUnchanged ? 'unchanged' : judgement.nothing
  const isEmpty = isPending || nothing !== undefined
  const decoded = isEmpty ? emptyAnswer : usable(called.decoded())
  const answerVars = answerVarsOf(response, decoded.body, vars)
  const isReady = isEmpty || call.isReady === undefined || call.isReady(answerVars, at)
  const records = isEmpty || !isReady ? [] : listOf(engine, evaluateAnswer(engine.records, answerVars, at), at)
  const found: Page = { decoded, records, index: pass.index, bytes: response.body.byteLength, job }
  return {
    ...(nothing === undefined ? {} : { nothing }),
    judgement,
    response,
    isReady,
    page: found,
    pageAnswer: {
      vars: answerVars,
      count: itemizer.count(found),
      requestUrl: request.url,
      url: response.url,
      at,
      storable: builder.storable,
    },
    sameness: pass.page.kind === 'number' && config.paginate ? samenessOf(itemizer, found, split) : undefined,
    validators: config.conditional ? validatorsOf(request, response) : null,
    provenance:
      engine.keepsRaw || records.length > 0 || decoded.bad.length > 0 ? provenanceOf(engine, request, response) : null,
  }
}

/** @throws source.* */
export function usable(decoded: Decoded): Decoded {
  if (decoded.problem) throw decoded.problem
  return decoded
}

const emptyAnswer: Decoded = { body: null, bad: [], rawOf: () => new Uint8Array() }

/** Longer pages are told apart by their length, their first and their last item. */
const maxComparedItems = 200

/** By the items alone: answers often carry a time or a request id beside them. */
function samenessOf({ count, signature }: Itemizer, page: Page, split: Split): string | undefined {
  const items = count(page)
  if (items === 0) return undefined
  const compared = items <= maxComparedItems ? Array.from({ length: items }, (_, i) => i) : [0, items - 1]
  return hash(`${items} ${compared.map(i => signature(page, i, split)).join(' ')}`)
}

/** @throws source.shape */
export function listOf(engine: Engine, value: unknown, at: string): readonly unknown[] {
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

/** What expressions see of a page beside its index. */
export function pageValue(page: PageState): Readonly<Record<string, unknown>> {
  if (page.kind === 'number') return { number: BigInt(page.value), offset: BigInt(page.value), token: null }
  return { number: null, offset: null, token: page.kind === 'token' ? page.value : null }
}

export interface Part {
  readonly items: readonly Item[]
  readonly drops: Drops
  /** Set when more of the page follows: what is taken so far. */
  readonly rest?: NonNullable<PassState['taken']>
}

/**
 * The page in parts of at most `maxBatchItems` new items. What an earlier run took of it already is counted as repeated: by its place where the
 * tracker may have forgotten it, for else what has changed there since would be lost.
 */
export function* partsOf(
  { itemizer, config: { cursor } }: Engine,
  page: Page,
  tracker: Tracker,
  split: Split,
  passes: number,
  { taken }: PassState,
): Generator<Part> {
  const count = itemizer.count(page)
  const skip =
    taken && taken.count <= count && itemizer.signature(page, taken.count - 1, split) === taken.last ? taken.count : 0
  const isRemembered = (item: Item) => cursor !== undefined && cursor.keep >= count && item.error === undefined
  let items: Item[] = []
  let drops: Partial<Record<DropReason, number>> = {}
  for (let n = 0; n < count; n++) {
    const item = itemizer.item(page, n, tracker, split, passes)
    if (typeof item === 'string' || (n < skip && !isRemembered(item))) {
      const reason = typeof item === 'string' ? item : 'duplicate'
      drops[reason] = (drops[reason] ?? 0) + 1
    } else items.push(item)
    if (items.length < maxBatchItems || n + 1 === count) continue
    yield { items, drops, rest: { count: n + 1, last: itemizer.signature(page, n, split) } }
    items = []
    drops = {}
  }
  yield { items, drops }
}
