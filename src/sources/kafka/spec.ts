// The `kafka:` part of a pipeline's source. How a cluster is reached is said as in weir.yaml, and checked by the same rules.
import { brokerSpec, registrySpec } from '../../config/broker-spec.ts'
import { fields, name, type Static, Type } from '../../core/spec.ts'

const { brokers, driver, tls, sasl, request_timeout } = brokerSpec.properties.kafka.properties
const oneOf = <T extends string>(values: readonly T[], o: { description: string; default: T }) =>
  Type.Unsafe<T>({ type: 'string', enum: values, ...o })

export const kafkaSpec = fields({
  brokers: { ...brokers, description: 'Brokers of the cluster to read from, to begin with; they name the others.' },
  topic: name({ description: 'Topic to read, all its partitions.', pattern: '^[a-zA-Z0-9._-]+$' }),
  tls,
  sasl,
  driver,
  request_timeout,
  from: oneOf(['earliest', 'latest'], {
    description:
      'Where a partition without a cursor is begun. latest: at its end at the first start; a partition that is added later is read whole.',
    default: 'earliest',
  }),
  out_of_range: oneOf(['stop', 'earliest'], {
    description:
      'What to do when records at the cursor are no longer kept. stop: the partition stands still, and says so. earliest: go on with what is left, and say how much is missing.',
    default: 'stop',
  }),
  format: oneOf(['json', 'avro', 'text', 'bytes'], {
    description: 'What values are. avro: the Confluent wire format, with a `registry`.',
    default: 'json',
  }),
  key_format: oneOf(['text', 'json', 'bytes'], { description: 'What keys are.', default: 'text' }),
  registry: Type.Optional(registrySpec),
  tombstones: oneOf(['skip', 'keep'], {
    description: 'Records without a value. skip: left out and counted. keep: items whose `this.value` is null.',
    default: 'skip',
  }),
})

export type KafkaConfig = Static<typeof kafkaSpec>
