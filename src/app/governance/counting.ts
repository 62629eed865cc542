// `weir schema census`: the schema ids of a topic's records, and the versions of its subject that they are. Field names are those of the JSON output.
import { WeirError } from '../../core/errors.ts'
import type { LogRecord } from '../../core/record.ts'
import { Census, type CensusRecord, type CountedId } from '../../governance/census.ts'
import type { EventLog, SchemaRegistry } from '../../pipeline/ports.ts'
import { readSchemaId } from '../../schema/wire.ts'
import { selectLetters } from '../dead-letters.ts'
import { findTopic, storedRecords } from '../reading.ts'
import { readHistory } from './state.ts'

export interface TopicCensus {
  readonly topic: string
  readonly subject: string
  /** Versions that were deleted softly, where the registry tells; their ids may be among those without a version. */
  readonly deleted_versions: readonly number[]
  readonly records: number
  readonly tombstones: number
  /** Milliseconds; null: records are kept for ever, or until the topic is too large. */
  readonly retention_ms: number | null
  /** One for each id in the log, and one for each version of the subject that has no record, by id. */
  readonly ids: readonly CensusEntry[]
  /** Records of ids beyond the first thousand, which are not listed. */
  readonly unlisted: number
  /** Values without wire header. */
  readonly unframed: { readonly records: number; readonly first: CensusRecord; readonly last: CensusRecord } | null
  readonly groups: readonly {
    readonly group: string
    /** Id of the record that it read last; null when that one is not in the log any more. */
    readonly last_id: number | null
    readonly last_version: number | null
    /** Records that it has not read yet. */
    readonly ahead: readonly { readonly id: number; readonly version: number | null; readonly records: number }[]
  }[]
}

export interface CensusEntry {
  readonly id: number
  /** Of the subject; null: another subject has the id, or none. */
  readonly version: number | null
  /** The registry does not know the id: nobody can read these records. */
  readonly unknown: boolean
  readonly records: number
  /** Of all records, 0 to 1. */
  readonly share: number
  readonly first: CensusRecord | null
  readonly last: CensusRecord | null
  /** When retention removes the last record, at the earliest; milliseconds since the epoch. null: never by age, or there is none. */
  readonly free_at: number | null
  /** Dead letters that hold a record of the topic with this id. */
  readonly dead_letters: number
  /** Neither a record nor a dead letter of the topic has it, and it is not the latest version, which writers use. */
  readonly safe_to_delete: boolean
}

export interface CensusTarget {
  readonly topic: string
  readonly subject: string
  /** The topic of its dead letters, which may not be there. */
  readonly deadLetters: string
}

/** Reads the header of every retained record. @throws log.topic_unknown, registry.*, log.* */
export async function censusOf(
  { log, registry }: { readonly log: EventLog; readonly registry: SchemaRegistry },
  { topic, subject, deadLetters }: CensusTarget,
  { signal, onRead }: { readonly signal: AbortSignal; readonly onRead: (done: number, total: number) => void },
): Promise<TopicCensus> {
  const info = await findTopic(log, topic)
  const total = Number(info.partitionInfo.reduce((sum, { earliest, latest }) => sum + (latest - earliest), 0n))
  const census = new Census((await log.groups()).filter(each => each.topic === topic))
  for await (const record of storedRecords(log, info, { from: 'earliest', signal })) {
    const { partition, offset, timestampMs } = record
    census.add({ partition, offset, timestampMs, id: idOf(record) })
    onRead(census.records, total)
  }
  const letters = await lettersById({ log, registry }, topic, deadLetters, signal)
  const { versions } = await readHistory(registry, subject)
  const versionOf = new Map(versions.map(({ id, version }) => [id, version]))
  const latest = versions.at(-1)?.version
  const entry = async (id: number, counted: CountedId | null): Promise<CensusEntry> => {
    const version = versionOf.get(id) ?? null
    const records = counted?.records ?? 0
    return {
      id,
      version,
      unknown: version === null && !(await isKnown(registry, id)),
      records,
      share: census.records === 0 ? 0 : records / census.records,
      first: counted?.first ?? null,
      last: counted?.last ?? null,
      free_at: counted && info.retentionMs !== null ? counted.last.timestamp + info.retentionMs : null,
      dead_letters: letters.get(id) ?? 0,
      safe_to_delete: records === 0 && !letters.has(id) && version !== null && version !== latest,
    }
  }
  const ids = [...new Set([...census.ids.keys(), ...letters.keys(), ...versionOf.keys()])].sort((a, b) => a - b)
  const entries: CensusEntry[] = []
  for (const id of ids) entries.push(await entry(id, census.ids.get(id) ?? null))
  return {
    topic,
    subject,
    deleted_versions: versions.length === 0 ? [] : await registry.deletedVersions(subject),
    records: census.records,
    tombstones: census.tombstones,
    retention_ms: info.retentionMs,
    ids: entries,
    unlisted: census.unlisted,
    unframed: census.unframed,
    groups: census.groups.map(({ group, lastId, ahead }) => ({
      group,
      last_id: lastId,
      last_version: lastId === null ? null : (versionOf.get(lastId) ?? null),
      ahead: [...ahead]
        .sort(([a], [b]) => a - b)
        .map(([id, records]) => ({ id, version: versionOf.get(id) ?? null, records })),
    })),
  }
}

async function lettersById(
  { log, registry }: { readonly log: EventLog; readonly registry: SchemaRegistry },
  topic: string,
  deadLetters: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>()
  if ((await log.topic(deadLetters)) === null) return counts
  for await (const { letter } of selectLetters({ log, registry }, deadLetters, {}, signal)) {
    if (letter.original_topic !== topic) continue
    const id = idOf({ value: letter.original })
    if (typeof id === 'number') counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return counts
}

function idOf({ value }: Pick<LogRecord, 'value'>): number | null | undefined {
  if (value === null) return undefined
  try {
    return readSchemaId(value)
  } catch {
    return null
  }
}

async function isKnown(registry: SchemaRegistry, id: number): Promise<boolean> {
  try {
    await registry.byId(id)
    return true
  } catch (error) {
    if (error instanceof WeirError && error.code === 'registry.unknown_id') return false
    // Values of an id that means two things cannot be told apart, but it is known.
    if (error instanceof WeirError && error.code === 'registry.mismatch') return true
    throw error
  }
}
