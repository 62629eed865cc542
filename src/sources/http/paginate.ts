// Which page comes next: numbers, offsets, tokens, addresses. A source that leads back to a page already read is stopped in one round,
// and one that leads to another host is not followed.
import { WeirError } from '../../core/errors.ts'
import type { Expression } from '../../mapping/expression.ts'
import { type AnswerVars, answerExpression, evaluateAnswer, evaluateOptional } from './answer.ts'
import { linkWithRel } from './link-header.ts'
import type { HttpConfig, PaginateConfig } from './spec.ts'
import type { PageState } from './state.ts'

/** What a page changes in its request. */
export interface PageParams {
  readonly query: ReadonlyMap<string, string>
  readonly body: ReadonlyMap<string, unknown>
  /** The whole address, when the source gave it. */
  readonly url?: string
}

export interface PageAnswer {
  readonly vars: AnswerVars
  /** Items on the page. */
  readonly count: number
  /** Address of the request, and of the answer after redirects. */
  readonly requestUrl: string
  readonly url: string
  /** For errors. */
  readonly at: string
  /** An address as it may be stored. */
  readonly storable: (url: URL) => string
}

export interface Paginator {
  readonly first: PageState
  readonly max: number
  /** True when a stored page state is one of this style. */
  accepts(page: PageState): boolean
  params(page: PageState): PageParams
  /** The page before this one where pages are numbered; null: there is none, or the style cannot tell. */
  before(page: PageState): PageState | null
  /** The page after this one, null when it was the last. @throws source.shape, source.loop, fetch.egress_refused */
  next(page: PageState, answer: PageAnswer): PageState | null
}

const none: PageParams = { query: new Map(), body: new Map() }

/** @throws config.expression */
export function createPaginator(config: HttpConfig['paginate']): Paginator {
  const style = styleOf(config)
  const hasMore = style.settings?.has_more === undefined ? undefined : answerExpression(style.settings.has_more)
  return {
    first: style.first,
    max: style.settings?.max ?? 1,
    accepts: page => page.kind === style.first.kind,
    params: style.params,
    before: page =>
      config?.page && page.kind === 'number' && page.value > config.page.first
        ? { kind: 'number', value: page.value - 1 }
        : null,
    next(page, answer) {
      if (answer.count === 0 || (hasMore && !isTrue(hasMore, answer))) return null
      const next = style.next(page, answer)
      if (next !== null && sameState(next, page)) throw loopError(answer.at)
      return next
    },
  }
}

function sameState(a: PageState, b: PageState): boolean {
  return a.kind === b.kind && ('value' in a ? a.value : null) === ('value' in b ? b.value : null)
}

export function loopError(at: string): WeirError {
  return new WeirError('source.loop', 'Pagination leads back to a page that was read already', {
    at,
    hint: 'Check the parameter that asks for the next page, or say with `has_more` when the last one is reached.',
  })
}

function isTrue(expression: Expression, answer: PageAnswer): boolean {
  const value = evaluateAnswer(expression, answer.vars, answer.at)
  if (typeof value === 'boolean') return value
  throw new WeirError('source.shape', `\`has_more\` gave no true or false`, {
    at: answer.at,
    hint: 'Compare with something: body.next != null.',
  })
}

interface Style {
  readonly first: PageState
  readonly settings?: { readonly max: number; readonly has_more?: string }
  readonly params: (page: PageState) => PageParams
  readonly next: (page: PageState, answer: PageAnswer) => PageState | null
}

function styleOf(config: PaginateConfig | undefined): Style {
  if (config?.page) return numberStyle(config.page, config.page.first, () => 1)
  if (config?.offset) {
    const { step, first } = config.offset
    return numberStyle(config.offset, first, answer => step ?? answer.count)
  }
  const token = config?.cursor ?? config?.token
  if (token) return tokenStyle(token)
  if (config?.next_url) {
    const from = answerExpression(config.next_url.from)
    return urlStyle(config.next_url, answer => evaluateOptional(from, answer.vars, answer.at))
  }
  if (config?.link_header)
    return urlStyle(config.link_header, answer => linkWithRel(answer.vars.headers['link'], 'next'))
  return { first: { kind: 'only' }, params: () => none, next: () => null }
}

type Param = Pick<NonNullable<PaginateConfig['page']>, 'param' | 'in' | 'size'>

function paramsOf({ param, in: where, size }: Param, value: string | number | boolean | null): PageParams {
  const given: [string, string | number | boolean][] = []
  if (value !== null) given.push([param, value])
  if (size) given.push([size.param, size.value])
  return where === 'body'
    ? { query: new Map(), body: new Map(given) }
    : { query: new Map(given.map(([name, each]) => [name, String(each)])), body: new Map() }
}

function numberStyle(
  settings: NonNullable<PaginateConfig['page']> | NonNullable<PaginateConfig['offset']>,
  first: number,
  step: (answer: PageAnswer) => number,
): Style {
  return {
    first: { kind: 'number', value: first },
    settings,
    params: page => paramsOf(settings, page.kind === 'number' ? page.value : first),
    next: (page, answer) => ({ kind: 'number', value: (page.kind === 'number' ? page.value : first) + step(answer) }),
  }
}

function tokenStyle(settings: NonNullable<PaginateConfig['token']>): Style {
  const from = answerExpression(settings.from)
  return {
    first: { kind: 'token', value: null },
    settings,
    params: page => paramsOf(settings, page.kind === 'token' ? page.value : null),
    next: (_, answer) => {
      const value = evaluateOptional(from, answer.vars, answer.at)
      if (value === null || value === undefined || value === '' || value === false) return null
      if (typeof value === 'bigint') return { kind: 'token', value: String(value) }
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
        return { kind: 'token', value }
      throw new WeirError('source.shape', 'The value for the next page is neither text nor number', {
        at: answer.at,
        hint: 'Look at `from` under `paginate`.',
      })
    },
  }
}

function urlStyle(
  settings: { readonly allow_hosts: readonly string[]; readonly max: number; readonly has_more?: string },
  from: (answer: PageAnswer) => unknown,
): Style {
  return {
    first: { kind: 'url', value: null },
    settings,
    params: page => (page.kind === 'url' && page.value !== null ? { ...none, url: page.value } : none),
    next: (_, answer) => {
      const value = from(answer)
      if (value === null || value === undefined || value === '' || value === false) return null
      if (typeof value !== 'string')
        throw new WeirError('source.shape', 'The address of the next page is no text', {
          at: answer.at,
          hint: 'Look at `from` under `paginate`.',
        })
      const next = URL.parse(value, answer.url)
      if (next === null)
        throw new WeirError('source.shape', 'The address of the next page is not valid', { at: answer.at })
      refuseForeign(next, answer, settings.allow_hosts)
      next.hash = ''
      const stored = answer.storable(next)
      return { kind: 'url', value: stored }
    },
  }
}

/** Our headers and keys go with the request for the next page, so the source may not send them elsewhere. */
function refuseForeign(next: URL, { requestUrl, at }: PageAnswer, allowed: readonly string[]): void {
  const from = new URL(requestUrl)
  const sameOrigin = next.origin === from.origin
  const allowedHost = allowed.includes(next.host) && (next.protocol === from.protocol || next.protocol === 'https:')
  if (sameOrigin || allowedHost) return
  throw new WeirError('fetch.egress_refused', `The next page is at another host, ${next.host}`, {
    at,
    hint: 'If that is right, list it under `allow_hosts`.',
  })
}
