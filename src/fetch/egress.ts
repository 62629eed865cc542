// What may be called at all: scheme, spelling and address of a URL. A name is resolved here and the socket connects to exactly the
// addresses that were checked, so a second DNS answer has no effect. Literal addresses never reach the lookup and are checked apart.
import { lookup as dnsLookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { toWeirError, WeirError } from '../core/errors.ts'
import { type AddressRange, isAllowedAddress, parseCidr } from './addresses.ts'

export interface ResolvedAddress {
  readonly address: string
  readonly family: 4 | 6
}

/** All addresses of a host name. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>

export interface Egress {
  /** The URL, checked. @throws fetch.egress_refused */
  check(url: string): URL
  /** For `net.connect`: gives the socket only checked addresses, all from one answer. */
  readonly lookup: LookupFunction
}

const maxUrlLength = 16 * 1024

/** @param allowPrivate CIDR ranges that may be called although they are private. @throws config.invalid */
export function createEgress(allowPrivate: readonly string[], resolve: Resolve = systemResolve): Egress {
  const allowed = allowPrivate.map(parseCidr)
  return {
    check: url => checkUrl(url, allowed),
    lookup: (hostname, options, callback) => {
      resolveChecked(hostname, resolve, allowed).then(
        addresses => {
          if (options.all) callback(null, [...addresses])
          else callback(null, addresses[0]!.address, addresses[0]!.family)
        },
        error => callback(error, '', 0),
      )
    },
  }
}

/**
 * Static part of the check, for a URL written in a definition: why it can never be called, or undefined.
 * A name that resolves to a private address is found only when it is called.
 */
function refusalOf(url: URL, allowed: readonly AddressRange[]): string | undefined {
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return `the scheme ${url.protocol.slice(0, 16)} is not http or https`
  if (url.username !== '' || url.password !== '') return 'it holds a user name or password'
  const host = hostnameOf(url)
  if (host === '') return 'it has no host'
  if (isIP(host) !== 0 && !isAllowedAddress(host, allowed)) return `${host} is a private or reserved address`
  return undefined
}

/** The host name without the brackets of an IPv6 literal. */
function hostnameOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}

function checkUrl(text: string, allowed: readonly AddressRange[]): URL {
  const url = text.length <= maxUrlLength ? URL.parse(text) : null
  if (url === null)
    throw new WeirError(
      'fetch.egress_refused',
      text.length > maxUrlLength ? 'The URL is too long' : 'The URL is not valid',
      {
        hint: 'Write a whole address: https://host/path.',
      },
    )
  const refusal = refusalOf(url, allowed)
  if (refusal !== undefined) throw refused(`The call is refused: ${refusal}`)
  return url
}

async function resolveChecked(
  hostname: string,
  resolve: Resolve,
  allowed: readonly AddressRange[],
): Promise<readonly ResolvedAddress[]> {
  let addresses: readonly ResolvedAddress[]
  try {
    addresses = await resolve(hostname)
  } catch (error) {
    throw new WeirError('fetch.network', `The name ${hostname} cannot be resolved`, {
      cause: toWeirError(error, 'fetch.network'),
    })
  }
  if (addresses.length === 0) throw new WeirError('fetch.network', `The name ${hostname} has no address`)
  // One refused address refuses the name: a mixed answer is how a name is rebound.
  for (const { address } of addresses)
    if (!isAllowedAddress(address, allowed))
      throw refused(`The call is refused: ${hostname} resolves to ${address}, a private or reserved address`)
  return addresses
}

function refused(message: string): WeirError {
  return new WeirError('fetch.egress_refused', message, {
    hint: 'If this address is meant, list its range under `fetch: { allow_private: [...] }`.',
  })
}

const systemResolve: Resolve = async hostname => (await dnsLookup(hostname, { all: true })) as ResolvedAddress[]
