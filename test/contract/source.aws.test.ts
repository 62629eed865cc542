// The source contract over SQS and Kinesis, at the stand-in. Each opening has a queue or stream of its own with the same content.
import { afterAll, beforeAll } from 'vitest'
import { callKinesis, hastyClock, newStream, openKinesis, openSqs, putInto, queueWith } from '../support/aws/scene.ts'
import { openStandIn, type StandIn } from '../support/aws/stand-in.ts'
import { sourceContract } from './source.ts'

const bodies = Array.from({ length: 45 }, (_, n) => (n % 10 === 9 ? `{"n":${n},}` : `{"n":${n},"text":"é ${n}"}`))
const open: StandIn[] = []
const standIn = async () => {
  const opened = await openStandIn({ now: () => 1_760_000_000_000 })
  open.push(opened)
  return opened
}
let shared: StandIn
beforeAll(async () => {
  shared = await standIn()
})
afterAll(async () => {
  for (const each of open) await each[Symbol.asyncDispose]()
})

// A FIFO queue gives nothing more of a group until what it gave is deleted, so it cannot be read to its end without storing: see its unit tests.
sourceContract({
  name: 'sqs',
  items: bodies.length,
  failing: 4,
  async open() {
    const { url } = await standIn()
    const messages = bodies.map(MessageBody => ({
      MessageBody,
      MessageAttributes: { kind: { DataType: 'String', StringValue: 'review' } },
    }))
    return openSqs(url, await queueWith(url, messages, { name: 'reviews' }), { batch: 10 })
  },
})

let stream: string | undefined
sourceContract({
  name: 'kinesis',
  items: bodies.length,
  failing: 4,
  async open() {
    const { url } = shared
    if (stream === undefined) {
      stream = await newStream(url, 2)
      await putInto(
        url,
        stream,
        bodies.map((body, n) => [`k${n % 7}`, body]),
      )
      await callKinesis(url, 'SplitShard', {
        StreamName: stream,
        ShardToSplit: 'shardId-000000000000',
        NewStartingHashKey: '1000',
      })
    }
    const done = new Map([[`${stream}/shardId-000000000000`, '{"v":1,"done":true}']])
    return openKinesis(url, stream, { max_records: 5 }, { clock: hastyClock(), cursors: async () => done })
  },
})
