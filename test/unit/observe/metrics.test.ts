import { describe, expect, test } from 'vitest'
import { type Code, codes } from '../../../src/core/errors.ts'
import type { Event } from '../../../src/core/event.ts'
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

  test('the consumer side is counted by group, and two pipelines with the same group name stay apart', async () => {
    const { batch_consumed, sink_failed, lag } = sampleEvents('log', 'p')
    const lines = await scraped([batch_consumed, sink_failed, lag, { ...lag, pipeline: 'q', lag: 7 }])
    expect(lines).toContain('weir_records_consumed_total{pipeline="p",group="log"} 1')
    expect(lines).toContain('weir_sink_failures_total{pipeline="p",group="log"} 1')
    expect(lines).toContain('weir_lag_records{pipeline="p",group="log"} 1')
    expect(lines).toContain('weir_lag_records{pipeline="q",group="log"} 7')
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
