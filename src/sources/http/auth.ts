// How the source knows us. Secrets are revealed here, at the last moment, into a request that no log or error shows (I9).
// OAuth2, SigV4 and HMAC will stand here as further cases.
import { reveal } from '../../core/secret.ts'
import type { HttpConfig } from './spec.ts'

type Auth = NonNullable<HttpConfig['request']['auth']>

export interface Credentials {
  readonly headers: Readonly<Record<string, string>>
  /** Query parameters; the name is known, so that it can be kept out of stored addresses. */
  readonly query: Readonly<Record<string, string>>
}

export function credentialsOf(auth: Auth | undefined): Credentials {
  if (auth?.bearer !== undefined) return { headers: { authorization: `Bearer ${reveal(auth.bearer)}` }, query: {} }
  if (auth?.basic !== undefined) {
    const pair = Buffer.from(`${reveal(auth.basic.username)}:${reveal(auth.basic.password)}`).toString('base64')
    return { headers: { authorization: `Basic ${pair}` }, query: {} }
  }
  if (auth?.api_key !== undefined) {
    const { header, query, value } = auth.api_key
    return {
      headers: header === undefined ? {} : { [header.toLowerCase()]: reveal(value) },
      query: query === undefined ? {} : { [query]: reveal(value) },
    }
  }
  return { headers: {}, query: {} }
}
