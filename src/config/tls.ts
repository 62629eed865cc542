// `tls:` of a broker or a registry: PEM files read and looked at once, when the definition is loaded, so that a wrong one is told with its
// place and not as a failed handshake.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { resolve } from 'node:path'
import { Secret } from '../core/secret.ts'
import type { TlsFields } from './broker-spec.ts'
import { nameOf } from './complaint.ts'
import type { TlsDefinition } from './definition.ts'
import type { Reading } from './resolve.ts'
import type { Partly } from './rules.ts'
import { readText } from './text.ts'

/** A bundle of every public authority has about 250 kB. */
const maxPemBytes = 1024 * 1024

/** The definition, or null when there is no tls; what is wrong goes to the problems. */
export function readTls(tls: Partly<TlsFields> | undefined, pointer: string, reading: Reading): TlsDefinition | null {
  if (tls === undefined || tls === false) return null
  const { ca, cert, key, server_name, insecure } = tls === true ? ({} as Partial<Exclude<typeof tls, boolean>>) : tls
  const { problems } = reading
  if (insecure === true)
    problems.add({
      code: 'config.warning',
      message: '`insecure` accepts any certificate: anyone on the way can read and change everything.',
      pointer: `${pointer}/insecure`,
      hint: 'Name the authority in `ca` instead.',
    })
  if (
    (cert === undefined) !== (key === undefined) &&
    !reading.lost.has(`${pointer}/cert`) &&
    !reading.lost.has(`${pointer}/key`)
  )
    problems.add({
      code: 'config.conflict',
      message: `\`${cert === undefined ? 'key' : 'cert'}\` is of no use without \`${cert === undefined ? 'cert' : 'key'}\`.`,
      pointer: `${pointer}/${cert === undefined ? 'key' : 'cert'}`,
      on: 'key',
      hint: 'Name both files, or neither.',
    })
  const authorities = ca === undefined ? undefined : readCertificates(ca, `${pointer}/ca`, reading)
  const own = cert === undefined ? undefined : readCertificates(cert, `${pointer}/cert`, reading)
  const ownKey = key === undefined ? undefined : readKey(key, `${pointer}/key`, reading)
  if (own && ownKey && !own.first.checkPrivateKey(ownKey.key))
    problems.add({
      code: 'config.conflict',
      message: '`key` is not the private key of `cert`.',
      pointer: `${pointer}/key`,
      hint: 'The first certificate in `cert` must be our own; those of its authorities follow it.',
    })
  const secret = ownKey ? new Secret(ownKey.text) : null
  return {
    ca: authorities?.text ?? null,
    cert: own?.text ?? null,
    key: secret === null ? null : () => secret,
    serverName: server_name ?? null,
    verify: insecure !== true,
  }
}

function readCertificates(
  path: string,
  pointer: string,
  reading: Reading,
): { readonly text: string; readonly first: X509Certificate } | undefined {
  const text = readPem(path, pointer, reading)
  if (text === undefined) return undefined
  const pems = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g)
  if (!pems) return refuse('holds no certificate.', pointer, reading)
  try {
    const [first] = pems.map(pem => new X509Certificate(pem))
    return { text, first: first! }
  } catch {
    return refuse('holds a certificate that cannot be read.', pointer, reading)
  }
}

function readKey(
  path: string,
  pointer: string,
  reading: Reading,
): { readonly text: string; readonly key: KeyObject } | undefined {
  const text = readPem(path, pointer, reading)
  if (text === undefined) return undefined
  try {
    return { text, key: createPrivateKey(text) }
  } catch {
    return /ENCRYPTED/.test(text)
      ? refuse('has a passphrase.', pointer, reading, 'Store it without: openssl pkey -in key.pem -out plain.pem')
      : refuse('holds no private key.', pointer, reading)
  }
}

function readPem(path: string, pointer: string, reading: Reading): string | undefined {
  const read = readText(resolve(reading.variables.baseDir, path), maxPemBytes)
  if ('text' in read) return read.text
  const { message, hint, missing } = read.failure
  const named = reading.resolved.get(pointer)?.outside.length ? nameOf(pointer) : `${nameOf(pointer)}, ${path},`
  reading.lost.add(pointer)
  reading.problems.add({
    code: 'config.invalid',
    message: `The file of ${named} cannot be used. ${message}`,
    pointer,
    hint: missing ? 'The path is relative to this file.' : hint,
    // Where the secrets are not, their files are not either.
    ...(missing && reading.unset === 'warning' ? { severity: 'warning' } : {}),
  })
  return undefined
}

function refuse(
  what: string,
  pointer: string,
  reading: Reading,
  hint = 'A PEM file has lines -----BEGIN …----- and -----END …-----.',
): undefined {
  reading.problems.add({ code: 'config.invalid', message: `The file of ${nameOf(pointer)} ${what}`, pointer, hint })
}
