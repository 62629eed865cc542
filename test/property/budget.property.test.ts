import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createBudget } from '../../src/fetch/budget.ts'

test('in no period, wherever it begins, there is more than the budget; and what fits is let through within a thousandth of it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom(1000, 60_000, 86_400_000),
      fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 300 }),
      (requests, periodMs, gaps) => {
        const budget = createBudget(periodMs)
        const spent: number[] = []
        let now = 1
        for (const gap of gaps) {
          now += (gap / 5000) * (periodMs / 10)
          const freeAt = budget.freeAt(requests)
          const inPeriod = spent.filter(at => at > now - periodMs).length
          if (freeAt <= now) {
            expect(inPeriod).toBeLessThan(requests)
            budget.spend(now)
            spent.push(now)
          } else if (inPeriod < requests) expect(freeAt - now).toBeLessThanOrEqual(periodMs / 1000)
        }
      },
    ),
  )
})

test('a day of a million calls is kept in little memory', () => {
  const budget = createBudget(86_400_000)
  for (let i = 0; i < 1_000_000; i++) budget.spend(i * 86)
  const startedMs = performance.now()
  for (let i = 0; i < 1000; i++) budget.freeAt(2_000_000)
  expect(performance.now() - startedMs).toBeLessThan(1000)
  expect(budget.freeAt(1_000_001)).toBe(0)
  expect(budget.freeAt(1_000_000)).toBeGreaterThan(86_400_000)
})
