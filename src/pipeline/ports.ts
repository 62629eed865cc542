// What the stages need from outside, and no more. Adapters import these types; test/contract/ holds every adapter to the promises.
import type { WeirError } from '../core/errors.ts'
import type {
  Drops,
  Header,
  Item,
  LogRecord,
  OutRecord,
  Position,
  RawPage,
  SourceBatch,
  Split,
} from '../core/record.ts'
import { type CompatibilityLevel, compatibilityLevels } from '../schema/compatibility-level.ts'

export type { Drops, Header, Item, LogRecord, OutRecord, Position, RawPage, SourceBatch, Split }
export { type CompatibilityLevel, compatibilityLevels }

// ---------------------------------------------------------------------------------------------------------------- the log

export interface TopicSpec {
  /** [a-zA-Z0-9._-], 1 to 249 characters, not `.` or `..`. */
  readonly name: string
  readonly partitions: number
  /** Records older than this may be removed; null keeps them. */
  readonly retentionMs: number | null
  /** Oldest records are removed when the topic is larger; null sets no limit. */
  readonly retentionBytes: number | null
  /** Key, value and headers of one record together. */
  readonly maxRecordBytes: number
}

export interface TopicInfo extends TopicSpec {
  readonly partitionInfo: readonly {
    readonly partition: number
    readonly earliest: bigint /** The next offset to be written. */
    readonly latest: bigint
  }[]
  /** Stored bytes, where the adapter knows them. */
  readonly bytes: number | null
}

export interface Append {
  readonly topic: string
  /** Appended in this order; per key the order in the partition is the order given (I3). */
  readonly records: readonly OutRecord[]
}

export interface CursorWrite {
  readonly split: string
  /** null removes the cursor. */
  readonly value: string | null
}

export interface StoredCursor {
  readonly split: string
  readonly value: string
  readonly updatedAtMs: number
}

/** Splits named so are weir's own marks: a bucket's `cursors` hold them, `EventLog.cursors` and `pipelines` do not show them. */
export const ownSplits = '~weir/'

/** All of it becomes visible together, or nothing does (I1). */
export interface Transaction {
  readonly appends: readonly Append[]
  readonly cursors: readonly CursorWrite[]
}

/**
 * One owned share of a pipeline's splits: those whose murmur2 hash, modulo the number of buckets, is `number`.
 * Holding it means being the newest epoch; an older one can write nothing (I7).
 */
export interface Bucket {
  readonly number: number
  readonly epoch: bigint
  /** The cursors as they were when this epoch began. */
  readonly cursors: ReadonlyMap<string, StoredCursor>
  /** How many records a transaction had better hold, where they are there: more where each costs several trips to a broker. Omitted: 1,000. */
  readonly recordsAtOnce?: number
  /**
   * Resolves once all is durable.
   * @throws log.busy, log.full, log.unavailable: proven not written; the same call may be made again.
   * @throws log.record_too_large, log.timestamp_refused, log.topic_unknown, log.invalid: proven not written; the same call will fail again.
   * Where the error names `records`, it is for these alone: without them the call may succeed, or name others.
   * @throws log.fenced: proven not written; another owner is at work, stop.
   * @throws log.outcome_unknown: written or not. Trust nothing in memory: call `renew` and go on from its cursors.
   */
  transact(transaction: Transaction): Promise<void>
  /** Takes a new epoch and reads the cursors back. @throws log.fenced when another owner holds the bucket by now. */
  renew(): Promise<Bucket>
}

export interface ProducerOptions {
  /** Name of the pipeline: scope of cursors, ownership and fencing. */
  readonly pipeline: string
  readonly buckets: number
  /** Called when this process becomes owner of a bucket. */
  readonly assigned: (bucket: Bucket) => void
  /** Called when a bucket is asked back: resolve after the work on it has drained; it is released then. */
  readonly revoked: (bucketNumber: number) => Promise<void>
  /** Called when a bucket was taken away: log.fenced by another owner, log.gone and its like with the log itself. Stop at once, nothing can be written. */
  readonly lost: (bucketNumber: number, error: WeirError) => void
}

/** Membership of a process in its pipeline. Closing it gives its buckets back at once, so their work must have drained. */
export interface Producer extends AsyncDisposable {
  /** True when every bucket has a living owner, here or elsewhere: nothing waits to be assigned. */
  settled(): Promise<boolean>
}

export interface ConsumerOptions {
  readonly group: string
  readonly topic: string
  /** Where a group without offsets starts. */
  readonly start: 'earliest' | 'latest'
  /** When the group's offset is no longer retained. */
  readonly outOfRange: 'stop' | 'earliest'
  /** Told with `earliest` when it goes past what is no longer retained: offsets from `from` to before `to`. */
  readonly missed?: (partition: number, from: bigint, to: bigint) => void
  /** True: this member wants all partitions or none (a sink that cannot be shared); others stand by. */
  readonly exclusive?: boolean
  /**
   * Asked once for each assigned partition: where a sink with its own offset record stands. It wins over the group's offset.
   * `committed` is the group's own offset, null when it has none.
   */
  readonly startAt?: (partition: number, committed: bigint | null) => bigint | null
  /** Called when a partition is asked back; resolve when no batch of it is in work. */
  readonly revoked?: (partition: number) => Promise<void>
}

export interface Fetched {
  readonly topic: string
  readonly partition: number
  /** In offset order, never empty. */
  readonly records: readonly LogRecord[]
  /** The offset to commit when all of them are done. */
  readonly nextOffset: bigint
}

export interface Consumer extends AsyncDisposable {
  /**
   * The next records of one assigned partition, partitions taking turns; null when `maxWaitMs` passed without any.
   * Never gives a record before those it gave earlier of that partition are committed or the consumer is closed: one batch in work per partition.
   * @throws log.offset_out_of_range when `outOfRange` is stop
   */
  poll(options: {
    maxRecords: number
    maxBytes: number
    maxWaitMs: number
    signal: AbortSignal
  }): Promise<Fetched | null>
  /**
   * Stores the group's offsets and the appended records in one transaction (I1). Errors as Bucket.transact;
   * log.fenced when a partition is no longer this member's, or was another's since the batch was given out: drop the batch.
   */
  commit(next: readonly Position[], appends: readonly Append[]): Promise<void>
  /** Gives the batch of a partition back without committing; `poll` gives it again. */
  release(partition: number): void
  /** After log.outcome_unknown: new epoch, offsets read back; polling goes on from there. */
  renew(): Promise<void>
  /** True when every partition has a living reader, here or elsewhere: nothing waits to be assigned. */
  settled(): Promise<boolean>
  /** Records between the group's offsets and the ends of the partitions assigned to this member. */
  lag(): Promise<bigint>
}

export interface GroupInfo {
  readonly group: string
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly lag: bigint
  readonly member: string | null
}

export type BrowseFrom = { readonly offset: bigint } | { readonly timeMs: number } | 'earliest' | 'latest'

export interface BrowseOptions {
  /** Omitted: all partitions, merged by time. */
  readonly partition?: number
  readonly from: BrowseFrom
  /** Waits at the end for more instead of ending. */
  readonly follow?: boolean
  readonly signal?: AbortSignal
}

/** The event log. Read operations see committed records only. Contract: test/contract/event-log.ts */
export interface EventLog extends AsyncDisposable {
  /** `embedded` or `kafka`. */
  readonly kind: string
  /**
   * Creates the topic, or checks that the one there fits (same partitions; limits are updated).
   * `notes`: what an operator should know of it, such as how few replicas it has; one sentence each. @throws log.topic_conflict
   */
  ensureTopic(
    spec: TopicSpec,
  ): Promise<{ readonly info: TopicInfo; readonly created: boolean; readonly notes?: readonly string[] }>
  topics(): Promise<readonly TopicInfo[]>
  topic(name: string): Promise<TopicInfo | null>
  joinProducers(options: ProducerOptions): Promise<Producer>
  joinConsumers(options: ConsumerOptions): Promise<Consumer>
  /** Reads without a group, in batches. @throws log.topic_unknown */
  browse(topic: string, options: BrowseOptions): AsyncIterable<readonly LogRecord[]>
  groups(): Promise<readonly GroupInfo[]>
  /** Pipelines that have cursors. */
  pipelines(): Promise<
    readonly {
      readonly pipeline: string
      readonly splits: number /** True while a process owns a bucket of it. */
      readonly running: boolean
    }[]
  >
  cursors(pipeline: string): Promise<readonly StoredCursor[]>
  /** Changes cursors by hand. @throws cursor.in_use while a process runs the pipeline. */
  writeCursors(pipeline: string, writes: readonly CursorWrite[]): Promise<void>
}

// -------------------------------------------------------------------------------------------------------------- the spool

/** A transaction's place in the chain of transactions of its bucket (I6). Marks are opaque, and none is used twice. */
export interface SpoolLink {
  /** The mark that stands in the cluster when it is this transaction's turn; null: none. */
  readonly before: string | null
  /** The mark that stands there after it. */
  readonly after: string
  /** The cursors it writes, each with the one it follows. */
  readonly cursors: readonly (CursorWrite & { readonly before: string | null })[]
}

export interface SpoolEntry extends SpoolLink {
  readonly appends: readonly Append[]
}

export interface SpoolSize {
  /** Of all topics, dead letters included. */
  readonly records: number
  readonly bytes: number
}

/** Where an entry stands in the spool. An id is never given twice. */
export interface SpoolPlace extends SpoolSize {
  readonly id: number
  readonly storedAtMs: number
}

/**
 * The spooled transactions of one bucket, held by whoever claimed them last. Every call may throw log.busy, log.full, log.unavailable,
 * log.outcome_unknown, log.corrupt, log.gone as an event log does, and log.fenced when another claim was made since.
 */
export interface SpoolShare {
  /** Unique to this claim: no other, before or after, here or elsewhere, has it. */
  readonly id: string
  /** Resolves with the place once the entry is durable. */
  append(entry: SpoolEntry): Promise<SpoolPlace>
  /** The links of the oldest entries after an id, in order, `limit` at most. */
  links(after: number, limit: number): Promise<readonly (SpoolLink & SpoolPlace)[]>
  /** The oldest entry after an id. */
  next(after: number): Promise<(SpoolEntry & SpoolPlace) | null>
  /** Removes what has come to an end: all entries up to an id. @returns what was removed */
  removeThrough(id: number): Promise<SpoolSize & { readonly entries: number }>
  /** Removes an entry and all after it. @returns what was removed */
  removeFrom(id: number): Promise<SpoolSize & { readonly entries: number }>
}

/** Transactions kept on local disk while the cluster cannot take them. Nothing in it ages: only `remove...` takes anything out. */
export interface Spool extends AsyncDisposable {
  /** Takes a bucket's entries over, whoever held them. */
  claim(pipeline: string, bucket: number): Promise<SpoolShare>
  /** What waits, of all buckets of a pipeline; `oldestMs`: when the oldest entry was stored, null when there is none. */
  backlog(pipeline: string): Promise<SpoolSize & { readonly entries: number; readonly oldestMs: number | null }>
}

// ----------------------------------------------------------------------------------------------------------- the registry

export interface RegisteredSchema {
  readonly subject: string
  readonly version: number
  readonly id: number
  /** The schema as JSON text. */
  readonly schema: string
}

export interface CompatibilityVerdict {
  readonly verdict: 'compatible' | 'incompatible'
  readonly reasons: readonly string[]
}

/**
 * A Confluent-compatible schema registry. Contract: test/contract/schema-registry.ts
 * Every call of one that is elsewhere may reject with registry.unavailable or registry.denied: the same call may succeed later.
 */
export interface SchemaRegistry extends AsyncDisposable {
  /** `embedded` or `http`. */
  readonly kind: string
  /** Idempotent: the same schema again gives the id and version it has. @throws registry.incompatible, registry.mismatch, schema.invalid */
  register(subject: string, schema: string): Promise<RegisteredSchema>
  /**
   * The schema text behind an id, known ids also while the registry is away. It never changes; asking again, cheap, is how a caller learns
   * that it did nevertheless. @throws registry.unknown_id, registry.mismatch (values under this id cannot be told apart any more)
   */
  byId(id: number): Promise<string>
  /** null when the subject has no version. */
  latest(subject: string): Promise<RegisteredSchema | null>
  /** @throws registry.unknown_subject, registry.unknown_version */
  version(subject: string, version: number): Promise<RegisteredSchema>
  versions(subject: string): Promise<readonly number[]>
  /** Versions that were deleted softly, as far as the registry tells; ascending. */
  deletedVersions(subject: string): Promise<readonly number[]>
  /** The version this very schema has in the subject, or null. */
  lookup(subject: string, schema: string): Promise<RegisteredSchema | null>
  subjects(): Promise<readonly string[]>
  /** What `register` would say, without registering. */
  check(subject: string, schema: string): Promise<CompatibilityVerdict>
  /** The subject's own level, or null when it has none; without a subject, the global level. */
  level(subject?: string): Promise<CompatibilityLevel | null>
  setLevel(level: CompatibilityLevel, subject?: string): Promise<void>
}

// --------------------------------------------------------------------------------------------------------- source and sink

/** An item of a page that was kept. */
export interface RereadItem {
  /** Its position is the one it had, or would have had, when the page was fetched, but for the edits before: see `Holdings.positionOf`. */
  readonly item: Item
  /** What all versions of it have in common: a position is this, or this with `@` and a version without another `@`. Undefined where it has none. */
  readonly id: string | undefined
  /** True when it was among the items of the page when that was fetched, whether new then or known. */
  readonly wasThere: boolean
}

/** A source, opened with its checked configuration. Contract: test/contract/source.ts */
export interface Source extends AsyncDisposable {
  /** True: `read` waits for more at the end of a split, so all splits must be read at the same time. */
  readonly endless: boolean
  /** The splits there are now; asked again before each poll, so files and watch lists may grow. */
  splits(signal: AbortSignal): Promise<readonly Split[]>
  /**
   * Yields what follows `cursor` (null: from the start), page by page, and ends when there is nothing more for now;
   * a source that follows its input ends only when `signal` aborts. The cursor of a batch covers all batches before it.
   * A failed call throws (fetch.*, source.*, file.*): no cursor moves, nothing becomes a dead letter (I4).
   * An item that cannot be decoded is yielded with its error.
   */
  read(split: Split, cursor: string | null, signal: AbortSignal): AsyncIterable<SourceBatch>
  /** Decodes the bytes of a dead letter again, as `read` would have: the items they hold. @throws source.invalid_json and its like */
  reparse(raw: Uint8Array, context: string | undefined): readonly unknown[] | Promise<readonly unknown[]>
  /**
   * The items of a page that was kept, as `read` would take them today, one after the other. Nothing is fetched. Omitted: it keeps no pages.
   * @throws source.* when the page does not fit the definition of today
   */
  reread?(page: RawPage, split: Split): Promise<readonly RereadItem[]>
  /** A stored cursor in words for people. @throws cursor.invalid */
  describeCursor(cursor: string): string
}

/** A record as the consumer side hands it to processors and sinks. */
export interface DecodedRecord {
  readonly log: LogRecord
  /** null: a tombstone has none. */
  readonly schemaId: number | null
  /** null: a tombstone, what the key stands for is gone. */
  readonly value: Readonly<Record<string, unknown>> | null
}

export interface Delivery {
  readonly topic: string
  readonly partition: number
  readonly records: readonly DecodedRecord[]
  /** Offset after the last record read, filtered ones included: what a sink with its own offset record stores. null: a replay, no offset to store. */
  readonly nextOffset: bigint | null
}

/** A sink, opened with its checked configuration. Exactly one of `deliver` and `prepare` is there. */
export interface Sink extends AsyncDisposable {
  /** What it gives when the process may die at any instant. */
  readonly guarantee: 'exactly_once' | 'at_least_once'
  /** True: only one process may write to it at a time, so its consumer takes all partitions or none. */
  readonly exclusive: boolean
  /** For a sink that stores offsets with its data: the next offset per partition, null where it has none. */
  startAt?(topic: string, partition: number): bigint | null
  /** Resolves once the records are durable. @throws sink.failed (the same call is made again), sink.rejected (the record goes to the dead letters) */
  deliver?(delivery: Delivery, signal: AbortSignal): Promise<void>
  /** For a sink that writes to the log itself: what to append in the transaction that commits the offsets. */
  prepare?(delivery: Delivery): Promise<readonly Append[]>
}
