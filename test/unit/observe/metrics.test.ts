import { describe, expect, test } from 'vitest'
import { type Code, codes } from '../../../src/core/errors.ts'
import type { Event } from '../../../src/core/event.ts'
import { createHealth } from '../../../src/observe/health.ts'
import { createLabelCap, createMetrics, type MetricsOptions } from '../../../src/observe/metrics.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { sampleEvents } from '../../support/sample-events.ts'

async function scraped(events: Iterable<Event>, options: MetricsOptions = { process: false }): Promise<string[]> {
  using metrics = await createMetrics({ clock: createFakeClock(0), ...options })
  for (const event of events) metrics.emit(event)
  return (await metrics.text()).split('\n').filter(line => line !== '' && !line.startsWith('#'))
}

const batch = (records: number, deadLetters: number): Event => ({
  type: 'batch_appended',
  pipeline: 'p',
  topic: 't',
  records,
  deadLetters,
  bytes: records * 10,
  ms: 3,
})

describe('metrics', () => {
  test('I2: unaccounted is 0 when every fetched item is appended, dead or dropped', async () => {
    const lines = await scraped([
      { type: 'records_fetched', pipeline: 'p', count: 10 },
      { type: 'records_dropped', pipeline: 'p', reason: 'duplicate', count: 2 },
      batch(7, 1),
    ])
    expect(lines).toContain('weir_unaccounted_records{pipeline="p"} 0')
    expect(lines).toContain('weir_records_fetched_total{pipeline="p"} 10')
    expect(lines).toContain('weir_records_appended_total{pipeline="p"} 7')
    expect(lines).toContain('weir_records_dropped_total{pipeline="p",reason="duplicate"} 2')
  })

  test('I2: a lost and a doubled record show', async () => {
    expect(await scraped([{ type: 'records_fetched', pipeline: 'p', count: 10 }, batch(9, 0)])).toContain(
      'weir_unaccounted_records{pipeline="p"} 1',
    )
    expect(await scraped([{ type: 'records_fetched', pipeline: 'p', count: 10 }, batch(9, 2)])).toContain(
      'weir_unaccounted_records{pipeline="p"} -1',
    )
  })

  test('I4: failed fetches, calls and the breaker are counted', async () => {
    const { fetch_failed, fetch_done, fetch_retry, breaker_changed } = sampleEvents('api.example.com:443', 'p')
    const lines = await scraped([fetch_failed, fetch_done, fetch_retry, fetch_retry, breaker_changed])
    expect(lines).toContain('weir_fetch_failures_total{pipeline="p",code="fetch.network"} 1')
    expect(lines).toContain('weir_fetch_attempts_total{pipeline="p",outcome="answered"} 1')
    expect(lines).toContain('weir_fetch_attempts_total{pipeline="p",outcome="retried"} 2')
    expect(lines).toContain('weir_breaker_state{pipeline="p",host="api.example.com:443"} 2')
  })

  test('until when calls to a host are held is there by host', async () => {
    const { fetch_held } = sampleEvents('api.example.com:443', 'p')
    expect(await scraped([fetch_held])).toContain(
      'weir_fetch_held_until_timestamp_seconds{pipeline="p",host="api.example.com:443"} 60',
    )
  })

  test('the consumer side is counted by group, and two pipelines with the same group name stay apart', async () => {
    const { batch_consumed, sink_failed, lag } = sampleEvents('log', 'p')
    const lines = await scraped([batch_consumed, sink_failed, lag, { ...lag, pipeline: 'q', lag: 7 }])
    expect(lines).toContain('weir_records_consumed_total{pipeline="p",group="log"} 1')
    expect(lines).toContain('weir_sink_failures_total{pipeline="p",group="log"} 1')
    expect(lines).toContain('weir_lag_records{pipeline="p",group="log"} 1')
    expect(lines).toContain('weir_lag_records{pipeline="q",group="log"} 7')
  })

  test('counters stand at 0 from the start, so that their first increase is seen', async () => {
    const { pipeline_started } = sampleEvents('x', 'p')
    const lines = await scraped([{ ...pipeline_started, passEveryMs: 330_000 }])
    for (const series of [
      'weir_records_fetched_total{pipeline="p"} 0',
      'weir_dead_letters_total{pipeline="p",stage="producer"} 0',
      'weir_dead_letters_total{pipeline="p",stage="consumer"} 0',
      'weir_fetch_failures_total{pipeline="p",code="fetch.timeout"} 0',
      'weir_commits_unknown_total{pipeline="p"} 0',
      'weir_unaccounted_records{pipeline="p"} 0',
      'weir_transaction_in_flight_seconds{pipeline="p"} 0',
      'weir_pass_interval_seconds{pipeline="p"} 330',
    ])
      expect(lines).toContain(series)
  })

  test('a bucket is fresh from when it was taken, then from each pass without a failure, and is gone when it is given back', async () => {
    const clock = createFakeClock(1_000_000)
    using metrics = await createMetrics({ clock, process: false })
    const { bucket_owned, bucket_released, pass_finished } = sampleEvents('x', 'p')
    const fresh = async () => /^weir_bucket_fresh_timestamp_seconds\{.*\} (\d+)$/m.exec(await metrics.text())?.[1]
    metrics.emit({ ...bucket_owned, bucket: 3 })
    expect(await fresh()).toBe('1000')
    await clock.advance(60_000)
    metrics.emit({ ...pass_finished, bucket: 3, failures: 1 })
    expect(await fresh()).toBe('1000')
    metrics.emit({ ...pass_finished, bucket: 3, failures: 0 })
    expect(await fresh()).toBe('1060')
    metrics.emit({ ...bucket_released, bucket: 3 })
    expect(await fresh()).toBeUndefined()
  })

  test('the oldest transaction under way has an age that grows between events', async () => {
    const clock = createFakeClock()
    using metrics = await createMetrics({ clock, process: false })
    const { pipeline_started, commit_started, commit_finished } = sampleEvents('x', 'p')
    const age = async () =>
      Number(/^weir_transaction_in_flight_seconds\{pipeline="p"\} (\S+)$/m.exec(await metrics.text())?.[1])
    metrics.emit(pipeline_started)
    metrics.emit({ ...commit_started, commit: 1 })
    await clock.advance(30_000)
    metrics.emit({ ...commit_started, commit: 2 })
    await clock.advance(30_000)
    expect(await age()).toBe(60)
    metrics.emit({ ...commit_finished, commit: 1 })
    expect(await age()).toBe(30)
    metrics.emit({ ...commit_finished, commit: 2, ms: 30_000 })
    expect(await age()).toBe(0)
    expect(await metrics.text()).toContain('weir_transaction_seconds_bucket{le="60"} 2')
  })

  test('I6: the spool shows its records, its bytes and the age of the oldest', async () => {
    const clock = createFakeClock(1_000_000)
    using metrics = await createMetrics({ clock, process: false })
    const backlog = { type: 'spool_backlog', pipeline: 'p', records: 7, bytes: 900, oldestMs: 1_000_000 } as const
    metrics.emit(backlog)
    await clock.advance(90_000)
    const text = await metrics.text()
    expect(text).toContain('weir_spool_backlog_records{pipeline="p"} 7')
    expect(text).toContain('weir_spool_backlog_bytes{pipeline="p"} 900')
    expect(text).toContain('weir_spool_oldest_seconds{pipeline="p"} 90')
    metrics.emit({ ...backlog, records: 0, bytes: 0, oldestMs: null })
    expect(await metrics.text()).toContain('weir_spool_oldest_seconds{pipeline="p"} 0')
  })

  test('I6: what goes through the spool is counted by where it ends, and nothing is counted as appended again', async () => {
    const events = sampleEvents('x', 'p')
    const lines = await scraped([
      { ...events.batch_spooled, records: 7 },
      { ...events.spool_forwarded, records: 4 },
      { ...events.spool_superseded, records: 3 },
    ])
    for (const [outcome, count] of Object.entries({ stored: 7, forwarded: 4, superseded: 3 }))
      expect(lines).toContain(`weir_spool_records_total{pipeline="p",outcome="${outcome}"} ${count}`)
    expect(lines.filter(line => /^weir_(records_appended|unaccounted).* [1-9]/.test(line))).toEqual([])
  })

  test('health is told as /readyz tells it: ready, and how many reasons of each kind', async () => {
    const clock = createFakeClock()
    const health = createHealth({ clock })
    using metrics = await createMetrics({ clock, health, process: false })
    const told = (event: Event) => {
      health.emit(event)
      metrics.emit(event)
    }
    const { pipeline_started, bucket_owned, fetch_failed, poll_finished } = sampleEvents('x', 'p')
    expect(await metrics.text()).toContain('weir_ready 0')
    told({ ...pipeline_started, stages: ['producer'] })
    expect(await metrics.text()).toContain('weir_health_reasons{pipeline="p",kind="standby"} 1')
    told(bucket_owned)
    told({ ...fetch_failed, split: 'a' })
    told({ ...fetch_failed, split: 'b' })
    const text = await metrics.text()
    expect(text).toContain('weir_ready 1')
    expect(text).toContain('weir_health_reasons{pipeline="p",kind="fetch_failing"} 2')
    expect(text).toContain('weir_health_reasons{pipeline="p",kind="standby"} 0')
    told({ ...poll_finished, split: 'a' })
    expect(await metrics.text()).toContain('weir_health_reasons{pipeline="p",kind="fetch_failing"} 1')
  })

  test('memory of the process is measured', async () => {
    const lines = await scraped([], {})
    expect(lines.some(line => /^process_resident_memory_bytes \d+/.test(line))).toBe(true)
  })

  test('10,000 odd names make fewer than 200 series, process metrics included', async () => {
    const odd = function* () {
      const shapes = [
        'name',
        'evil"} 1\nforged',
        '\u202e',
        'a b',
        '__proto__',
        '🙂',
        'x'.repeat(300),
        'host.example:',
        '',
      ]
      for (let n = 0; n < 10_000; n++) yield* Object.values(sampleEvents(`${shapes[n % shapes.length]}${n}`))
    }
    const lines = await scraped(odd(), {})
    expect(lines.length).toBeGreaterThan(50)
    expect(lines.length).toBeLessThan(200)
    expect(lines.join('\n')).not.toMatch(/forged|🙂|xxx/)
  })

  test('odd codes count as internal', async () => {
    const dead = sampleEvents('x', 'p').record_dead
    const lines = await scraped([
      { ...dead, code: 'made.up' as Code },
      { ...dead, code: 'constructor' as Code },
      ...Object.keys(codes).map(code => ({ ...dead, code: code as Code })),
    ])
    const series = lines.filter(line => line.startsWith('weir_records_dead_total'))
    expect(series).toHaveLength(Object.keys(codes).length)
    expect(series).toContain('weir_records_dead_total{pipeline="p",code="internal"} 3')
  })

  test('two registries share nothing', async () => {
    using one = await createMetrics({ process: false })
    using two = await createMetrics({ process: false })
    one.emit(batch(1, 0))
    expect(await two.text()).not.toContain('weir_records_appended_total{')
  })
})

test('a label cap keeps the first names and gives `other` for the rest', () => {
  const cap = createLabelCap(2)
  expect([cap('a'), cap('b'), cap('c'), cap('a'), cap('not plain')].map(names => names[0])).toEqual([
    'a',
    'b',
    'other',
    'a',
    'other',
  ])
})
