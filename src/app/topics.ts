// Topics as people and programs look at them. Field names are those of the JSON output.
import type { EventLog, SchemaRegistry, TopicInfo } from '../pipeline/ports.ts'
import { findTopic } from './reading.ts'

export interface ShownTopic {
  readonly topic: string
  readonly partitions: number
  /** Offsets between earliest and next. */
  readonly records: bigint
  /** False where markers of transactions and compacted records take offsets too, so that there are fewer records. */
  readonly records_exact: boolean
  readonly bytes: number | null
  readonly retention_ms: number | null
  readonly retention_bytes: number | null
  readonly max_record_bytes: number
}

/** The topics by name. */
export async function listTopics(log: EventLog): Promise<readonly ShownTopic[]> {
  return (await log.topics()).map(info => showTopic(log, info)).sort((a, b) => (a.topic < b.topic ? -1 : 1))
}

/** One topic with its partitions, its schema and the groups that read it. @throws log.topic_unknown */
export async function describeTopic(log: EventLog, registry: SchemaRegistry, name: string) {
  const info = await findTopic(log, name)
  const latest = await registry.latest(`${name}-value`)
  const groups = (await log.groups()).filter(g => g.topic === name)
  return {
    ...showTopic(log, info),
    schema: latest ? { subject: latest.subject, version: latest.version, id: latest.id } : null,
    partition_offsets: info.partitionInfo.map(({ partition, earliest, latest: next }) => ({
      partition,
      earliest,
      latest: next,
    })),
    groups: groups.map(({ group, partition, offset, lag, member }) => ({ group, partition, offset, lag, member })),
  }
}

function showTopic({ kind }: EventLog, info: TopicInfo): ShownTopic {
  return {
    topic: info.name,
    partitions: info.partitions,
    records: info.partitionInfo.reduce((sum, p) => sum + (p.latest - p.earliest), 0n),
    records_exact: kind === 'embedded',
    bytes: info.bytes,
    retention_ms: info.retentionMs,
    retention_bytes: info.retentionBytes,
    max_record_bytes: info.maxRecordBytes,
  }
}
