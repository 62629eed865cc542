// A real process, killed with SIGKILL at every failpoint and at random moments (faults 1 and 2), then audited by a separate program.
// The planted bugs show that these tests can fail: each must be found by the same scene.

import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Failpoint, failpoints } from '../../src/core/failpoint.ts'
import { crashScene } from '../support/crash-scene.ts'
import { plants } from '../support/plants.ts'

/** Failpoints that a run of producer and consumer passes many times; the others have tests of their own below or elsewhere. */
const oftenPassed: readonly Failpoint[] = [
  'map.before',
  'encode.before',
  'append.begin',
  'append.before_commit',
  'append.after_commit',
  'dead_letter.write',
  'consume.decoded',
  'consume.delivered',
  'consume.before_commit',
  'consume.after_commit',
  'sink_file.before_sync',
  'sink_file.after_sync',
]
const oncePassed: readonly Failpoint[] = ['register.before_commit', 'register.after_commit']
/** http-kill.test.ts, replay-kill.test.ts, spool-kill.test.ts, and below. */
const elsewhere: readonly Failpoint[] = [
  'fetch.before',
  'fetch.after',
  'replay.before_commit',
  'replay.after_commit',
  'reparse.before_commit',
  'reparse.after_commit',
  'spool.before_append',
  'spool.after_append',
  'spool.before_forward',
  'spool.after_forward',
  'spool.before_remove',
  'shutdown.begin',
]
const killsPerPoint = 20

test('every failpoint is covered by a kill test', () => {
  expect([...oftenPassed, ...oncePassed, ...elsewhere].sort()).toEqual([...failpoints].sort())
})

describe('I1 I2 I3 I5 I11: killed at a failpoint, every item is once in the topic or once in the dead letters', () => {
  test.concurrent.each(oftenPassed)(
    '%s',
    async point => {
      // A scene ends when its source is through; as many as the kills need.
      for (let kills = 0; kills < killsPerPoint; ) {
        using scene = crashScene({ lines: 1_500, malformedEvery: 100, files: 4 })
        for (let n = 1; kills < killsPerPoint; n = (n % 3) + 1) {
          const result = await scene.run({ WEIR_FAILPOINT: `${point}:${n}:kill` })
          if (result.signal !== 'SIGKILL') {
            expect(result).toMatchObject({ code: 0 })
            break
          }
          kills++
        }
        expect(await scene.run()).toMatchObject({ code: 0 })
        expect(await scene.audit()).toEqual({ ok: true, report: '6000 served = 5940 records + 60 dead letters' })
        expect(await scene.auditSink()).toBe('')
      }
    },
    400_000,
  )

  test.each(oncePassed)('%s', async point => {
    using scene = crashScene({ lines: 200, malformedEvery: 100 })
    for (const n of [1, 2]) await scene.run({ WEIR_FAILPOINT: `${point}:${n}:kill` })
    expect(await scene.run()).toMatchObject({ code: 0 })
    expect(await scene.audit()).toMatchObject({ ok: true })
  })

  test('shutdown.begin', async () => {
    using scene = crashScene({ lines: 12_000, malformedEvery: 100 })
    const killed = await scene.run(
      { WEIR_FAILPOINT: 'shutdown.begin:1:kill' },
      { started: child => void child.stdout!.once('data', () => child.kill('SIGTERM')) },
    )
    expect(killed.signal).toBe('SIGKILL')
    expect(await scene.run()).toMatchObject({ code: 0 })
    expect(await scene.audit()).toMatchObject({ ok: true })
  })
})

test('I1 I2 I3: an outcome in doubt after each commit neither loses nor doubles anything', async () => {
  using scene = crashScene({ lines: 8_000, malformedEvery: 100 })
  expect(await scene.run({ WEIR_FAILPOINT: 'append.after_commit:2:throw' })).toMatchObject({ code: 0 })
  expect(await scene.audit()).toMatchObject({ ok: true })
  expect(await scene.auditSink()).toBe('')
}, 60_000)

test('I1 I2 I3 I5: killed at 100 random moments, every item is once in the topic or once in the dead letters', async () => {
  using scene = crashScene({ lines: 40_000, malformedEvery: 100, files: 3 })
  let kills = 0
  for (let i = 0; i < 100; i++) {
    // A delay in each run keeps the source from ending before the hundred are through.
    const result = await scene.run(
      { WEIR_FAILPOINT: 'append.after_commit:2:delay' },
      { started: child => void setTimeout(() => child.kill('SIGKILL'), 150 + Math.random() * 500) },
    )
    if (result.signal === 'SIGKILL') kills++
  }
  expect(kills).toBeGreaterThanOrEqual(90)
  expect(await scene.run()).toMatchObject({ code: 0 })
  expect(await scene.audit()).toEqual({ ok: true, report: '120000 served = 118800 records + 1200 dead letters' })
  expect(await scene.auditSink()).toBe('')
}, 240_000)

describe('the kill test finds planted bugs', () => {
  test.concurrent.each(Object.keys(plants))(
    '%s',
    async plant => {
      using scene = crashScene({ lines: 8_000, malformedEvery: 50 })
      const nodeArgs = ['--import', join(import.meta.dirname, '../support/plant.ts')]
      const { failpoint } = plants[plant]!
      const deadlineMs = 60_000
      for (let n = 1; n <= 4; n++)
        await scene.run(
          { WEIR_FAILPOINT: failpoint.replace('#', String(n)), WEIR_PLANT: plant, XDG_CACHE_HOME: null, HOME: null },
          { nodeArgs, deadlineMs },
        )
      // Without this a program that cannot even start would count as a bug found: everything it did not write is lost.
      expect(
        await scene.run({ WEIR_PLANT: plant, XDG_CACHE_HOME: null, HOME: null }, { nodeArgs, deadlineMs }),
      ).toMatchObject({ code: 0 })
      const { ok, report } = await scene.audit()
      expect(report).toMatch(/duplicate|lost-write|dlq-missing|dlq-double/)
      expect(ok).toBe(false)
    },
    400_000,
  )
})
