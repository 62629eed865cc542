// OAuth2: one token for all splits, asked for through the same guard as every call, renewed before it expires and when it is refused.
import { WeirError } from '../../core/errors.ts'
import { reveal } from '../../core/secret.ts'
import type { Signer } from '../../fetch/guard.ts'
import { createTokens, judgeTokenAnswer, readToken, tokenRequest } from '../../fetch/oauth2.ts'
import { compileTemplate } from '../../mapping/template.ts'
import type { SignerDeps } from './auth.ts'
import { type OAuth2Config, tokenVars } from './auth-spec.ts'

/** A source that refuses every token must not make us ask for one with each call: after a refused token the next one has so long. */
const renewGapMs = 60_000

/** @throws config.expression */
export function oauth2Signer(config: OAuth2Config, { clock, fetch }: SignerDeps): Signer {
  const url = compileTemplate(reveal(config.token_url), []).render({})
  const value = compileTemplate(reveal(config.authorization), tokenVars)
  const header = config.header.toLowerCase()
  const client = {
    id: reveal(config.client_id),
    secret: reveal(config.client_secret),
    scope: config.scope,
    refreshToken: config.refresh_token === undefined ? undefined : reveal(config.refresh_token),
    send: config.send,
  }
  // The token is for all splits, so no one split can stop the call for it; closing the guard does.
  const { signal: untilClosed } = new AbortController()
  const tokens = createTokens(async () => {
    const request = tokenRequest(url, client)
    const granted = readToken(await fetch().call(request, judgeTokenAnswer, untilClosed))
    if (granted) return granted
    const { origin, pathname } = new URL(url)
    throw new WeirError('fetch.fatal', 'the token endpoint answered without a token', {
      at: `${request.method} ${origin}${pathname}`,
      hint: '`token_url` must be the endpoint itself (RFC 6749), not a page that leads there.',
    })
  }, clock)
  const headerNow = () => (tokens.last ? value.render({ token: tokens.last.reveal() }) : '')
  let mayDropAtMs = -Infinity
  return {
    prepare: async signal => void (await abortable(tokens.token(), signal)),
    sign: request => ({ ...request, headers: { ...request.headers, [header]: headerNow() } }),
    issued: text => text === tokens.last?.reveal(),
    refused(sent) {
      // Another call has had it renewed in the meantime, or it has just run out.
      if (tokens.isStale || sent.headers[header] !== headerNow()) return true
      if (clock.monotonic() < mayDropAtMs) return false
      mayDropAtMs = clock.monotonic() + renewGapMs
      tokens.drop()
      return true
    },
  }
}

function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  return Promise.race([work, aborted.promise]).finally(() => signal.removeEventListener('abort', onAbort))
}
