import { expect, test } from 'vitest'
import { WeirError } from '../../../src/core/errors.ts'
import type { Event } from '../../../src/core/event.ts'
import { createLagTeller, isReadToEnd } from '../../../src/pipeline/lag.ts'
import type { Consumer } from '../../../src/pipeline/ports.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const away = () => Promise.reject(new WeirError('log.unavailable', 'away'))
const broken = () => Promise.reject(new WeirError('log.corrupt', 'damaged'))

function teller(lag: () => Promise<bigint>) {
  const clock = createFakeClock()
  const events: Event[] = []
  const world = { lag, asked: 0 }
  const consumer = {
    lag: () => {
      world.asked++
      return world.lag()
    },
  } as unknown as Consumer
  const options = { pipeline: 'p', group: 'g', topic: 't', emit: (event: Event) => events.push(event), clock }
  return { clock, events, world, lag: createLagTeller(consumer, options) }
}

test('lag is told at once and then every five seconds, however often it is time', async () => {
  const { clock, events, world, lag } = teller(async () => 3n)
  for (let i = 0; i < 10; i++) lag.tick()
  await clock.advance(4_000)
  lag.tick()
  expect(events).toEqual([{ type: 'lag', pipeline: 'p', group: 'g', topic: 't', lag: 3 }])
  await clock.advance(1_000)
  lag.tick()
  await clock.advance(0)
  expect([world.asked, events.length]).toEqual([2, 2])
})

test('a log that cannot say for now is asked again soon, and ends nothing', async () => {
  const { clock, events, world, lag } = teller(away)
  lag.tick()
  await clock.advance(0)
  await clock.advance(500)
  world.lag = async () => 1n
  lag.tick()
  await clock.advance(0)
  expect(events).toMatchObject([{ lag: 1 }])
})

test('a question without an answer is not asked twice', async () => {
  const { clock, world, lag } = teller(() => new Promise(() => {}))
  lag.tick()
  await clock.advance(60_000)
  lag.tick()
  expect(world.asked).toBe(1)
})

test('what will not pass is thrown at the next tick', async () => {
  const { clock, lag } = teller(broken)
  lag.tick()
  await clock.advance(0)
  expect(() => lag.tick()).toThrow('damaged')
})

test('I11: the last question holds up the end for a second at most', async () => {
  const { clock, lag } = teller(() => new Promise(() => {}))
  const last = lag.last()
  await clock.advance(1_000)
  await last
  const answered = teller(async () => 0n)
  await answered.lag.last()
  expect(answered.events).toHaveLength(1)
  expect(answered.clock.waits).toEqual([])
})

test('what is not known for now is not the end', async () => {
  const consumer = (settled: boolean, lag: () => Promise<bigint>) =>
    ({ settled: async () => settled, lag }) as unknown as Consumer
  expect(await isReadToEnd(consumer(true, async () => 0n))).toBe(true)
  expect(await isReadToEnd(consumer(true, async () => 1n))).toBe(false)
  expect(await isReadToEnd(consumer(false, async () => 0n))).toBe(false)
  expect(await isReadToEnd(consumer(true, away))).toBe(false)
  await expect(isReadToEnd(consumer(true, broken))).rejects.toThrow('damaged')
})
