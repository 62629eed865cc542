// Records into a stream of AWS, by their key. A crash between the call and the commit sends some again: their identity tells them apart.
import type { KinesisClient } from '@aws-sdk/client-kinesis'
import { clientOptions } from '../aws/client.ts'
import { directHandler } from '../aws/handler.ts'
import { awsFields, lintAws } from '../aws/spec.ts'
import { asSinkError } from '../aws/trouble.ts'
import { duration, fields, name, type Static, Type } from '../core/spec.ts'
import { formatBytes } from '../core/units.ts'
import type { DecodedRecord } from '../pipeline/ports.ts'
import { toJson, toJsonText } from '../schema/json.ts'
import { identityText, within } from './aws/identity.ts'
import { createSender, type Entry, type Result, rejected } from './aws/sending.ts'
import { keyText } from './log.ts'
import { defineSink } from './sink.ts'

const config = fields({
  stream: name({ description: 'Name of the stream.', pattern: '^[a-zA-Z0-9_.-]+$', maxLength: 128 }),
  ...awsFields,
  metadata: Type.Boolean({
    description:
      'Write the identity, topic, partition, offset, time and key with each value. Off: the value alone, and what is sent again cannot be told.',
    default: true,
  }),
  ordered: Type.Boolean({
    description:
      'Keep the order of each key: one record of a key in a call, the next when it is taken. Off: calls are full, and a record that is refused in passing comes after later ones.',
    default: true,
  }),
  timeout: duration({ description: 'Deadline of one call.', default: '10s', min: 100, max: 300_000 }),
})

interface Put extends Entry {
  readonly Data: Uint8Array
  readonly PartitionKey: string
}

const maxRecordBytes = 1024 * 1024
const maxCallBytes = 5 * 1024 * 1024
const maxCallRecords = 500
/** 1 to 256 characters, counted here as UTF-16 does, which never counts fewer. */
const plainKey = /^.{1,256}$/s

export const kinesis = defineSink({
  name: 'kinesis',
  summary: 'Puts each record as JSON into a stream of AWS Kinesis. Tested against stand-ins, not against AWS.',
  config,
  guarantee: 'at_least_once',
  claims: {
    delivering: {
      guarantee: 'at_least_once',
      why: 'A record is put before its offset is committed: after a crash between the two it is put again, with the same identity.',
      proof: {
        file: 'test/integration/aws/sinks.test.ts',
        test: 'a delivery that comes again puts the same identities',
      },
    },
    replaying: {
      guarantee: 'at_least_once',
      why: 'A record is put before its letter is marked: after a crash between the two it is put again, with the same identity.',
      proof: { file: 'test/contract/sink.ts', test: 'takes a replay, which has no offset to store' },
    },
  },
  examples: [
    { title: 'Keys where the SDK finds them', config: { stream: 'reviews', region: 'eu-central-1' } },
    {
      title: 'Values alone, with keys of its own',
      config: {
        stream: 'reviews',
        region: 'eu-central-1',
        metadata: false,
        credentials: { access_key_id: '${AWS_KEY}', secret_access_key: '${AWS_SECRET}' },
      },
    },
  ],
  lint: lintAws,
  async open(settings, { clock }) {
    const { stream: StreamName, timeout } = settings
    const sdk = await import('@aws-sdk/client-kinesis')
    const client: KinesisClient = new sdk.KinesisClient(clientOptions(settings, directHandler(timeout, clock)))
    const call = async (batch: readonly Put[], signal: AbortSignal): Promise<readonly Result[]> => {
      try {
        const { Records = [] } = await client.send(
          new sdk.PutRecordsCommand({
            StreamName,
            Records: batch.map(({ Data, PartitionKey }) => ({ Data, PartitionKey })),
          }),
          { abortSignal: signal },
        )
        return batch.map((_, n): Result => {
          const { SequenceNumber, ErrorCode } = Records[n] ?? {}
          // What stands in the way of a single record passes: the shard is busy, or the service failed inside.
          return ErrorCode == null && SequenceNumber ? 'taken' : { again: ErrorCode ?? 'no answer' }
        })
      } catch (thrown) {
        throw signal.aborted ? signal.reason : asSinkError(thrown, StreamName)
      }
    }
    const sender = createSender<Put>({
      name: 'Kinesis',
      maxCount: maxCallRecords,
      maxBytes: maxCallBytes,
      call,
      clock,
    })
    return {
      guarantee: 'at_least_once',
      exclusive: false,
      async deliver({ records }, signal) {
        signal.throwIfAborted()
        await sender.send(
          records.map(record => putOf(record, settings)),
          signal,
        )
      },
      async [Symbol.asyncDispose]() {
        client.destroy()
      },
    }
  },
})

function putOf(record: DecodedRecord, { metadata, ordered }: Static<typeof config>) {
  const { log, value } = record
  const Data = Buffer.from(metadata ? withMetadata(record) : toJsonText(value))
  // Records without a key are spread by their identity, and have no order to keep.
  const key = keyText(log.key)
  const PartitionKey = within(key ?? identityText(log), plainKey)
  const bytes = Data.byteLength + Buffer.byteLength(PartitionKey)
  if (bytes > maxRecordBytes)
    return rejected(record, `The record has ${formatBytes(bytes)}, Kinesis takes ${formatBytes(maxRecordBytes)}`)
  return { record, bytes, order: ordered && key !== null ? PartitionKey : null, Data, PartitionKey }
}

const withMetadata = ({ log, value }: DecodedRecord): string =>
  JSON.stringify({
    id: identityText(log),
    topic: log.topic,
    partition: log.partition,
    offset: toJson(log.offset),
    timestamp: new Date(log.timestampMs).toISOString(),
    key: keyText(log.key),
    value: toJson(value),
  })
