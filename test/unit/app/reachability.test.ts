import { expect, test } from 'vitest'
import { watchReachability } from '../../../src/app/reachability.ts'
import { WeirError } from '../../../src/core/errors.ts'
import type { Event } from '../../../src/core/event.ts'
import { createHealth } from '../../../src/observe/health.ts'
import type { EventLog } from '../../../src/pipeline/ports.ts'
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts'
import { sampleEvents } from '../../support/sample-events.ts'

type Answer = 'there' | 'silent' | WeirError

/** A watch over a log whose answers are set from outside, with the health that follows from it. */
function watched(spools = false) {
  const clock = createFakeClock()
  const stop = new AbortController()
  const events: Event[] = []
  const health = createHealth({ clock })
  const world = { answer: 'there' as Answer, open: [] as (() => void)[], asked: 0 }
  const log = {
    topic: async () => {
      world.asked++
      if (world.answer === 'silent') await new Promise<void>(resolve => world.open.push(resolve))
      else if (world.answer !== 'there') throw world.answer
      return null
    },
  } as unknown as EventLog
  const sample = sampleEvents('x', 'p')
  health.emit({ ...sample.pipeline_started, stages: ['consumer'] })
  const emit = (event: Event) => {
    events.push(event)
    health.emit(event)
  }
  const done = watchReachability({ log, pipeline: 'p', topic: 't', spools, emit, clock }, stop.signal)
  return { clock, stop, events, health, world, done, types: () => events.map(event => event.type) }
}

const advance = async (clock: FakeClock, ms: number) => {
  for (let passed = 0; passed < ms; passed += 500) await clock.advance(500)
}

test('a log that answers is asked every few seconds, and nothing is told', async () => {
  const { clock, stop, events, world, done } = watched()
  await advance(clock, 30_000)
  expect(world.asked).toBeGreaterThan(8)
  expect(events).toEqual([])
  stop.abort()
  await done
})

test('within 10 s of its loss weir is not ready, also when it is silent; it is ready again once it answers', async () => {
  const { clock, stop, health, world, done, types } = watched()
  await advance(clock, 7_000)
  expect(health.state().ready).toBe(true)
  world.answer = 'silent'
  await advance(clock, 9_500)
  expect(health.state()).toMatchObject({
    ready: false,
    reasons: [{ kind: 'log_unavailable', code: 'log.unavailable' }],
  })
  const asked = world.asked
  await advance(clock, 60_000)
  expect(world.asked).toBe(asked)
  world.answer = 'there'
  for (const answer of world.open) answer()
  await advance(clock, 500)
  expect(health.state().ready).toBe(true)
  expect(types()).toEqual(['log_unreachable', 'log_reachable'])
  stop.abort()
  await done
})

test('a log that refuses the connection is told once, with its reason', async () => {
  const { clock, stop, events, world, done, types } = watched(true)
  world.answer = new WeirError('log.unavailable', 'connection refused')
  await advance(clock, 20_000)
  expect(events).toEqual([
    { type: 'log_unreachable', pipeline: 'p', code: 'log.unavailable', message: 'connection refused', spools: true },
  ])
  world.answer = 'there'
  await advance(clock, 3_500)
  expect(types()).toEqual(['log_unreachable', 'log_reachable'])
  stop.abort()
  await done
})

test('a log that denies the question is there', async () => {
  const { clock, stop, events, world, done } = watched()
  world.answer = new WeirError('log.denied', 'no right to describe')
  await advance(clock, 20_000)
  expect(events).toEqual([])
  stop.abort()
  await done
})

test('I11: told to stop, it ends at once, whatever it waits for, and tells nothing more', async () => {
  const { clock, stop, events, world, done } = watched()
  world.answer = 'silent'
  await advance(clock, 4_000)
  stop.abort()
  await done
  await advance(clock, 20_000)
  expect(events).toEqual([])
})
