// What a good engineer writes in an afternoon for the same work with kafkajs: ask for page after page, parse, map, encode with avsc, send a
// batch a page, five on their way, acks=all. No transaction, no cursor: after a crash it begins anew.
// Usage: http-to-kafka-kafkajs.ts URL BROKER TOPIC REGISTRY CODEC
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import avsc from 'avsc'
import kafkajs from 'kafkajs'

interface Review {
  readonly rating: number
  readonly title: string
  readonly text: string
  readonly asin: string
  readonly user_id: string
  readonly timestamp: number
  readonly helpful_vote: number
}

const [url, broker, topic, registry, codec] = process.argv.slice(2) as [string, string, string, string, string]
const { CompressionCodecs, CompressionTypes, Kafka, logLevel, Partitioners } = kafkajs
const compression = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, zstd: CompressionTypes.ZSTD }[codec]!
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: ({ buffer }: { buffer: Buffer }) => promisify(zstdCompress)(buffer),
  decompress: (buffer: Buffer) => promisify(zstdDecompress)(buffer),
})
const schema = readFileSync(new URL('../../schemas/raw-review.avsc', import.meta.url), 'utf8')
const type = avsc.Type.forSchema(JSON.parse(schema))
const registered = await fetch(`${registry}/subjects/${topic}-value/versions`, {
  method: 'POST',
  headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
  body: JSON.stringify({ schema }),
})
const header = Buffer.alloc(5)
header.writeUInt32BE(((await registered.json()) as { id: number }).id, 1)

const kafka = new Kafka({ clientId: 'by-hand', brokers: [broker], logLevel: logLevel.ERROR })
const producer = kafka.producer({
  createPartitioner: Partitioners.DefaultPartitioner,
  maxInFlightRequests: 5,
  allowAutoTopicCreation: false,
})
await producer.connect()

const onTheirWay = new Set<Promise<unknown>>()
for (let page = 1; ; page++) {
  const response = await fetch(`${url}?page=${page}`)
  if (!response.ok) throw new Error(`page ${page}: ${response.status}`)
  const { reviews } = (await response.json()) as { reviews: Review[] }
  if (reviews.length === 0) break
  const messages = reviews.map(item => {
    const value = type.toBuffer({
      review_id: `${item.user_id}-${item.timestamp}`,
      product_asin: item.asin,
      reviewer_name: item.user_id,
      review_text: item.text,
      review_title: item.title,
      rating: item.rating,
      review_date: String(item.timestamp),
      helpfulness_votes: item.helpful_vote,
      ingestion_timestamp: Date.now(),
    })
    return { key: item.asin, value: Buffer.concat([header, value]) }
  })
  const sent = producer.send({ topic, acks: -1, compression, messages }).finally(() => onTheirWay.delete(sent))
  onTheirWay.add(sent)
  if (onTheirWay.size === 5) await Promise.race(onTheirWay)
}
await Promise.all(onTheirWay)
await producer.disconnect()
