import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crc32c } from '../../../../src/adapters/event-log-kafka/crc32c.ts'

const readPdu =
  '01c00000 00000000 00000000 00000000 14000000 00000400 00000014 00000018 28000000 00000000 02000000 00000000'

test.each([
  ['nothing', Buffer.alloc(0), 0],
  ['the check text', Buffer.from('123456789'), 0xe3069283],
  ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
  ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['32 rising bytes', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  ['32 falling bytes', Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
  ['an iSCSI read command', Buffer.from(readPdu.replaceAll(' ', ''), 'hex'), 0xd9963a56],
])('gives the checksum of RFC 3720 for %s', (_, bytes, checksum) => {
  expect(crc32c(bytes)).toBe(checksum)
})

function bitByBit(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

test('for any bytes and any part of them, it is what the definition gives bit by bit', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), fc.nat(200), (bytes, a, b) => {
      const from = Math.min(a, b, bytes.length)
      const to = Math.min(Math.max(a, b), bytes.length)
      expect(crc32c(bytes.subarray(1), 0)).toBe(bitByBit(bytes.subarray(1)))
      expect(crc32c(bytes, from, to)).toBe(bitByBit(bytes.subarray(from, to)))
    }),
  )
})
