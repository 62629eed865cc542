// Tokens for SASL OAUTHBEARER from a token endpoint: client-credentials grant (RFC 6749 section 4.4). One token serves all connections until
// shortly before it expires. The address is the operator's own, so it may be private; it is http or https only, and no message of ours
// repeats what the endpoint answers (I9).
import type { OauthDefinition } from '../config/definition.ts'
import type { Clock, Random } from '../core/clock.ts'
import { toWeirError, WeirError } from '../core/errors.ts'
import type { Secret } from '../core/secret.ts'
import { createTokens, judgeTokenAnswer, readToken, tokenRequest } from '../fetch/oauth2.ts'
import { openFetchGuard } from '../fetch/open.ts'
import type { FetchSettings } from '../fetch/settings.ts'

export type TokenEndpoint = Extract<OauthDefinition, { kind: 'endpoint' }>

export interface TokenProvider extends AsyncDisposable {
  /** A token that is good for a while. @throws log.unavailable: the endpoint did not answer; log.login_refused: it refused us */
  token(): Promise<Secret>
}

const settings: FetchSettings = {
  timeout: 10_000,
  retry: { attempts: 3, backoff: { min: 200, max: 2_000 }, retry_after_max: 10_000 },
  // A broker asks again at its own pace; a breaker here would only make an outage of the endpoint longer.
  breaker: { failure_rate: 1, window: 1_000, open_for: 10 },
  rate_limit: { requests: 100, per: 1_000, learn: true },
  max_body: 64 * 1024,
  allow_private: ['0.0.0.0/0', '::/0'],
}

/** Asks on the first call, not before. */
export function openTokenProvider(endpoint: TokenEndpoint, deps: { clock: Clock; random: Random }): TokenProvider {
  const { clock } = deps
  const closing = new AbortController()
  const guard = openFetchGuard({
    ...deps,
    settings,
    pipeline: '',
    emit: () => {},
    store: { load: async () => null, save: async () => {} },
  })
  const tokens = createTokens(async () => {
    const { url, clientId, clientSecret, scope } = endpoint
    const client = {
      id: clientId,
      secret: (await clientSecret()).reveal(),
      scope: scope ?? undefined,
      send: 'basic',
    } as const
    const response = await guard.call(tokenRequest(url, client), judgeTokenAnswer, closing.signal).catch(thrown => {
      throw asLoginError(thrown)
    })
    const granted = readToken(response)
    if (granted === undefined)
      throw new WeirError('log.login_refused', 'the token endpoint answered without a token', {
        hint: 'token_url must be the endpoint itself (RFC 6749), not a page that leads there.',
      })
    return granted
  }, clock)
  return {
    token: tokens.token,
    async [Symbol.asyncDispose]() {
      closing.abort(new WeirError('log.unavailable', 'The connection to the broker is closed'))
      await guard[Symbol.asyncDispose]()
    },
  }
}

function asLoginError(thrown: unknown): WeirError {
  const error = toWeirError(thrown)
  const refused = error.code === 'fetch.fatal' || error.code === 'fetch.egress_refused'
  return new WeirError(refused ? 'log.login_refused' : 'log.unavailable', `No token to log in with: ${error.message}`, {
    ...(error.at === undefined ? {} : { at: error.at }),
    hint: refused
      ? 'Check token_url, client_id, client_secret and scope in weir.yaml.'
      : 'Check token_url in weir.yaml, and the endpoint.',
  })
}
