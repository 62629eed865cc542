// Checks a Signature Version 4 the way a service does: from what came over the wire and the secret key alone. Written from AWS's
// description, byte by byte, and sharing nothing with src, so that the two cannot err together.
import { createHash, createHmac } from 'node:crypto'

export interface ReceivedRequest {
  readonly method: string
  /** Path and query as they were sent. */
  readonly target: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A request as it comes over the wire. */
export function receivedOf(sent: {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}): ReceivedRequest {
  const { host, pathname, search } = new URL(sent.url)
  return {
    method: sent.method,
    target: pathname + search,
    headers: { host, ...sent.headers },
    body: String(sent.body ?? ''),
  }
}

const unreserved = new Set(Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~'))

function percentEncoded(bytes: Buffer): string {
  let text = ''
  for (const byte of bytes)
    text += unreserved.has(byte) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  return text
}

/** Plus is a plus here: a client that means a space must not write one. */
function percentDecoded(text: string): Buffer {
  const bytes: number[] = []
  for (let i = 0; i < text.length; i++) {
    const hex = /^%([0-9A-Fa-f]{2})/.exec(text.slice(i, i + 3))?.[1]
    if (hex === undefined) bytes.push(text.charCodeAt(i))
    else {
      bytes.push(Number.parseInt(hex, 16))
      i += 2
    }
  }
  return Buffer.from(bytes)
}

/** What is wrong with the signature; null when it is right. `nowMs`: the service refuses what is 5 minutes off. */
export function awsRefusal(
  request: ReceivedRequest,
  key: { readonly accessKey: string; readonly secretKey: string },
  nowMs: number,
): string | null {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/.exec(
      request.headers['authorization'] ?? '',
    )
  if (!match) return 'no authorization header of this form'
  const [, accessKey, day, region, service, names, signature] = match as unknown as string[]
  if (accessKey !== key.accessKey) return 'another access key'
  const stamp = request.headers['x-amz-date'] ?? ''
  const at = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp)
  if (!at || stamp.slice(0, 8) !== day) return 'the date does not fit the scope'
  const [year, month, date, hour, minute, second] = at.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  if (Math.abs(Date.UTC(year, month - 1, date, hour, minute, second) - nowMs) > 300_000) return 'too old or too new'
  const signed = names!.split(';')
  if (signed.join() !== [...signed].sort().join()) return 'signed headers are not sorted'
  const mustSign = Object.keys(request.headers).filter(name => name === 'host' || name.startsWith('x-amz-'))
  for (const name of mustSign) if (!signed.includes(name)) return `${name} is not signed`

  const [path = '', query = ''] = request.target.split('?')
  const pairs =
    query === ''
      ? []
      : query.split('&').map(each => {
          const [name = '', ...value] = each.split('=')
          return [percentEncoded(percentDecoded(name)), percentEncoded(percentDecoded(value.join('=')))] as const
        })
  pairs.sort(
    (a, b) =>
      Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0])) || Buffer.compare(Buffer.from(a[1]), Buffer.from(b[1])),
  )
  const segments = path.split('/')
  const canonicalPath =
    service === 's3'
      ? segments.map(each => percentEncoded(percentDecoded(each))).join('/')
      : segments
          .filter((each, i) => each !== '' || i === 0 || i === segments.length - 1)
          .map(each => percentEncoded(Buffer.from(each)))
          .join('/')
  let canonical = `${request.method}\n${canonicalPath === '' ? '/' : canonicalPath}\n`
  canonical += `${pairs.map(pair => pair.join('=')).join('&')}\n`
  for (const name of signed) canonical += `${name}:${(request.headers[name] ?? '').trim().replace(/ +/g, ' ')}\n`
  canonical += `\n${names}\n${createHash('sha256').update(request.body).digest('hex')}`

  let chain: Buffer = Buffer.from(`AWS4${key.secretKey}`)
  for (const part of [day!, region!, service!, 'aws4_request'])
    chain = createHmac('sha256', chain).update(part).digest()
  const hash = createHash('sha256').update(canonical).digest('hex')
  const toSign = `AWS4-HMAC-SHA256\n${stamp}\n${day}/${region}/${service}/aws4_request\n${hash}`
  return createHmac('sha256', chain).update(toSign).digest('hex') === signature ? null : 'the signature does not match'
}
