// Who sent a delivery: an HMAC over the bytes as they came, a token, or a secret path. Keys are revealed here and nowhere else (I9).
// Everything secret is compared as SHA-256 digests in constant time, so that neither length nor content shows in the time taken.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import { reveal } from '../../core/secret.ts'
import { formatDuration } from '../../core/units.ts'
import { compileTemplate } from '../../mapping/template.ts'
import { type Refusal, unproven } from './refusal.ts'
import { type SignatureConfig, signedVars, type WebhookConfig } from './spec.ts'

/** A request before its body: names in lower case, values of repeated headers apart. */
export interface Envelope {
  readonly headers: Readonly<Record<string, string>>
  /** How often each header came. */
  readonly counts: ReadonlyMap<string, number>
}

export interface Proof {
  /** What can be told before the body is read. @throws Refusal 401 */
  before(envelope: Envelope): void
  /** @throws Refusal 401 */
  check(envelope: Envelope, body: Uint8Array): void
}

const maxSignatures = 5
const digestBytes = { sha1: 20, sha256: 32, sha512: 64 } as const

export function same(given: string | Uint8Array, expected: string | Uint8Array): boolean {
  const digest = (value: string | Uint8Array) => createHash('sha256').update(value).digest()
  return timingSafeEqual(digest(given), digest(expected))
}

export function createProof({ signature, unsigned }: WebhookConfig, clock: Clock): Proof {
  if (signature !== undefined) return signed(signature, clock)
  const bearer = unsigned?.bearer
  // A secret path has been compared with the path itself.
  return bearer === undefined ? { before() {}, check() {} } : withToken(reveal(bearer))
}

function withToken(token: string): Proof {
  return {
    before(envelope) {
      const given = /^Bearer +(\S+)$/i.exec(only(envelope, 'authorization', 'token') ?? '')?.[1]
      if (given === undefined) throw unproven('The delivery has no token', 'Send `authorization: Bearer …`.')
      if (!same(given, token)) throw unproven('The token is another one', 'Give the vendor the token of `unsigned`.')
    },
    check() {},
  }
}

function signed(config: SignatureConfig, clock: Clock): Proof {
  const { algorithm, prefix = '', timestamp_header, tolerance } = config
  const header = config.header.toLowerCase()
  const timeHeader = timestamp_header?.toLowerCase()
  const keys = [config.secret, config.previous_secret]
    .filter(secret => secret !== undefined)
    .map(secret => Buffer.from(reveal(secret), config.secret_encoding === 'text' ? 'utf8' : 'base64'))
  const [before, after] = signedText(config).map(part => compileTemplate(part, signedVars)) as [
    ReturnType<typeof compileTemplate>,
    ReturnType<typeof compileTemplate>,
  ]
  const length = digestBytes[algorithm]

  const signaturesOf = (envelope: Envelope): Uint8Array[] => {
    const value = only(envelope, header, 'signature')?.trim()
    if (value === undefined || value === '' || value === prefix.trim())
      throw unproven('The delivery has no signature', `It must stand in the header ${header}.`)
    const parts = value.split(/ +/)
    const decoded = parts
      .slice(0, maxSignatures)
      .filter(part => part.startsWith(prefix))
      .map(part => decode(part.slice(prefix.length), config.encoding, length))
      .filter(bytes => bytes !== undefined)
    if (decoded.length === 0)
      throw unproven(
        'The signature is not written as it must be',
        `Expected is ${prefix === '' ? '' : `"${prefix}" and then `}${algorithm} as ${config.encoding}.`,
      )
    return decoded
  }
  const timeOf = (envelope: Envelope): string => {
    if (timeHeader === undefined) return ''
    const text = only(envelope, timeHeader, 'timestamp')?.trim() ?? ''
    const ms = parseTime(text)
    if (ms === undefined)
      throw unproven('The delivery has no time that can be read', `It must stand in the header ${timeHeader}.`)
    const away = Math.abs(clock.now() - ms)
    if (away > tolerance)
      throw unproven(
        `The delivery is from a time more than ${formatDuration(tolerance)} ${ms < clock.now() ? 'ago' : 'ahead'}`,
        'The vendor must sign it anew when it sends it again; see that the clocks are right.',
      )
    return text
  }
  const rendered = (template: ReturnType<typeof compileTemplate>, vars: Record<string, unknown>): string => {
    try {
      return template.render(vars)
    } catch {
      throw unproven('The delivery lacks a header that is part of what is signed', 'Look at `signature.sign`.')
    }
  }
  return {
    before(envelope) {
      signaturesOf(envelope)
      timeOf(envelope)
    },
    check(envelope, body) {
      const given = signaturesOf(envelope)
      const vars = { timestamp: timeOf(envelope), headers: envelope.headers }
      const parts = [rendered(before, vars), body, rendered(after, vars)] as const
      let holds = false
      // Each key is tried with each signature, so that the time taken does not tell which of them holds.
      for (const key of keys) {
        const hmac = createHmac(algorithm, key)
        for (const part of parts) hmac.update(part)
        const expected = hmac.digest()
        for (const one of given) if (same(one, expected)) holds = true
      }
      if (!holds)
        throw unproven(
          'The signature does not belong to this body',
          'See that the vendor and `signature` have the same secret, and that nothing on the way changes the body.',
        )
    },
  }
}

/** What stands before and after the body in the signed text. */
export function signedText({ sign, timestamp_header }: SignatureConfig): readonly string[] {
  const text =
    sign === undefined ? (timestamp_header === undefined ? '{{ body }}' : '{{ timestamp }}.{{ body }}') : reveal(sign)
  return text.split(/\{\{\s*body\s*\}\}/)
}

/** The value of a header that came once; undefined when it did not come. @throws Refusal when it came twice */
function only({ headers, counts }: Envelope, name: string, what: string): string | undefined {
  if ((counts.get(name) ?? 0) > 1) throw twice(name, what)
  return headers[name]
}

function twice(name: string, what: string): Refusal {
  return unproven(`The delivery has more than one ${what}`, `Send the header ${name} once.`)
}

function decode(text: string, encoding: 'hex' | 'base64', length: number): Buffer | undefined {
  const pattern = encoding === 'hex' ? /^[0-9a-fA-F]+$/ : /^[A-Za-z0-9+/_-]+={0,2}$/
  if (!pattern.test(text) || (encoding === 'hex' && text.length !== 2 * length)) return undefined
  const bytes = Buffer.from(text, encoding)
  return bytes.length === length ? bytes : undefined
}

/** Milliseconds since 1970 of seconds, milliseconds or an ISO date with its zone. */
function parseTime(text: string): number | undefined {
  if (/^\d{9,10}(\.\d{1,6})?$/.test(text)) return Number(text) * 1000
  if (/^\d{12,13}$/.test(text)) return Number(text)
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})$/.test(text)) return undefined
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}
