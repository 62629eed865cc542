import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { decodeBatches, encodeBatch } from '../../../../src/adapters/event-log-kafka/record-batch.ts'
import type { OutRecord } from '../../../../src/core/record.ts'
import {
  batchOf,
  fetched,
  markerOf,
  placed,
  plain,
  producer,
  recordOf,
  sealed,
  simpleRecord,
} from '../../../support/record-batches.ts'

const cap = 1 << 20
const transactional = 0x10

const numbered = (from: number, count: number): OutRecord[] =>
  Array.from({ length: count }, (_, i) => ({
    key: null,
    value: Buffer.from(`value ${from + i}`),
    headers: [],
    timestampMs: 1_700_000_000_000 + i,
  }))

async function encoded(from: number, count: number, compression: 'none' | 'gzip' | 'zstd' = 'none'): Promise<Buffer> {
  return placed(await encodeBatch(numbered(from, count), { producer, baseSequence: 0, compression }), BigInt(from))
}

const offsetsOf = ({ records }: { records: readonly { offset: bigint }[] }) =>
  records.map(({ offset }) => Number(offset))

describe('what is given', () => {
  test('records of all batches in order, and the offset after the last', async () => {
    const log = fetched([await encoded(0, 3), await encoded(3, 2, 'zstd'), await encoded(5, 1, 'gzip')])
    const found = await decodeBatches(log, 0n, cap)
    expect(found.records.map(({ value }) => Buffer.from(value!).toString())).toEqual(
      [0, 1, 2, 3, 4, 5].map(i => `value ${i}`),
    )
    expect(offsetsOf(found)).toEqual([0, 1, 2, 3, 4, 5])
    expect(found.records[0]).toMatchObject({ topic: 'reviews', partition: 2 })
    expect(found.nextOffset).toBe(6n)
  })

  test('only records at or after the offset asked for', async () => {
    const log = fetched([await encoded(0, 3), await encoded(3, 3, 'zstd')])
    for (let from = 0; from <= 7; from++) {
      const found = await decodeBatches(log, BigInt(from), cap)
      expect(offsetsOf(found)).toEqual([0, 1, 2, 3, 4, 5].slice(from))
      expect(found.nextOffset).toBe(BigInt(Math.max(6, from)))
    }
  })

  test('nothing for a batch that is cut, wherever it is cut', async () => {
    const [whole, cut] = [await encoded(0, 2), await encoded(2, 2)]
    for (let length = 0; length < cut.length; length++) {
      const found = await decodeBatches(fetched([whole, cut.subarray(0, length)]), 0n, cap)
      expect(offsetsOf(found)).toEqual([0, 1])
      expect(found.nextOffset).toBe(2n)
    }
    expect(await decodeBatches(fetched(cut.subarray(0, 80)), 2n, cap)).toEqual({ records: [], nextOffset: 2n })
  })

  test('gaps that compaction left are stepped over', async () => {
    const thinned = batchOf({
      baseOffset: 10n,
      lastOffsetDelta: 9,
      count: 2,
      body: Buffer.concat([simpleRecord(2, 'a'), simpleRecord(5, 'b')]),
    })
    const emptied = batchOf({ baseOffset: 30n, lastOffsetDelta: 4, count: 0 })
    const found = await decodeBatches(fetched([thinned, emptied]), 0n, cap)
    expect(offsetsOf(found)).toEqual([12, 15])
    expect(found.nextOffset).toBe(35n)
    expect(offsetsOf(await decodeBatches(fetched(thinned), 13n, cap))).toEqual([15])
    expect(await decodeBatches(fetched(thinned), 16n, cap)).toEqual({ records: [], nextOffset: 20n })
  })

  test('offsets beyond 2^53 are exact', async () => {
    const baseOffset = 2n ** 60n + 1n
    const batch = batchOf({
      baseOffset,
      lastOffsetDelta: 1,
      count: 2,
      body: Buffer.concat([simpleRecord(0, 'a'), simpleRecord(1, 'b')]),
    })
    const { records, nextOffset } = await decodeBatches({ ...fetched(batch), highWatermark: baseOffset + 2n }, 0n, cap)
    expect(records.map(({ offset }) => offset)).toEqual([baseOffset, baseOffset + 1n])
    expect(nextOffset).toBe(baseOffset + 2n)
  })

  test.each([
    [0, 0n],
    [-1, -1n],
    [86_400_000, 86_400_000n],
    [-(2 ** 40), -(2n ** 40n)],
    [2 ** 51, 2n ** 51n],
  ])('a time that differs by %s ms', async (difference, delta) => {
    const batch = batchOf({ baseTimeMs: 1000n, body: simpleRecord(0, 'a', delta) })
    expect((await decodeBatches(fetched(batch), 0n, cap)).records[0]!.timestampMs).toBe(1000 + difference)
  })

  test('the time of the broker where it stamps batches', async () => {
    const batch = batchOf({ attributes: 0x08, baseTimeMs: 1000n, maxTimeMs: 5555n, body: simpleRecord(0, 'a', 7) })
    expect((await decodeBatches(fetched(batch), 0n, cap)).records[0]!.timestampMs).toBe(5555)
  })

  test('key, value and headers that are null, empty or repeated', async () => {
    const body = recordOf(0, 0, 0, -1, 4, 1, 'h', -1, 1, 'h', 2, 'xy', 0, 0, 1, 'h', 0)
    const { records } = await decodeBatches(fetched(batchOf({ body })), 0n, cap)
    expect(records.map(plain)).toEqual([
      {
        offset: 0n,
        timestampMs: 1_700_000_000_000,
        key: '',
        value: null,
        headers: [
          ['h', ''],
          ['h', '7879'],
          ['', ''],
          ['h', ''],
        ],
      },
    ])
  })

  test('values are views on what was fetched, so that a record costs no copy', async () => {
    const log = fetched(await encoded(0, 1))
    expect((await decodeBatches(log, 0n, cap)).records[0]!.value!.buffer).toBe(log.bytes.buffer)
  })
})

describe('transactions', () => {
  const data = (offset: bigint, producerId: bigint, text: string, attributes = transactional) =>
    batchOf({ baseOffset: offset, producerId, attributes, body: simpleRecord(0, text) })
  const textsOf = ({ records }: Awaited<ReturnType<typeof decodeBatches>>) =>
    records.map(({ value }) => Buffer.from(value!).toString())

  test('I1: what an aborted transaction wrote is left out up to its marker, what follows is not', async () => {
    const log = [
      data(0n, 1n, 'before'),
      data(1n, 1n, 'aborted'),
      data(2n, 2n, 'of another'),
      data(3n, 1n, 'aborted too'),
      markerOf(4n, 1n, 'abort'),
      data(5n, 1n, 'after'),
      markerOf(6n, 1n, 'commit'),
    ]
    const found = await decodeBatches(fetched(log, [{ producerId: 1n, firstOffset: 1n }]), 0n, cap)
    expect(textsOf(found)).toEqual(['before', 'of another', 'after'])
    expect(found.nextOffset).toBe(7n)
  })

  test('I1: a transaction that began before the fetch is followed to its marker', async () => {
    const log = [data(8n, 1n, 'aborted'), markerOf(9n, 1n, 'abort'), data(10n, 1n, 'after')]
    const found = await decodeBatches(fetched(log, [{ producerId: 1n, firstOffset: 2n }]), 8n, cap)
    expect(textsOf(found)).toEqual(['after'])
  })

  test('I1: two aborted transactions of one producer, given in any order', async () => {
    const log = [
      data(0n, 1n, 'first'),
      markerOf(1n, 1n, 'abort'),
      data(2n, 1n, 'kept'),
      markerOf(3n, 1n, 'commit'),
      data(4n, 1n, 'second'),
      markerOf(5n, 1n, 'abort'),
      data(6n, 1n, 'last'),
    ]
    const aborted = [4n, 0n].map(firstOffset => ({ producerId: 1n, firstOffset }))
    expect(textsOf(await decodeBatches(fetched(log, aborted), 0n, cap))).toEqual(['kept', 'last'])
  })

  test('what a producer wrote outside transactions is never left out', async () => {
    const log = [data(0n, 1n, 'plain', 0), data(1n, 1n, 'aborted')]
    expect(textsOf(await decodeBatches(fetched(log, [{ producerId: 1n, firstOffset: 0n }]), 0n, cap))).toEqual([
      'plain',
    ])
  })

  test('a marker at the end moves the next offset', async () => {
    const log = [data(0n, 1n, 'x'), markerOf(1n, 1n, 'commit')]
    expect((await decodeBatches(fetched(log), 0n, cap)).nextOffset).toBe(2n)
    expect(await decodeBatches(fetched(log), 1n, cap)).toEqual({ records: [], nextOffset: 2n })
  })

  test('what was aborted is not even inflated', async () => {
    const log = batchOf({ producerId: 1n, attributes: transactional | 4, body: Buffer.from('no zstd') })
    const found = await decodeBatches(fetched(log, [{ producerId: 1n, firstOffset: 0n }]), 0n, cap)
    expect(found).toEqual({ records: [], nextOffset: 1n })
  })
})

describe('damage on the way', () => {
  test('fault 44: no flipped bit of a batch is ever decoded; it is fetched again', async () => {
    const [first, second] = [await encoded(0, 2), await encoded(2, 3)]
    const right = (await decodeBatches(fetched([first, second]), 0n, cap)).records.map(plain)
    // Offset and leader epoch are not under the checksum. The offset is held against its neighbours; the epoch is not used.
    for (let bit = 8 * 8; bit < second.length * 8; bit++) {
      const hurt = Buffer.from(second)
      hurt[bit >> 3]! ^= 1 << (bit & 7)
      const inEpoch = bit >> 3 >= 12 && bit >> 3 < 16
      const found = await decodeBatches(fetched([first, hurt]), 0n, cap)
      expect(found.records.map(plain)).toEqual(inEpoch ? right : right.slice(0, 2))
      expect(found.nextOffset).toBe(inEpoch ? 5n : 2n)
      // Alone it is an error to try again at, or looks cut, which is fetched again too.
      const alone = decodeBatches(fetched(hurt), 2n, cap)
      if (inEpoch) expect((await alone).nextOffset).toBe(5n)
      else if (hurt.readInt32BE(8) + 12 > hurt.length) expect(await alone).toEqual({ records: [], nextOffset: 2n })
      else await expect(alone).rejects.toMatchObject({ code: 'log.unavailable', retry: true, at: 'reviews/2/2' })
    }
  })

  test('fault 44: an offset that falls back or lies far beyond the end is damage', async () => {
    const again = { code: 'log.unavailable', retry: true }
    const first = await encoded(5, 2)
    for (const base of [0n, 6n, -1n, 2n ** 40n, -(2n ** 62n)]) {
      const log = fetched([first, placed(await encoded(7, 1), base)])
      expect((await decodeBatches(log, 0n, cap)).nextOffset).toBe(7n)
      await expect(decodeBatches(log, 7n, cap)).rejects.toMatchObject(again)
    }
  })

  test('batches before the damage are given, then the damage is met', async () => {
    const hurt = await encoded(3, 3)
    hurt[70]! ^= 1
    const log = fetched([await encoded(0, 3), hurt])
    const found = await decodeBatches(log, 0n, cap)
    expect(offsetsOf(found)).toEqual([0, 1, 2])
    await expect(decodeBatches(log, found.nextOffset, cap)).rejects.toMatchObject({ code: 'log.unavailable' })
  })
})

describe('batches that were written wrong', () => {
  const rest = (fields: readonly (number | bigint | string | Buffer)[]) => recordOf(...fields)
  const cases: [name: string, parts: Parameters<typeof batchOf>[0]][] = [
    ['a record longer than the batch', { body: Buffer.concat([Buffer.of(200, 1), Buffer.alloc(20)]) }],
    ['a record of negative length', { body: Buffer.concat([Buffer.of(1), Buffer.alloc(20)]) }],
    ['a record too short to be one', { body: Buffer.concat([Buffer.of(10), Buffer.alloc(5), Buffer.alloc(20)]) }],
    ['a varint of six bytes', { body: Buffer.concat([Buffer.alloc(5, 0xff), Buffer.alloc(20, 1)]) }],
    ['a fifth byte with too many bits', { body: Buffer.of(0xff, 0xff, 0xff, 0xff, 0x1f, 0, 0, 0, 0, 0, 0) }],
    ['a varlong of eleven bytes', { body: rest([Buffer.alloc(11, 0xff), 0, -1, -1, 0]) }],
    [
      'a varlong of more than 64 bits',
      { body: rest([Buffer.concat([Buffer.alloc(9, 0xff), Buffer.of(2)]), 0, -1, -1, 0]) },
    ],
    ['a varint that runs out of its record', { body: rest([0, 0, -1, -1, Buffer.of(0x80)]) }],
    ['an offset below the base', { body: rest([0, -1, -1, -1, 0]) }],
    ['an offset beyond the last', { body: rest([0, 1, -1, -1, 0]) }],
    [
      'two records at one offset',
      { count: 2, lastOffsetDelta: 1, body: Buffer.concat([simpleRecord(0, 'a'), simpleRecord(0, 'b')]) },
    ],
    ['a key longer than its record', { body: rest([0, 0, 50, -1, 0]) }],
    ['a key of length -2', { body: rest([0, 0, -2, -1, 0]) }],
    ['a value of length -2', { body: rest([0, 0, -1, -2, 0]) }],
    ['a value of 2 GB', { body: rest([0, 0, -1, 2 ** 31 - 1, 0]) }],
    ['two billion headers', { body: rest([0, 0, -1, -1, 2 ** 31 - 1]) }],
    ['-1 headers', { body: rest([0, 0, -1, -1, -1]) }],
    ['a header without name', { body: rest([0, 0, -1, -1, 1, -1, -1]) }],
    ['a header name beyond its record', { body: rest([0, 0, -1, -1, 1, 9, 'ab']) }],
    ['a header value beyond its record', { body: rest([0, 0, -1, -1, 1, 1, 'a', 9, 'ab']) }],
    ['70,000 headers in one record', { body: rest([0, 0, -1, -1, 70_000, Buffer.alloc(140_000)]) }],
    ['bytes left over in a record', { body: rest([0, 0, -1, -1, 0, 'x']) }],
    ['bytes left over after the records', { body: Buffer.concat([simpleRecord(0, 'a'), Buffer.of(0)]) }],
    ['more records than bytes', { count: 2 ** 31 - 1, lastOffsetDelta: 2 ** 31 - 1, body: simpleRecord(0, 'a') }],
    ['a negative count', { count: -1, body: simpleRecord(0, 'a') }],
    ['a negative last offset', { lastOffsetDelta: -1, body: simpleRecord(0, 'a') }],
    ['codec 5', { attributes: 5, body: simpleRecord(0, 'a') }],
    ['gzip that is none', { attributes: 1, body: simpleRecord(0, 'a') }],
    ['snappy that is none', { attributes: 2, body: simpleRecord(0, 'a') }],
    ['lz4 that is none', { attributes: 3, body: simpleRecord(0, 'a') }],
    ['zstd that is none', { attributes: 4, body: simpleRecord(0, 'a') }],
    ['an empty body for compressed records', { attributes: 4 }],
  ]

  test.each(cases)('%s: refused with its place and a hint', async (_, parts) => {
    const failed = decodeBatches(fetched(batchOf({ baseOffset: 40n, ...parts })), 0n, cap)
    await expect(failed).rejects.toMatchObject({
      code: 'log.corrupt',
      retry: false,
      at: 'reviews/2/40',
      hint: expect.stringContaining('go on at offset'),
    })
  })

  test('what stands before is given first', async () => {
    const log = fetched([
      await encoded(0, 2),
      batchOf({
        baseOffset: 2n,
        lastOffsetDelta: 1,
        count: 2,
        body: Buffer.concat([simpleRecord(0, 'a'), Buffer.alloc(20, 1)]),
      }),
    ])
    const found = await decodeBatches(log, 0n, cap)
    expect(offsetsOf(found)).toEqual([0, 1])
    expect(found.nextOffset).toBe(2n)
    await expect(decodeBatches(log, 2n, cap)).rejects.toMatchObject({ code: 'log.corrupt', at: 'reviews/2/2' })
  })

  test.each([0, 1])('message format %s is named', async format => {
    const old = batchOf({ baseOffset: 7n, body: Buffer.alloc(10) })
    old[16] = format
    old.writeUInt32BE(crc32(old.subarray(16)), 12)
    await expect(decodeBatches(fetched(old), 0n, cap)).rejects.toMatchObject({
      code: 'log.corrupt',
      message: `reviews/2 holds records of format ${format} at offset 7.`,
    })
  })

  test('a marker of an aborted transaction without a type', async () => {
    const marker = batchOf({ producerId: 1n, attributes: 0x30, body: recordOf(0, 0, 1, 'k', -1, 0) })
    await expect(decodeBatches(fetched(marker, [{ producerId: 1n, firstOffset: 0n }]), 0n, cap)).rejects.toMatchObject({
      code: 'log.corrupt',
    })
  })
})

describe('limits of one call', () => {
  test('I10: it ends early once it has inflated its share, and goes on from there', async () => {
    const batches = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const one: OutRecord = { key: null, value: Buffer.alloc(100_000, i), headers: [], timestampMs: 1 }
        return placed(await encodeBatch([one], { producer, baseSequence: 0, compression: 'zstd' }), BigInt(i))
      }),
    )
    const log = fetched(batches)
    const first = await decodeBatches(log, 0n, 250_000)
    expect(offsetsOf(first)).toEqual([0, 1, 2])
    expect(first.nextOffset).toBe(3n)
    const all: number[] = []
    for (let from = 0n; from < 20n; ) {
      const found = await decodeBatches(log, from, 250_000)
      expect(found.nextOffset).toBeGreaterThan(from)
      all.push(...offsetsOf(found))
      from = found.nextOffset
    }
    expect(all).toEqual(batches.map((_, i) => i))
  })

  test('I10: a batch of very many tiny records is given in parts', async () => {
    const count = 500_000
    const records = Array.from({ length: count }, () => ({ key: null, value: null, headers: [], timestampMs: 1 }))
    const log = fetched(await encodeBatch(records, { producer, baseSequence: 0, compression: 'zstd' }))
    let next = 0n
    let calls = 0
    for (; next < BigInt(count); calls++) {
      const found = await decodeBatches(log, next, 64 << 20)
      expect(found.records.length).toBeLessThanOrEqual(200_000)
      expect(found.records[0]!.offset).toBe(next)
      next = found.nextOffset
      expect(found.records.at(-1)!.offset).toBe(next - 1n)
    }
    expect(calls).toBe(3)
  })

  test('a whole batch inflated to the limit is read, one byte less is refused', async () => {
    const one: OutRecord = { key: null, value: Buffer.alloc(50_000, 7), headers: [], timestampMs: 1 }
    const plainly = await encodeBatch([one], { producer, baseSequence: 0, compression: 'none' })
    for (const compression of ['gzip', 'zstd'] as const) {
      const log = fetched(await encodeBatch([one], { producer, baseSequence: 0, compression }))
      const inflated = plainly.length - 61
      expect((await decodeBatches(log, 0n, inflated)).records).toHaveLength(1)
      await expect(decodeBatches(log, 0n, inflated - 1)).rejects.toMatchObject({
        code: 'log.corrupt',
        message: expect.stringContaining(`more than ${inflated - 1} bytes`),
      })
    }
  })

  test('a batch sealed again after a change still decodes: the tests above fail for what they name', async () => {
    expect(offsetsOf(await decodeBatches(fetched(sealed(await encoded(0, 2))), 0n, cap))).toEqual([0, 1])
    expect(offsetsOf(await decodeBatches(fetched(batchOf({ body: simpleRecord(0, 'a') })), 0n, cap))).toEqual([0])
  })
})
