// The hash of Kafka's default partitioner, so that a key stands in the same partition on every broker (I3, I7).

/** murmur2 as org.apache.kafka.common.utils.Utils computes it: a signed 32-bit integer. */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length
  const m = 0x5bd1e995
  let h = 0x9747b28c ^ length
  const whole = length & ~3
  for (let i = 0; i < whole; i += 4) {
    let k = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    k = Math.imul(k, m)
    k ^= k >>> 24
    k = Math.imul(k, m)
    h = Math.imul(h, m) ^ k
  }
  const left = length - whole
  if (left === 3) h ^= bytes[whole + 2]! << 16
  if (left >= 2) h ^= bytes[whole + 1]! << 8
  if (left >= 1) {
    h ^= bytes[whole]!
    h = Math.imul(h, m)
  }
  h ^= h >>> 13
  h = Math.imul(h, m)
  h ^= h >>> 15
  return h | 0
}

/** Where Kafka's default partitioner puts a key: 0 to `partitions` - 1. */
export function partitionOf(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions
}

const utf8 = new TextEncoder()

/** The bucket of a split, by the same rule over the UTF-8 of its name: 0 to `buckets` - 1. */
export function bucketOf(split: string, buckets: number): number {
  return partitionOf(utf8.encode(split), buckets)
}
