// A SASL login over an open connection: PLAIN, SCRAM and OAUTHBEARER, once for both drivers. The client libraries cannot be asked for it:
// they take credentials once, hide why a login failed, and one of them lets a broken SCRAM answer end the process. I9: no secret in an error.
import { WeirError } from '../../core/errors.ts'
import { reveal } from '../../core/secret.ts'
import { saslAuthenticate, saslHandshake } from './messages/login.ts'
import type { SaslOptions } from './options.ts'
import type { Api } from './protocol/api.ts'
import { beginScram } from './scram.ts'

/** SASL_AUTHENTICATION_FAILED */
const wrongCredentials = 58

type Ask = <Request, Answer>(api: Api<Request, Answer>, request: Request) => Promise<Answer>

/**
 * Logs in with credentials asked for now. Resolves with the lifetime of the session in milliseconds; 0: it does not end.
 * @throws log.login_refused: the broker refuses the mechanism, name, password or token, or cannot prove that it knows the password
 */
export async function logIn(sasl: SaslOptions, address: string, ask: Ask): Promise<number> {
  const mechanism = sasl.mechanism.toUpperCase()
  const who = sasl.mechanism === 'oauthbearer' ? 'the token' : `user ${JSON.stringify(sasl.username)}`
  const refused = (why: string | null, hint: string) =>
    new WeirError(
      'log.login_refused',
      `${address} refuses the login of ${who} by ${mechanism}${why === null ? '' : `: ${why}`}`,
      { hint },
    )
  const offer = await ask(saslHandshake, mechanism)
  if (offer.error !== 0 || !offer.mechanisms.includes(mechanism))
    throw refused('it does not offer this mechanism', `It offers: ${offer.mechanisms.join(', ') || 'none'}.`)

  let sessionMs = 0
  const say = async (words: string | Buffer): Promise<Buffer> => {
    const answer = await ask(saslAuthenticate, Buffer.from(words))
    if (answer.error !== 0)
      throw refused(
        answer.error === wrongCredentials ? null : `error code ${answer.error}`,
        sasl.mechanism === 'oauthbearer'
          ? 'See that the token is of the right issuer and audience and has not expired.'
          : 'See that the name and the password are right and that the user exists on the broker.',
      )
    sessionMs = answer.sessionLifetimeMs
    return answer.bytes
  }

  if (sasl.mechanism === 'oauthbearer') {
    // RFC 7628: a refusal may come as a JSON object in an answer without an error code.
    const answer = await say(`n,,\x01auth=Bearer ${reveal(await sasl.token())}\x01\x01`)
    if (answer.length > 0) {
      await say('\x01')
      throw refused('it does not take the token', 'See that the token has not expired and has the right scope.')
    }
    return sessionMs
  }
  const password = reveal(await sasl.password())
  if (sasl.mechanism === 'plain') {
    await say(`\0${sasl.username}\0${password}`)
    return sessionMs
  }
  const scram = beginScram(sasl.mechanism, sasl.username, password)
  const final = await scram.answer((await say(scram.first)).toString())
  if (final === null) throw refused('its SCRAM challenge is not valid', 'The broker may not be a Kafka broker.')
  if (!final.proves((await say(final.message)).toString()))
    throw refused('it cannot prove that it knows the password', 'The broker may not be the one it says it is.')
  return sessionMs
}
