// The vectors of Kafka's own test: org.apache.kafka.common.utils.UtilsTest.testMurmur2.
import { expect, test } from 'vitest'
import { bucketOf, murmur2, partitionOf } from '../../../src/core/murmur2.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('murmur2 of %j is what Kafka computes', (text, hash) => {
  expect(murmur2(bytes(text))).toBe(hash)
})

test('I3: the partition is the hash without its sign, modulo the partitions', () => {
  expect(partitionOf(bytes('foobar'), 6)).toBe((-790332482 & 0x7fffffff) % 6)
  expect(bucketOf('abc', 7)).toBe(479470107 % 7)
  expect(partitionOf(new Uint8Array(0), 1)).toBe(0)
})
