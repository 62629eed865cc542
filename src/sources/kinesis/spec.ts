// The `kinesis:` part of a pipeline's source: one description for type, check, editor schema and reference page.
import { awsFields } from '../../aws/spec.ts'
import { fields, name, type Static, Type } from '../../core/spec.ts'

const oneOf = <T extends string>(values: readonly T[], o: { description: string; default: T }) =>
  Type.Unsafe<T>({ type: 'string', enum: values, ...o })

export const kinesisSpec = fields({
  stream: name({
    description: 'Name of the stream to read, all its shards.',
    pattern: '^[a-zA-Z0-9_.-]+$',
    maxLength: 128,
  }),
  ...awsFields,
  from: oneOf(['trim_horizon', 'latest'], {
    description:
      'Where a stream without cursors is begun. trim_horizon: at the oldest record there is. latest: at the first start, less five seconds for clocks that differ. Shards that come later are read whole.',
    default: 'trim_horizon',
  }),
  format: oneOf(['json', 'text', 'bytes'], { description: 'What the data of a record is.', default: 'json' }),
  deaggregate: Type.Boolean({
    description:
      'Take apart the records that the Kinesis Producer Library packs into one. Off: such a record is one item, and with `format: json` a dead letter.',
    default: true,
  }),
  max_records: Type.Integer({
    description: 'Most records of one call; they are stored in one transaction.',
    default: 1000,
    minimum: 1,
    maximum: 10_000,
  }),
})

export type KinesisConfig = Static<typeof kinesisSpec>
