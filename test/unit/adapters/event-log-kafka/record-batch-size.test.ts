import { expect, test } from 'vitest'
import { batchBytes, encodeBatch, splitBatches } from '../../../../src/adapters/event-log-kafka/record-batch.ts'
import type { OutRecord } from '../../../../src/core/record.ts'
import { producer } from '../../../support/record-batches.ts'

const record = (bytes: number, headers: OutRecord['headers'] = []): OutRecord => ({
  key: null,
  value: Buffer.alloc(bytes),
  headers,
  timestampMs: 1,
})

test('the bound is never below what is written, and close to it for plain records', async () => {
  const records = Array.from({ length: 100 }, (_, i) => ({
    ...record(i * 40, [
      ['weir-id', `größe/${'€'.repeat(i)}`],
      ['b', new Uint8Array(i)],
    ]),
    timestampMs: i % 2 ? 1 : 2 ** 50,
  }))
  const written = await encodeBatch(records, { producer, baseSequence: 0, compression: 'none' })
  expect(batchBytes(records)).toBeGreaterThanOrEqual(written.length)
  const even = [record(1000), record(1000)]
  const evenly = await encodeBatch(even, { producer, baseSequence: 0, compression: 'none' })
  expect(batchBytes(even) - evenly.length).toBeLessThan(100)
})

test('records are split in order, each run within the bound, as few runs as fit', () => {
  const records = Array.from({ length: 1000 }, (_, i) => record(i))
  const runs = splitBatches(records, 20_000)
  expect(runs.flat()).toEqual(records)
  for (const run of runs) expect(batchBytes(run)).toBeLessThanOrEqual(20_000)
  for (let i = 1; i < runs.length; i++) expect(batchBytes([...runs[i - 1]!, runs[i]![0]!])).toBeGreaterThan(20_000)
})

test('a record larger than the bound stands alone', () => {
  const [small, large] = [record(10), record(5000)]
  expect(splitBatches([small, large, small, small], 1000)).toEqual([[small], [large], [small, small]])
  expect(splitBatches([large, large], 1000)).toEqual([[large], [large]])
})

test('what fits is not cut, and nothing gives no batch', () => {
  const records = [record(10)]
  expect(splitBatches(records, 1000)[0]).toBe(records)
  expect(splitBatches([], 1000)).toEqual([])
})
