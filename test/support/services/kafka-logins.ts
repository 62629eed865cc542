// Who may log in to a Kafka of the tests, and the properties that say so. The passwords are made up for tests and open nothing else.
import type { Certificates } from './certificates.ts'
import { type Listener, type Properties, protocolOf } from './kafka-settings.ts'

/** `admin` may do everything; `alice` only what ACLs allow, where there are any. */
export const users: Readonly<Record<string, string>> = { admin: 'admin-secret', alice: 'alice-secret' }

export const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const

/** Arguments of StorageTool's `format` that make the users known to SCRAM. */
export const scramArguments: readonly string[] = Object.entries(users).flatMap(([name, password]) =>
  ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap(mechanism => [
    '--add-scram',
    `${mechanism}=[name=${name},password=${password}]`,
  ]),
)

/** Properties of the logins of one listener: PLAIN, SCRAM and OAUTHBEARER with unsigned tokens. */
export function loginProperties(listener: Listener): Properties {
  if (!protocolOf(listener).startsWith('SASL')) return {}
  const at = `listener.name.${listener.toLowerCase()}`
  const known = Object.entries(users).map(([name, password]) => `user_${name}="${password}"`)
  const modules = {
    plain: `plain.PlainLoginModule required ${known.join(' ')}`,
    'scram-sha-256': 'scram.ScramLoginModule required',
    'scram-sha-512': 'scram.ScramLoginModule required',
    oauthbearer: 'oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker"',
  }
  return {
    'sasl.enabled.mechanisms': mechanisms.join(','),
    ...Object.fromEntries(
      Object.entries(modules).map(([name, module]) => [
        `${at}.${name}.sasl.jaas.config`,
        `org.apache.kafka.common.security.${module};`,
      ]),
    ),
  }
}

/** The certificate that a listener shows. SSL also asks its clients for one, and takes those who have none. */
export function tlsProperties(listener: Listener, { files }: Certificates): Properties {
  if (!protocolOf(listener).endsWith('SSL')) return {}
  const at = `listener.name.${listener.toLowerCase()}.ssl`
  const shown =
    listener === 'EXPIRED'
      ? files.expired
      : listener === 'WRONG_HOST'
        ? files.wrongHost
        : listener === 'SELF_SIGNED'
          ? files.selfSigned
          : files.server
  return {
    [`${at}.keystore.type`]: 'PEM',
    [`${at}.keystore.location`]: shown,
    [`${at}.truststore.type`]: 'PEM',
    [`${at}.truststore.location`]: files.ca,
    ...(listener === 'SSL' ? { [`${at}.client.auth`]: 'requested' } : {}),
  }
}

/** Only who is allowed may; PLAINTEXT and `admin` may do everything. */
export const aclProperties: Properties = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS;User:admin',
}

/** An unsigned token that a test listener takes for a login as `user`. */
export function oauthToken(user: string, lifeMs = 3_600_000, nowMs = Date.now()): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { sub: user, iat: Math.floor(nowMs / 1000), exp: Math.floor((nowMs + lifeMs) / 1000) }
  return `${part({ alg: 'none' })}.${part(claims)}.`
}
