import { describe, expect, test } from 'vitest'
import { type FaultKind, type SimulateOptions, simulateReviews } from '../../../src/simulate/reviews.ts'
import { startVendor } from '../../support/vendor.ts'

describe('options that make no sense are refused', () => {
  test.each<[SimulateOptions, string]>([
    [{ malformed: 1.5 }, 'malformed'],
    [{ malformed: Number.NaN }, 'malformed'],
    [{ faults: -0.1 }, 'faults'],
    [{ faultKinds: [] }, 'faultKinds'],
    [{ faultKinds: ['fire' as FaultKind] }, 'faultKinds'],
    [{ damageKinds: [] }, 'damageKinds'],
    [{ initial: 1.5 }, 'initial'],
    [{ initial: -1 }, 'initial'],
    [{ ticks: -1 }, 'ticks'],
    [{ seed: Number.POSITIVE_INFINITY }, 'seed'],
    [{ addEveryMs: 0 }, 'addEveryMs'],
    [{ editEvery: 0.5 }, 'editEvery'],
    [{ perSecond: 0 }, 'perSecond'],
    [{ slowMs: -1 }, 'slowMs'],
    [{ port: 70_000 }, 'port'],
    [{ token: '' }, 'token'],
    [{ basic: { username: 'a:b', password: 'x' } }, 'basic'],
    [{ style: 'loud' as 'plain' }, 'style'],
    [{ retryAfter: 'soon' as 'date' }, 'retryAfter'],
  ])('%j', async (options, at) => {
    await expect(simulateReviews(options)).rejects.toMatchObject({
      code: 'usage.invalid',
      at,
      hint: expect.any(String),
    })
  })

  test('also when the faults are changed later', async () => {
    const vendor = await startVendor()
    expect(() => vendor.setFaults(2)).toThrow(expect.objectContaining({ code: 'usage.invalid' }))
  })
})
