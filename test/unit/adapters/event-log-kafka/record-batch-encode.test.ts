// Against kafkajs's own encoder and decoder, which nothing of the encoder under test comes from.
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { crc32c } from '../../../../src/adapters/event-log-kafka/crc32c.ts'
import { decodeBatches, encodeBatch } from '../../../../src/adapters/event-log-kafka/record-batch.ts'
import type { OutRecord } from '../../../../src/core/record.ts'
import { fetched, plainOut, producer } from '../../../support/record-batches.ts'

const require = createRequire(import.meta.url)
interface KafkajsRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: string
  readonly offset: string
  readonly headers: Record<string, Buffer | Buffer[]>
}
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js') as {
  RecordBatch: (of: Record<string, unknown>) => Promise<{ buffer: Buffer }>
}
const KafkajsEntry = require('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (of: unknown) => unknown
const kafkajsDecode = require('kafkajs/src/protocol/recordBatch/v0/decoder.js') as (from: unknown) => Promise<{
  readonly records: readonly KafkajsRecord[]
  readonly inTransaction: boolean
  readonly lastOffsetDelta: number
  readonly producerId: string
  readonly producerEpoch: number
  readonly firstSequence: number
  readonly maxTimestamp: string
}>
const Decoder = require('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => unknown

const baseMs = 1_764_000_000_000
const records: readonly OutRecord[] = Array.from({ length: 300 }, (_, i) => ({
  key: i % 7 === 0 ? null : Buffer.from(`key-${'k'.repeat(i % 90)}`),
  value: i % 11 === 0 ? null : Buffer.alloc(i * 3, i),
  headers: i % 3 === 0 ? [] : headersOf(i),
  timestampMs: baseMs + (i % 2 ? i * 100_000_000 : -i),
}))

function headersOf(i: number): OutRecord['headers'] {
  return [
    ['weir-id', `reviews/großer split/${i}/€😀`],
    ['tag', Uint8Array.of(i)],
    ['tag', 'x'.repeat(i)],
    ['empty', ''],
  ]
}

async function byKafkajs(given: readonly OutRecord[]): Promise<Buffer> {
  const first = given[0]!.timestampMs
  const { buffer } = await RecordBatch({
    firstTimestamp: first,
    maxTimestamp: Math.max(...given.map(({ timestampMs }) => timestampMs)),
    partitionLeaderEpoch: -1,
    lastOffsetDelta: given.length - 1,
    transactional: true,
    producerId: String(producer.producerId),
    producerEpoch: producer.epoch,
    firstSequence: 41,
    records: given.map(({ key, value, headers, timestampMs }, offsetDelta) =>
      KafkajsEntry({
        offsetDelta,
        timestampDelta: timestampMs - first,
        key,
        value,
        headers: Object.fromEntries(headers.map(([name]) => [name, valuesOf(headers, name)])),
      }),
    ),
  })
  return buffer
}

function valuesOf(headers: OutRecord['headers'], name: string): Buffer[] {
  return headers.filter(([other]) => other === name).map(([, value]) => Buffer.from(value as Uint8Array))
}

describe('encoding a batch', () => {
  test('gives the bytes that kafkajs gives', async () => {
    const ours = await encodeBatch(records, { producer, baseSequence: 41, compression: 'none' })
    expect(Buffer.from(ours).equals(await byKafkajs(records))).toBe(true)
  })

  test.each(['none', 'gzip'] as const)('kafkajs reads what is written with %s', async compression => {
    const bytes = Buffer.from(await encodeBatch(records, { producer, baseSequence: 2 ** 31 - 1, compression }))
    const read = await kafkajsDecode(new Decoder(bytes))
    expect(read).toMatchObject({
      inTransaction: true,
      lastOffsetDelta: 299,
      producerId: '77',
      producerEpoch: 3,
      firstSequence: 2 ** 31 - 1,
      maxTimestamp: String(baseMs + 299 * 100_000_000),
    })
    const back = read.records.map(each => ({
      key: each.key,
      value: each.value,
      timestampMs: Number(each.timestamp),
      headers: Object.entries(each.headers).flatMap(([name, values]) =>
        [values].flat().map((value): [string, Buffer] => [name, value]),
      ),
    }))
    expect(back.map(plainOut)).toEqual(records.map(plainOut))
    expect(read.records.map(({ offset }) => offset)).toEqual(records.map((_, i) => String(i)))
  })

  test.each(['none', 'gzip', 'zstd'] as const)('comes back through our own decoder with %s', async compression => {
    const bytes = await encodeBatch(records, { producer, baseSequence: 0, compression })
    const { records: back, nextOffset } = await decodeBatches(fetched(bytes), 0n, 1 << 20)
    expect(back.map(plainOut)).toEqual(records.map(plainOut))
    expect(nextOffset).toBe(300n)
  })

  test('a batch has a checksum over all from its attributes on, base offset 0 and no leader epoch', async () => {
    const bytes = Buffer.from(await encodeBatch(records, { producer, baseSequence: 0, compression: 'zstd' }))
    expect(bytes.readBigInt64BE(0)).toBe(0n)
    expect(bytes.readInt32BE(8)).toBe(bytes.length - 12)
    expect(bytes.readInt32BE(12)).toBe(-1)
    expect(bytes.readUInt32BE(17)).toBe(crc32c(bytes, 21))
    expect(bytes.readInt16BE(21)).toBe(0x10 | 4)
  })

  test('a lone surrogate in a header becomes a replacement character', async () => {
    const one = { key: null, value: null, headers: [['h', 'a\ud800b']], timestampMs: 1 } satisfies OutRecord
    const bytes = await encodeBatch([one], { producer, baseSequence: 0, compression: 'none' })
    const { records: back } = await decodeBatches(fetched(bytes), 0n, 1 << 20)
    expect(Buffer.from(back[0]!.headers[0]![1]).toString()).toBe('a\ufffdb')
  })

  test('fractions of a millisecond are cut off, and times before 1970 are kept', async () => {
    const at = (timestampMs: number) => ({ key: null, value: null, headers: [], timestampMs })
    const times = [baseMs + 0.9, -5, 0, 2 ** 51, -(2 ** 51)]
    const bytes = await encodeBatch(times.map(at), { producer, baseSequence: 0, compression: 'none' })
    const { records: back } = await decodeBatches(fetched(bytes), 0n, 1 << 20)
    expect(back.map(({ timestampMs }) => timestampMs)).toEqual([baseMs, -5, 0, 2 ** 51, -(2 ** 51)])
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, 2 ** 52])('refuses the time %s', async timestampMs => {
    const record = { key: null, value: null, headers: [], timestampMs }
    await expect(encodeBatch([record], { producer, baseSequence: 0, compression: 'none' })).rejects.toMatchObject({
      code: 'log.timestamp_refused',
    })
  })

  test('the memory of the records may be written again at once', async () => {
    const value = Buffer.from('first')
    const writing = encodeBatch([{ key: null, value, headers: [], timestampMs: 1 }], {
      producer,
      baseSequence: 0,
      compression: 'zstd',
    })
    value.fill('x')
    const { records: back } = await decodeBatches(fetched(await writing), 0n, 1 << 20)
    expect(Buffer.from(back[0]!.value!).toString()).toBe('first')
  })
})
