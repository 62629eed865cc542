// Queues and streams to test with, at the stand-in or at any other address, and sources over them.
import { type Clock, systemClock } from '../../../src/core/clock.ts'
import type { Event } from '../../../src/core/event.ts'
import type { FetchGuard } from '../../../src/fetch/guard.ts'
import type { Source } from '../../../src/pipeline/ports.ts'
import { kinesisSpec } from '../../../src/sources/kinesis/spec.ts'
import { kinesis } from '../../../src/sources/kinesis.ts'
import { sqsSpec } from '../../../src/sources/sqs/spec.ts'
import { sqs } from '../../../src/sources/sqs.ts'
import { configOf } from '../http-config.ts'
import { openGuard } from '../open-guard.ts'

export const keys = { access_key_id: 'AKIDEXAMPLE', secret_access_key: 'secret-of-example' }
const scope = { AmazonSQS: 'sqs', Kinesis_20131202: 'kinesis' } as const

/** A call as any client makes it; the signature is not looked at by stand-ins. @throws with the name of the error */
export async function callAws(
  url: string,
  service: keyof typeof scope,
  action: string,
  input: object,
): Promise<Record<string, never>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `${service}.${action}`,
      authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/${scope[service]}/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: JSON.stringify(input),
  })
  const text = await response.text()
  const answer = text === '' ? {} : JSON.parse(text)
  if (response.ok) return answer
  throw new Error(String(answer.__type).split('#').at(-1))
}

export const callSqs = (url: string, action: string, input: object) => callAws(url, 'AmazonSQS', action, input)
export const callKinesis = (url: string, action: string, input: object) =>
  callAws(url, 'Kinesis_20131202', action, input)

let made = 0

/** A new queue with these messages, sent one after the other. @returns its address */
export async function queueWith(
  url: string,
  bodies: readonly (string | object)[],
  { name = `q${++made}`, attributes = {} }: { name?: string; attributes?: Record<string, string> } = {},
): Promise<string> {
  const { QueueUrl } = await callSqs(url, 'CreateQueue', {
    QueueName: name,
    Attributes: { ...(name.endsWith('.fifo') ? { FifoQueue: 'true' } : {}), ...attributes },
  })
  for (let from = 0; from < bodies.length; from += 10) {
    const Entries = bodies.slice(from, from + 10).map((each, n) => ({
      Id: String(n),
      ...(typeof each === 'string' ? { MessageBody: each } : each),
    }))
    await callSqs(url, 'SendMessageBatch', { QueueUrl, Entries })
  }
  return QueueUrl!
}

export async function leftIn(url: string, QueueUrl: string): Promise<{ free: number; hidden: number }> {
  const { Attributes } = await callSqs(url, 'GetQueueAttributes', { QueueUrl, AttributeNames: ['All'] })
  return {
    free: Number(Attributes!['ApproximateNumberOfMessages']),
    hidden: Number(Attributes!['ApproximateNumberOfMessagesNotVisible']),
  }
}

export async function newStream(url: string, shards = 1, name = `s${++made}`): Promise<string> {
  await callKinesis(url, 'CreateStream', { StreamName: name, ShardCount: shards })
  return name
}

export function putInto(
  url: string,
  StreamName: string,
  records: readonly (readonly [key: string, data: string | Uint8Array])[],
) {
  return callKinesis(url, 'PutRecords', {
    StreamName,
    Records: records.map(([PartitionKey, data]) => ({ PartitionKey, Data: Buffer.from(data).toString('base64') })),
  })
}

export interface OpenOptions {
  readonly clock?: Clock
  readonly events?: Event[]
  readonly cursors?: () => Promise<ReadonlyMap<string, string>>
  /** Omitted: the real guard, with quick settings. */
  readonly guard?: FetchGuard
}

function depsOf({ clock = systemClock, events = [], cursors, guard }: OpenOptions) {
  let own: FetchGuard | undefined
  return {
    pipeline: 'p',
    clock,
    random: () => 0.5,
    emit: (event: Event) => void events.push(event),
    baseDir: '/',
    fetch: () => guard ?? (own ??= openGuard({ settings: { timeout: '5s' } }).guard),
    ...(cursors ? { cursors } : {}),
  }
}

export function openSqs(endpoint: string, queue_url: string, fields: object = {}, options: OpenOptions = {}): Source {
  const config = configOf(sqsSpec, {
    queue_url,
    region: 'us-east-1',
    endpoint,
    credentials: keys,
    wait: '1s',
    ...fields,
  })
  return sqs.open(config as never, depsOf(options))
}

export function openKinesis(endpoint: string, stream: string, fields: object = {}, options: OpenOptions = {}): Source {
  const config = configOf(kinesisSpec, { stream, region: 'us-east-1', endpoint, credentials: keys, ...fields })
  return kinesis.open(config as never, depsOf({ cursors: async () => new Map(), ...options }))
}

/** A clock whose waits end at once, and are counted: for pacing and back-off. Waits of a minute and more are deadlines, and never end. */
export function hastyClock(): Clock & { readonly waits: number[] } {
  let passed = 0
  const waits: number[] = []
  return {
    waits,
    now: () => Date.now() + passed,
    monotonic: () => performance.now() + passed,
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      if (ms >= 60_000)
        return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
      passed += ms
      waits.push(ms)
      await new Promise(resolve => setImmediate(resolve))
      signal?.throwIfAborted()
    },
  }
}

export interface SentMessage {
  readonly body: string
  readonly id: string
  readonly group: string | undefined
  readonly dedup: string | undefined
  readonly attributes: Readonly<Record<string, { readonly DataType: string; readonly StringValue?: string }>>
}

/** All messages there are, in the order they are given; they are deleted, so that a FIFO queue gives the next of a group. */
export async function allMessages(url: string, QueueUrl: string): Promise<readonly SentMessage[]> {
  const found: SentMessage[] = []
  for (;;) {
    const { Messages = [] } = (await callSqs(url, 'ReceiveMessage', {
      QueueUrl,
      MaxNumberOfMessages: 10,
      VisibilityTimeout: 600,
      MessageSystemAttributeNames: ['All'],
      AttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    })) as { Messages?: readonly Record<string, never>[] }
    if (Messages.length === 0) return found
    for (const message of Messages)
      found.push({
        body: message['Body']!,
        id: message['MessageId']!,
        group: message['Attributes']!['MessageGroupId'],
        dedup: message['Attributes']!['MessageDeduplicationId'],
        attributes: message['MessageAttributes'] ?? {},
      })
    await callSqs(url, 'DeleteMessageBatch', {
      QueueUrl,
      Entries: Messages.map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle })),
    })
  }
}

/** All records of the shards of a stream, shard by shard. */
export async function allRecords(
  url: string,
  StreamName: string,
): Promise<readonly { readonly shard: string; readonly key: string; readonly data: string }[]> {
  const { Shards } = (await callKinesis(url, 'ListShards', { StreamName })) as { Shards?: { ShardId: string }[] }
  const found: { shard: string; key: string; data: string }[] = []
  for (const { ShardId } of Shards!) {
    const type = { ShardIteratorType: 'TRIM_HORIZON' }
    let { ShardIterator } = await callKinesis(url, 'GetShardIterator', { StreamName, ShardId, ...type })
    while (ShardIterator) {
      const page: Record<string, never> = await callKinesis(url, 'GetRecords', { ShardIterator })
      const records = page['Records']! as readonly Record<string, string>[]
      for (const { PartitionKey, Data } of records)
        found.push({ shard: ShardId, key: PartitionKey!, data: Buffer.from(Data!, 'base64').toString() })
      ShardIterator = records.length === 0 ? undefined : page['NextShardIterator']
    }
  }
  return found
}
