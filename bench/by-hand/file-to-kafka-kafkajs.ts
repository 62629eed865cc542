// What a good engineer writes in an afternoon with kafkajs: read lines, parse, map, encode with avsc, send batches of 1,000, five on their way,
// acks=all. No transaction, no cursor: after a crash it begins anew. Usage: file-to-kafka-kafkajs.ts INPUT BROKER TOPIC REGISTRY CODEC
import { createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import avsc from 'avsc'
import kafkajs, { type Message } from 'kafkajs'

const [input, broker, topic, registry, codec] = process.argv.slice(2) as [string, string, string, string, string]
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
let messages: Message[] = []
const send = async () => {
  const sent = producer.send({ topic, acks: -1, compression, messages }).finally(() => onTheirWay.delete(sent))
  onTheirWay.add(sent)
  messages = []
  if (onTheirWay.size === 5) await Promise.race(onTheirWay)
}
for await (const line of createInterface({
  input: createReadStream(input, { highWaterMark: 1 << 20 }),
  crlfDelay: Number.POSITIVE_INFINITY,
})) {
  const item = JSON.parse(line)
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
  messages.push({ key: item.asin, value: Buffer.concat([header, value]) })
  if (messages.length === 1000) await send()
}
if (messages.length > 0) await send()
await Promise.all(onTheirWay)
await producer.disconnect()
