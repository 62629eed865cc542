// Records as messages of a queue of AWS. A crash between the call and the commit sends some again: a FIFO queue drops them for five minutes, by
// the record's identity; for any other queue that identity is an attribute of the message.
import type { SendMessageBatchRequestEntry, SQSClient } from '@aws-sdk/client-sqs'
import { clientOptions } from '../aws/client.ts'
import { directHandler } from '../aws/handler.ts'
import { awsFields, lintAws } from '../aws/spec.ts'
import { asSinkError } from '../aws/trouble.ts'
import { address, duration, fields, size } from '../core/spec.ts'
import { formatBytes } from '../core/units.ts'
import type { DecodedRecord } from '../pipeline/ports.ts'
import { toJsonText } from '../schema/json.ts'
import { identityText, within } from './aws/identity.ts'
import { createSender, type Entry, type Result, rejected } from './aws/sending.ts'
import { keyText } from './log.ts'
import { defineSink } from './sink.ts'

const config = fields({
  queue_url: address({
    description: 'Address of the queue, as AWS gives it; one that ends in .fifo gets a group for each key.',
    examples: ['https://sqs.eu-central-1.amazonaws.com/123456789012/reviews'],
  }),
  ...awsFields,
  timeout: duration({ description: 'Deadline of one call.', default: '10s', min: 100, max: 300_000 }),
  max_message: size({
    description:
      'Largest message, attributes included, and most bytes of one call; a queue may be set to take up to 1mb.',
    default: '256kb',
    min: 1024,
    max: 1024 * 1024,
  }),
})

interface Message extends Entry {
  readonly message: Omit<SendMessageBatchRequestEntry, 'Id'>
}

const idAttribute = 'weir-id'
/** What SQS takes as the name of a group and as an id against repeats. */
const plainName = /^[\x21-\x7e]{1,128}$/

export const sqs = defineSink({
  name: 'sqs',
  summary: 'Sends each record as a JSON message to a queue of AWS SQS. Tested against stand-ins, not against AWS.',
  config,
  guarantee: 'at_least_once',
  claims: {
    delivering: {
      guarantee: 'at_least_once',
      why: 'A message is sent before its offset is committed: after a crash between the two it is sent again, with the same identity; a FIFO queue drops it within five minutes.',
      proof: {
        file: 'test/integration/aws/sinks.test.ts',
        test: 'a delivery that comes again is dropped by a FIFO queue',
      },
    },
    replaying: {
      guarantee: 'at_least_once',
      why: 'A message is sent before its letter is marked: after a crash between the two it is sent again, with the same identity.',
      proof: { file: 'test/contract/sink.ts', test: 'takes a replay, which has no offset to store' },
    },
  },
  examples: [
    {
      title: 'Keys where the SDK finds them',
      config: { queue_url: 'https://sqs.eu-central-1.amazonaws.com/123456789012/reviews', region: 'eu-central-1' },
    },
    {
      title: 'A FIFO queue: in order for each key, repeats dropped',
      config: {
        queue_url: 'https://sqs.eu-central-1.amazonaws.com/123456789012/reviews.fifo',
        region: 'eu-central-1',
        credentials: { access_key_id: '${AWS_KEY}', secret_access_key: '${AWS_SECRET}' },
      },
    },
  ],
  lint: lintAws,
  async open(settings, { clock }) {
    const { queue_url: QueueUrl, timeout, max_message } = settings
    const sdk = await import('@aws-sdk/client-sqs')
    const client: SQSClient = new sdk.SQSClient({
      ...clientOptions(settings, directHandler(timeout, clock)),
      useQueueUrlAsEndpoint: false,
    })
    const isFifo = QueueUrl.endsWith('.fifo')
    const call = async (batch: readonly Message[], signal: AbortSignal): Promise<readonly Result[]> => {
      try {
        const { Successful = [], Failed = [] } = await client.send(
          new sdk.SendMessageBatchCommand({
            QueueUrl,
            Entries: batch.map(({ message }, n) => ({ Id: String(n), ...message })),
          }),
          { abortSignal: signal },
        )
        const results = new Map<string | undefined, Result>(Successful.map(({ Id }) => [Id, 'taken']))
        for (const { Id, Code = 'no reason', SenderFault } of Failed)
          results.set(Id, SenderFault ? { rejected: Code } : { again: Code })
        return batch.map((_, n) => results.get(String(n)) ?? { again: 'no answer' })
      } catch (thrown) {
        throw signal.aborted ? signal.reason : asSinkError(thrown, QueueUrl)
      }
    }
    const sender = createSender<Message>({ name: 'SQS', maxCount: 10, maxBytes: max_message, call, clock })
    return {
      guarantee: 'at_least_once',
      exclusive: false,
      async deliver({ records }, signal) {
        signal.throwIfAborted()
        await sender.send(
          records.map(record => messageOf(record, isFifo, max_message)),
          signal,
        )
      },
      async [Symbol.asyncDispose]() {
        client.destroy()
      },
    }
  },
})

function messageOf(record: DecodedRecord, isFifo: boolean, maxBytes: number) {
  const identity = identityText(record.log)
  // SQS takes all characters but these two, which JSON can write otherwise; control characters it has written so already.
  const body = toJsonText(record.value).replace(/[\ufffe\uffff]/g, each => `\\u${each.charCodeAt(0).toString(16)}`)
  const group = isFifo ? groupOf(record) : null
  const bytes = Buffer.byteLength(body) + Buffer.byteLength(identity) + `${idAttribute}String`.length
  if (bytes > maxBytes)
    return rejected(
      record,
      `The message has ${formatBytes(bytes)}, at most ${formatBytes(maxBytes)} are sent`,
      'Raise `max_message` if the queue takes more, or leave fields out.',
    )
  return {
    record,
    bytes,
    order: group,
    message: {
      MessageBody: body,
      MessageAttributes: { [idAttribute]: { DataType: 'String', StringValue: identity } },
      ...(group === null ? {} : { MessageGroupId: group, MessageDeduplicationId: within(identity, plainName) }),
    },
  }
}

/** Records without a key are a group by their partition. */
function groupOf({ log }: DecodedRecord): string {
  return within(keyText(log.key) ?? `${log.topic}/${log.partition}`, plainName)
}
