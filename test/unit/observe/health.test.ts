import { describe, expect, test } from 'vitest'
import type { Event } from '../../../src/core/event.ts'
import { createHealth, type HealthOptions } from '../../../src/observe/health.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { sampleEvents } from '../../support/sample-events.ts'

const events = sampleEvents('x', 'p')
const started: Event = { ...events.pipeline_started, stages: ['producer', 'consumer'] }
const owned = events.bucket_owned

function health(options: HealthOptions = {}) {
  const clock = createFakeClock()
  const made = createHealth({ clock, ...options })
  const told = (...many: Event[]) => {
    for (const event of many) made.emit(event)
    const { live, ready, degraded, reasons } = made.state()
    return { live, ready, degraded, kinds: reasons.map(reason => reason.kind) }
  }
  return { clock, told, made }
}

const fine = { live: true, ready: true, degraded: false, kinds: [] }

describe('ready', () => {
  test('only once a pipeline has started and owns a share of the work', () => {
    const { told } = health()
    expect(told()).toEqual({ live: true, ready: false, degraded: false, kinds: ['not_started'] })
    expect(told(started)).toEqual({ live: true, ready: false, degraded: false, kinds: ['standby'] })
    expect(told(owned)).toEqual(fine)
  })

  test('without a share when there is no producer stage', () => {
    expect(health().told({ ...started, stages: ['consumer'] })).toEqual(fine)
  })

  test('ends at the first sign of stopping', () => {
    const { told } = health()
    expect(told(started, owned, events.drain_started).kinds).toEqual(['stopping'])
    expect(told(events.pipeline_stopped)).toMatchObject({ live: true, ready: false, kinds: ['stopped'] })
  })

  test('ends when another owner has taken the last share', () => {
    expect(health().told(started, owned, events.bucket_released).kinds).toEqual(['standby'])
  })

  test('goes on when the source is read to its end and consumers have work left', () => {
    expect(health().told(started, owned, { ...events.bucket_released, why: 'shutdown' })).toEqual(fine)
  })

  test('needs every pipeline of the process', () => {
    const other = sampleEvents('x', 'q')
    const { told } = health()
    expect(told(started, owned, { ...other.pipeline_started, stages: ['producer'] }).ready).toBe(false)
    expect(told(other.bucket_owned).ready).toBe(true)
  })

  test('L8: ends at once when the log is full or away, and comes back with the next commit', () => {
    for (const code of ['log.full', 'log.unavailable'] as const) {
      const { told } = health()
      expect(told(started, owned, { ...events.commit_retried, code })).toMatchObject({
        ready: false,
        kinds: ['log_unavailable'],
      })
      expect(told({ ...events.batch_appended, deadLetters: 0 })).toEqual(fine)
    }
  })

  test('comes back when the log is written again, though no record follows', () => {
    for (const after of [events.commit_recovered, events.bucket_released]) {
      const { told } = health()
      told(started, owned, { ...owned, bucket: 7 } as typeof owned, { ...events.commit_retried, code: 'log.full' })
      expect(told(after).ready).toBe(true)
    }
  })

  test('ends when the log does not answer, though nothing is written, and comes back when it answers', () => {
    const { told } = health()
    expect(told(started, owned, events.log_unreachable)).toMatchObject({ ready: false, kinds: ['log_unavailable'] })
    expect(told(events.batch_appended)).toMatchObject({ ready: false })
    expect(told(events.log_reachable)).toEqual(fine)
  })

  test('goes on, degraded, where a spool takes what the log does not', () => {
    const { told } = health()
    const lost = { ...events.log_unreachable, spools: true }
    expect(told(started, owned, lost)).toMatchObject({ ready: true, degraded: true, kinds: ['log_unavailable'] })
    expect(told(events.log_reachable)).toEqual(fine)
  })

  test('a busy log counts only after 5 seconds', async () => {
    const { told, clock } = health()
    expect(told(started, owned, events.commit_retried)).toEqual(fine)
    await clock.advance(4_999)
    expect(told(events.commit_retried)).toEqual(fine)
    await clock.advance(1)
    expect(told()).toMatchObject({ ready: false, kinds: ['log_unavailable'] })
  })
})

describe('degraded', () => {
  const cases: [name: string, cause: Event, cure: Event | null, kind: string][] = [
    ['an open breaker', events.breaker_changed, { ...events.breaker_changed, to: 'closed' }, 'breaker_open'],
    ['a failing fetch', events.fetch_failed, events.poll_finished, 'fetch_failing'],
    ['a failing sink', events.sink_failed, events.batch_consumed, 'sink_failing'],
    ['lag', { ...events.lag, lag: 100_001 }, { ...events.lag, lag: 100_000 }, 'lag'],
    ['a flood of dead letters', events.flood_stopped, null, 'flood_stopped'],
    [
      'a broker whose writes are spooled',
      events.spool_started,
      { ...events.spool_backlog, records: 0, oldestMs: null },
      'spooling',
    ],
    [
      'a backlog in the spool',
      events.spool_backlog,
      { ...events.spool_backlog, records: 0, oldestMs: null },
      'spooling',
    ],
  ]
  test.each(cases)('I4: %s degrades and does not make unready', (_, cause, cure, kind) => {
    const { told } = health()
    expect(told(started, owned, cause)).toEqual({ live: true, ready: true, degraded: true, kinds: [kind] })
    if (cure) expect(told(cure)).toEqual(fine)
  })

  test('a half-open breaker stays a reason, one split that works clears no other', () => {
    const { told } = health()
    told(started, owned, { ...events.fetch_failed, split: 'a' }, { ...events.fetch_failed, split: 'b' })
    expect(told({ ...events.poll_finished, split: 'a' }).kinds).toEqual(['fetch_failing'])
    expect(told({ ...events.breaker_changed, to: 'half_open' }).kinds).toEqual(['fetch_failing', 'breaker_open'])
  })

  test('keeps since when, and a bounded number of reasons', async () => {
    const { told, made, clock } = health()
    told(started, owned, events.fetch_failed)
    const since = made.state().reasons[0]!.sinceMs
    await clock.advance(60_000)
    told(events.fetch_failed)
    expect(made.state().reasons[0]!.sinceMs).toBe(since)
    for (let n = 0; n < 10_000; n++) made.emit({ ...events.fetch_failed, split: `s${n}` })
    expect(made.state().reasons.length).toBe(64)
  })

  test('a pipeline that starts again starts clean', () => {
    expect(health().told(started, owned, events.flood_stopped, events.pipeline_stopped, started, owned)).toEqual(fine)
  })
})
