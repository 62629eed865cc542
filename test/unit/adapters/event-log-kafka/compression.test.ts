// Decoders of compressed records: hand-made bytes after the formats' own descriptions, damage, and bombs (CVE-2023-34455).
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { codecIds, compress, inflate } from '../../../../src/adapters/event-log-kafka/compression/codecs.ts'
import { CompressionDamage } from '../../../../src/adapters/event-log-kafka/compression/inflated.ts'
import { inflateLz4 } from '../../../../src/adapters/event-log-kafka/compression/lz4.ts'
import { inflateSnappy } from '../../../../src/adapters/event-log-kafka/compression/snappy.ts'

const cap = 1 << 20
const bytes = (...parts: (number | string | Uint8Array)[]) =>
  Buffer.concat(parts.map(part => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part as string))))
const i32 = (value: number) => Buffer.of(value >>> 24, value >>> 16, value >>> 8, value)
const u32le = (value: number) => Buffer.of(value, value >>> 8, value >>> 16, value >>> 24)
const snappyHead = bytes(0x82, 'SNAPPY', 0, i32(1), i32(1))

describe('snappy', () => {
  const text = (input: Uint8Array) => Buffer.from(inflateSnappy(input, cap)).toString()

  test.each<[string, Buffer, string]>([
    ['nothing', bytes(0), ''],
    ['a literal', bytes(3, 0x08, 'abc'), 'abc'],
    ['a literal with its length in one byte', bytes(70, 60 << 2, 69, 'x'.repeat(70)), 'x'.repeat(70)],
    ['a literal with its length in four bytes', bytes(70, 63 << 2, u32le(69), 'x'.repeat(70)), 'x'.repeat(70)],
    ['a copy of kind 1', bytes(7, 0x08, 'abc', 0x01, 3), 'abcabca'],
    ['a copy of kind 2', bytes(7, 0x08, 'abc', (3 << 2) | 2, 3, 0), 'abcabca'],
    ['a copy of kind 3', bytes(7, 0x08, 'abc', (3 << 2) | 3, u32le(3)), 'abcabca'],
    ['a copy of its own output', bytes(65, 0x00, 'a', (63 << 2) | 2, 1, 0), 'a'.repeat(65)],
    ['a framed block', bytes(snappyHead, i32(5), 3, 0x08, 'abc'), 'abc'],
    ['two framed streams', bytes(snappyHead, i32(5), 3, 0x08, 'abc', snappyHead, i32(3), 1, 0, 'd'), 'abcd'],
    ['a frame without blocks', snappyHead, ''],
  ])('%s', (_, input, output) => {
    expect(text(input)).toBe(output)
  })

  test('a copy reaches back as far as 11 bits say', () => {
    const filler = Buffer.alloc(2000, 'xyz')
    const input = bytes(0xd8, 0x0f, 61 << 2, 0xcf, 0x07, filler, 0x04 | 0x01 | (7 << 5), 0xd0, 0x0e, 'ab', 0)
    expect(text(Buffer.concat([Buffer.of(0xd5, 0x0f), input.subarray(2, 2 + 3 + 2000 + 2)]))).toBe(
      filler.toString() + filler.toString().slice(0, 5),
    )
  })

  test.each<[string, Uint8Array]>([
    ['no bytes', Buffer.alloc(0)],
    ['a length that never ends', Buffer.alloc(20, 0xff)],
    ['2 GB promised by nine bytes', bytes(0xff, 0xff, 0xff, 0xff, 0x07, 0x08, 'abc')],
    ['2 GB promised in a frame', bytes(snappyHead, i32(9), 0xff, 0xff, 0xff, 0xff, 0x07, 0x08, 'abc')],
    ['a literal cut short', bytes(3, 0x08, 'ab')],
    ['a literal of 4 GB', bytes(3, 63 << 2, u32le(0xffffffff), 'abc')],
    ['a literal without its length', bytes(3, 61 << 2, 1)],
    ['a copy before the start', bytes(7, 0x08, 'abc', 0x01, 4)],
    ['a copy of distance 0', bytes(7, 0x08, 'abc', 0x01, 0)],
    ['a copy from 4 GB back', bytes(7, 0x08, 'abc', (3 << 2) | 3, u32le(0xffffffff))],
    ['a copy without its distance', bytes(7, 0x08, 'abc', 0x01)],
    ['more than promised', bytes(3, 0x08, 'abc', 0x01, 3)],
    ['more literals than promised', bytes(2, 0x08, 'abc')],
    ['less than promised', bytes(4, 0x08, 'abc')],
    ['a frame with half a length', bytes(snappyHead, 0, 0)],
    ['a frame with a block cut short', bytes(snappyHead, i32(50), 3, 0x08, 'abc')],
    ['a block that copies from the block before', bytes(snappyHead, i32(5), 3, 0x08, 'abc', i32(3), 4, 0x01, 3)],
  ])('refuses %s', (_, input) => {
    expect(() => inflateSnappy(input, cap)).toThrow(CompressionDamage)
  })

  test('blocks of a frame count together against the limit', () => {
    const block = bytes(i32(6), 64, 0x00, 'a', (62 << 2) | 2, 1, 0)
    expect(inflateSnappy(bytes(snappyHead, block, block), 128)).toHaveLength(128)
    expect(() => inflateSnappy(bytes(snappyHead, block, block), 127)).toThrow('more than 127 bytes')
  })
})

describe('lz4', () => {
  /** FLG of version 1, independent blocks. */
  const plainFlags = 0x60
  const frame = (flags: number, ...parts: (number | string | Uint8Array)[]) =>
    bytes(0x04, 0x22, 0x4d, 0x18, flags, 0x40, ...parts)
  const block = (...parts: (number | string | Uint8Array)[]) => {
    const content = bytes(...parts)
    return Buffer.concat([u32le(content.length), content])
  }
  const storedBlock = (text: string) => bytes(u32le((text.length | 0x80000000) >>> 0), text)
  const end = u32le(0)
  const size = (low: number, high = 0) => Buffer.concat([u32le(low), u32le(high)])
  const text = (input: Uint8Array) => Buffer.from(inflateLz4(input, cap)).toString()

  test.each<[string, Buffer, string]>([
    ['nothing', frame(plainFlags, 0, end), ''],
    ['literals', frame(plainFlags, 0, block(0x30, 'abc'), end), 'abc'],
    ['a stored block', frame(plainFlags, 0, storedBlock('abc'), end), 'abc'],
    ['a match', frame(plainFlags, 0, block(0x31, 'abc', 3, 0, 0x10, 'z'), end), 'abcabcabz'],
    ['a long literal', frame(plainFlags, 0, block(0xf0, 5, 'x'.repeat(20)), end), 'x'.repeat(20)],
    ['a long literal of 255s', frame(plainFlags, 0, block(0xf0, 255, 0, 'x'.repeat(270)), end), 'x'.repeat(270)],
    ['a long match', frame(plainFlags, 0, block(0x1f, 'a', 1, 0, 255, 10, 0x00), end), 'a'.repeat(1 + 4 + 15 + 265)],
    [
      'a long match of a pattern',
      frame(plainFlags, 0, block(0x3f, 'abc', 3, 0, 82, 0), end),
      'abc'.repeat(100).slice(0, 104),
    ],
    ['checksums, which are passed over', frame(0x74, 0, block(0x30, 'abc'), 'crc!', end, 'crc!'), 'abc'],
    ['a content size', frame(0x68, size(3), 0, block(0x30, 'abc'), end), 'abc'],
    ['a match into the block before, linked', frame(0x40, 0, block(0x30, 'abc'), block(0x00, 3, 0, 0), end), 'abcabca'],
    [
      'two frames',
      Buffer.concat([frame(plainFlags, 0, block(0x30, 'abc'), end), frame(plainFlags, 0, block(0x10, 'd'), end)]),
      'abcd',
    ],
  ])('%s', (_, input, output) => {
    expect(text(input)).toBe(output)
  })

  test.each<[string, Uint8Array]>([
    ['no bytes', Buffer.alloc(0)],
    ['a wrong magic', bytes(0x05, 0x22, 0x4d, 0x18, plainFlags, 0x40, 0, end)],
    ['a version that is not 1', frame(0xa0, 0, end)],
    ['a dictionary', frame(0x61, size(0), 0, end)],
    ['no block size', bytes(0x04, 0x22, 0x4d, 0x18, plainFlags, 0x30, 0, end)],
    ['a head cut short', frame(0x68, 1, 2)],
    ['no end', frame(plainFlags, 0, block(0x30, 'abc'))],
    ['a block cut short', frame(plainFlags, 0, u32le(50), 'abc')],
    ['a block of 2 GB', frame(plainFlags, 0, u32le(0x7fffffff), 'abc', end)],
    ['an empty sequence', frame(plainFlags, 0, block(0x31, 'abc', 3, 0), end)],
    ['literals cut short', frame(plainFlags, 0, block(0x40, 'abc'), end)],
    ['a length that never ends', frame(plainFlags, 0, block(0xf0, 255, 255), end)],
    ['half a distance', frame(plainFlags, 0, block(0x31, 'abc', 3), end)],
    ['a match before the start', frame(plainFlags, 0, block(0x31, 'abc', 4, 0, 0), end)],
    ['a match of distance 0', frame(plainFlags, 0, block(0x31, 'abc', 0, 0, 0), end)],
    ['a match into the block before, independent', frame(plainFlags, 0, block(0x30, 'abc'), block(0x00, 3, 0, 0), end)],
    [
      'a match into the frame before',
      Buffer.concat([frame(0x40, 0, block(0x30, 'abc'), end), frame(0x40, 0, block(0x00, 3, 0, 0), end)]),
    ],
    [
      'a block larger than its frame allows',
      frame(plainFlags, 0, block(0x1f, 'a', 1, 0, Buffer.alloc(300, 255), 0, 0), end),
    ],
    ['a content size that is too large', frame(0x68, size(4), 0, block(0x30, 'abc'), end)],
    ['a content size that is too small', frame(0x68, size(2), 0, block(0x30, 'abc'), end)],
    ['a content size of 2^63', frame(0x68, size(0, 0x80000000), 0, block(0x30, 'abc'), end)],
    ['a content size that its bytes cannot give', frame(0x68, size(1_000_000), 0, block(0x30, 'abc'), end)],
    ['a checksum of a block cut short', frame(0x70, 0, u32le(4), 0x30, 'abc', 0)],
    ['a checksum of the content cut short', frame(0x64, 0, block(0x30, 'abc'), end, 1)],
    ['bytes after the frame', bytes(frame(plainFlags, 0, end), 'x')],
  ])('refuses %s', (_, input) => {
    expect(() => inflateLz4(input, cap)).toThrow(CompressionDamage)
  })
})

describe('bombs', () => {
  const megabyte = 1024 * 1024
  /** 255 bytes out for each byte in, in blocks of 4 MB. */
  function lz4Bomb(blocks: number): Buffer {
    const content = bytes(0x1f, 'a', 1, 0, Buffer.alloc(16_440, 255), 0, 0x00)
    const head = Buffer.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x70, 0)
    return Buffer.concat([
      head,
      ...Array.from({ length: blocks }, () => [u32le(content.length), content]).flat(),
      u32le(0),
    ])
  }
  /** 64 bytes out for each 3 in. */
  function snappyBomb(copies: number): Buffer {
    const length = 1 + copies * 64
    const preamble = Buffer.of(...[0, 7, 14, 21].map(shift => ((length >>> shift) & 127) | 128), length >>> 28)
    return bytes(preamble, 0, 'a', Buffer.alloc(copies * 3, Buffer.of((63 << 2) | 2, 1, 0)))
  }
  const zeros = Buffer.alloc(128 * megabyte)
  const cases: [string, number, () => Buffer][] = [
    ['snappy', codecIds.snappy, () => snappyBomb(2 * megabyte)],
    ['lz4', codecIds.lz4, () => lz4Bomb(64)],
    ['gzip', codecIds.gzip, () => gzipSync(zeros, { level: 1 })],
    ['zstd', codecIds.zstd, () => zstdCompressSync(zeros)],
    [
      'zstd with a window of 128 MB',
      codecIds.zstd,
      () =>
        zstdCompressSync(zeros, {
          params: { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_contentSizeFlag]: 0 },
        }),
    ],
  ]

  test.each(cases)('I10: %s: refused at the limit, without the memory', async (_, codec, make) => {
    const bomb = make()
    const before = process.memoryUsage()
    await expect(inflate(codec, bomb, 4 * megabyte)).rejects.toThrow('more than 4194304 bytes')
    const after = process.memoryUsage()
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(32 * megabyte)
    expect(after.rss - before.rss).toBeLessThan(64 * megabyte)
  })

  test('the bombs are real: with room enough they go off', async () => {
    for (const [, codec, make] of cases)
      expect((await inflate(codec, make(), 300 * megabyte)).length).toBeGreaterThanOrEqual(128 * megabyte)
  })
})

describe('gzip and zstd', () => {
  const text = Buffer.from('would buy again; '.repeat(20_000))

  test.each(['gzip', 'zstd'] as const)('%s comes back, and is smaller', async codec => {
    const small = await compress(text, codec)
    expect(small.length).toBeLessThan(text.length / 50)
    expect(Buffer.from(await inflate(codecIds[codec], small, text.length)).equals(text)).toBe(true)
  })

  test.each(['gzip', 'zstd'] as const)('%s of what cannot be compressed comes back too', async codec => {
    let state = 1
    const noise = Buffer.from(Array.from({ length: 70_000 }, () => (state = (state * 48271) % 2147483647) >>> 8))
    expect(Buffer.from(await inflate(codecIds[codec], await compress(noise, codec), noise.length)).equals(noise)).toBe(
      true,
    )
  })

  test.each(['gzip', 'zstd'] as const)('%s cut short or hurt is refused', async codec => {
    const small = Buffer.from(await compress(text, codec))
    await expect(inflate(codecIds[codec], small.subarray(0, small.length / 2), cap)).rejects.toThrow(CompressionDamage)
    small[2]! ^= 0xff
    await expect(inflate(codecIds[codec], small, cap)).rejects.toThrow(CompressionDamage)
  })
})
