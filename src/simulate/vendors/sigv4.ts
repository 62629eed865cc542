// AWS Signature Version 4, checked as the receiver checks it. Canonical request = method, path, sorted query, signed headers, their names, SHA-256
// of the body; string to sign = algorithm, date, scope, SHA-256 of that; the key is a chain of HMACs over date, region, service, "aws4_request".
import { createHash, createHmac } from 'node:crypto'
import { same } from '../gate.ts'
import type { Call } from './vendor.ts'

export interface Keys {
  readonly accessKey: string
  readonly secretKey: string
  readonly service: string
}

export type Verdict =
  | 'ok'
  /** There is no signature, or one that lacks a part. */
  | 'incomplete'
  | 'unknown_key'
  /** Signed more than a quarter of an hour ago, or that much ahead. */
  | 'expired'
  | 'mismatch'

const algorithm = 'AWS4-HMAC-SHA256'
const maxSkewMs = 15 * 60_000

export function verify(
  call: Pick<Call, 'method' | 'path' | 'query' | 'headers' | 'body'>,
  keys: Keys,
  nowMs: number,
): Verdict {
  const given =
    /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/([^,]+), ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/.exec(
      call.headers.authorization ?? '',
    )
  const stamp = String(call.headers['x-amz-date'] ?? '')
  if (given === null || !/^\d{8}T\d{6}Z$/.test(stamp)) return 'incomplete'
  const [, accessKey, scope, signed, signature] = given
  const [date, region, service, end] = scope!.split('/')
  const names = signed!.split(';')
  if (
    date !== stamp.slice(0, 8) ||
    !region ||
    end !== 'aws4_request' ||
    !['host', 'x-amz-date'].every(each => names.includes(each))
  )
    return 'incomplete'
  if (accessKey !== keys.accessKey) return 'unknown_key'
  if (service !== keys.service) return 'mismatch'
  if (Math.abs(timeOf(stamp) - nowMs) > maxSkewMs) return 'expired'

  const canonical = [
    call.method,
    call.path,
    queryOf(call.query),
    ...names.map(
      name =>
        `${name}:${String(call.headers[name] ?? '')
          .trim()
          .replace(/ +/g, ' ')}`,
    ),
    '',
    signed,
    sha256(call.body),
  ].join('\n')
  const toSign = [algorithm, stamp, scope, sha256(canonical)].join('\n')
  const key = [date, region, service, end].reduce<Buffer | string>(
    (secret, part) => hmac(secret, part),
    `AWS4${keys.secretKey}`,
  )
  return same(signature, hmac(key, toSign).toString('hex')) ? 'ok' : 'mismatch'
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')
const hmac = (key: Buffer | string, data: string) => createHmac('sha256', key).update(data).digest()
const timeOf = (stamp: string) => Date.parse(stamp.replace(/^(....)(..)(..T..)(..)(..Z)$/, '$1-$2-$3:$4:$5'))

const encoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
const queryOf = (query: URLSearchParams) =>
  [...query]
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&')
