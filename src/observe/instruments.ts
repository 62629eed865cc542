// The metrics there are, with their help texts and labels: the reference of what an operator can plot and alert on.
import type * as prom from 'prom-client'

/** Seconds; a batch is fast on SQLite and slow behind a network. */
const batchBuckets = [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60]

export type Instruments = ReturnType<typeof makeInstruments>

/** Makes every metric in `registry`. */
export function makeInstruments(client: typeof prom, registry: prom.Registry) {
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): prom.Counter<L> =>
    new client.Counter({ name, help, labelNames, registers: [registry] })
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]): prom.Gauge<L> =>
    new client.Gauge({ name, help, labelNames, registers: [registry] })
  return {
    fetched: counter('weir_records_fetched_total', 'Items that the source gave, drops included.', 'pipeline'),
    appended: counter('weir_records_appended_total', 'Records stored in the topic.', 'pipeline'),
    appendedBytes: counter('weir_appended_bytes_total', 'Bytes of values stored in the topic.', 'pipeline'),
    dead: counter('weir_records_dead_total', 'Records that went to the dead letters, by reason.', 'pipeline', 'code'),
    dropped: counter('weir_records_dropped_total', 'Items left out on purpose, by reason.', 'pipeline', 'reason'),
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
    breaker: gauge('weir_breaker_state', 'Circuit breaker: 0 closed, 1 half open, 2 open.', 'pipeline', 'host'),
    commitRetries: counter('weir_commit_retries_total', 'Commits refused for now and tried again.', 'pipeline'),
    commitsUnknown: counter('weir_commits_unknown_total', 'Commits whose outcome had to be read back.', 'pipeline'),
    lastSuccess: gauge(
      'weir_last_success_timestamp_seconds',
      'When a poll or a batch last succeeded, seconds since 1970.',
      'pipeline',
    ),
    consumed: counter('weir_records_consumed_total', 'Records handed to the sink.', 'pipeline', 'group'),
    filtered: counter('weir_records_filtered_total', 'Records that a filter left out.', 'pipeline', 'group'),
    sinkFailures: counter('weir_sink_failures_total', 'Deliveries that the sink did not take.', 'pipeline', 'group'),
    lag: gauge('weir_lag_records', 'Records of the topic that the group has not read.', 'pipeline', 'group'),
    replayed: counter('weir_dead_letters_replayed_total', 'Dead letters replayed, by outcome.', 'outcome'),
    batchSeconds: new client.Histogram({
      name: 'weir_batch_duration_seconds',
      help: 'Time from a batch in hand to the batch durable.',
      labelNames: ['stage'] as const,
      buckets: batchBuckets,
      registers: [registry],
    }),
  }
}
