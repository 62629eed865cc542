// What a good engineer writes in an afternoon with @platformatic/kafka: messages decoded with avsc, 1,000 lines of JSON appended and synced,
// then the offsets committed. At least once: a crash between the two repeats lines. It ends after COUNT records.
// Usage: kafka-to-file-platformatic.ts BROKER TOPIC GROUP OUTPUT COUNT
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { Consumer, MessagesStreamModes } from '@platformatic/kafka'
import avsc from 'avsc'

const [broker, topic, groupId, output, count] = process.argv.slice(2) as [string, string, string, string, string]
const type = avsc.Type.forSchema(
  JSON.parse(readFileSync(new URL('../../schemas/raw-review.avsc', import.meta.url), 'utf8')),
)
const file = openSync(output, 'a')
const consumer = new Consumer({ clientId: 'by-hand', groupId, bootstrapBrokers: [broker], autocommit: false })
const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST })

let lines = 0
let text = ''
const reached = new Map<number, bigint>()
const store = async () => {
  const bytes = Buffer.from(text)
  for (let written = 0; written < bytes.length; ) written += writeSync(file, bytes, written)
  fdatasyncSync(file)
  text = ''
  const offsets = [...reached].map(([partition, offset]) => ({ topic, partition, offset: offset + 1n, leaderEpoch: 0 }))
  await consumer.commit({ offsets })
}
for await (const { value, partition, offset } of stream) {
  text += `${JSON.stringify(type.fromBuffer(value.subarray(5)))}\n`
  reached.set(partition, offset)
  if (++lines % 1000 === 0) await store()
  if (lines >= Number(count)) break
}
await store()
await consumer.close(true)
closeSync(file)
