// How the source knows us. Secrets are revealed here and in the signers, at the last moment, into a request that no log or error shows (I9).
// What stays the same is put into the request; what changes from attempt to attempt is a signer.
import type { Clock } from '../../core/clock.ts'
import { reveal, Secret } from '../../core/secret.ts'
import type { FetchGuard, Signer } from '../../fetch/guard.ts'
import { hmacSigner } from './auth-hmac.ts'
import { oauth2Signer } from './auth-oauth2.ts'
import { sigv4Signer } from './auth-sigv4.ts'
import type { Auth } from './auth-spec.ts'

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

export interface SignerDeps {
  readonly clock: Clock
  /** For calls of the signer's own, such as to a token endpoint. */
  readonly fetch: () => FetchGuard
}

/** The signer of each `auth` of a source: one for all requests with the same, so that they share a token. Undefined where nothing is signed. */
export type SignerOf = (auth: Auth | undefined) => Signer | undefined

/** @throws config.expression */
export function createSigners(deps: SignerDeps): SignerOf {
  const known = new Map<string, Signer>()
  return auth => {
    if (!auth?.oauth2 && !auth?.sigv4 && !auth?.hmac) return undefined
    const name = JSON.stringify(auth, (_, value) => (value instanceof Secret ? value.reveal() : value))
    let signer = known.get(name)
    if (signer === undefined) known.set(name, (signer = signerOf(auth, deps)))
    return signer
  }
}

function signerOf({ oauth2, sigv4, hmac }: Auth, deps: SignerDeps): Signer {
  if (oauth2) return oauth2Signer(oauth2, deps)
  return sigv4 ? sigv4Signer(sigv4, deps.clock) : hmacSigner(hmac!, deps.clock)
}
