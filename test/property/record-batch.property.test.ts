import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inflate } from '../../src/adapters/event-log-kafka/compression/codecs.ts'
import { CompressionDamage } from '../../src/adapters/event-log-kafka/compression/inflated.ts'
import { inflateLz4 } from '../../src/adapters/event-log-kafka/compression/lz4.ts'
import { inflateSnappy } from '../../src/adapters/event-log-kafka/compression/snappy.ts'
import {
  batchBytes,
  decodeBatches,
  encodeBatch,
  splitBatches,
} from '../../src/adapters/event-log-kafka/record-batch.ts'
import { WeirError } from '../../src/core/errors.ts'
import type { Header, LogRecord, OutRecord } from '../../src/core/record.ts'
import { fetched, placed, plain, plainOut, producer, sealed, stored } from '../support/record-batches.ts'

const bytes = fc.uint8Array({ maxLength: 300 })
const header: fc.Arbitrary<Header> = fc.tuple(
  fc.oneof(fc.constantFrom('weir-id', 'tag'), fc.string({ unit: 'binary', maxLength: 80 })),
  fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), bytes),
)
const record: fc.Arbitrary<OutRecord> = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(header, { maxLength: 6 }),
  timestampMs: fc.oneof(
    fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
    fc.integer({ min: -(2 ** 51), max: 2 ** 51 }),
  ),
})
const records = fc.array(record, { minLength: 1, maxLength: 60 })
const compression = fc.constantFrom('none', 'gzip', 'zstd')
const cap = 1 << 20

test('for any records, cut into any batches with any codec, what was written is read, from any offset on', () =>
  fc.assert(
    fc.asyncProperty(
      records,
      compression,
      fc.integer({ min: 60, max: 5000 }),
      fc.nat(60),
      async (given, codec, most, from) => {
        const batches: Uint8Array[] = []
        let base = 0
        for (const run of splitBatches(given, most)) {
          const batch = await encodeBatch(run, { producer, baseSequence: base, compression: codec })
          if (codec === 'none') expect(batch.length).toBeLessThanOrEqual(batchBytes(run))
          if (run.length > 1) expect(batchBytes(run)).toBeLessThanOrEqual(most)
          batches.push(placed(batch, BigInt(base)))
          base += run.length
        }
        const found = await decodeBatches(fetched(batches), BigInt(from), cap)
        const expected = given.map((each, offset) => ({ offset: BigInt(offset), ...plainOut(each) })).slice(from)
        expect(found.records.map(plain)).toEqual(expected)
        expect(found.nextOffset).toBe(BigInt(Math.max(from, given.length)))
      },
    ),
  ))

interface Change {
  readonly at: number
  readonly kind: 'set' | 'flip' | 'cut' | 'insert'
  readonly value: number
  readonly length: number
}

/** One byte set, or a stretch of bytes cut out or put in. */
const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(12_000),
  kind: fc.constantFrom('set', 'flip', 'cut', 'insert'),
  value: fc.oneof(fc.constantFrom(0, 1, 127, 128, 255), fc.nat(255)),
  length: fc.integer({ min: 1, max: 40 }),
})
const changes = fc.array(change, { minLength: 1, maxLength: 6 })

function changed(given: Uint8Array, floor: number, how: readonly Change[]): Buffer {
  let result = Buffer.from(given)
  for (const { at, kind, value, length } of how) {
    const place = floor + (at % Math.max(1, result.length - floor))
    if (kind === 'set') result[place] = value
    else if (kind === 'flip') result[place]! ^= 1 << (value & 7)
    else if (kind === 'cut') result = Buffer.concat([result.subarray(0, place), result.subarray(place + length)])
    else result = Buffer.concat([result.subarray(0, place), Buffer.alloc(length, value), result.subarray(place)])
  }
  return result
}

const seeds = ['java-none', 'java-gzip', 'java-snappy', 'java-lz4', 'java-zstd', 'kcat-snappy', 'kcat-lz4'].map(name =>
  stored(`${name}.batch`),
)

/** Bytes of the views' memory, each counted once. */
function heldBytes(found: readonly LogRecord[]): number {
  const held = new Set(found.flatMap(({ key, value }) => [key, value]).flatMap(view => (view ? [view.buffer] : [])))
  return [...held].reduce((sum, buffer) => sum + buffer.byteLength, 0)
}

test('I10: for any damage under a right checksum, a batch is read or refused with log.corrupt, within its limit', () =>
  fc.assert(
    fc.asyncProperty(fc.constantFrom(...seeds), changes, async (seed, how) => {
      const hurt = changed(seed, 21, how)
      if (hurt.length < 61) return
      const log = fetched(sealed(hurt))
      try {
        const { records: found, nextOffset } = await decodeBatches(log, 0n, cap)
        expect(nextOffset).toBe(BigInt(hurt.readInt32BE(23)) + 1n)
        expect(heldBytes(found)).toBeLessThanOrEqual(2 * cap + log.bytes.buffer.byteLength)
        for (const { offset } of found) expect(offset < nextOffset).toBe(true)
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(WeirError)
        expect(thrown).toMatchObject({ code: 'log.corrupt' })
      }
    }),
    { numRuns: 1500 },
  ))

test('fault 44: for any damage on the way, a batch is read as it was, looks cut, or is to be fetched again', () =>
  fc.assert(
    fc.asyncProperty(fc.constantFrom(...seeds), changes, async (seed, how) => {
      const log = fetched(changed(seed, 8, how))
      const right = (await decodeBatches(fetched(seed), 0n, cap)).records.map(plain)
      try {
        const { records: found } = await decodeBatches(log, 0n, cap)
        if (found.length > 0) expect(found.map(plain)).toEqual(right)
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: 'log.unavailable', retry: true })
      }
    }),
    { numRuns: 300 },
  ))

test('for any bytes at all, decoding ends in records or a WeirError', () =>
  fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async noise => {
      const outcome = await decodeBatches(fetched(noise), 0n, cap).catch((thrown: unknown) => thrown)
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(WeirError)
    }),
    { numRuns: 500 },
  ))

test.each([1, 2, 3, 4])('for any bytes, codec %i inflates them within its limit or calls them damaged', codec =>
  fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.nat(3), async (noise, head) => {
      // Half of them begin as they should.
      const seed = seeds[codec]!.subarray(61, 61 + 24)
      const input = head === 0 ? noise : Buffer.concat([seed.subarray(0, head * 8), noise])
      try {
        expect((await inflate(codec, input, 5000)).length).toBeLessThanOrEqual(5000)
      } catch (thrown) {
        expect(thrown).toBeInstanceOf(CompressionDamage)
      }
    }),
    { numRuns: 500 },
  ),
)

/** What a compressor may say: literals, then a copy from some way back. The model copies byte by byte. */
const sequences = fc.array(
  fc.record({
    literal: fc.uint8Array({ minLength: 1, maxLength: 400 }),
    back: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    length: fc.integer({ min: 4, max: 64 }),
  }),
  { minLength: 1, maxLength: 30 },
)

interface Sequence {
  readonly literal: Uint8Array
  readonly distance: number
  readonly length: number
}

function model(given: readonly { literal: Uint8Array; back: number; length: number }[]) {
  const output: number[] = []
  const steps: Sequence[] = given.map(({ literal, back, length }) => {
    output.push(...literal)
    const distance = 1 + Math.floor(back * Math.min(output.length, 65_535))
    for (let i = 0; i < length; i++) output.push(output[output.length - distance]!)
    return { literal, distance, length }
  })
  return { steps, output: Uint8Array.from(output) }
}

function asSnappy({ steps, output }: ReturnType<typeof model>): Buffer {
  const parts: Uint8Array[] = []
  for (let rest = output.length; ; rest >>>= 7) {
    parts.push(Buffer.of(rest > 127 ? (rest & 127) | 128 : rest))
    if (rest <= 127) break
  }
  for (const { literal, distance, length } of steps) {
    const size = literal.length - 1
    parts.push(size < 60 ? Buffer.of(size << 2) : Buffer.of(61 << 2, size, size >>> 8), literal)
    if (length < 12 && distance < 2048)
      parts.push(Buffer.of(1 | ((length - 4) << 2) | ((distance >>> 8) << 5), distance))
    else if (length % 2) parts.push(Buffer.of(2 | ((length - 1) << 2), distance, distance >>> 8))
    else parts.push(Buffer.of(3 | ((length - 1) << 2), distance, distance >>> 8, 0, 0))
  }
  return Buffer.concat(parts)
}

function asLz4({ steps }: ReturnType<typeof model>): Buffer {
  const long = (value: number) =>
    value < 15 ? [] : [...Array(Math.floor((value - 15) / 255)).fill(255), (value - 15) % 255]
  const parts: Uint8Array[] = []
  for (const { literal, distance, length } of steps) {
    const [size, more] = [literal.length, length - 4]
    parts.push(Buffer.of((Math.min(size, 15) << 4) | Math.min(more, 15), ...long(size)), literal)
    parts.push(Buffer.of(distance, distance >>> 8, ...long(more)))
  }
  const block = Buffer.concat([...parts, Buffer.of(0)])
  const size = Buffer.alloc(4)
  size.writeUInt32LE(block.length)
  return Buffer.concat([Buffer.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0), size, block, Buffer.alloc(4)])
}

test('for any literals and copies, snappy and lz4 give what copying byte by byte gives', () => {
  fc.assert(
    fc.property(sequences, given => {
      const said = model(given)
      expect(Buffer.from(inflateSnappy(asSnappy(said), cap)).equals(said.output)).toBe(true)
      expect(Buffer.from(inflateLz4(asLz4(said), cap)).equals(said.output)).toBe(true)
    }),
    { numRuns: 300 },
  )
})
