// AWS Signature Version 4 of a single request, sent in its authorization header:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html. Small enough to be ours: the libraries for it read
// the environment and the clock by themselves, sign headers that proxies change, and rewrite the path.
import { createHash, createHmac } from 'node:crypto'

export interface AwsCredentials {
  readonly accessKey: string
  readonly secretKey: string
  /** Of temporary credentials. */
  readonly sessionToken?: string
  readonly region: string
  readonly service: string
}

export interface RequestToSign {
  readonly method: string
  readonly url: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** Headers that proxies leave alone, and that some services insist on: content-encoding by PA-API, all x-amz-* by every service. */
const isSigned = (name: string) => /^(content-(type|encoding|md5)|date|x-amz-.+)$/.test(name)

/** The request with its signature of this moment. Its query comes back in the encoding that is signed, so that no server can read it otherwise. */
export function signAws<R extends RequestToSign>(request: R, credentials: AwsCredentials, nowMs: number): R {
  const { region, service, sessionToken } = credentials
  const url = new URL(request.url)
  url.hash = ''
  url.search = canonicalQuery(url.searchParams)
  const stamp = new Date(nowMs).toISOString().replace(/[:-]|\.\d{3}/g, '')
  const payloadHash = sha256(request.body ?? '')
  const headers: Record<string, string> = {
    ...request.headers,
    'x-amz-date': stamp,
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
    ...(service === 's3' ? { 'x-amz-content-sha256': payloadHash } : {}),
  }
  const signed = [['host', url.host] as const, ...Object.entries(headers).filter(([name]) => isSigned(name))].sort(
    byName,
  )
  const names = signed.map(([name]) => name).join(';')
  const canonical = [
    request.method,
    canonicalPath(url.pathname, service),
    url.search.slice(1),
    ...signed.map(([name, value]) => `${name}:${value.trim().replace(/ {2,}/g, ' ')}`),
    '',
    names,
    payloadHash,
  ].join('\n')
  const scope = `${stamp.slice(0, 8)}/${region}/${service}/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n')
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${credentials.secretKey}`)
  headers['authorization'] =
    `AWS4-HMAC-SHA256 Credential=${credentials.accessKey}/${scope}, SignedHeaders=${names}, Signature=${hmac(key, toSign).toString('hex')}`
  return { ...request, url: url.href, headers }
}

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

type Pair = readonly [name: string, value: string]

/** By code points of what is plain ASCII here: never by a locale. */
function byName([a, av]: Pair, [b, bv]: Pair): number {
  if (a !== b) return a < b ? -1 : 1
  return av === bv ? 0 : av < bv ? -1 : 1
}

function canonicalQuery(params: URLSearchParams): string {
  const pairs = [...params].map(([name, value]): Pair => [encode(name), encode(value)])
  return pairs
    .sort(byName)
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

/** S3 encodes a path once and leaves it as it is; all other services encode what is already encoded, and join double slashes. */
function canonicalPath(pathname: string, service: string): string {
  if (service === 's3') return pathname.split('/').map(decode).map(encode).join('/')
  return pathname
    .replace(/\/{2,}/g, '/')
    .split('/')
    .map(encode)
    .join('/')
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** RFC 3986: all but letters, digits, `-`, `.`, `_` and `~`. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
}
