import { expect, test } from 'vitest'
import { WeirError } from '../../../src/core/errors.ts'
import { type BreakerStore, createBreakers } from '../../../src/fetch/breaker.ts'
import type { Outcome } from '../../../src/fetch/outcome.ts'
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts'

const settings = { failure_rate: 0.5, window: 4, open_for: 60_000 }
const host = 'api.example:443'
const ok: Outcome = { name: 'done', response: { status: 200, headers: {}, url: '', body: new Uint8Array() } }
const failed = (harm: 'none' | 'failure' | 'blocked' | 'unknown', waitMs?: number): Outcome => ({
  name: 'failed',
  error: new WeirError('fetch.network', 'x'),
  again: true,
  harm,
  ...(waitMs === undefined ? {} : { waitMs }),
})

function memoryStore(): BreakerStore & { readonly states: Map<string, string> } {
  const states = new Map<string, string>()
  return {
    states,
    load: async name => states.get(name) ?? null,
    save: async (name, state) => void states.set(name, state),
  }
}

function open(clock: FakeClock, store: BreakerStore = memoryStore()) {
  const changes: string[] = []
  const warnings: string[] = []
  const breakers = createBreakers(settings, {
    clock,
    store,
    changed: (_, to) => changes.push(to),
    warn: message => warnings.push(message),
  })
  let calls = 0
  const call = (outcome: Outcome | Promise<Outcome>) =>
    breakers.run(host, async () => {
      calls++
      return outcome
    })
  return { breakers, call, changes, warnings, calls: () => calls }
}

const refusal = expect.objectContaining({ code: 'fetch.breaker_open' })

test('opens at the share of failures over the last calls, not before the window is full', async () => {
  const { call, changes, calls } = open(createFakeClock())
  for (const outcome of [failed('failure'), failed('failure'), failed('failure')]) await call(outcome)
  expect(changes).toEqual([])
  await call(failed('failure'))
  expect(changes).toEqual(['open'])
  await expect(call(ok)).rejects.toEqual(refusal)
  expect(calls()).toBe(4)
})

test('the window slides: old failures do not count for ever', async () => {
  const { call, changes } = open(createFakeClock())
  for (const outcome of [failed('failure'), ok, ok, ok, ok, failed('failure'), ok, ok]) await call(outcome)
  expect(changes).toEqual([])
  await call(failed('failure'))
  expect(changes).toEqual(['open'])
})

test('only real failures count: throttled, refused and our own limits do not', async () => {
  const { call, changes } = open(createFakeClock())
  for (let i = 0; i < 20; i++) await call(failed('none'))
  for (let i = 0; i < 20; i++) await call(failed('unknown'))
  expect(changes).toEqual([])
})

test('a block opens it at once, for the time the rule says', async () => {
  const clock = createFakeClock()
  const { call, changes } = open(clock)
  await call(failed('blocked', 1_800_000))
  expect(changes).toEqual(['open'])
  await clock.advance(1_799_000)
  await expect(call(ok)).rejects.toMatchObject({
    code: 'fetch.breaker_open',
    message: expect.stringContaining('for another 1s'),
  })
  await clock.advance(1000)
  await call(ok)
  expect(changes).toEqual(['open', 'half_open', 'closed'])
})

test('half-open lets exactly one probe through; the others fail at once', async () => {
  const clock = createFakeClock()
  const { call, calls, breakers, changes } = open(clock)
  await call(failed('blocked'))
  await clock.advance(60_000)
  const before = calls()
  const probe = Promise.withResolvers<Outcome>()
  const all = Promise.allSettled(Array.from({ length: 50 }, () => call(probe.promise)))
  await clock.advance(1)
  await expect(breakers.check(host)).rejects.toEqual(refusal)
  probe.resolve(ok)
  const results = await all
  expect(calls() - before).toBe(1)
  expect(results.filter(result => result.status === 'fulfilled')).toHaveLength(1)
  expect(results.filter(result => result.status === 'rejected').map(result => result.reason.code)).toEqual(
    Array(49).fill('fetch.breaker_open'),
  )
  expect(changes).toEqual(['open', 'half_open', 'closed'])
})

test('a failed probe opens it again for the whole time', async () => {
  const clock = createFakeClock()
  const { call, changes } = open(clock)
  await call(failed('blocked'))
  await clock.advance(60_000)
  await call(failed('failure'))
  expect(changes).toEqual(['open', 'half_open', 'open'])
  await clock.advance(59_999)
  await expect(call(ok)).rejects.toEqual(refusal)
})

test('a probe that we cut short ourselves says nothing: the next call is the probe', async () => {
  const clock = createFakeClock()
  const { call, changes } = open(clock)
  await call(failed('blocked'))
  await clock.advance(60_000)
  await call(failed('unknown'))
  await call(ok)
  expect(changes).toEqual(['open', 'half_open', 'half_open', 'closed'])
})

test('after it has closed, failures of before it opened are forgotten', async () => {
  const clock = createFakeClock()
  const { call, changes } = open(clock)
  for (let i = 0; i < 4; i++) await call(failed('failure'))
  await clock.advance(60_000)
  await call(ok)
  for (let i = 0; i < 3; i++) await call(failed('failure'))
  expect(changes).toEqual(['open', 'half_open', 'closed'])
})

test('calls that began before it opened cannot close it', async () => {
  const clock = createFakeClock()
  const { call, changes } = open(clock)
  const slow = Promise.withResolvers<Outcome>()
  const running = call(slow.promise)
  await call(failed('blocked'))
  await clock.advance(60_000)
  const probe = Promise.withResolvers<Outcome>()
  const probing = call(probe.promise)
  await clock.advance(0)
  slow.resolve(ok)
  await running
  expect(changes).toEqual(['open', 'half_open'])
  probe.resolve(failed('failure'))
  await probing
  expect(changes).toEqual(['open', 'half_open', 'open'])
})

test('hosts have breakers of their own', async () => {
  const clock = createFakeClock()
  const { call, breakers } = open(clock)
  await call(failed('blocked'))
  await expect(breakers.run('other', async () => ok)).resolves.toBe(ok)
})

test('I4: an open breaker survives a restart: the host is not called before its time', async () => {
  const clock = createFakeClock()
  const store = memoryStore()
  await open(clock, store).call(failed('blocked'))
  await clock.advance(40_000)
  const second = open(clock, store)
  await expect(second.call(ok)).rejects.toMatchObject({ message: expect.stringContaining('for another 20s') })
  expect(second.calls()).toBe(0)
  await clock.advance(20_000)
  await second.call(ok)
  expect(second.changes).toEqual(['open', 'half_open', 'closed'])
  const third = open(clock, store)
  await third.call(ok)
  expect(third.changes).toEqual([])
})

test('a wall clock set back does not keep a saved breaker open for longer than was meant', async () => {
  const clock = createFakeClock()
  const store = memoryStore()
  await open(clock, store).call(failed('blocked'))
  clock.setWall(clock.now() - 3_600_000)
  const second = open(clock, store)
  await expect(second.call(ok)).rejects.toMatchObject({ message: expect.stringContaining('1m 0s') })
})

test('a wall clock that jumps while it is open changes nothing', async () => {
  const clock = createFakeClock()
  const { call } = open(clock)
  await call(failed('blocked'))
  clock.setWall(clock.now() + 3_600_000)
  await expect(call(ok)).rejects.toEqual(refusal)
})

test.each(['', 'null', '[]', '{"version":2,"openUntilMs":9e15,"openForMs":9e15}', '{"version":1,"openUntilMs":"x"}'])(
  'saved state `%s` keeps no host from being called',
  async text => {
    const { call } = open(createFakeClock(), { load: async () => text, save: async () => {} })
    await expect(call(ok)).resolves.toBe(ok)
  },
)

test('a store that fails is told about and stops no call', async () => {
  const broken: BreakerStore = {
    load: () => Promise.reject(new Error('disk')),
    save: () => Promise.reject(new Error('disk')),
  }
  const { call, warnings, changes } = open(createFakeClock(), broken)
  await call(failed('blocked'))
  expect(changes).toEqual(['open'])
  expect(warnings).toHaveLength(2)
})
