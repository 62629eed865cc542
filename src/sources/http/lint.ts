// Mistakes in an `http` source that its schema cannot express. Never connects.
import { reveal } from '../../core/secret.ts'
import type { Problem } from '../../core/spec.ts'
import type { HttpConfig } from './spec.ts'

type Add = (
  pointer: string,
  message: string,
  hint: string,
  severity?: Problem['severity'],
  code?: Problem['code'],
) => void

export function lintHttp(config: HttpConfig): readonly Problem[] {
  const problems: Problem[] = []
  const add: Add = (
    pointer,
    message,
    hint,
    severity = 'error',
    code = severity === 'error' ? 'config.invalid' : 'config.warning',
  ) => problems.push({ severity, code, message, pointer, hint })
  lintUrl(config, add)
  lintSplits(config, add)
  lintRequest(config, add)
  lintPaginate(config, add)
  lintCursor(config, add)
  return problems
}

/** Scheme, user name and private addresses of every url are checked by config/, which knows what `fetch` allows. */
function lintUrl({ request }: HttpConfig, add: Add): void {
  const host = /^http:\/\/([^/{]+)(\/|$)/i.exec(reveal(request.url))?.[1]
  if (request.auth !== undefined && host !== undefined && !isLocal(host.toLowerCase()))
    add('/request/url', 'Credentials go over http, which anyone on the way can read.', 'Use https.', 'warning')
}

const isLocal = (host: string) => /^(localhost|127\.[\d.]+|\[::1\])(:\d+)?$/.test(host)

function lintSplits({ for_each, request }: HttpConfig, add: Add): void {
  const names = Object.keys(for_each ?? {})
  const texts: [pointer: string, text: string][] = [['/request/url', reveal(request.url)]]
  for (const [name, value] of Object.entries(request.query ?? {})) texts.push([`/request/query/${name}`, reveal(value)])
  for (const [name, value] of Object.entries(request.headers ?? {}))
    texts.push([`/request/headers/${name}`, reveal(value)])
  const body =
    typeof request.body === 'object' && request.body !== null && !('reveal' in request.body)
      ? JSON.stringify(request.body)
      : reveal((request.body ?? '') as string)
  texts.push(['/request/body', body])
  const used = new Set<string>()
  let isWholeUsed = false
  for (const [pointer, text] of texts)
    for (const [, part] of text.matchAll(/\{\{((?:(?!\}\}).)*)\}\}/gs)) {
      for (const [, name] of part!.matchAll(/\bsplit\s*\.\s*\??\s*([A-Za-z_]\w*)/g)) {
        used.add(name!)
        if (!names.includes(name!))
          add(
            pointer,
            `There is no \`${name}\` in for_each.`,
            names.length > 0 ? `for_each has ${names.join(', ')}.` : 'Add for_each, or remove the reference.',
            'error',
            'config.conflict',
          )
      }
      if (/\bsplit\b(?!\s*\.\s*\??\s*[A-Za-z_])/.test(part!)) isWholeUsed = true
    }
  for (const name of names)
    if (!used.has(name) && !isWholeUsed)
      add(
        `/for_each/${name}`,
        `\`split.${name}\` is used nowhere in the request: every split makes the same call.`,
        `Write {{ split.${name} }} where the value belongs.`,
        'warning',
      )
}

function lintRequest({ request, paginate }: HttpConfig, add: Add): void {
  const { auth, headers, method, body } = request
  const key = auth?.api_key
  if (key && (key.header === undefined) === (key.query === undefined))
    add(
      '/request/auth/api_key',
      'Name either a header or a query parameter for the key.',
      'Write header: X-API-KEY, or query: api_key.',
    )
  const named = new Set(Object.keys(headers ?? {}).map(name => name.toLowerCase()))
  if (auth && named.has('authorization') && !key?.query)
    add(
      '/request/headers',
      '`authorization` is set by hand and by `auth`.',
      'Keep one of them.',
      'error',
      'config.conflict',
    )
  for (const name of Object.keys(headers ?? {})) {
    if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name))
      add(`/request/headers/${name}`, 'This is no name of a header.', 'Use letters, digits and dashes.')
    if (/^(host|content-length|transfer-encoding|connection|accept-encoding)$/i.test(name))
      add(`/request/headers/${name}`, 'This header is set by weir.', 'Remove it.')
  }
  const params = Object.values(paginate ?? {}) as { readonly in?: string }[]
  const isParamInBody = params.some(style => style.in === 'body')
  if ((body !== undefined || isParamInBody) && method === 'GET')
    add('/request/method', 'A GET request has no body.', 'Set method: POST.', 'error', 'config.conflict')
  if (isParamInBody && (typeof body === 'string' || Array.isArray(body)))
    add(
      '/paginate',
      'A page parameter in the body needs a body that is an object.',
      'Write the body as fields.',
      'error',
      'config.conflict',
    )
}

function lintPaginate({ paginate, request }: HttpConfig, add: Add): void {
  const style = paginate?.page ?? paginate?.offset ?? paginate?.cursor ?? paginate?.token
  if (style && style.in === 'query' && Object.keys(request.query ?? {}).includes(style.param))
    add(
      `/request/query/${style.param}`,
      'This parameter is set by `paginate`.',
      'Remove it here.',
      'error',
      'config.conflict',
    )
}

function lintCursor({ cursor }: HttpConfig, add: Add): void {
  if (cursor === undefined) {
    add(
      '',
      'Without `cursor` each poll reads everything again, and what it reads is appended again.',
      'Add cursor: { id: this.id, field: this.updated_at, order: desc }, or cursor: { id: this.id, mode: membership }.',
      'warning',
    )
    return
  }
  const { mode, field, order, lookback, as, version } = cursor
  if (mode === 'membership') {
    if (field !== undefined || order !== undefined || lookback > 0)
      add(
        '/cursor',
        'membership knows no field, order or lookback.',
        'Use `version` to notice edits, or mode: ordered.',
        'error',
        'config.conflict',
      )
    return
  }
  if (field === undefined)
    add(
      '/cursor',
      'An ordered cursor needs a `field`.',
      'Name the date or number that grows, or set mode: membership.',
      'error',
      'config.missing_field',
    )
  if (order === undefined)
    add(
      '/cursor',
      'An ordered cursor needs an `order`.',
      'asc when the source gives the oldest first, desc when the newest.',
      'error',
      'config.missing_field',
    )
  if (version !== undefined)
    add(
      '/cursor/version',
      '`version` is for mode: membership.',
      'The field tells versions apart here.',
      'error',
      'config.conflict',
    )
  if (lookback > 0 && as !== 'date')
    add('/cursor/lookback', 'lookback is a time: it needs `as: date`.', 'Remove it.', 'error', 'config.conflict')
}
