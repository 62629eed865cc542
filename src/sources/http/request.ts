// A request made from its templates, for one page of one split.
import { WeirError } from '../../core/errors.ts'
import { jsonOf } from '../../core/json-text.ts'
import { redact, reveal, Secret } from '../../core/secret.ts'
import type { HttpRequest, Signer } from '../../fetch/guard.ts'
import { compileExpression } from '../../mapping/expression.ts'
import { compileTemplate } from '../../mapping/template.ts'
import { credentialsOf } from './auth.ts'
import type { PageParams } from './paginate.ts'
import type { HttpConfig } from './spec.ts'
import { requestVars } from './vars.ts'

export type RequestVars = Readonly<Record<(typeof requestVars)[number], unknown>>

export interface RequestBuilder {
  /** The request of a page. @throws map.failed, config.invalid */
  build(vars: RequestVars, params: PageParams): HttpRequest
  /** An address given by the source as it may be stored: without the key and the secret parameters that `build` puts in again. */
  storable(url: URL): string
}

/** Stands in a stored address for a parameter whose value is secret. */
const withheld = '***'

const accepted: Partial<Record<HttpConfig['decode'], string>> = {
  json: 'application/json',
  html: 'text/html,application/xhtml+xml',
}

type Render = (vars: RequestVars) => string
type Make = (vars: RequestVars) => unknown

/**
 * Compiles all templates of the request. @throws config.expression
 * @param signer of the request's `auth`, where it has to be signed
 */
export function createRequestBuilder(config: HttpConfig, signer: Signer | undefined): RequestBuilder {
  const { request } = config
  const url = urlRender(request.url)
  const query = Object.entries(request.query ?? {}).map(([name, text]) => [name, renderOptional(text)] as const)
  const secretQuery = query.filter(([name]) => request.query?.[name] instanceof Secret)
  const headers = Object.entries(request.headers ?? {}).map(
    ([name, text]) => [name.toLowerCase(), renderOptional(text)] as const,
  )
  const credentials = credentialsOf(request.auth)
  const isCredential = (value: string) =>
    signer?.issued?.(value) === true ||
    Object.values(credentials.headers).some(sent => sent === value || sent.endsWith(` ${value}`))
  const body = bodyMake(request.body)
  return {
    build(vars, params) {
      const address = addressOf(params.url ?? url(vars))
      if (params.url === undefined) {
        for (const [name, make] of query) appendParam(address, name, make(vars))
        for (const [name, value] of params.query) address.searchParams.set(name, value)
      } else
        for (const [name, make] of secretQuery)
          if (address.searchParams.get(name) === withheld) address.searchParams.set(name, make(vars))
      for (const [name, value] of Object.entries(credentials.query)) address.searchParams.set(name, value)
      const sent = body(vars, params.body)
      const made: Record<string, string> = {
        ...(accepted[config.decode] ? { accept: accepted[config.decode]! } : {}),
        ...(config.robots ? { 'user-agent': config.robots.agent } : {}),
        ...(sent?.type ? { 'content-type': sent.type } : {}),
      }
      for (const [name, make] of headers) {
        const value = make(vars)
        if (value !== '') made[name] = value
      }
      return {
        method: request.method,
        url: address.href,
        headers: { ...made, ...credentials.headers },
        ...(sent ? { body: sent.body } : {}),
        ...(signer ? { signer } : {}),
      }
    },
    storable(address) {
      const copy = new URL(address)
      for (const name of Object.keys(credentials.query)) copy.searchParams.delete(name)
      // A source may repeat our token in the address it gives; the call for it has the token in its header.
      for (const [name, value] of [...copy.searchParams]) if (isCredential(value)) copy.searchParams.delete(name)
      for (const [name] of secretQuery) {
        const given = copy.searchParams.get(name)
        if (given !== null && redact(given) !== given) copy.searchParams.set(name, withheld)
      }
      return copy.href
    },
  }
}

function addressOf(text: string): URL {
  const url = URL.parse(text)
  if (url === null)
    throw new WeirError('config.invalid', 'The address of the request is not a URL', {
      at: '/request/url',
      hint: 'Write a whole address, https://host/path, and check the values put into it.',
    })
  return url
}

function appendParam(url: URL, name: string, value: string): void {
  if (value !== '') url.searchParams.append(name, value)
}

function render(text: string | Secret): Render {
  const template = compileTemplate(reveal(text), requestVars)
  return vars => template.render(vars)
}

/** For parameters and headers: empty, so left out, where the value is not there, and where there is no cursor yet. */
function renderOptional(text: string | Secret): Render {
  const plain = render(text)
  const whole = wholeExpression(reveal(text))
  if (whole !== undefined) {
    const expression = compileExpression(whole, requestVars)
    return vars => ((expression.evaluate(vars) ?? null) === null ? '' : plain(vars))
  }
  const needsCursor = [...reveal(text).matchAll(/\{\{((?:(?!\}\}).)*)\}\}/gs)].some(([, part]) =>
    /\bcursor\b/.test(part!),
  )
  return vars => (needsCursor && vars.cursor === null ? '' : plain(vars))
}

/** The expression of a text that is one {{ }} and nothing else. */
function wholeExpression(text: string): string | undefined {
  return /^\s*\{\{((?:(?!\}\}|\{\{).)+)\}\}\s*$/s.exec(text)?.[1]?.trim()
}

/** Values are encoded, so that one with a slash or a question mark cannot change where the call goes; a value that is the host itself is not. */
function urlRender(text: string | Secret): Render {
  const plain = render(text)
  if (!/^https?:\/\/[^{/]+\//i.test(reveal(text))) return plain
  return vars =>
    plain({
      ...vars,
      split: encoded(vars.split),
      page: encoded(vars.page),
      cursor: encoded(vars.cursor),
      job: encoded(vars.job),
    })
}

function encoded(value: unknown): unknown {
  if (typeof value === 'string') return encodeURIComponent(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, encoded(each)]))
}

interface SentBody {
  readonly body: string
  readonly type: string
}

function bodyMake(
  body: HttpConfig['request']['body'],
): (vars: RequestVars, params: ReadonlyMap<string, unknown>) => SentBody | undefined {
  if (body === undefined) return (_, params) => (params.size === 0 ? undefined : json(Object.fromEntries(params)))
  if (isText(body)) {
    const make = render(body)
    return vars => ({ body: make(vars), type: 'text/plain; charset=utf-8' })
  }
  const make = valueMake(body)
  return (vars, params) => {
    const made = make(vars)
    return json(params.size === 0 ? made : { ...(made as object), ...Object.fromEntries(params) })
  }
}

const json = (value: unknown): SentBody => ({ body: jsonOf(value), type: 'application/json' })

function isText(value: unknown): value is string | Secret {
  return typeof value === 'string' || (typeof value === 'object' && value !== null && 'reveal' in value)
}

function valueMake(value: unknown): Make {
  if (isText(value)) return textMake(reveal(value))
  if (Array.isArray(value)) {
    const makes = value.map(valueMake)
    return vars => makes.map(make => make(vars))
  }
  if (typeof value !== 'object' || value === null) return () => value
  const makes = Object.entries(value).map(([key, each]) => [key, valueMake(each)] as const)
  // A field without a value is left out, as a parameter is.
  return vars =>
    Object.fromEntries(
      makes.map(([key, make]) => [key, make(vars)] as const).filter(([, made]) => made !== undefined && made !== null),
    )
}

/** A text that is one {{ }} and nothing else keeps the type of its value. */
function textMake(text: string): Make {
  const whole = wholeExpression(text)
  if (whole !== undefined) {
    const expression = compileExpression(whole, requestVars)
    return vars => expression.evaluate(vars)
  }
  const template = compileTemplate(text, requestVars)
  return template.dynamic ? vars => template.render(vars) : () => text
}
