import { expect, test } from 'vitest'
import type { Clock } from '../../../src/core/clock.ts'
import { createFloodGuard } from '../../../src/pipeline/flood.ts'

function clockAt(ms: { now: number }): Clock {
  return { now: () => ms.now, monotonic: () => ms.now, sleep: async () => {} }
}

test('a flood is stopped before the batch that passes the limit is committed', () => {
  const guard = createFloodGuard({ records: 3, perMs: 1000 }, clockAt({ now: 0 }))
  guard.admit(2)
  guard.count(2)
  guard.admit(1)
  expect(() => guard.admit(2)).toThrow(
    expect.objectContaining({ code: 'dead_letter.flood', hint: expect.stringContaining('weir dlq stats') }),
  )
})

test('letters older than the period no longer count', () => {
  const time = { now: 0 }
  const guard = createFloodGuard({ records: 3, perMs: 1000 }, clockAt(time))
  guard.count(3)
  expect(() => guard.admit(1)).toThrow()
  time.now = 1001
  expect(() => guard.admit(3)).not.toThrow()
})

test('letters of before the start count, so a restart loop gets no new allowance', () => {
  const guard = createFloodGuard({ records: 3, perMs: 1000 }, clockAt({ now: 500 }), [100, 200, 300])
  expect(() => guard.admit(1)).toThrow(expect.objectContaining({ code: 'dead_letter.flood' }))
})

test('without a limit nothing is stopped, and a batch without letters always passes', () => {
  expect(() => createFloodGuard(null, clockAt({ now: 0 })).admit(1e9)).not.toThrow()
  const guard = createFloodGuard({ records: 1, perMs: 1000 }, clockAt({ now: 0 }), [0, 0, 0])
  expect(() => guard.admit(0)).not.toThrow()
})
