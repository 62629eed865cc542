import { describe, expect, test } from 'vitest'
import { createRateLimits, type RateLimit, sharedRateLimits } from '../../../src/fetch/rate-limit.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const signal = new AbortController().signal

/** Starts `count` calls at once and gives the moments at which each was let through. */
async function moments(
  count: number,
  limit: RateLimit,
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

describe('a budget', () => {
  const fast = { requests: 1000, per: 1000 }

  test('is used up as fast as the spacing allows, then calls wait for the oldest to leave the period', async () => {
    const at = await moments(5, { ...fast, budget: { requests: 2, per: 60_000 } }, 100)
    expect(at.map(ms => Math.round(ms / 100))).toEqual([0, 0, 600, 600, 1200])
  })

  test('counts the calls of pipelines that have none, which do not wait', async () => {
    const clock = createFakeClock()
    const limits = createRateLimits(clock)
    const budgeted = { ...fast, budget: { requests: 3, per: 60_000 } }
    await limits.wait('a', budgeted, signal)
    await Promise.all([limits.wait('a', fast, signal), limits.wait('a', fast, signal), clock.advance(10)])
    let isThrough = false
    void limits.wait('a', budgeted, signal).then(() => (isThrough = true))
    void limits.wait('a', fast, signal)
    await clock.advance(59_000)
    expect(isThrough).toBe(false)
    await limits.wait('b', budgeted, signal)
    await clock.advance(2_000)
    expect(isThrough).toBe(true)
  })

  test('a call that waits for it is told of once, with the time, and a stop ends the wait', async () => {
    const clock = createFakeClock()
    const limits = createRateLimits(clock)
    const budgeted = { ...fast, budget: { requests: 1, per: 86_400_000 } }
    const told: [string, number][] = []
    await limits.wait('a', budgeted, signal, (by, ms) => told.push([by, ms]))
    expect(told).toEqual([])
    const stop = new AbortController()
    const second = limits.wait('a', budgeted, stop.signal, (by, ms) => told.push([by, ms]))
    await clock.waiting()
    expect(told).toEqual([['budget', 86_400_000]])
    stop.abort(new Error('stop'))
    await expect(second).rejects.toThrow('stop')
  })
})

test('a silence is told of to those who wait for it', async () => {
  const clock = createFakeClock()
  const limits = createRateLimits(clock)
  limits.hold('a', 5000)
  const told: [string, number][] = []
  const call = limits.wait('a', { requests: 1, per: 1000 }, signal, (by, ms) => told.push([by, ms]))
  await clock.advance(5000)
  await call
  expect(told).toEqual([['asked', 5000]])
})

test('a host that takes fewer calls than we may make is called as seldom as it says, until it says otherwise', async () => {
  const clock = createFakeClock()
  const limits = createRateLimits(clock)
  const at: number[] = []
  const call = () => limits.wait('a', { requests: 10, per: 1000 }, signal).then(() => void at.push(clock.monotonic()))
  limits.space('a', 2000, 'headers')
  const first = [call(), call()]
  await clock.advance(0)
  await clock.advance(2000)
  await Promise.all(first)
  limits.space('a', 1, 'headers')
  const rest = [call(), call()]
  await clock.advance(5000)
  await Promise.all(rest)
  expect(at).toEqual([0, 2000, 4000, 4100])
})
