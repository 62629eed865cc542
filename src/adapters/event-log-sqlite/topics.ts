// Topics and their partitions as rows. The number of partitions never changes, so a key stays where it is.
import { WeirError } from '../../core/errors.ts'
import type { TopicInfo, TopicSpec } from '../../pipeline/ports.ts'
import type { Row, Sql } from '../embedded-store/store.ts'

/** A topic's row. Partition n has the id `firstPartition + n`. */
export interface TopicRow {
  readonly id: number
  readonly name: string
  readonly partitions: number
  readonly firstPartition: number
  readonly maxRecordBytes: number
}

export interface PartitionEnds {
  readonly earliest: number
  readonly latest: number
}

/** @throws log.topic_unknown */
export function topicRow(sql: Sql, name: string): TopicRow {
  const row = sql.get('SELECT id, partitions, first_partition, max_record_bytes FROM topic WHERE name = ?', name)
  if (row === undefined)
    throw new WeirError('log.topic_unknown', `There is no topic ${name}.`, {
      hint: 'A pipeline makes its topics when it starts; `weir topic list` shows those there are.',
    })
  return {
    id: row['id'] as number,
    name,
    partitions: row['partitions'] as number,
    firstPartition: row['first_partition'] as number,
    maxRecordBytes: row['max_record_bytes'] as number,
  }
}

export function endsOf(sql: Sql, partitionId: number): PartitionEnds {
  const row = sql.get('SELECT earliest, latest FROM partition WHERE id = ?', partitionId)!
  return { earliest: row['earliest'] as number, latest: row['latest'] as number }
}

export function topicInfo(sql: Sql, name: string): TopicInfo | null {
  const row = sql.get('SELECT * FROM topic WHERE name = ?', name)
  return row === undefined ? null : infoOf(sql, row)
}

export function allTopics(sql: Sql): readonly TopicInfo[] {
  return sql.all('SELECT * FROM topic ORDER BY name').map(row => infoOf(sql, row))
}

function infoOf(sql: Sql, row: Row): TopicInfo {
  const partitions = sql.all(
    'SELECT number, earliest, latest, bytes FROM partition WHERE topic = ? ORDER BY number',
    row['id'] as number,
  )
  return {
    name: row['name'] as string,
    partitions: row['partitions'] as number,
    retentionMs: row['retention_ms'] as number | null,
    retentionBytes: row['retention_bytes'] as number | null,
    maxRecordBytes: row['max_record_bytes'] as number,
    partitionInfo: partitions.map(p => ({
      partition: p['number'] as number,
      earliest: BigInt(p['earliest'] as number),
      latest: BigInt(p['latest'] as number),
    })),
    bytes: partitions.reduce((sum, p) => sum + (p['bytes'] as number), 0),
  }
}

/** Makes the topic, or brings the limits of the one there up to date. @throws log.topic_conflict */
export function ensureTopic(sql: Sql, spec: TopicSpec): { info: TopicInfo; created: boolean } {
  const limits = [spec.retentionMs, spec.retentionBytes, spec.maxRecordBytes] as const
  const there = sql.get('SELECT id, partitions FROM topic WHERE name = ?', spec.name)
  if (there === undefined) {
    const first = sql.get('SELECT coalesce(max(id), 0) + 1 AS first FROM partition')!['first'] as number
    const { lastInsertRowid } = sql.run(
      'INSERT INTO topic (name, partitions, first_partition, retention_ms, retention_bytes, max_record_bytes) VALUES (?, ?, ?, ?, ?, ?)',
      ...[spec.name, spec.partitions, first, ...limits],
    )
    for (let number = 0; number < spec.partitions; number++)
      sql.run(
        'INSERT INTO partition (id, topic, number, earliest, latest, bytes) VALUES (?, ?, ?, 0, 0, 0)',
        first + number,
        lastInsertRowid,
        number,
      )
  } else if (there['partitions'] !== spec.partitions) {
    throw new WeirError(
      'log.topic_conflict',
      `Topic ${spec.name} has ${there['partitions']} partitions, not ${spec.partitions}.`,
      {
        hint: `Write \`partitions: ${there['partitions']}\`, or choose another topic: keys would move to other partitions.`,
      },
    )
  } else {
    sql.run(
      'UPDATE topic SET retention_ms = ?, retention_bytes = ?, max_record_bytes = ? WHERE id = ?',
      ...limits,
      there['id'] as number,
    )
  }
  return { info: topicInfo(sql, spec.name)!, created: there === undefined }
}
