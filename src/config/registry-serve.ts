// `registry: { embedded: { serve: … } }` of weir.yaml: who may ask, and from where.
import { isLoopback } from '../core/http-server.ts'
import type { Secret } from '../core/secret.ts'
import { valueAt } from './broker.ts'
import type { RegistryServeFields } from './broker-spec.ts'
import type { RegistryServeDefinition } from './definition.ts'
import { liveSecret } from './live-secret.ts'
import type { Reading } from './resolve.ts'
import type { Partly } from './rules.ts'
import { tokenFault, tokenHint } from './token.ts'

/** Reads the decoded fields at `pointer`; `written` are the same as they stand in the file. Of use only when nothing is wrong. */
export function readServe(
  fields: Partly<RegistryServeFields>,
  written: unknown,
  pointer: string,
  reading: Reading,
): RegistryServeDefinition {
  const { problems, variables, lost } = reading
  const { host, port, token, read_token: readToken } = fields as RegistryServeFields
  for (const [key, value] of [
    ['token', token],
    ['read_token', readToken],
  ] as const) {
    const fault = value === undefined ? null : tokenFault(value)
    if (fault !== null && !lost.has(`${pointer}/${key}`) && !problems.failedAt(`${pointer}/${key}`, 'value'))
      problems.add({
        code: 'config.invalid',
        message: `\`${key}\` ${fault}`,
        pointer: `${pointer}/${key}`,
        hint: tokenHint,
      })
  }
  const given = (key: string) => lost.has(`${pointer}/${key}`) || problems.failedUnder(`${pointer}/${key}`)
  if (readToken !== undefined && token === undefined && !given('token'))
    problems.add({
      code: 'config.conflict',
      message: '`read_token` has no meaning without `token`: everyone may do everything.',
      pointer: `${pointer}/read_token`,
      on: 'key',
      hint: 'Add `token`.',
    })
  if (host !== undefined && !isLoopback(host) && token === undefined && !given('token'))
    problems.add({
      code: 'config.conflict',
      message: `\`host\` ${host} is reached from other machines, and without \`token\` everyone there may change schemas.`,
      pointer: `${pointer}/host`,
      hint: 'Add `token: "${file:…}"`, or listen on 127.0.0.1.',
    })
  const live = (key: string, value: string | Secret | undefined) =>
    value === undefined ? null : liveSecret(String(valueAt(written, [key]) ?? ''), value, variables)
  return { host, port, token: live('token', token), readToken: live('read_token', readToken) }
}
