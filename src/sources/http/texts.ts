// Where a definition writes templates and expressions, and what they refer to, for lint.
import { reveal, Secret } from '../../core/secret.ts'
import type { HttpConfig, RequestConfig } from './spec.ts'

/** A text with the JSON pointer it stands at. */
export type Placed = readonly [pointer: string, text: string]

/** Every request of the definition. */
export function requestsOf({ request, job, for_each }: HttpConfig): readonly (readonly [string, RequestConfig])[] {
  const found: [string, RequestConfig][] = [['/request', request]]
  if (job) {
    found.push(['/job/submit', job.submit])
    if (job.poll.request) found.push(['/job/poll/request', job.poll.request])
    if (job.find) found.push(['/job/find/request', job.find.request])
  }
  for (const [name, list] of Object.entries(for_each ?? {}))
    if (!Array.isArray(list) && 'request' in list) found.push([`/for_each/${name}/request`, list.request])
  return found
}

/** The {{ }} parts of a request, each as an expression. */
export function partsOfRequest(pointer: string, request: RequestConfig): readonly Placed[] {
  const texts: Placed[] = [[`${pointer}/url`, reveal(request.url)]]
  for (const [name, value] of Object.entries(request.query ?? {}))
    texts.push([`${pointer}/query/${name}`, reveal(value)])
  for (const [name, value] of Object.entries(request.headers ?? {}))
    texts.push([`${pointer}/headers/${name}`, reveal(value)])
  for (const text of textsIn(request.body)) texts.push([`${pointer}/body`, text])
  return texts.flatMap(([at, text]) =>
    [...text.matchAll(/\{\{((?:(?!\}\}).)*)\}\}/gs)].map(([, part]): Placed => [at, part!]),
  )
}

/** Every text in a body, however deep. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string' || value instanceof Secret) return [reveal(value)]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

/** Expressions that stand outside of requests, those of `job` apart. */
export function expressionsOf({ records, cursor, errors, paginate }: HttpConfig): readonly Placed[] {
  const found: Placed[] = [['/records', records]]
  for (const name of ['id', 'field', 'version'] as const)
    if (cursor?.[name]) found.push([`/cursor/${name}`, cursor[name]])
  errors.forEach((rule, i) => {
    found.push([`/errors/${i}/when`, rule.when])
  })
  for (const [style, settings] of Object.entries(paginate ?? {}))
    for (const [name, text] of Object.entries(settings))
      if ((name === 'from' || name === 'has_more') && typeof text === 'string')
        found.push([`/paginate/${style}/${name}`, text])
  return found
}

/** Names under a variable that an expression refers to: `job.id`, `job.?set`; `*` where it is used as a whole. */
export function namesUnder(variable: string, expression: string): readonly string[] {
  const bare = expression.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/gs, '""')
  const pattern = new RegExp(`(?<![\\w.?])${variable}\\b(?:\\s*\\.\\s*\\??\\s*([A-Za-z_]\\w*))?`, 'g')
  return [...bare.matchAll(pattern)].map(([, name]) => name ?? '*')
}
