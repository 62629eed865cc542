// Batches that other implementations wrote: test/data/kafka/README.md says how they were made.
import { describe, expect, test } from 'vitest'
import { inflateLz4 } from '../../../../src/adapters/event-log-kafka/compression/lz4.ts'
import { decodeBatches } from '../../../../src/adapters/event-log-kafka/record-batch.ts'
import type { Header } from '../../../../src/core/record.ts'
import { fetched, plain, plainOut, stored } from '../../../support/record-batches.ts'

const cap = 1 << 20

function textOf(i: number): string {
  let text = `review ${i} `
  for (let k = 0; k <= i % 80; k++)
    text +=
      k % 8 === 0
        ? `${((BigInt(i) * 2654435761n + BigInt(k) * 40503n) & 0xffffffn).toString(16)} é great product; `
        : 'would buy again; '
  return text
}

const bytesOf = (text: string) => Buffer.from(text)

function javaRecord(i: number) {
  const headers: Header[] = [['weir-id', `reviews/file/${i}`]]
  if (i % 3 === 0) headers.push(['tag', 'a'], ['tag', Uint8Array.of(0xff, 0, i)])
  if (i % 4 === 0) headers.push(['größe', ''])
  return {
    offset: BigInt(i),
    ...plainOut({
      key: i % 5 === 0 ? null : bytesOf(`key-${i % 10}`),
      value: i % 11 === 3 ? null : bytesOf(textOf(i)),
      headers,
      timestampMs: 1_700_000_000_000 + (i % 7 === 0 ? -i : i * 1000),
    }),
  }
}

function kcatRecord(i: number) {
  return {
    key: i % 5 === 0 ? null : bytesOf(`key-${i % 10}`).toString('hex'),
    value: i % 11 === 3 ? null : bytesOf(textOf(i)).toString('hex'),
    headers: [
      ['weir-id', bytesOf('kcat').toString('hex')],
      ['tag', bytesOf('a').toString('hex')],
      ['tag', bytesOf('b').toString('hex')],
    ],
  }
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)

describe('batches of other implementations', () => {
  test.each([
    ['none', 6],
    ['gzip', 120],
    ['snappy', 120],
    ['lz4', 120],
    ['zstd', 120],
  ])("Kafka's Java producer with %s", async (codec, count) => {
    const { records, nextOffset } = await decodeBatches(fetched(stored(`java-${codec}.batch`)), 0n, cap)
    expect(records.map(plain)).toEqual(upTo(count).map(javaRecord))
    expect(nextOffset).toBe(BigInt(count))
  })

  test.each(['gzip', 'snappy', 'lz4', 'zstd'])('librdkafka with %s', async codec => {
    const { records, nextOffset } = await decodeBatches(fetched(stored(`kcat-${codec}.batch`)), 0n, cap)
    const found = records.map(plain).map(({ key, value, headers }) => ({ key, value, headers }))
    expect(found).toEqual(upTo(120).map(kcatRecord))
    expect(records.map(({ offset }) => Number(offset))).toEqual(upTo(120))
    expect(nextOffset).toBe(120n)
  })

  test('one time for all where the broker stamps them', async () => {
    const { records } = await decodeBatches(fetched(stored('java-append-time.batch')), 0n, cap)
    expect(records).toHaveLength(3)
    const [first] = records
    expect(first!.timestampMs).toBeGreaterThan(1_790_000_000_000)
    expect(new Set(records.map(({ timestampMs }) => timestampMs)).size).toBe(1)
  })

  const aborted = [
    { producerId: 7n, firstOffset: 9n },
    { producerId: 6n, firstOffset: 0n },
  ]
  // The record's number by its offset.
  const committed = new Map([
    [2n, 3],
    [3n, 4],
    [5n, 6],
    [7n, 7],
    [10n, 9],
    [13n, 10],
  ])

  test('I1: of two producers whose transactions cross, only what was committed is seen', async () => {
    const log = fetched(stored('java-transactions.batch'), aborted)
    const { records, nextOffset } = await decodeBatches(log, 0n, cap)
    expect(records.map(plain)).toEqual([...committed].map(([offset, i]) => ({ ...javaRecord(i), offset })))
    expect(nextOffset).toBe(15n)
  })

  test('I1: the same from every offset on', async () => {
    for (let from = 0n; from <= 15n; from++) {
      const { records, nextOffset } = await decodeBatches(
        fetched(stored('java-transactions.batch'), aborted),
        from,
        cap,
      )
      expect(records.map(({ offset }) => offset)).toEqual([...committed.keys()].filter(offset => offset >= from))
      expect(nextOffset).toBe(15n)
    }
  })

  test.each(['linked', 'independent', 'linked-4mb'])('the command lz4: %s', name => {
    const text = upTo(120)
      .map(i => (i % 11 === 3 ? '\n' : `${textOf(i)}\n`))
      .join('')
    expect(Buffer.from(inflateLz4(stored(`${name}.lz4`), cap)).toString()).toBe(text)
  })
})
