// One happening, one event. Code emits these; observe/ turns each into its log line and its metrics, so the two never disagree.
// No secret and no payload is in an event.
import type { Code } from './errors.ts'
import type { DropReason } from './record.ts'

/** Where a record was when it failed. */
export type StageName = 'source' | 'map' | 'encode' | 'decode' | 'process' | 'deliver'

export type Event =
  // the life of a pipeline
  | {
      type: 'pipeline_started'
      pipeline: string
      stages: readonly string[]
      broker: string
      registry: string
      /** The longest time from the start of a pass to the start of the next, by the schedule; absent where passes have none. */
      passEveryMs?: number
    }
  | { type: 'pipeline_stopped'; pipeline: string; reason: string; ms: number }
  | { type: 'drain_started'; pipeline: string; signal: string }
  | { type: 'topic_ready'; topic: string; partitions: number; created: boolean }
  | { type: 'schema_ready'; subject: string; id: number; version: number }
  | { type: 'bucket_owned'; pipeline: string; bucket: number; epoch: string }
  | { type: 'bucket_released'; pipeline: string; bucket: number; why: 'rebalance' | 'fenced' | 'shutdown' | 'error' }
  // fetching
  | { type: 'poll_started'; pipeline: string; split: string }
  | { type: 'poll_finished'; pipeline: string; split: string; items: number; ms: number }
  /** Each split of the bucket was read to its end for now, but for the `failures` that were given up. */
  | { type: 'pass_finished'; pipeline: string; bucket: number; splits: number; failures: number; ms: number }
  | { type: 'fetch_done'; pipeline: string; host: string; status: number; bytes: number; ms: number; attempt: number }
  | {
      type: 'fetch_retry'
      pipeline: string
      host: string
      attempt: number
      waitMs: number
      code: Code
      message: string
    }
  /** Calls to the host wait, for the time it asked for or because its budget is used up; told once a minute at most. */
  | { type: 'fetch_held'; pipeline: string; host: string; by: 'asked' | 'budget'; waitMs: number }
  /** A call given up: critical, never a dead letter, never a moved cursor (I4). */
  | { type: 'fetch_failed'; pipeline: string; split: string; code: Code; message: string; at?: string; hint?: string }
  | { type: 'breaker_changed'; pipeline: string; host: string; to: 'open' | 'half_open' | 'closed'; untilMs?: number }
  | { type: 'source_notice'; pipeline: string; split: string; code: Code | 'info'; message: string }
  /**
   * Items no longer look as they did when the run began: told once for each path. `used`: the mapping reads it. `was`, `is`: kinds of values.
   */
  | {
      type: 'drift'
      pipeline: string
      split: string
      path: string
      change: 'appeared' | 'vanished' | 'kind'
      used: boolean
      was?: string
      is?: string
    }
  // records
  | { type: 'records_fetched'; pipeline: string; count: number }
  | { type: 'records_dropped'; pipeline: string; reason: DropReason; count: number }
  | {
      type: 'batch_appended'
      pipeline: string
      topic: string
      records: number
      deadLetters: number
      bytes: number
      ms: number
    }
  /** Pages stored as they came, in the transaction of what came of them. Bytes of values. */
  | { type: 'pages_kept'; pipeline: string; topic: string; pages: number; bytes: number }
  | {
      type: 'record_dead'
      pipeline: string
      stage: StageName
      code: Code
      message: string
      at?: string
      split?: string
      position?: string
    }
  /** A transaction begins; `commit_finished` with the same number ends it, its retries included, however it ended. */
  | { type: 'commit_started'; pipeline: string; commit: number }
  | { type: 'commit_finished'; pipeline: string; commit: number; ms: number }
  | { type: 'commit_retried'; pipeline: string; code: Code; message: string; waitMs: number }
  | { type: 'commit_unknown'; pipeline: string; message: string }
  /** The log takes writes again, after commits that were refused or in doubt. */
  | { type: 'commit_recovered'; pipeline: string }
  /** The log does not answer, or not in time. `spools`: the producer goes on into its spool meanwhile. */
  | { type: 'log_unreachable'; pipeline: string; code: Code; message: string; spools: boolean }
  | { type: 'log_reachable'; pipeline: string }
  | { type: 'fenced'; pipeline: string; message: string }
  | { type: 'flood_stopped'; pipeline: string; records: number; message: string }
  /** What the spool holds for a broker that is away: told at the start and after each change, and once more when it is empty (I6). */
  | { type: 'spool_backlog'; pipeline: string; records: number; bytes: number; oldestMs: number | null }
  /** The broker takes no writes: transactions of the bucket go to the spool from here on. */
  | { type: 'spool_started'; pipeline: string; bucket: number; code: Code; message: string }
  | { type: 'batch_spooled'; pipeline: string; bucket: number; records: number; bytes: number }
  /** Transactions of the spool are in the cluster. `batch_appended` has told of their records when they were stored here. */
  | { type: 'spool_forwarded'; pipeline: string; bucket: number; records: number; bytes: number; ms: number }
  | { type: 'spool_waiting'; pipeline: string; bucket: number; code: Code; message: string; waitMs: number }
  /** Another owner has gone on from the cluster's cursor and reads these items itself: what was spooled of them is dropped. */
  | { type: 'spool_superseded'; pipeline: string; bucket: number; entries: number; records: number; bytes: number }
  /** Nothing of the bucket waits any more: it writes to the broker again. */
  | { type: 'spool_ended'; pipeline: string; bucket: number }
  // consuming
  | {
      type: 'batch_consumed'
      pipeline: string
      group: string
      topic: string
      partition: number
      records: number
      filtered: number
      deadLetters: number
      ms: number
    }
  | {
      type: 'sink_failed'
      pipeline: string
      group: string
      sink: string
      attempt: number
      waitMs: number
      code: Code
      message: string
    }
  | { type: 'lag'; pipeline: string; group: string; topic: string; lag: number }
  /** Retention was faster than the group, which goes on with what is left: offsets from `from` to before `to` are gone unread. */
  | {
      type: 'records_missed'
      pipeline: string
      group: string
      topic: string
      partition: number
      from: string
      to: string
      count: number
    }
  /** The `log` sink: one record, for people and for log collectors. */
  | {
      type: 'record_logged'
      pipeline: string
      group: string
      topic: string
      partition: number
      offset: string
      key: string | null
      value: unknown
    }
  | {
      type: 'dead_letter_seen'
      pipeline: string
      topic: string
      offset: string
      stage: string
      code: string
      identity: string
    }
  // dead letters replayed
  | { type: 'replayed'; pipeline: string; topic: string; replayed: number; failed: number; skipped: number }
  // something to know
  | { type: 'warning'; pipeline: string; code: Code | 'info'; message: string; hint?: string }

export type Emit = (event: Event) => void
