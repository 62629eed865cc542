// The embedded event log: topics, transactions, groups and leases in one SQLite file, for several processes of one machine.
// Keeps I1 (one SQL transaction), I3 (order of the partition) and I7 (epochs checked inside the transaction).
import type { Clock } from '../../core/clock.ts'
import type {
  BrowseOptions,
  Consumer,
  ConsumerOptions,
  CursorWrite,
  EventLog,
  GroupInfo,
  LogRecord,
  Producer,
  ProducerOptions,
  StoredCursor,
  TopicInfo,
  TopicSpec,
} from '../../pipeline/ports.ts'
import { openStore, type Store, type StoreOptions } from '../embedded-store/store.ts'
import { checkCursorWrites, checkName, checkTopicSpec } from '../log-names.ts'
import { Appender } from './append.ts'
import { browse } from './browse.ts'
import { joinConsumers } from './consumers.ts'
import { listPipelines, overwriteCursors, shownCursors } from './cursors.ts'
import { listGroups } from './groups.ts'
import { joinProducers, type LogParts } from './producers.ts'
import { sweep } from './retention.ts'
import { Tail } from './tail.ts'
import { allTopics, ensureTopic, topicInfo } from './topics.ts'

export interface SqliteEventLogOptions extends StoreOptions {
  readonly clock: Clock
  /** How long a silent owner keeps its share before others may take it. Default 10 s. A process proven dead loses it at once. */
  readonly leaseMs?: number
  /** Pause between two rounds of retention. Default 30 s. */
  readonly retentionEveryMs?: number
}

const defaultLeaseMs = 10_000
const defaultRetentionEveryMs = 30_000

/** Opens the embedded log of a data directory, making it where it is missing. @throws log.unavailable, log.busy, log.version, log.corrupt */
export async function openSqliteEventLog(options: SqliteEventLogOptions): Promise<EventLog> {
  return new SqliteEventLog(await openStore(options), options)
}

class SqliteEventLog implements EventLog {
  readonly kind = 'embedded'
  readonly #store: Store
  readonly #parts: LogParts
  readonly #members = new Set<AsyncDisposable>()
  readonly #stop = new AbortController()
  readonly #retention: Promise<void>

  constructor(store: Store, options: SqliteEventLogOptions) {
    this.#store = store
    this.#parts = { store, appender: new Appender(), tail: new Tail(store), leaseMs: options.leaseMs ?? defaultLeaseMs }
    this.#retention = this.#keepRetention(options.retentionEveryMs ?? defaultRetentionEveryMs)
  }

  async ensureTopic(spec: TopicSpec): Promise<{ info: TopicInfo; created: boolean }> {
    checkTopicSpec(spec)
    return this.#store.write(sql => ensureTopic(sql, spec))
  }

  topics(): Promise<readonly TopicInfo[]> {
    return this.#store.read(allTopics)
  }

  topic(name: string): Promise<TopicInfo | null> {
    return this.#store.read(sql => topicInfo(sql, name))
  }

  async joinProducers(options: ProducerOptions): Promise<Producer> {
    return this.#remember(await joinProducers(this.#parts, options))
  }

  async joinConsumers(options: ConsumerOptions): Promise<Consumer> {
    return this.#remember(await joinConsumers(this.#parts, options))
  }

  browse(topic: string, options: BrowseOptions): AsyncIterable<readonly LogRecord[]> {
    return browse(this.#store, this.#parts.tail, topic, options)
  }

  groups(): Promise<readonly GroupInfo[]> {
    return this.#store.read(sql => listGroups(sql, this.#store.clock.monotonic()))
  }

  pipelines(): Promise<readonly { pipeline: string; splits: number; running: boolean }[]> {
    return this.#store.read(sql => listPipelines(sql, this.#store.clock.monotonic()))
  }

  cursors(pipeline: string): Promise<readonly StoredCursor[]> {
    return this.#store.read(sql => shownCursors(sql, pipeline))
  }

  async writeCursors(pipeline: string, writes: readonly CursorWrite[]): Promise<void> {
    checkName('pipeline', pipeline)
    checkCursorWrites(writes)
    const { clock } = this.#store
    await this.#store.write(sql => overwriteCursors(sql, pipeline, writes, clock.now(), clock.monotonic()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#retention
    await Promise.all([...this.#members].map(member => member[Symbol.asyncDispose]()))
    await this.#parts.tail.close()
    await this.#store[Symbol.asyncDispose]()
  }

  #remember<T extends AsyncDisposable>(member: T): T {
    this.#members.add(member)
    return member
  }

  async #keepRetention(everyMs: number): Promise<void> {
    for (;;) {
      try {
        await this.#store.clock.sleep(everyMs, this.#stop.signal)
      } catch {
        return
      }
      // Busy, full or gone: the next round tries again, and whoever writes hears of it.
      await sweep(this.#store, this.#stop.signal).catch(() => {})
    }
  }
}
