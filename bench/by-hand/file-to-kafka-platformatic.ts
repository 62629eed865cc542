// What a good engineer writes in an afternoon with @platformatic/kafka: read lines, parse, map, encode with avsc, send batches of 1,000, five on
// their way, acks=all. No transaction, no cursor: after a crash it begins anew.
// Usage: file-to-kafka-platformatic.ts INPUT BROKER TOPIC REGISTRY CODEC
import { createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type CompressionAlgorithmValue, type MessageToProduce, ProduceAcks, Producer } from '@platformatic/kafka'
import avsc from 'avsc'

const [input, broker, topic, registry, codec] = process.argv.slice(2) as [string, string, string, string, string]
const schema = readFileSync(new URL('../../schemas/raw-review.avsc', import.meta.url), 'utf8')
const type = avsc.Type.forSchema(JSON.parse(schema))
const registered = await fetch(`${registry}/subjects/${topic}-value/versions`, {
  method: 'POST',
  headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
  body: JSON.stringify({ schema }),
})
const header = Buffer.alloc(5)
header.writeUInt32BE(((await registered.json()) as { id: number }).id, 1)

const producer = new Producer({
  clientId: 'by-hand',
  bootstrapBrokers: [broker],
  acks: ProduceAcks.ALL,
  compression: codec as CompressionAlgorithmValue,
})

const onTheirWay = new Set<Promise<unknown>>()
let messages: MessageToProduce<Buffer, Buffer, Buffer, Buffer>[] = []
const send = async () => {
  const sent = producer.send({ messages }).finally(() => onTheirWay.delete(sent))
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
  messages.push({ topic, key: Buffer.from(item.asin), value: Buffer.concat([header, value]) })
  if (messages.length === 1000) await send()
}
if (messages.length > 0) await send()
await Promise.all(onTheirWay)
await producer.close()
