// The metrics there are, with their help texts and labels: the reference of what an operator can plot and alert on.
import type * as prom from 'prom-client'

/** Seconds; a batch is fast on SQLite and slow behind a network. */
const batchBuckets = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60]

export type Instruments = ReturnType<typeof makeInstruments>

/** Makes every metric in `registry`, but for those that are measured at the scrape. */
export function makeInstruments(client: typeof prom, registry: prom.Registry) {
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): prom.Counter<L> =>
    new client.Counter({ name, help, labelNames, registers: [registry] })
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]): prom.Gauge<L> =>
    new client.Gauge({ name, help, labelNames, registers: [registry] })
  const histogram = <L extends string>(name: string, help: string, ...labelNames: L[]): prom.Histogram<L> =>
    new client.Histogram({ name, help, labelNames, buckets: batchBuckets, registers: [registry] })
  return {
    started: gauge(
      'weir_pipeline_started_timestamp_seconds',
      'When the pipeline started, seconds since 1970.',
      'pipeline',
    ),
    passInterval: gauge(
      'weir_pass_interval_seconds',
      'Longest time between the starts of two passes over the source, by its schedule; absent where it has none.',
      'pipeline',
    ),
    bucketFresh: gauge(
      'weir_bucket_fresh_timestamp_seconds',
      'When this bucket of splits was last read without a failure; until then, when it was taken. Seconds since 1970.',
      'pipeline',
      'bucket',
    ),
    fetched: counter('weir_records_fetched_total', 'Items that the source gave, drops included.', 'pipeline'),
    appended: counter(
      'weir_records_appended_total',
      'Records stored in the topic, or in the spool on their way to it.',
      'pipeline',
    ),
    appendedBytes: counter('weir_appended_bytes_total', 'Bytes of values stored in the topic.', 'pipeline'),
    pagesKept: counter(
      'weir_raw_pages_total',
      'Pages of the source stored as they came (keep_raw), or in the spool on their way.',
      'pipeline',
    ),
    pagesKeptBytes: counter('weir_raw_pages_bytes_total', 'Bytes of the pages stored as they came.', 'pipeline'),
    lastAppend: gauge(
      'weir_last_append_timestamp_seconds',
      'When a record was last stored in the topic, seconds since 1970.',
      'pipeline',
    ),
    dead: counter('weir_records_dead_total', 'Records that went to the dead letters, by reason.', 'pipeline', 'code'),
    deadLetters: counter(
      'weir_dead_letters_total',
      'Dead letters stored, by the stage that refused the record: producer or consumer.',
      'pipeline',
      'stage',
    ),
    dropped: counter('weir_records_dropped_total', 'Items left out on purpose, by reason.', 'pipeline', 'reason'),
    drift: counter(
      'weir_drift_total',
      'Paths of items that no longer look as they did when the run began: appeared, vanished, or of another kind.',
      'pipeline',
      'change',
    ),
    unaccounted: gauge(
      'weir_unaccounted_records',
      'Fetched minus appended, dead and dropped: anything but 0 for longer than a batch means a lost or doubled record.',
      'pipeline',
    ),
    fetchAttempts: counter(
      'weir_fetch_attempts_total',
      'Calls to the source: answered, or failed and tried again.',
      'pipeline',
      'outcome',
    ),
    fetchFailures: counter('weir_fetch_failures_total', 'Fetches given up; the cursor stayed.', 'pipeline', 'code'),
    heldUntil: gauge(
      'weir_fetch_held_until_timestamp_seconds',
      'Until when calls to the host wait, because it asked for that or its budget is used up. Seconds since 1970.',
      'pipeline',
      'host',
    ),
    breaker: gauge('weir_breaker_state', 'Circuit breaker: 0 closed, 1 half open, 2 open.', 'pipeline', 'host'),
    transactionSeconds: histogram('weir_transaction_seconds', 'Time a transaction took, its retries included.'),
    commitRetries: counter('weir_commit_retries_total', 'Commits refused for now and tried again.', 'pipeline'),
    commitsUnknown: counter('weir_commits_unknown_total', 'Commits whose outcome had to be read back.', 'pipeline'),
    spoolRecords: gauge(
      'weir_spool_backlog_records',
      'Records, dead letters and raw pages that wait in the spool for the broker.',
      'pipeline',
    ),
    spoolBytes: gauge('weir_spool_backlog_bytes', 'Bytes that wait in the spool for the broker.', 'pipeline'),
    spooled: counter(
      'weir_spool_records_total',
      'Records, dead letters and raw pages that went through the spool: stored in it, forwarded, or superseded by what another owner has read.',
      'pipeline',
      'outcome',
    ),
    lastSuccess: gauge(
      'weir_last_success_timestamp_seconds',
      'When a poll or a batch last succeeded, seconds since 1970.',
      'pipeline',
    ),
    consumed: counter('weir_records_consumed_total', 'Records handed to the sink.', 'pipeline', 'group'),
    filtered: counter('weir_records_filtered_total', 'Records that a filter left out.', 'pipeline', 'group'),
    missed: counter(
      'weir_records_missed_total',
      'Offsets that were no longer retained when the group came to them (out_of_range: earliest).',
      'pipeline',
      'group',
    ),
    sinkFailures: counter('weir_sink_failures_total', 'Deliveries that the sink did not take.', 'pipeline', 'group'),
    lag: gauge('weir_lag_records', 'Records of the topic that the group has not read.', 'pipeline', 'group'),
    replayed: counter('weir_dead_letters_replayed_total', 'Dead letters replayed, by outcome.', 'outcome'),
    batchSeconds: histogram('weir_batch_duration_seconds', 'Time from a batch in hand to the batch durable.', 'stage'),
  }
}
