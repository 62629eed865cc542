// The sink contract over SQS and Kinesis, at the stand-in.
import { afterAll } from 'vitest'
import { sinks } from '../../src/sinks/index.ts'
import type { SinkConnector } from '../../src/sinks/sink.ts'
import { allMessages, allRecords, keys, newStream, queueWith } from '../support/aws/scene.ts'
import { openStandIn } from '../support/aws/stand-in.ts'
import { sinkContract } from './sink.ts'

const aws = await openStandIn()
afterAll(() => aws[Symbol.asyncDispose]())
const shared = { region: 'us-east-1', endpoint: aws.url, credentials: keys, timeout: 5000 }

// A config is asked for by number, so what it names is made before.
const tests = 12
const queues = await Promise.all(Array.from({ length: tests }, (_, n) => queueWith(aws.url, [], { name: `out-${n}` })))
const streams = await Promise.all(Array.from({ length: tests }, (_, n) => newStream(aws.url, 1, `out-${n}`)))

sinkContract({
  connector: sinks.sqs as unknown as SinkConnector,
  config: n => ({ ...shared, queue_url: queues[n], max_message: 262_144 }),
  arrived: async (_, { queue_url }) =>
    (await allMessages(aws.url, String(queue_url))).map(({ body }) => JSON.parse(body).id),
})

sinkContract({
  connector: sinks.kinesis as unknown as SinkConnector,
  config: n => ({ ...shared, stream: streams[n], metadata: true, ordered: true }),
  arrived: async (_, { stream }) =>
    (await allRecords(aws.url, String(stream))).map(({ data }) => JSON.parse(data).value.id),
})
