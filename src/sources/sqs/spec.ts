// The `sqs:` part of a pipeline's source: one description for type, check, editor schema and reference page.
import { awsFields } from '../../aws/spec.ts'
import { address, duration, fields, type Static, Type } from '../../core/spec.ts'

const oneOf = <T extends string>(values: readonly T[], o: { description: string; default: T }) =>
  Type.Unsafe<T>({ type: 'string', enum: values, ...o })

export const sqsSpec = fields({
  queue_url: address({
    description: 'Address of the queue, as AWS gives it.',
    examples: ['https://sqs.eu-central-1.amazonaws.com/123456789012/reviews'],
  }),
  ...awsFields,
  format: oneOf(['json', 'text'], { description: 'What the body of a message is.', default: 'json' }),
  identity: oneOf(['message_id', 'deduplication_id'], {
    description:
      'What makes a message known when it comes again. message_id: the id that SQS gives it. deduplication_id, for FIFO queues: that of its sender, so that what the sender repeats later than the five minutes of SQS is known too.',
    default: 'message_id',
  }),
  remember: Type.Integer({
    description: 'Messages remembered, so that one that is delivered again is not stored again.',
    default: 5000,
    minimum: 1000,
    maximum: 50_000,
  }),
  wait: duration({
    description: 'How long SQS is asked to wait for a message (long polling). When none came, the pass ends.',
    default: '10s',
    min: 1000,
    max: 20_000,
  }),
  visibility_timeout: duration({
    description:
      'Nobody else gets a message for this time; it is prolonged while the message is in work. Where this process dies, the message comes again after it.',
    default: '1m',
    min: 10_000,
    max: 43_200_000,
  }),
  batch: Type.Integer({
    description: 'Most messages stored in one transaction; they are fetched by tens, side by side.',
    default: 100,
    minimum: 10,
    maximum: 1000,
    multipleOf: 10,
  }),
})

export type SqsConfig = Static<typeof sqsSpec>
