// `broker: { kafka: … }` of weir.yaml: what must hold beyond the form of each field, and the definition the adapter is opened with.
import { isObject } from '../core/json-text.ts'
import type { Secret } from '../core/secret.ts'
import { isLocalHost, parseBrokers, parseServiceUrl } from './addresses.ts'
import type { KafkaFields } from './broker-spec.ts'
import { nameOf } from './complaint.ts'
import type { KafkaBrokerDefinition, LiveSecret, OauthDefinition, SaslDefinition } from './definition.ts'
import { liveSecret } from './live-secret.ts'
import { segment } from './problem.ts'
import type { Reading } from './resolve.ts'
import type { Partly } from './rules.ts'
import { readTls } from './tls.ts'

const mechanisms = ['plain', 'scram_sha_256', 'scram_sha_512', 'oauthbearer'] as const

/**
 * Reads the decoded fields at `pointer`; `written` are the same as they stand in the file, for secrets that are read again.
 * The definition is of use only when nothing is wrong.
 */
export function readKafka(
  fields: Partly<KafkaFields>,
  written: unknown,
  pointer: string,
  reading: Reading,
): KafkaBrokerDefinition {
  const brokers = readBrokers(fields.brokers, `${pointer}/brokers`, reading)
  const tls = readTls(fields.tls, `${pointer}/tls`, reading)
  if (fields.sasl) checkSasl(fields, tls !== null, pointer, reading)
  const { request_timeout: request, transaction_timeout: transaction } = fields
  if (request !== undefined && transaction !== undefined && fields.session_timeout !== undefined)
    checkTimeouts({ request, transaction }, pointer, reading)
  const complete = fields as KafkaFields
  const usable = !reading.problems.failed && reading.lost.size === 0
  return {
    kind: 'kafka',
    brokers,
    driver: complete.driver,
    clientId: complete.client_id,
    tls,
    sasl: complete.sasl && usable ? saslOf(complete.sasl, valueAt(written, ['sasl']), reading) : null,
    replicationFactor: complete.replication_factor ?? null,
    compression: complete.compression,
    transactionTimeoutMs: complete.transaction_timeout,
    sessionTimeoutMs: complete.session_timeout,
    requestTimeoutMs: complete.request_timeout,
  }
}

function readBrokers(
  entries: readonly (string | undefined)[] | undefined,
  pointer: string,
  reading: Reading,
): string[] {
  const brokers: string[] = []
  entries?.forEach((entry, i) => {
    const at = pointer + segment(i)
    if (entry === undefined || reading.problems.failedAt(at, 'value')) return
    const parsed = parseBrokers(entry, false)
    if ('message' in parsed) {
      const { message, hint } = parsed
      reading.problems.add({ code: 'config.invalid', message: `${nameOf(at)} ${message}`, pointer: at, hint })
      return
    }
    for (const broker of parsed) {
      if (brokers.includes(broker))
        reading.problems.add({
          code: 'config.invalid',
          message: `\`brokers\` names ${broker} twice.`,
          pointer: at,
          hint: 'Remove one of them.',
        })
      brokers.push(broker)
    }
  })
  return brokers
}

function checkSasl({ sasl }: Partly<KafkaFields>, encrypted: boolean, kafka: string, reading: Reading): void {
  const { problems } = reading
  const pointer = `${kafka}/sasl`
  const named = mechanisms.filter(each => sasl?.[each] !== undefined || problems.failedUnder(`${pointer}/${each}`))
  if (named.length === 0 && !mechanisms.some(each => reading.lost.has(`${pointer}/${each}`)))
    problems.add({
      code: 'config.missing_field',
      message: '`sasl` names no mechanism.',
      pointer,
      on: 'key',
      hint: `Write one of: ${mechanisms.join(', ')}.`,
    })
  for (const extra of named.slice(1))
    problems.add({
      code: 'config.conflict',
      message: `\`sasl\` names two mechanisms: \`${named[0]}\` and \`${extra}\`.`,
      pointer: `${pointer}/${extra}`,
      on: 'key',
      hint: 'Keep one of them.',
    })
  const open = sasl?.insecure === true
  if (!encrypted && !problems.failedUnder(`${kafka}/tls`))
    problems.add(
      open
        ? {
            code: 'config.warning',
            message: '`insecure` logs in over a connection that is not encrypted: who listens can log in as us.',
            pointer: `${pointer}/insecure`,
            hint: 'Add `tls: true` beside `sasl`, and remove it.',
          }
        : {
            code: 'config.conflict',
            message: '`sasl` without `tls` sends the login over a connection that anyone on the way can read.',
            pointer,
            on: 'key',
            hint: 'Add `tls: true` beside it. For tests only: `sasl: { insecure: true, … }`.',
          },
    )
  const oauth = sasl?.oauthbearer
  if (oauth && 'token_url' in oauth && oauth.token_url !== undefined)
    checkTokenUrl(oauth.token_url, open, `${pointer}/oauthbearer/token_url`, reading)
}

function checkTokenUrl(text: string, open: boolean, pointer: string, { problems }: Reading): void {
  const url = parseServiceUrl(text)
  if ('message' in url)
    problems.add({ code: 'config.invalid', message: `\`token_url\` ${url.message}`, pointer, hint: url.hint })
  else if (url.protocol === 'http:' && !isLocalHost(url.hostname) && !open)
    problems.add({
      code: 'config.conflict',
      message: '`token_url` is http: our client secret would go over a connection that anyone on the way can read.',
      pointer,
      hint: 'Use https. For tests only: `sasl: { insecure: true, … }`.',
    })
}

function checkTimeouts(ms: { request: number; transaction: number }, pointer: string, { problems }: Reading): void {
  if (ms.transaction >= ms.request / 10) return
  problems.add({
    code: 'config.warning',
    message:
      '`transaction_timeout` is much shorter than `request_timeout`: the broker gives up commits that are still awaited.',
    pointer: `${pointer}/transaction_timeout`,
    hint: 'Make it as long as `request_timeout` at least.',
  })
}

function saslOf(sasl: NonNullable<KafkaFields['sasl']>, written: unknown, reading: Reading): SaslDefinition {
  const live = (value: string | Secret, ...path: string[]): LiveSecret =>
    liveSecret(String(valueAt(written, path) ?? ''), value, reading.variables)
  const { plain, scram_sha_256, scram_sha_512, oauthbearer } = sasl
  if (oauthbearer) return { mechanism: 'oauthbearer', token: oauthOf(oauthbearer, live) }
  const [mechanism, field, login] = plain
    ? (['plain', 'plain', plain] as const)
    : scram_sha_256
      ? (['scram-sha-256', 'scram_sha_256', scram_sha_256] as const)
      : (['scram-sha-512', 'scram_sha_512', scram_sha_512!] as const)
  return { mechanism, username: login.username, password: live(login.password, field, 'password') }
}

type Oauth = NonNullable<NonNullable<KafkaFields['sasl']>['oauthbearer']>

function oauthOf(oauth: Oauth, live: (value: string | Secret, ...path: string[]) => LiveSecret): OauthDefinition {
  if ('token' in oauth) return { kind: 'secret', token: live(oauth.token, 'oauthbearer', 'token') }
  const { token_url: url, client_id: clientId, client_secret, scope } = oauth
  const clientSecret = live(client_secret, 'oauthbearer', 'client_secret')
  return { kind: 'endpoint', url, clientId, clientSecret, scope: scope ?? null }
}

/** What stands in the file below a value. */
export const valueAt = (value: unknown, path: readonly string[]): unknown =>
  path.reduce((at, key) => (isObject(at) ? at[key] : undefined), value)
