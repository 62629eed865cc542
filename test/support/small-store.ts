// A small store made through the ports: one topic with a few records, one of them not decodable, and a pipeline with two cursors.
import { createServer, type Server } from 'node:net'
import { openBroker, type Store } from '../../src/app/open.ts'
import type { WorkspaceDefinition } from '../../src/config/definition.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { Bucket, Producer } from '../../src/pipeline/ports.ts'
import { compileEncoder } from '../../src/schema/codec.ts'

export const smallSchema = JSON.stringify({
  type: 'record',
  name: 'Rating',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'rating', type: 'double' },
    { name: 'seen', type: 'long' },
  ],
})

/** When record n was written. */
export const smallTimeMs = (n: number) => Date.UTC(2026, 0, 31, 10) + n * 1000
export const smallRecords = 12
/** Larger than a JavaScript number holds. */
export const smallSeen = 9_007_199_254_740_993n

export const embeddedIn = (dataDir: string): WorkspaceDefinition => ({
  file: null,
  broker: { kind: 'embedded' },
  registry: { kind: 'embedded' },
  dataDir,
})

/** The open store; its owner closes it. Records 0 to 11 of topic `demo`, keys k0 to k2, ratings 1 to 5; then one that is no Avro, one tombstone. */
export async function makeSmallStore(dataDir: string): Promise<Store> {
  const store = await openBroker(embeddedIn(dataDir), systemClock)
  const { log, registry } = store
  await log.ensureTopic({
    name: 'demo',
    partitions: 2,
    retentionMs: null,
    retentionBytes: null,
    maxRecordBytes: 1024 * 1024,
  })
  const { id } = await registry.register('demo-value', smallSchema)
  const encoder = compileEncoder(smallSchema)
  const text = (value: string) => new TextEncoder().encode(value)
  const good = Array.from({ length: smallRecords }, (_, n) => ({
    key: text(`k${n % 3}`),
    value: encoder.encode({ id: `r${n}`, rating: (n % 5) + 1, seen: n === 0 ? smallSeen : BigInt(n) }, id).slice(),
    headers: [
      ['weir-id', `demo/s/${n}`],
      ['tag', 'a'],
      ['tag', 'b'],
    ] as const,
    timestampMs: smallTimeMs(n),
  }))
  const odd = [
    {
      key: new Uint8Array([0xff, 0xfe]),
      value: text('no avro'),
      headers: [],
      timestampMs: smallTimeMs(12),
      partition: 0,
    },
    { key: text('k0'), value: null, headers: [], timestampMs: smallTimeMs(13), partition: 1 },
  ]
  const bucket = await ownBucket(store)
  await bucket.bucket.transact({
    appends: [{ topic: 'demo', records: [...good, ...odd] }],
    cursors: [
      { split: 'asin=A1', value: '{"v":1,"page":3}' },
      { split: 'asin=B2', value: '{"v":1,"page":7}' },
    ],
  })
  await bucket.producer[Symbol.asyncDispose]()
  return store
}

/** Becomes owner of pipeline `demo`: while the producer is open, the pipeline counts as running. */
export async function ownBucket({ log }: Store): Promise<{ bucket: Bucket; producer: Producer }> {
  const assigned = Promise.withResolvers<Bucket>()
  const producer = await log.joinProducers({
    pipeline: 'demo',
    buckets: 1,
    assigned: assigned.resolve,
    revoked: async () => {},
    lost: () => {},
  })
  return { bucket: await assigned.promise, producer }
}

/** A port of this machine that something listens on. */
export async function occupyPort(): Promise<{ port: number; server: Server }> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  return { port: (server.address() as { port: number }).port, server }
}
