// One happening, one event. Code emits these; observe/ turns each into its log line and its metrics, so the two never disagree.
// No secret and no payload is in an event.
import type { Code } from './errors.ts'
import type { DropReason } from './record.ts'

/** Where a record was when it failed. */
export type StageName = 'source' | 'map' | 'encode' | 'decode' | 'process' | 'deliver'

export type Event =
  // the life of a pipeline
  | { type: 'pipeline_started'; pipeline: string; stages: readonly string[]; broker: string; registry: string }
  | { type: 'pipeline_stopped'; pipeline: string; reason: string; ms: number }
  | { type: 'drain_started'; pipeline: string; signal: string }
  | { type: 'topic_ready'; topic: string; partitions: number; created: boolean }
  | { type: 'schema_ready'; subject: string; id: number; version: number }
  | { type: 'bucket_owned'; pipeline: string; bucket: number; epoch: string }
  | { type: 'bucket_released'; pipeline: string; bucket: number; why: 'rebalance' | 'fenced' | 'shutdown' | 'error' }
  // fetching
  | { type: 'poll_started'; pipeline: string; split: string }
  | { type: 'poll_finished'; pipeline: string; split: string; items: number; ms: number }
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
  /** A call given up: critical, never a dead letter, never a moved cursor (I4). */
  | { type: 'fetch_failed'; pipeline: string; split: string; code: Code; message: string; at?: string; hint?: string }
  | { type: 'breaker_changed'; pipeline: string; host: string; to: 'open' | 'half_open' | 'closed'; untilMs?: number }
  | { type: 'source_notice'; pipeline: string; split: string; code: Code | 'info'; message: string }
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
  | { type: 'commit_retried'; pipeline: string; code: Code; message: string; waitMs: number }
  | { type: 'commit_unknown'; pipeline: string; message: string }
  /** The log takes writes again, after commits that were refused or in doubt. */
  | { type: 'commit_recovered'; pipeline: string }
  | { type: 'fenced'; pipeline: string; message: string }
  | { type: 'flood_stopped'; pipeline: string; records: number; message: string }
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
