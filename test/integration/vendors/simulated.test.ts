// Every vendor connector that calls somebody, against the simulator of its vendor: records come, none is refused, and a second pass brings
// nothing that was there before. The pages of the first, kept as they came, give the same items without a call. Items that are damaged are
// refused one by one, and no other with them.
import { describe, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import { simulateVendor, vendorSpecs } from '../../../src/simulate/vendors/index.ts'
import type { VendorOptions } from '../../../src/simulate/vendors/settings.ts'
import {
  nameOfSimulated,
  type SimulatedVendor,
  simulatedKey,
  simulatedUser,
  simulatedVendors,
  useOfSimulated,
} from '../../support/simulated-vendors.ts'
import { runVendor } from '../../support/vendor-run.ts'

const asins = ['B000E7WM0K', 'B000G6RYNE']
const cases = simulatedVendors.map(each => [nameOfSimulated(each), each] as const)

async function simulated(name: string, options: VendorOptions = {}) {
  const vendor = await simulateVendor(name, {
    ...{ user: simulatedUser, key: simulatedKey, initial: 300, rateLimit: null },
    ...options,
  })
  onTestFinished(() => vendor.close())
  return vendor
}

describe('over its simulator', () => {
  test.each(cases)('%s', async (_, each) => {
    const { url } = await simulated(each.simulator)
    const use = { ...useOfSimulated(each, url, asins), keepRaw: true as const }
    const nowMs = systemClock.now()
    const first = await runVendor({ ...use, nowMs })
    expect({ failure: first.failure, refused: first.refused.slice(0, 2) }).toEqual({ failure: null, refused: [] })
    expect(first.records.length).toBeGreaterThan(1)
    if (!each.schema) expect(new Set(first.records.map(record => record['product_asin']))).toEqual(new Set(asins))
    expect(first.reread).toEqual(first.items)
    const second = await runVendor({ ...use, nowMs, cursors: first.cursors })
    expect({ failure: second.failure, records: second.records.length }).toEqual({ failure: null, records: 0 })
  })
})

const itemFaults = ({ simulator }: SimulatedVendor) =>
  Object.entries(vendorSpecs[simulator]!.faults).flatMap(([kind, { scope }]) => (scope === 'item' ? [kind] : []))

describe('an item in four is as it should not be', () => {
  const each = simulatedVendors.flatMap(one => itemFaults(one).map(kind => [nameOfSimulated(one), kind, one] as const))
  test.each(each)('%s: %s', async (_, kind, one) => {
    const vendor = await simulated(one.simulator, { fault: { [kind]: 0.25 } })
    const nowMs = systemClock.now()
    const use = useOfSimulated(one, vendor.url, asins)
    const first = await runVendor({ ...use, nowMs })
    const served = vendor.journal.filter(entry => entry.event === 'served')
    const refused = served.filter(entry => entry.refused)
    expect(first.failure).toBeNull()
    expect({ records: first.records.length, refused: first.refused.length }).toEqual({
      records: served.length - refused.length,
      refused: refused.length,
    })
    if (!one.schema) expect(served.some(entry => entry.fault === kind)).toBe(true)
    const second = await runVendor({ ...use, nowMs, cursors: first.cursors })
    expect(second).toMatchObject({ failure: null, records: [], refused: [] })
  })
})

describe('a job that comes to nothing does not stand in the way of the next', () => {
  const faults = (one: SimulatedVendor) =>
    Object.entries(vendorSpecs[one.simulator]!.faults).flatMap(([kind, { scope }]) => (scope === 'job' ? [kind] : []))
  const each = simulatedVendors.flatMap(one => faults(one).map(kind => [nameOfSimulated(one), kind, one] as const))
  test.each(each)('%s: %s', async (_, kind, one) => {
    const vendor = await simulated(one.simulator, { fault: { [kind]: 1 } })
    const use = useOfSimulated(one, vendor.url, asins)
    const nowMs = systemClock.now()
    const first = await runVendor({ ...use, nowMs })
    vendor.setFaults(0)
    const second = await runVendor({ ...use, nowMs: nowMs + 7_200_000, cursors: first.cursors })
    const third = await runVendor({ ...use, nowMs: nowMs + 14_400_000, cursors: second.cursors })
    expect(third.failure).toBeNull()
    const records = [first, second, third].flatMap(pass => pass.records)
    expect(new Set(records.map(record => record['product_asin']))).toEqual(new Set(asins))
  })
})
