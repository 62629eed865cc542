// The http source against a vendor that fails, damages items, edits reviews and adds new ones while it is read: what the vendor served
// whole is compared with the topic, the dead letters and the counted drops; what it has at the end must all be there.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import type { Summary } from '../../src/observe/summary.ts'
import { type FaultKind, faultKinds, type SimulateOptions, simulateReviews } from '../../src/simulate/reviews.ts'
import { runWeir } from '../support/cli.ts'
import { type Style, styles, vendorScene } from '../support/vendor-scene.ts'

const passes = 5
const enoughPasses = 50

const troubled: SimulateOptions = {
  initial: 180,
  editEvery: 3,
  malformed: 0.06,
  faults: 0.2,
  seed: 11,
  slowMs: 30,
}

/** Passes until two in a row are whole: the first may go on with a pass that failed half way, only the second begins at the top. */
async function readToEnd(pass: () => Promise<boolean>): Promise<void> {
  for (let n = 0, whole = 0; whole < 2; n++) {
    if (n === enoughPasses) throw new Error(`no two of ${n} passes in a row were whole`)
    whole = (await pass()) ? whole + 1 : 0
  }
}

const styleNames = Object.keys(styles) as Style[]
const cases = [
  ...faultKinds.map((kind, n): [string, Style, readonly FaultKind[]] => [
    kind,
    styleNames[n % styleNames.length]!,
    [kind],
  ]),
  ...styleNames.map((style): [string, Style, readonly FaultKind[]] => ['all kinds', style, faultKinds]),
]

test.each(cases)(
  'I2 I4 I5: one call in five fails by %s, pages by %s',
  { timeout: 90_000 },
  async (_, style, kinds) => {
    // Only where slowness is the fault, a slow answer is one that comes too late.
    const late = kinds.length === 1 && kinds[0] === 'slow'
    await using vendor = await simulateReviews({ ...troubled, faultKinds: kinds, ...(late ? { slowMs: 1_800 } : {}) })
    await using scene = await vendorScene(vendor, style, late ? '1200ms' : '10s')

    const whole = async () => (await scene.pass()).length === 0
    // Two more ticks after each answer, so that the list changes between any two pages.
    const pass = () => scene.pass(event => void (event.type === 'fetch_done' && vendor.advance(2)))
    for (let n = 0; n < (late ? 2 : passes); n++) await pass()
    for (let n = 0; !kinds.every(kind => vendor.counts[kind]); n++)
      if (n < enoughPasses) await pass()
      else throw new Error(`not every kind of fault came up in ${n} passes`)

    vendor.setFaults(0)
    await readToEnd(whole)
    expect(await scene.audit()).toEqual([])

    const { records, letters } = await scene.counts()
    const summary = scene.summary()
    const dead = Object.values(summary.dead).reduce((sum, count) => sum + count, 0)
    expect(summary).toMatchObject({ appended: records, unaccounted: 0 })
    expect(dead).toBe(letters)
    expect(letters).toBeGreaterThan(3)
    // Every item that was served whole was fetched once for each time it was served, and went to one of three places.
    expect(summary.fetched).toBe(vendor.journal.length)
    expect(vendor.journal.length).toBe(records + letters + (summary.dropped.duplicate ?? 0))
    expect(new Set(vendor.journal.map(({ version }) => version)).size).toBeGreaterThan(1)
  },
)

test.each(faultKinds)(
  'I4: when each call fails by %s, nothing is stored, no cursor moves, nothing is missed',
  { timeout: 90_000 },
  async kind => {
    await using vendor = await simulateReviews({
      ...troubled,
      faults: 0,
      ...(kind === 'slow' ? { slowMs: 1_800 } : {}),
    })
    await using scene = await vendorScene(vendor, 'page', kind === 'slow' ? '1200ms' : '10s')
    const whole = async () => (await scene.pass()).length === 0
    await readToEnd(whole)
    vendor.advance(30)
    const before = await scene.stored()
    const served = vendor.journal.length

    vendor.setFaults(1, [kind])
    const failures = await scene.pass()
    expect(failures).toHaveLength(3)
    expect(await scene.stored()).toEqual(before)
    expect(vendor.journal).toHaveLength(served)

    vendor.setFaults(0)
    await readToEnd(whole)
    expect(await scene.audit()).toEqual([])
    expect(await scene.stored()).not.toEqual(before)
  },
)

test('I2 I4 I5: a real process, run over and over while the vendor lives', { timeout: 120_000 }, async () => {
  // The vendor lives by the clock until it is to stand still for the last look.
  let stoodStillMs: number | null = null
  const clock = { ...systemClock, monotonic: () => stoodStillMs ?? systemClock.monotonic() }
  await using vendor = await simulateReviews({ ...troubled, clock, faultKinds, addEveryMs: 25, seed: 3 })
  await using scene = await vendorScene(vendor, 'page', '10s')
  const total = { fetched: 0, appended: 0, dropped: 0 }
  const run = async () => {
    const { code, out } = await runWeir(
      ['run', scene.pipelineFile, '--until', 'end', '--data', join(scene.dir, '.weir')],
      { cwd: scene.dir, deadlineMs: 30_000 },
    )
    const summary = JSON.parse(out.trim().split('\n').at(-1)!) as Summary
    expect([0, 3]).toContain(code)
    expect(summary).toMatchObject({ event: 'summary', unaccounted: 0 })
    total.fetched += summary.fetched
    total.appended += summary.appended
    total.dropped += summary.dropped.duplicate ?? 0
    return code
  }
  for (let n = 0; n < passes; n++) await run()
  expect(vendor.ticks).toBeGreaterThan(20)

  stoodStillMs = systemClock.monotonic()
  vendor.setFaults(0)
  await readToEnd(async () => (await run()) === 0)
  expect(await scene.audit()).toEqual([])
  const { records, letters } = await scene.counts()
  expect(letters).toBeGreaterThan(3)
  expect(total).toEqual({
    fetched: vendor.journal.length,
    appended: records,
    dropped: vendor.journal.length - records - letters,
  })
})
