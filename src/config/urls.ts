// Addresses in a definition that can never be called, found before anything runs. What a name resolves to is checked when it is called.
import { isIP } from 'node:net'
import { toWeirError } from '../core/errors.ts'
import { type AddressRange, isAllowedAddress, parseCidr } from '../fetch/addresses.ts'
import { nameOf } from './complaint.ts'
import type { Problems } from './problem.ts'

/** Reports addresses without http or https, with a password in them, or in private networks that are not allowed. */
export function checkUrls(urls: ReadonlyMap<string, string>, allowed: readonly unknown[], problems: Problems): void {
  const open = allowList(allowed, problems)
  for (const [pointer, text] of urls) {
    if (problems.failedAt(pointer, 'value')) continue
    const wrong = wrongWith(text, open)
    if (wrong)
      problems.add({ code: 'config.invalid', pointer, message: `${nameOf(pointer)} ${wrong[0]}`, hint: wrong[1] })
  }
}

function wrongWith(text: string, open: readonly AddressRange[]): readonly [message: string, hint: string] | undefined {
  // What comes first out of a {{ }} is known only when it runs.
  if (text.trimStart().startsWith('{{')) return undefined
  const [, scheme, authority] = /^([a-zA-Z][a-zA-Z0-9+.-]*):(?:\/\/((?:\{\{.*?\}\}|[^/?#])*))?/.exec(text) ?? []
  if (scheme === undefined || (authority === undefined && /^\d/.test(text.slice(scheme.length + 1))))
    return ['has no scheme.', 'Write the full address: https://…']
  if (!/^https?$/i.test(scheme)) return [`has the scheme ${scheme.toLowerCase()}.`, 'Only http and https are called.']
  if (!authority) return ['has no host.', 'Write the full address: https://host/path.']
  if (authority.includes('@'))
    return ['holds a user name or password.', 'Write it as `auth`, with the password in a variable.']
  const host = hostOf(`${scheme}://${authority}`)
  if (host === undefined) return ['has a host that cannot be read.', 'Write the full address: https://host/path.']
  if (isIP(host) !== 0 && !isAllowedAddress(host, open))
    return ['is an address of a private network.', 'Allow it: `fetch: { allow_private: [<address>/32] }`.']
  return undefined
}

/** The host as it will be called: 0x7f.1 is 127.0.0.1. Undefined when there is none; a host with {{ }} is no literal. */
function hostOf(url: string): string | undefined {
  if (url.includes('{{')) return ''
  try {
    return new URL(url).hostname.replace(/^\[|\]$/g, '')
  } catch {
    return undefined
  }
}

function allowList(allowed: readonly unknown[], problems: Problems): readonly AddressRange[] {
  return allowed.flatMap((entry, i) => {
    try {
      return typeof entry === 'string' ? [parseCidr(entry)] : []
    } catch (thrown) {
      const { message, hint } = toWeirError(thrown)
      problems.add({ code: 'config.invalid', message: `${message}.`, pointer: `/fetch/allow_private/${i}`, hint })
      return []
    }
  })
}
