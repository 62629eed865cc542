// What a good engineer writes in an afternoon with kafkajs: batches decoded with avsc, appended as lines of JSON and synced, then the offsets
// committed by the library. At least once: a crash between the two repeats a batch. It ends after COUNT records.
// Usage: kafka-to-file-kafkajs.ts BROKER TOPIC GROUP OUTPUT COUNT
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import avsc from 'avsc'
import kafkajs from 'kafkajs'

const [broker, topic, groupId, output, count] = process.argv.slice(2) as [string, string, string, string, string]
const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = kafkajs
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: ({ buffer }: { buffer: Buffer }) => promisify(zstdCompress)(buffer),
  decompress: (buffer: Buffer) => promisify(zstdDecompress)(buffer),
})
const type = avsc.Type.forSchema(
  JSON.parse(readFileSync(new URL('../../schemas/raw-review.avsc', import.meta.url), 'utf8')),
)
const file = openSync(output, 'a')
const kafka = new Kafka({ clientId: 'by-hand', brokers: [broker], logLevel: logLevel.ERROR })
const consumer = kafka.consumer({ groupId })
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })

let lines = 0
const done = Promise.withResolvers<void>()
await consumer.run({
  eachBatch: async ({ batch }) => {
    let text = ''
    for (const { value } of batch.messages) text += `${JSON.stringify(type.fromBuffer(value!.subarray(5)))}\n`
    const bytes = Buffer.from(text)
    for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written)
    fdatasyncSync(file)
    lines += batch.messages.length
    if (lines >= Number(count)) done.resolve()
  },
})
await done.promise
await consumer.disconnect()
closeSync(file)
