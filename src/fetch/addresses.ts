// Which IP addresses may be called. Everything that is not plainly public is refused unless a CIDR range allows it: loopback, private,
// link-local, CGNAT, multicast, reserved, cloud metadata, and IPv4 addresses hidden in IPv6 ones.
import { isIP } from 'node:net'
import { WeirError } from '../core/errors.ts'

/** An address as a number with its width in bits. */
interface Address {
  readonly bits: 32 | 128
  readonly value: bigint
}

/** A range of addresses: those whose first `prefix` bits are those of `value`. */
export interface AddressRange {
  readonly bits: 32 | 128
  readonly value: bigint
  readonly prefix: number
}

// IANA special-purpose registries, plus the metadata address of Azure, which is in public space.
const refusedV4 = ranges(
  '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16',
  '198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 168.63.129.16/32',
)
const publicV6 = ranges('2000::/3')
const refusedV6 = ranges('2001::/23 2001:db8::/32 2002::/16 3fff::/20')
/** IPv6 ranges whose last 32 bits are the IPv4 address that is really called. */
const carriersOfV4 = ranges('::ffff:0:0/96 64:ff9b::/96')

/** Reads `10.0.0.0/8`, `fd00::/8`, or a single address. @throws config.invalid */
export function parseCidr(text: string): AddressRange {
  const [address, prefixText, ...rest] = text.trim().split('/')
  const parsed = parseAddress(address ?? '')
  const prefix = prefixText === undefined ? parsed?.bits : /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : undefined
  if (parsed === undefined || prefix === undefined || prefix > parsed.bits || rest.length > 0)
    throw new WeirError('config.invalid', `\`${text}\` is no address range`, {
      at: '/fetch/allow_private',
      hint: 'Write a CIDR range such as 10.0.0.0/8 or fd00::/8.',
    })
  return { ...parsed, prefix }
}

/** True when this IP address, in the form that `net.isIP` knows, may be called. Text that is no address may not. */
export function isAllowedAddress(text: string, allowed: readonly AddressRange[]): boolean {
  const address = parseAddress(text)
  if (address === undefined) return false
  if (allowed.some(range => contains(range, address))) return true
  if (address.bits === 32) return !refusedV4.some(range => contains(range, address))
  if (carriersOfV4.some(range => contains(range, address))) {
    const inner: Address = { bits: 32, value: address.value & 0xffff_ffffn }
    return allowed.some(range => contains(range, inner)) || !refusedV4.some(range => contains(range, inner))
  }
  return publicV6.some(range => contains(range, address)) && !refusedV6.some(range => contains(range, address))
}

function contains(range: AddressRange, address: Address): boolean {
  if (range.bits !== address.bits) return false
  const shift = BigInt(range.bits - range.prefix)
  return range.value >> shift === address.value >> shift
}

function parseAddress(text: string): Address | undefined {
  const version = isIP(text)
  if (version === 4) return { bits: 32, value: v4Value(text) }
  if (version === 6) return { bits: 128, value: v6Value(text.replace(/%.*$/, '')) }
  return undefined
}

function v4Value(text: string): bigint {
  return BigInt(text.split('.').reduce((value, part) => value * 256 + Number(part), 0))
}

function v6Value(text: string): bigint {
  const lastV4 = /(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1]
  let whole = text
  if (lastV4 !== undefined) {
    const value = v4Value(lastV4)
    whole = `${text.slice(0, -lastV4.length)}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
  }
  const [head, tail] = whole.split('::')
  const left = head ? head.split(':') : []
  const right = tail ? tail.split(':') : []
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right]
  return groups.reduce((value, group) => (value << 16n) | BigInt(Number.parseInt(group, 16)), 0n)
}

function ranges(...lines: readonly string[]): readonly AddressRange[] {
  return lines.join(' ').split(' ').map(parseCidr)
}
