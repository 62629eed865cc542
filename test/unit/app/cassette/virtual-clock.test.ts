// Time that passes at once.
import { expect, test } from 'vitest'
import { createVirtualClock } from '../../../../src/app/cassette/virtual-clock.ts'
import { deadline } from '../../../../src/core/clock.ts'

test('a wait is over at once and moves the time on', async () => {
  const clock = createVirtualClock(1_000)
  await clock.sleep(3_600_000)
  expect([clock.now(), clock.monotonic()]).toEqual([3_601_000, 3_600_000])
})

test('a wait that is called off ends with the reason and takes no time', async () => {
  const clock = createVirtualClock(0)
  await expect(clock.sleep(10, AbortSignal.abort('over'))).rejects.toBe('over')
  expect(clock.now()).toBe(0)
})

test('a limit on work never runs out', async () => {
  const clock = createVirtualClock(0)
  const work = new AbortController()
  const limit = deadline(clock, 1, work.signal)
  await clock.sleep(1_000_000)
  work.abort('done')
  await expect(limit).rejects.toBe('done')
})
