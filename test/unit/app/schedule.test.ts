import { describe, expect, test } from 'vitest'
import { longestGapMs, nextPassOf } from '../../../src/app/schedule.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const hourMs = 3_600_000

describe('the longest time between two passes', () => {
  const gap = (cron: string) => longestGapMs({ cron }, createFakeClock(Date.UTC(2026, 0, 1)))

  test('is the interval with all of its jitter', () => {
    const clock = createFakeClock()
    const longest = longestGapMs({ everyMs: 60_000 }, clock)!
    expect(nextPassOf({ everyMs: 60_000 }, clock, () => 0.999)(clock.now())! - clock.now()).toBeLessThanOrEqual(longest)
    expect(longest).toBeCloseTo(66_000)
  })

  test('is none where the source is read once', () => {
    expect(longestGapMs(null, createFakeClock())).toBeNull()
  })

  test('of a cron schedule is its longest, such as a weekend', () => {
    expect(gap('0 * * * *')).toBe(hourMs)
    expect(gap('0 9 * * 1-5')).toBe(72 * hourMs)
    expect(gap('*/30 9-17 * * 1-5')).toBe((72 - 8.5) * hourMs)
  })
})
