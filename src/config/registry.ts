// `registry: { url … }` of weir.yaml: what must hold beyond the form of each field, and the definition the adapter is opened with.
import { isLocalHost, parseServiceUrl } from './addresses.ts'
import { valueAt } from './broker.ts'
import type { RegistryFields } from './broker-spec.ts'
import type { HttpRegistryDefinition } from './definition.ts'
import { liveSecret } from './live-secret.ts'
import type { Reading } from './resolve.ts'
import type { Partly } from './rules.ts'
import { readTls } from './tls.ts'

/** Reads the decoded fields at `pointer`; `written` are the same as they stand in the file. Of use only when nothing is wrong. */
export function readRegistry(
  fields: Partly<RegistryFields>,
  written: unknown,
  pointer: string,
  reading: Reading,
): HttpRegistryDefinition {
  const tls = readTls(fields.tls, `${pointer}/tls`, reading)
  const url = checkUrl(fields, tls !== null, pointer, reading)
  const { auth, timeout } = fields as RegistryFields
  const usable = !reading.problems.failed && reading.lost.size === 0
  const live = (value: Parameters<typeof liveSecret>[1], ...path: string[]) =>
    liveSecret(String(valueAt(written, ['auth', ...path]) ?? ''), value, reading.variables)
  return {
    kind: 'http',
    url: url?.href.replace(/\/+$/, '') ?? '',
    auth:
      auth === undefined || !usable
        ? null
        : 'bearer' in auth
          ? { bearer: live(auth.bearer, 'bearer') }
          : { username: auth.basic.username, password: live(auth.basic.password, 'basic', 'password') },
    tls,
    timeoutMs: timeout,
  }
}

function checkUrl(
  { url: text, auth }: Partly<RegistryFields>,
  hasTls: boolean,
  pointer: string,
  { problems }: Reading,
): URL | undefined {
  const at = `${pointer}/url`
  if (text === undefined || problems.failedAt(at, 'value')) return undefined
  const url = parseServiceUrl(text)
  if ('message' in url) {
    problems.add({ code: 'config.invalid', message: `\`url\` ${url.message}`, pointer: at, hint: url.hint })
    return undefined
  }
  if (url.protocol === 'https:') return url
  if (hasTls)
    problems.add({
      code: 'config.conflict',
      message: '`tls` has no meaning for an http address.',
      pointer: at,
      hint: 'Write https://…, or remove `tls`.',
    })
  else if (auth !== undefined && !isLocalHost(url.hostname))
    problems.add({
      code: 'config.warning',
      message: 'Credentials go over http, which anyone on the way can read.',
      pointer: at,
      hint: 'Use https.',
    })
  return url
}
