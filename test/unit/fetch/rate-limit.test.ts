import { expect, test } from 'vitest'
import { createRateLimits, sharedRateLimits } from '../../../src/fetch/rate-limit.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const signal = new AbortController().signal

/** Starts `count` calls at once and gives the moments at which each was let through. */
async function moments(
  count: number,
  limit: { requests: number; per: number },
  stepMs: number,
  hold?: (limits: ReturnType<typeof createRateLimits>) => void,
) {
  const clock = createFakeClock()
  const limits = createRateLimits(clock)
  const at: number[] = []
  const calls = Array.from({ length: count }, () =>
    limits.wait('a', limit, signal).then(() => at.push(clock.monotonic())),
  )
  await clock.advance(0)
  hold?.(limits)
  for (let i = 0; at.length < count && i < 10_000; i++) await clock.advance(stepMs)
  await Promise.all(calls)
  return at
}

test('calls are spaced evenly, also those that start together', async () => {
  expect(await moments(4, { requests: 1, per: 1000 }, 50)).toEqual([0, 1000, 2000, 3000])
  expect(await moments(4, { requests: 4, per: 1000 }, 50)).toEqual([0, 250, 500, 750])
})

test('thousands a second are reached although timers are coarse', async () => {
  const at = await moments(1000, { requests: 10_000, per: 1000 }, 1)
  expect(at.at(-1)!).toBeGreaterThan(70)
  expect(at.at(-1)!).toBeLessThan(110)
})

test('idle time earns no burst', async () => {
  const clock = createFakeClock()
  const limits = createRateLimits(clock)
  await clock.advance(60_000)
  await limits.wait('a', { requests: 1, per: 1000 }, signal)
  let second = false
  void limits.wait('a', { requests: 1, per: 1000 }, signal).then(() => (second = true))
  await clock.advance(999)
  expect(second).toBe(false)
  await clock.advance(1)
  expect(second).toBe(true)
})

test('hosts do not wait for each other', async () => {
  const limits = createRateLimits(createFakeClock())
  await Promise.all(['a', 'b', 'c'].map(host => limits.wait(host, { requests: 1, per: 1000 }, signal)))
})

test('a silence that the host asked for holds back every call, and the calls behind it stay spaced', async () => {
  const at = await moments(3, { requests: 1, per: 1000 }, 500, limits => limits.hold('a', 10_000))
  expect(at).toEqual([0, 10_000, 11_000])
})

test('a stop ends the wait', async () => {
  const limits = createRateLimits(createFakeClock())
  const stop = new AbortController()
  await limits.wait('a', { requests: 1, per: 1000 }, stop.signal)
  const second = limits.wait('a', { requests: 1, per: 1000 }, stop.signal)
  stop.abort(new Error('stop'))
  await expect(second).rejects.toThrow('stop')
})

test('all guards of a process share the slots of a host', () => {
  const clock = createFakeClock()
  expect(sharedRateLimits(clock)).toBe(sharedRateLimits(clock))
  expect(sharedRateLimits(createFakeClock())).not.toBe(sharedRateLimits(clock))
})
