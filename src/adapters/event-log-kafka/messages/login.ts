// Messages of a SASL login: SaslHandshake v1, SaslAuthenticate v1. Every broker that asks for a login speaks both.
import type { Api } from '../protocol/api.ts'

/** v1: mechanism -> error_code [mechanism] */
export const saslHandshake: Api<string, { error: number; mechanisms: string[] }> = {
  name: 'SaslHandshake',
  key: 17,
  versions: [1],
  encode: (to, mechanism) => to.string(mechanism),
  decode: from => ({ error: from.int16(), mechanisms: from.array(() => from.string()) }),
}

/** v1: auth_bytes -> error_code error_message auth_bytes session_lifetime_ms (0: no end) */
export const saslAuthenticate: Api<
  Uint8Array,
  { error: number; reason: string | null; bytes: Buffer; sessionLifetimeMs: number }
> = {
  name: 'SaslAuthenticate',
  key: 36,
  versions: [1],
  encode: (to, bytes) => to.bytes(bytes),
  decode: from => ({
    error: from.int16(),
    reason: from.nullableString(),
    bytes: from.bytes(),
    sessionLifetimeMs: Number(from.int64()),
  }),
}
