// Mistakes in an `http` source that its schema cannot express. Never connects.
import type { Problem } from '../../core/spec.ts'
import { type Add, isHeaderName, isOurHeader, lintAuth } from './lint-auth.ts'
import { lintDecode } from './lint-decode.ts'
import { lintConditional, lintJob, lintLists } from './lint-job.ts'
import { idPathOf } from './listing.ts'
import type { HttpConfig, RequestConfig } from './spec.ts'
import { namesUnder, partsOfRequest, requestsOf } from './texts.ts'

export function lintHttp(config: HttpConfig): readonly Problem[] {
  const problems: Problem[] = []
  const add: Add = (
    pointer,
    message,
    hint,
    severity = 'error',
    code = severity === 'error' ? 'config.invalid' : 'config.warning',
  ) => problems.push({ severity, code, message, pointer, hint })
  for (const [pointer, request] of requestsOf(config)) {
    lintAuth(request, pointer, add)
    lintRequest(pointer, request, pointer === '/request' && isParamInBody(config.paginate), add)
  }
  lintSplits(config, add)
  lintLists(config, add)
  lintJob(config, add)
  lintConditional(config, add)
  lintPaginate(config, add)
  lintCursor(config, add)
  lintDecode(config, add)
  return problems
}

function lintSplits(config: HttpConfig, add: Add): void {
  const names = Object.keys(config.for_each ?? {})
  const used = new Set<string>()
  for (const [at, request] of requestsOf(config))
    for (const [pointer, text] of partsOfRequest(at, request))
      for (const name of namesUnder('split', text)) {
        used.add(name)
        // What a list may use is looked at apart.
        if (name !== '*' && !names.includes(name) && !at.startsWith('/for_each/'))
          add(
            pointer,
            `There is no \`${name}\` in for_each.`,
            names.length > 0 ? `for_each has ${names.join(', ')}.` : 'Add for_each, or remove the reference.',
            'error',
            'config.conflict',
          )
      }
  for (const name of names)
    if (!used.has(name) && !used.has('*'))
      add(
        `/for_each/${name}`,
        `\`split.${name}\` is used nowhere in the request: every split makes the same call.`,
        `Write {{ split.${name} }} where the value belongs.`,
        'warning',
      )
}

function lintRequest(pointer: string, request: RequestConfig, hasBodyParam: boolean, add: Add): void {
  const { headers, method, body } = request
  for (const name of Object.keys(headers ?? {})) {
    if (!isHeaderName(name))
      add(`${pointer}/headers/${name}`, 'This is no name of a header.', 'Use letters, digits and dashes.')
    if (isOurHeader(name)) add(`${pointer}/headers/${name}`, 'This header is set by weir.', 'Remove it.')
  }
  if ((body !== undefined || hasBodyParam) && method === 'GET')
    add(`${pointer}/method`, 'A GET request has no body.', 'Set method: POST.', 'error', 'config.conflict')
}

const isParamInBody = (paginate: HttpConfig['paginate']) =>
  (Object.values(paginate ?? {}) as { readonly in?: string }[]).some(style => style.in === 'body')

function lintPaginate({ paginate, request }: HttpConfig, add: Add): void {
  const { body } = request
  if (isParamInBody(paginate) && (typeof body === 'string' || Array.isArray(body)))
    add(
      '/paginate',
      'A page parameter in the body needs a body that is an object.',
      'Write the body as fields.',
      'error',
      'config.conflict',
    )
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
  const { mode, field, order, lookback, as, version, deletes, id } = cursor
  if (deletes === 'tombstone' && mode !== 'membership')
    add(
      '/cursor/deletes',
      'Only a source that lists all of its items in every poll shows what is gone: mode: membership.',
      'Set mode: membership where the list is complete, or remove `deletes`.',
      'error',
      'config.conflict',
    )
  else if (deletes === 'tombstone' && idPathOf(id) === undefined)
    add(
      '/cursor/id',
      'An item that is gone is known by its id alone, which must be a field as it stands.',
      'Write a path such as this.id, or remove `deletes`.',
      'error',
      'config.conflict',
    )
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
