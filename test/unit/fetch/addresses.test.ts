import { describe, expect, test } from 'vitest'
import { isAllowedAddress, parseCidr } from '../../../src/fetch/addresses.ts'

const refused = [
  '0.0.0.0',
  '0.255.255.255',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.1',
  '100.127.255.255',
  '100.100.100.200',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.0.2.1',
  '192.168.0.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '168.63.129.16',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.0.0.1',
  '::ffff:169.254.169.254',
  '64:ff9b::127.0.0.1',
  '64:ff9b::a00:1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '4000::1',
  'localhost',
  '',
  '1.2.3',
  'example.com',
]
const allowed = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '223.255.255.255',
  '2606:4700::1111',
  '2a00:1450:4001::1',
  '::ffff:1.1.1.1',
  '64:ff9b::101:101',
]

describe('addresses that may be called', () => {
  test.each(refused)('%s is refused', address => expect(isAllowedAddress(address, [])).toBe(false))
  test.each(allowed)('%s is public', address => expect(isAllowedAddress(address, [])).toBe(true))

  test('a range allows exactly what is in it, also when the address is carried in IPv6', () => {
    const ranges = [parseCidr('10.1.0.0/16'), parseCidr('fd12::/16')]
    expect(['10.1.0.0', '10.1.255.255', '::ffff:10.1.2.3', 'fd12::9'].map(a => isAllowedAddress(a, ranges))).toEqual([
      true,
      true,
      true,
      true,
    ])
    expect(
      ['10.0.255.255', '10.2.0.0', '127.0.0.1', 'fd13::9', '::ffff:10.2.0.1'].map(a => isAllowedAddress(a, ranges)),
    ).toEqual([false, false, false, false, false])
  })

  test.each(['', 'ten', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0/8', '::1/129', '10.0.0.0/-1'])(
    '`%s` is no range',
    text => {
      expect(() => parseCidr(text)).toThrow(expect.objectContaining({ code: 'config.invalid' }))
    },
  )
})
