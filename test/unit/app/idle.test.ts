import { expect, test } from 'vitest'
import { watchIdle } from '../../../src/app/idle.ts'
import type { Event } from '../../../src/core/event.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const pipeline = 'p'
const started = (split = 's'): Event => ({ type: 'poll_started', pipeline, split })
const finished = (split = 's'): Event => ({ type: 'poll_finished', pipeline, split, items: 0, ms: 1 })
const fetched: Event = { type: 'records_fetched', pipeline, count: 20 }
const appended = (records: number): Event => ({
  type: 'batch_appended',
  pipeline,
  topic: 't',
  records,
  deadLetters: 0,
  bytes: 1,
  ms: 1,
})

function scene() {
  const clock = createFakeClock()
  const passed: Event[] = []
  const watch = watchIdle(event => passed.push(event), clock, 5_000)
  let idleMs: number | null = null
  const waiting = watch.wait(new AbortController().signal).then(() => {
    idleMs = clock.monotonic()
  })
  return { clock, watch, passed, waiting, idleAt: () => idleMs }
}

test('a source polled every second is idle when its polls bring only what is known', async () => {
  const { clock, watch, idleAt, passed } = scene()
  for (let second = 0; second < 10; second++) {
    for (const event of [started(), fetched, appended(second < 2 ? 3 : 0), finished()]) watch.emit(event)
    await clock.advance(1_000)
  }
  expect(idleAt()).toBe(6_000)
  expect(passed).toHaveLength(40)
})

test('a long poll through known pages is waited for, because something new may stand at its end', async () => {
  const { clock, watch, idleAt } = scene()
  watch.emit(started())
  for (let page = 0; page < 20; page++) {
    watch.emit(fetched)
    await clock.advance(1_000)
  }
  expect(idleAt()).toBeNull()
  watch.emit(finished())
  await clock.advance(100)
  expect(idleAt()).toBe(20_100)
})

test('a poll that never ends, as of a followed file, is idle once its source is silent', async () => {
  const { clock, watch, idleAt } = scene()
  watch.emit(started())
  watch.emit(fetched)
  await clock.advance(4_900)
  expect(idleAt()).toBeNull()
  await clock.advance(100)
  expect(idleAt()).toBe(5_000)
})

test('what is still being consumed or tried again is not idle', async () => {
  const { clock, watch, idleAt } = scene()
  await clock.advance(4_000)
  watch.emit({ type: 'fetch_retry', pipeline, host: 'h', attempt: 1, waitMs: 1, code: 'fetch.status', message: 'm' })
  await clock.advance(4_000)
  watch.emit({
    type: 'batch_consumed',
    pipeline,
    group: 'g',
    topic: 't',
    partition: 0,
    records: 1,
    filtered: 0,
    deadLetters: 0,
    ms: 1,
  })
  await clock.advance(4_900)
  expect(idleAt()).toBeNull()
  await clock.advance(100)
  expect(idleAt()).toBe(13_000)
})

test('waiting ends with its signal', async () => {
  const stop = new AbortController()
  const waiting = watchIdle(() => {}, createFakeClock(), 5_000).wait(stop.signal)
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
})
