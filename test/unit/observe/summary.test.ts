import { describe, expect, test } from 'vitest'
import type { Event } from '../../../src/core/event.ts'
import { createObserver } from '../../../src/observe/observer.ts'
import { createSummary, formatSummary } from '../../../src/observe/summary.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { sampleEvents } from '../../support/sample-events.ts'

const run: Event[] = [
  { type: 'fetch_done', pipeline: 'p', host: '127.0.0.1:8080', status: 200, bytes: 9, ms: 1, attempt: 1 },
  { type: 'records_fetched', pipeline: 'p', count: 1300 },
  { type: 'records_dropped', pipeline: 'p', reason: 'duplicate', count: 90 },
  { type: 'record_dead', pipeline: 'p', stage: 'map', code: 'map.failed', message: 'x' },
  { type: 'record_dead', pipeline: 'p', stage: 'deliver', code: 'sink.rejected', message: 'x' },
  { type: 'pages_kept', pipeline: 'p', topic: 't_raw', pages: 2, bytes: 100 },
  { type: 'batch_appended', pipeline: 'p', topic: 't', records: 1209, deadLetters: 1, bytes: 4096, ms: 2 },
  {
    type: 'batch_consumed',
    pipeline: 'p',
    group: 'g',
    topic: 't',
    partition: 0,
    records: 200,
    filtered: 1009,
    deadLetters: 1,
    ms: 1,
  },
  { type: 'lag', pipeline: 'p', group: 'g', topic: 't', lag: 0 },
]

describe('the summary', () => {
  test('I2: says where every item went', async () => {
    const clock = createFakeClock()
    const summary = createSummary({ clock })
    for (const event of run) summary.emit(event)
    await clock.advance(2_000)
    expect(summary.snapshot()).toEqual({
      fetched: 1300,
      appended: 1209,
      dropped: { duplicate: 90 },
      dead: { 'map.failed': 1 },
      unaccounted: 0,
      rawPages: 2,
      bytes: 4096,
      fetchFailures: 0,
      breaker: { '127.0.0.1:8080': 'closed' },
      consumed: 200,
      filtered: 1009,
      undelivered: { 'sink.rejected': 1 },
      lag: { g: 0 },
      spool: { stored: 0, forwarded: 0, superseded: 0, waiting: 0 },
      ms: 2000,
    })
    expect(formatSummary(summary.snapshot(), { color: false })).toBe(
      [
        '  fetched          1,300  items the source gave',
        '  appended         1,209  records stored in the topic, 4 KB',
        '  dropped             90  left out on purpose: duplicate 90',
        '  dead                 1  kept as dead letters with their reason: map.failed 1',
        '  unaccounted          0  every item went to exactly one of these places',
        '  raw pages            2  pages stored as they came, for weir reparse',
        '  breaker         closed  circuit breaker of 127.0.0.1:8080',
        '  consumed           200  records handed to sinks, 1,009 more filtered out',
        '  undelivered          1  dead letters of consumers: sink.rejected 1',
        '  lag                  0  records that g has not read',
        '  time                2s  605 records/s',
        '',
      ].join('\n'),
    )
  })

  test('I2: a record that went nowhere is an alarm', () => {
    const summary = createSummary()
    summary.emit({ type: 'records_fetched', pipeline: 'p', count: 2 })
    expect(formatSummary(summary.snapshot(), { color: true })).toMatch(/unaccounted \x1b\[31m +2\x1b\[0m/)
  })

  test('keeps to one pipeline when asked, and names of hosts cannot forge lines', () => {
    const summary = createSummary({ pipeline: 'p' })
    for (const event of run) summary.emit({ ...event, pipeline: 'q' } as Event)
    expect(summary.snapshot().fetched).toBe(0)
    summary.emit({ ...sampleEvents('evil\n  fetched 9\x1b[2J', 'p').breaker_changed })
    const text = formatSummary(summary.snapshot(), { color: false })
    expect(text).not.toContain('\x1b')
    expect(text.match(/^ {2}fetched/gm)).toHaveLength(1)
  })

  test('a snapshot does not change afterwards', () => {
    const summary = createSummary()
    summary.emit(run[2]!)
    const before = summary.snapshot()
    summary.emit(run[2]!)
    expect(before.dropped).toEqual({ duplicate: 90 })
  })

  test('holds a bounded number of names', () => {
    const summary = createSummary()
    for (let n = 0; n < 5_000; n++) summary.emit({ ...sampleEvents(`h${n}`, 'p').breaker_changed })
    expect(Object.keys(summary.snapshot().breaker)).toHaveLength(64)
  })
})

describe('the observer', () => {
  test('gives every listener every event, one that fails is reported once and takes no other with it', () => {
    const seen: Event[] = []
    const logged: Event[] = []
    const emit = createObserver({
      metrics: {
        emit: () => {
          throw new Error('broken counter')
        },
      },
      summary: { emit: event => void seen.push(event) },
      logger: { emit: event => void logged.push(event) },
    })
    for (const event of run) emit(event)
    expect(seen).toEqual(run)
    expect(logged.filter(event => event.type !== 'warning')).toEqual(run)
    expect(logged.filter(event => event.type === 'warning')).toMatchObject([
      { code: 'internal', message: expect.stringContaining('broken counter') },
    ])
  })

  test('a logger that fails stops nothing', () => {
    const emit = createObserver({
      logger: {
        emit: () => {
          throw new Error('disk full')
        },
      },
    })
    expect(() => emit(run[0]!)).not.toThrow()
  })

  test('I6: says what waits in the spool for the broker', () => {
    const events = sampleEvents('x', 'p')
    const summary = createSummary()
    summary.emit({ ...events.batch_spooled, records: 1_200 })
    summary.emit({ ...events.spool_forwarded, records: 1_000 })
    summary.emit({ ...events.spool_backlog, records: 200 })
    expect(formatSummary(summary.snapshot(), { color: false })).toContain(
      '  spooled          1,200  stored while the broker was away; 1,000 forwarded, 200 wait\n',
    )
    summary.emit({ ...events.spool_superseded, records: 200 })
    expect(formatSummary(summary.snapshot(), { color: false })).toContain('200 left to another owner')
  })
})
