// Primitive types of the Kafka protocol: what is written is read back, and what lies about its length is refused before memory is taken.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FrameCheck } from '../../../../src/adapters/event-log-kafka/frames.ts'
import { Reader } from '../../../../src/adapters/event-log-kafka/protocol/reader.ts'
import { Writer } from '../../../../src/adapters/event-log-kafka/protocol/writer.ts'
import { cpuMs } from '../../../support/cpu-time.ts'

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex')

describe('the bytes', () => {
  test('are those of the protocol', () => {
    const plain = new Writer()
      .int8(-2)
      .int16(258)
      .int32(-1)
      .int64(2n ** 40n)
      .boolean(true)
      .string('é')
      .string(null)
    plain.bytes(bytes('0102')).array([7, 8], item => plain.int16(item))
    plain.array(null, () => {}).tags()
    expect(plain.finish().toString('hex')).toBe(
      'fe0102ffffffff0000010000000000010002c3a9ffff00000002010200000002' + '00070008ffffffff',
    )
  })

  test('of flexible messages have lengths plus one and tagged fields', () => {
    const flexible = new Writer(true).string('ab').string(null).string('').bytes(bytes('09')).uvarint(300)
    flexible.array([1], item => flexible.int8(item).tags()).array(null, () => {})
    expect(flexible.tags().finish().toString('hex')).toBe('0361620001' + '0209' + 'ac02' + '020100' + '00' + '00')
  })

  test('tagged fields that nobody knows are skipped', () => {
    const reader = new Reader(bytes('02 05 02 aabb ac02 00 2a'), true)
    reader.tags()
    expect(reader.int8()).toBe(42)
  })
})

test.each([false, true])('what is written is read back (flexible: %s)', flexible =>
  fc.assert(
    fc.property(
      fc.record({
        long: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        size: fc.nat({ max: 0xffffffff }),
        text: fc.option(fc.string({ unit: 'binary', maxLength: 300 })),
        blob: fc.uint8Array({ maxLength: 600 }),
        items: fc.array(fc.tuple(fc.integer(), fc.string({ unit: 'grapheme' }), fc.boolean())),
      }),
      ({ long, size, text, blob, items }) => {
        const to = new Writer(flexible, 1)
        to.int64(long).uvarint(size).string(text).bytes(blob)
        to.array(items, ([n, name, flag]) => to.int32(n).string(name).boolean(flag).tags()).tags()
        const from = new Reader(to.finish(), flexible)
        expect([from.int64(), from.uvarint(), from.nullableString()]).toEqual([long, size, text])
        expect(Buffer.compare(from.bytes(), blob)).toBe(0)
        const read = from.array(() => {
          const item = [from.int32(), from.string(), from.boolean()]
          from.tags()
          return item
        })
        from.tags()
        expect(read).toEqual(items)
        expect(from.left).toBe(0)
      },
    ),
  ),
)

describe('I10: a length that runs past the end is refused', () => {
  test.each<[string, string, boolean, (from: Reader) => unknown]>([
    ['a number cut short', '0001', false, from => from.int32()],
    ['a string', '7fff 61', false, from => from.string()],
    ['a compact string', 'ffffffff0f 61', true, from => from.string()],
    ['bytes of 2 GB', '7fffffff 00', false, from => from.bytes()],
    ['an array of 2^31-1 nothings', '7fffffff', false, from => from.array(() => null)],
    ['a compact array of 4 billion', 'ffffffff0f', true, from => from.array(() => from.tags())],
    ['a variable-length number without an end', 'ffffffffffffffff', true, from => from.uvarint()],
    ['a variable-length number of 35 bits', 'ffffffff7f', true, from => from.uvarint()],
    ['tagged fields', '01 00 7f', true, from => from.tags()],
    ['four billion tagged fields', 'ffffffff0f', true, from => from.tags()],
  ])('%s', (_, hex, flexible, read) => {
    const started = cpuMs()
    expect(() => read(new Reader(bytes(hex), flexible))).toThrow(
      expect.objectContaining({
        code: 'log.unavailable',
        message: expect.stringMatching(/^the answer is cut or damaged/),
      }),
    )
    expect(cpuMs() - started).toBeLessThan(200)
  })
})

describe('I10: frames', () => {
  const frame = (length: number, sent = length) => {
    const head = Buffer.alloc(4)
    head.writeInt32BE(length)
    return Buffer.concat([head, Buffer.alloc(sent, 7)])
  }

  test('of any size pass, however they are sliced', () => {
    const stream = Buffer.concat([frame(4), frame(70_000), frame(5)])
    for (const size of [1, 3, 4, 5, 1000, stream.length]) {
      const check = new FrameCheck()
      for (let at = 0; at < stream.length; at += size) expect(check.fault(stream.subarray(at, at + size))).toBeNull()
    }
  })

  test.each([2 ** 31 - 1, -1, 0, 3, 256 * 1024 * 1024])(
    'of %i bytes are refused as soon as they are announced',
    length => {
      const check = new FrameCheck()
      expect(check.fault(frame(100))).toBeNull()
      expect(check.fault(frame(length, 0))).toBe(`an answer of ${length} bytes is announced`)
    },
  )

  test('an alert of TLS is told as what it is', () => {
    expect(new FrameCheck().fault(bytes('15 0303 0002 0246'))).toMatch(/TLS/)
  })
})
