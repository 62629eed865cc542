import { describe, expect, test } from 'vitest'
import { BatchDamage, BatchReader, BatchWriter } from '../../../src/adapters/event-log-sqlite/batch-format.ts'
import type { OutRecord } from '../../../src/core/record.ts'

const record = (n: number): OutRecord => ({
  key: n % 3 === 0 ? null : Buffer.from(`k${n}`),
  value: n % 5 === 0 ? null : Buffer.from('v'.repeat(n)),
  headers:
    n % 2 === 0
      ? []
      : [
          ['weir-id', `größe/${n}`],
          ['bin', Uint8Array.of(0, 255, n)],
        ],
  timestampMs: 1_700_000_000_000 - n,
})

function written(records: readonly OutRecord[], writer = new BatchWriter()): Uint8Array {
  writer.begin()
  for (const each of records) writer.add(each)
  return Uint8Array.from(writer.finish())
}

function readAll(payload: Uint8Array, count: number) {
  const reader = new BatchReader(payload, count)
  const found = []
  for (let each = reader.next(); each; each = reader.next()) found.push(each)
  return found
}

describe('batch format', () => {
  test('records come back as they were written', () => {
    const records = Array.from({ length: 60 }, (_, n) => record(n))
    const found = readAll(written(records), 60)
    expect(
      found.map(({ timestampMs, key, value, headers }) => ({
        timestampMs,
        key: key && Buffer.from(key),
        value: value && Buffer.from(value),
        headers: headers.map(([name, v]) => [name, Buffer.from(v)]),
      })),
    ).toEqual(
      records.map(each => ({ ...each, headers: each.headers.map(([name, v]) => [name, Buffer.from(v as string)]) })),
    )
  })

  test('the layout is the one in the header of the file', () => {
    const payload = Buffer.from(
      written([{ key: Buffer.from('K'), value: null, headers: [['h', 'é']], timestampMs: 1 }]),
    )
    expect(payload.readUInt32LE(0)).toBe(1)
    expect(payload.readUInt32LE(8)).toBe(1)
    const parts = [
      payload.readUInt32LE(12),
      payload.readDoubleLE(16),
      payload.readInt32LE(24),
      payload.toString('latin1', 28, 29),
      payload.readInt32LE(29),
      payload.readUInt32LE(33),
      payload.readUInt32LE(37),
      payload.toString('latin1', 41, 42),
      payload.readUInt32LE(42),
      payload.toString('utf8', 46, 48),
    ]
    expect(parts).toEqual([payload.length - 16, 1, 1, 'K', -1, 1, 1, 'h', 2, 'é'])
  })

  test('skipping gives the same records as reading', () => {
    const records = Array.from({ length: 20 }, (_, n) => record(n))
    const payload = written(records)
    const reader = new BatchReader(payload, 20)
    reader.skipTo(13)
    expect(reader.peekTimestamp()).toBe(records[13]!.timestampMs)
    expect(reader.next()!.value?.length).toBe(13)
    expect(reader.index).toBe(14)
    reader.skipTo(20)
    expect(reader.next()).toBeUndefined()
    expect(reader.peekTimestamp()).toBeUndefined()
  })

  test('a record larger than the buffer fits, and the buffer shrinks again', () => {
    const writer = new BatchWriter()
    const value = new Uint8Array(5_000_000).fill(7)
    expect(readAll(written([{ ...record(1), value }], writer), 1)[0]!.value!.length).toBe(value.length)
    expect(readAll(written([record(1)], writer), 1)[0]!.value!.length).toBe(1)
  })

  test('every flipped bit is noticed', () => {
    const payload = written([record(1), record(2)])
    for (let i = 0; i < payload.length * 8; i++) {
      const damaged = Uint8Array.from(payload)
      damaged[i >> 3]! ^= 1 << (i & 7)
      expect(() => readAll(damaged, 2)).toThrow(BatchDamage)
    }
  })

  test('every cut is noticed, and so is a wrong count', () => {
    const payload = written([record(1), record(2)])
    for (let length = 0; length < payload.length; length++)
      expect(() => readAll(payload.subarray(0, length), 2)).toThrow(BatchDamage)
    expect(() => readAll(payload, 3)).toThrow(BatchDamage)
  })
})
