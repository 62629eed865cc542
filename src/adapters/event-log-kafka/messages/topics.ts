// Messages of topics and their settings: CreateTopics, DescribeConfigs, IncrementalAlterConfigs.
import type { Api } from '../protocol/api.ts'

/** What became of one topic: error code (0: none) and what the broker says of it. */
export interface TopicOutcome {
  readonly topic: string
  readonly error: number
  readonly reason: string | null
}

/** Resource type of a topic. */
const topicResource = 2

/** v4: [topic num_partitions replication_factor [assignments] [name value]] timeout_ms validate_only; -1 replicas is the broker's default. */
export const createTopics: Api<
  {
    name: string
    partitions: number
    replicationFactor: number | null
    configs: Readonly<Record<string, string>>
    timeoutMs: number
  },
  readonly TopicOutcome[]
> = {
  name: 'CreateTopics',
  key: 19,
  versions: [4],
  encode: (to, request) =>
    to
      .array([request], ({ name, partitions, replicationFactor, configs }) =>
        to
          .string(name)
          .int32(partitions)
          .int16(replicationFactor ?? -1)
          .array([], () => {})
          .array(Object.entries(configs), ([setting, value]) => to.string(setting).string(value)),
      )
      .int32(request.timeoutMs)
      .boolean(false),
  decode: from => {
    from.int32()
    return from.array(() => ({ topic: from.string(), error: from.int16(), reason: from.nullableString() }))
  },
}

/** v3: [resource_type resource_name [names]] include_synonyms include_documentation */
export const describeConfigs: Api<
  readonly string[],
  readonly (TopicOutcome & { readonly configs: ReadonlyMap<string, string> })[]
> = {
  name: 'DescribeConfigs',
  key: 32,
  versions: [3],
  encode: (to, topics) =>
    to
      .array(topics, topic =>
        to
          .int8(topicResource)
          .string(topic)
          .array(null, () => {}),
      )
      .boolean(false)
      .boolean(false),
  decode: from => {
    from.int32()
    return from.array(() => {
      const error = from.int16()
      const reason = from.nullableString()
      from.int8()
      const topic = from.string()
      const configs = new Map<string, string>()
      from.array(() => {
        const name = from.string()
        const value = from.nullableString()
        from.boolean() // read_only
        from.int8() // config_source
        from.boolean() // is_sensitive
        from.array(() => [from.string(), from.nullableString(), from.int8()]) // synonyms
        from.int8() // config_type
        from.nullableString() // documentation
        if (value !== null) configs.set(name, value)
      })
      return { topic, error, reason, configs }
    })
  },
}

/** v0: [resource_type resource_name [name operation value]] validate_only; operation 0 sets. */
export const incrementalAlterConfigs: Api<
  { topic: string; configs: Readonly<Record<string, string>> },
  readonly TopicOutcome[]
> = {
  name: 'IncrementalAlterConfigs',
  key: 44,
  versions: [0],
  encode: (to, request) =>
    to
      .array([request], ({ topic, configs }) =>
        to
          .int8(topicResource)
          .string(topic)
          .array(Object.entries(configs), ([setting, value]) => to.string(setting).int8(0).string(value)),
      )
      .boolean(false),
  decode: from => {
    from.int32()
    return from.array(() => {
      const error = from.int16()
      const reason = from.nullableString()
      from.int8()
      return { topic: from.string(), error, reason }
    })
  },
}
