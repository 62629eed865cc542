// Bad answers of SQS and Kinesis: none is taken for records or for their absence, no cursor moves, nothing is deleted, and no error shows what
// the answer held (I4, I9).
import { afterAll, describe, expect, test } from 'vitest'
import { codeOf, type WeirError } from '../../src/core/errors.ts'
import type { SourceBatch } from '../../src/core/record.ts'
import { leftIn, newStream, openKinesis, openSqs, putInto, queueWith } from '../support/aws/scene.ts'
import { type Fault, openStandIn } from '../support/aws/stand-in.ts'

const aws = await openStandIn()
afterAll(() => aws[Symbol.asyncDispose]())

const signal = new AbortController().signal
const canary = 'canary-of-the-answer'
const sqsError = (type: string, status = 400): Fault => ({
  status,
  body: { __type: `com.amazonaws.sqs#${type}`, message: canary },
})
const kinesisError = (type: string, status = 400): Fault => ({ status, body: { __type: type, message: canary } })
const message = { MessageId: 'm', ReceiptHandle: 'r', Body: canary, MD5OfBody: 'x' }
const record = { SequenceNumber: '1', PartitionKey: 'k', Data: Buffer.from(canary).toString('base64') }
const page = (more: object): Fault => ({ body: { Records: [record], MillisBehindLatest: 0, NextShardIterator: 'n', ...more } })

const answers: readonly (readonly [name: string, fault: Fault, code: string])[] = [
  ['a page of some proxy', { body: `<html>${canary}</html>`, headers: { 'content-type': 'text/html' } }, 'fetch.body_invalid'],
  ['a page that says 404', { status: 404, body: `<html>${canary}</html>` }, 'fetch.fatal'],
  ['a redirect', { status: 301, headers: { location: 'http://127.0.0.1:1/' }, body: '' }, 'fetch.network'],
  ['JSON cut short', { body: `{"Messages":[{"Body":"${canary}` }, 'fetch.body_invalid'],
  ['JSON of another kind', { body: `"${canary}"` }, 'fetch.body_invalid'],
  ['no answer in it', { body: '' }, 'fetch.body_invalid'],
  ['a gateway that fails', { status: 502, body: canary }, 'fetch.status'],
  ['a service that fails', kinesisError('InternalFailure', 500), 'fetch.status'],
  ['throttling by status', { status: 429, body: canary }, 'fetch.throttled'],
  ['throttling by name', sqsError('RequestThrottled'), 'fetch.throttled'],
  ['a connection that breaks', { drop: true }, 'fetch.network'],
  ['gzip that is none', { body: canary, headers: { 'content-encoding': 'gzip' } }, 'fetch.body_invalid'],
  ['keys that are refused', sqsError('AccessDeniedException', 403), 'fetch.fatal'],
  ['a signature that is refused', sqsError('InvalidSignatureException', 403), 'fetch.fatal'],
  ['keys that are over', kinesisError('ExpiredTokenException'), 'fetch.fatal'],
  ['a name nobody knows', kinesisError('SomethingNewException'), 'fetch.fatal'],
  ['a name with a link', kinesisError('ValidationException:http://internal.amazon.com/coral/'), 'fetch.fatal'],
  ['a name that is none', { status: 400, body: { __type: `a b ${canary}` } }, 'fetch.fatal'],
]

const ofSqs: typeof answers = [
  ['a queue that is gone', sqsError('QueueDoesNotExist'), 'fetch.fatal'],
  ['a list that is none', { body: { Messages: canary } }, 'fetch.body_invalid'],
  ['a body that is not what was hashed', { body: { Messages: [message] } }, 'fetch.body_invalid'],
  ['a message without a body', { body: { Messages: [{ ...message, Body: undefined, MD5OfBody: 'd41d8cd98f00b204e9800998ecf8427e' }] } }, 'source.shape'],
  ['a body that is a number', { body: { Messages: [{ ...message, Body: 7 }] } }, 'fetch.body_invalid'],
]

const ofKinesis: typeof answers = [
  ['a stream that is gone', kinesisError('ResourceNotFoundException'), 'fetch.fatal'],
  ['a busy shard', kinesisError('ProvisionedThroughputExceededException'), 'fetch.throttled'],
  ['a busy key service', kinesisError('KMSThrottlingException'), 'fetch.throttled'],
  ['no records', page({ Records: undefined }), 'source.shape'],
  ['records that are none', page({ Records: canary }), 'source.shape'],
  ['a record without a sequence number', page({ Records: [{ ...record, SequenceNumber: undefined }] }), 'source.shape'],
  ['a sequence number that is none', page({ Records: [{ ...record, SequenceNumber: canary }] }), 'source.shape'],
  ['a record without a key', page({ Records: [{ ...record, PartitionKey: undefined }] }), 'source.shape'],
  ['a record without data', page({ Records: [{ ...record, Data: undefined }] }), 'source.shape'],
  ['iterators that are always too old', kinesisError('ExpiredIteratorException'), 'source.shape'],
]

async function readAll(source: { read: ReturnType<typeof openSqs>['read']; splits: ReturnType<typeof openSqs>['splits'] }) {
  const batches: SourceBatch[] = []
  let error: WeirError | undefined
  try {
    const [split] = await source.splits(signal)
    for await (const batch of source.read(split!, null, signal)) batches.push(batch)
  } catch (thrown) {
    error = thrown as WeirError
  }
  return { batches, error }
}

function expectFailure({ batches, error }: Awaited<ReturnType<typeof readAll>>, code: string): void {
  expect([codeOf(error), batches]).toEqual([code, []])
  expect(error!.hint).toBeTruthy()
  const shown: string[] = []
  for (let e: unknown = error; e instanceof Error; e = e.cause) shown.push(e.message, JSON.stringify(e))
  expect(shown.join('\n')).not.toContain(canary)
}

describe('sqs', () => {
  test.each([...answers, ...ofSqs])('%s', async (_, fault, code) => {
    const queue = await queueWith(aws.url, ['{"n":1}'])
    await using source = openSqs(aws.url, queue)
    aws.fault = ({ action }) => (action === 'ReceiveMessage' ? fault : undefined)
    const outcome = await readAll(source)
    aws.fault = () => undefined
    expectFailure(outcome, code)
    expect(await leftIn(aws.url, queue)).toEqual({ free: 1, hidden: 0 })
  })
})

describe('kinesis', () => {
  test.each([...answers, ...ofKinesis])('%s', async (_, fault, code) => {
    const stream = await newStream(aws.url)
    await putInto(aws.url, stream, [['k', '{"n":1}']])
    await using source = openKinesis(aws.url, stream)
    aws.fault = ({ action }) => (action === 'GetRecords' ? fault : undefined)
    const outcome = await readAll(source)
    aws.fault = () => undefined
    expectFailure(outcome, code)
  })

  test.each([
    ['a shard without a name', { body: { Shards: [{}] } }, 'source.shape'],
    ['a shard with a name of another kind', { body: { Shards: [{ ShardId: `../${canary}` }] } }, 'source.shape'],
    [
      'shards that are parents of each other',
      { body: { Shards: [{ ShardId: 'a', ParentShardId: 'b' }, { ShardId: 'b', ParentShardId: 'a' }] } },
      'source.shape',
    ],
    ['a list without an end', { body: { Shards: [], NextToken: 'again' } }, 'source.shape'],
  ] as const)('%s', async (_, fault, code) => {
    await using source = openKinesis(aws.url, await newStream(aws.url))
    aws.fault = ({ action }) => (action === 'ListShards' ? fault : undefined)
    const outcome = await readAll(source)
    aws.fault = () => undefined
    expectFailure(outcome, code)
  })
})
