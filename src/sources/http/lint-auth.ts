// Mistakes in how a request makes itself known. Scheme, user name and private addresses of every url are checked by config/, which knows
// what `fetch` allows; literal secrets are found there too.
import { reveal, type Secret } from '../../core/secret.ts'
import type { Problem } from '../../core/spec.ts'
import type { Auth, HmacConfig, OAuth2Config } from './auth-spec.ts'
import type { HttpConfig } from './spec.ts'

export type Add = (
  pointer: string,
  message: string,
  hint: string,
  severity?: Problem['severity'],
  code?: Problem['code'],
) => void

export const isHeaderName = (name: string) => /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)
/** Headers that the transport sets. */
export const isOurHeader = (name: string) =>
  /^(host|content-length|transfer-encoding|connection|accept-encoding)$/i.test(name)

/** @param pointer of the request */
export function lintAuth(request: HttpConfig['request'], pointer: string, add: Add): void {
  const { auth } = request
  if (auth === undefined) return
  const at = `${pointer}/auth`
  warnPlain(request.url, `${pointer}/url`, 'Credentials go', add)
  const key = auth.api_key
  if (key && (key.header === undefined) === (key.query === undefined))
    add(
      `${at}/api_key`,
      'Name either a header or a query parameter for the key.',
      'Write header: X-API-KEY, or query: api_key.',
    )
  if (auth.oauth2) lintOAuth2(auth.oauth2, `${at}/oauth2`, add)
  if (auth.hmac) lintHmac(auth.hmac, request, `${at}/hmac`, add)
  lintHeaders(request, pointer, add)
}

/** What goes over http to another machine. */
function warnPlain(url: string | Secret, pointer: string, what: string, add: Add): void {
  const host = /^http:\/\/([^/{]+)(\/|$)/i.exec(reveal(url))?.[1]
  if (host !== undefined && !isLocal(host.toLowerCase()))
    add(pointer, `${what} over http, which anyone on the way can read.`, 'Use https.', 'warning')
}

const isLocal = (host: string) => /^(localhost|127\.[\d.]+|\[::1\])(:\d+)?$/.test(host)

function lintHeaders({ auth, headers }: HttpConfig['request'], pointer: string, add: Add): void {
  const written = Object.keys(headers ?? {})
  for (const [name, at] of headersOf(auth!)) {
    if (at !== undefined && !isHeaderName(name))
      add(`${pointer}${at}`, 'This is no name of a header.', 'Use letters, digits and dashes.')
    else if (at !== undefined && isOurHeader(name))
      add(`${pointer}${at}`, 'This header is set by weir.', 'Use another one.')
    if (written.some(each => each.toLowerCase() === name))
      add(
        `${pointer}/headers`,
        `\`${name}\` is set by hand and by \`auth\`.`,
        'Keep one of them.',
        'error',
        'config.conflict',
      )
  }
}

/** Headers that `auth` sets, in lower case, with their place where they are named in it. */
function headersOf({ api_key, oauth2, sigv4, hmac, bearer, basic }: Auth): [name: string, at: string | undefined][] {
  if (bearer !== undefined || basic) return [['authorization', undefined]]
  if (sigv4) return ['authorization', 'x-amz-date', 'x-amz-security-token'].map(name => [name, undefined])
  const named: [string | undefined, string][] = [
    [api_key?.header, '/auth/api_key/header'],
    [oauth2?.header, '/auth/oauth2/header'],
    [hmac?.header, '/auth/hmac/header'],
    [hmac?.timestamp_header, '/auth/hmac/timestamp_header'],
  ]
  return named.flatMap(([name, at]) => (name === undefined ? [] : [[name.toLowerCase(), at]]))
}

function lintOAuth2({ token_url, authorization }: OAuth2Config, pointer: string, add: Add): void {
  warnPlain(token_url, `${pointer}/token_url`, 'The client secret and the token go', add)
  if (!uses(authorization, 'token'))
    add(
      `${pointer}/authorization`,
      'The token is not in it.',
      'Write {{ token }} where it belongs: "Bearer {{ token }}".',
    )
}

function lintHmac(
  { sign, value, timestamp_header }: HmacConfig,
  { method, body }: HttpConfig['request'],
  pointer: string,
  add: Add,
): void {
  if (!uses(value, 'signature'))
    add(`${pointer}/value`, 'The signature is not in it.', 'Write {{ signature }} where it belongs.')
  if (!/\{\{/.test(reveal(sign)))
    add(
      `${pointer}/sign`,
      'Every call has the same signature: nothing of the request is signed.',
      'Write what the source wants signed: "{{ timestamp }}.{{ body }}".',
    )
  else if ((method !== 'GET' || body !== undefined) && !uses(sign, 'body'))
    add(
      `${pointer}/sign`,
      'The body is not signed: whoever gets hold of a call can change it.',
      'Add {{ body }}, unless the source does not sign it.',
      'warning',
    )
  const isTimed = uses(sign, 'timestamp') || uses(sign, 'now')
  const isTimeSent = timestamp_header !== undefined || uses(value, 'timestamp') || uses(value, 'now')
  if (isTimed && !isTimeSent)
    add(
      `${pointer}/sign`,
      'The time is signed but not sent: the source cannot check the signature.',
      'Add timestamp_header, or put {{ timestamp }} into `value`.',
    )
}

/** True when a {{ }} of the template names the variable. */
function uses(template: string | Secret, name: string): boolean {
  return [...reveal(template).matchAll(/\{\{((?:(?!\}\}).)*)\}\}/gs)].some(([, part]) =>
    new RegExp(`\\b${name}\\b`).test(part!),
  )
}
