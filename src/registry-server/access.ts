// Who may ask: a bearer token, or HTTP basic with the token as password, which is what Confluent's clients send. Compared in constant time.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Secret } from '../core/secret.ts'

/** Asked for at every request, so that a rotated token works at once. */
export type Token = () => Promise<Secret> | Secret

export interface Tokens {
  /** May do everything; null: everyone may. */
  readonly full: Token | null
  /** May look, not change; null: there is none. */
  readonly read: Token | null
}

export type Access = 'full' | 'read' | 'none'

/** What a request with this Authorization header may do. */
export async function accessOf(header: string | undefined, { full, read }: Tokens): Promise<Access> {
  if (full === null) return 'full'
  const given = tokenIn(header)
  if (given === null) return 'none'
  // Both are compared, so that the time tells nothing.
  const isFull = same(given, (await full()).reveal())
  const isRead = read !== null && same(given, (await read()).reveal())
  return isFull ? 'full' : isRead ? 'read' : 'none'
}

function tokenIn(header: string | undefined): string | null {
  const [, scheme = '', value = ''] = /^(\S+) +(\S+) *$/.exec(header ?? '') ?? []
  if (/^bearer$/i.test(scheme)) return value
  if (!/^basic$/i.test(scheme)) return null
  const pair = Buffer.from(value, 'base64').toString()
  const colon = pair.indexOf(':')
  return colon === -1 ? null : pair.slice(colon + 1)
}

const same = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))
const digest = (text: string) => createHash('sha256').update(text).digest()
