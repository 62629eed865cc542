// Conditional requests: the first page is asked for only if it has changed since the last whole pass. The validators belong to one request, so
// that they are not sent with another address or body; that page was covered to its end, with all behind it, when they were stored.
import type { HttpRequest, HttpResponse } from '../../fetch/guard.ts'
import { hash } from './order-key.ts'
import type { Validators } from './state.ts'

/** Longer ones are no tags but an attempt to fill the cursor. */
const maxLength = 1000

/** The headers that ask for what has changed; none where the validators belong to another request. */
export function conditionsOf(validators: Validators | null, request: HttpRequest): Readonly<Record<string, string>> {
  if (validators === null || validators.of !== nameOf(request)) return {}
  const { etag, modified } = validators
  return {
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(modified === undefined ? {} : { 'if-modified-since': modified }),
  }
}

/** What the answer can be compared by the next time; null where it names nothing. */
export function validatorsOf(request: HttpRequest, response: HttpResponse): Validators | null {
  const etag = short(response.headers['etag'])
  const modified = short(response.headers['last-modified'])
  if (etag === undefined && modified === undefined) return null
  return {
    of: nameOf(request),
    ...(etag === undefined ? {} : { etag }),
    ...(modified === undefined ? {} : { modified }),
  }
}

const short = (text: string | undefined) =>
  text === undefined || text === '' || text.length > maxLength ? undefined : text

const nameOf = ({ method, url, body = '' }: HttpRequest) => hash(`${method} ${url} ${hash(body)}`)
