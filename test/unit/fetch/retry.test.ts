import { expect, test } from 'vitest'
import { WeirError } from '../../../src/core/errors.ts'
import type { HttpResponse } from '../../../src/fetch/guard.ts'
import { type Attempt, type Outcome, outcomeOf } from '../../../src/fetch/outcome.ts'
import { backoffMs, retry } from '../../../src/fetch/retry.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const settings = { attempts: 5, backoff: { min: 4000, max: 10_000 }, retry_after_max: 900_000 }
const response: HttpResponse = { status: 200, headers: {}, url: 'https://a.example/', body: new Uint8Array() }
const done: Outcome = { name: 'done', response }
const failed = (detail: Partial<Extract<Outcome, { name: 'failed' }>> = {}): Outcome => ({
  name: 'failed',
  error: new WeirError('fetch.network', 'reset'),
  again: true,
  harm: 'failure',
  ...detail,
})

/** Runs a script of outcomes and moves the clock through every wait; gives the waits. */
async function run(outcomes: readonly Outcome[], random = () => 0.5) {
  const clock = createFakeClock()
  const waits: number[] = []
  let calls = 0
  const attempt: Attempt = async () => outcomes[Math.min(calls++, outcomes.length - 1)]!
  let ended = false
  const result = retry(
    attempt,
    settings,
    { clock, random, retrying: (_, waitMs) => waits.push(waitMs) },
    new AbortController().signal,
  ).then(
    value => ({ value, error: undefined }),
    error => ({ value: undefined, error }),
  )
  void result.then(() => (ended = true))
  while (!ended) await clock.advance(1000)
  return { ...(await result), waits, calls: () => calls }
}

test('five attempts in all, with waits that double up to the ceiling and jitter over all of it', async () => {
  const { error, waits, calls } = await run([failed()], () => 0.999999)
  expect(calls()).toBe(5)
  expect(waits).toEqual([4000, 8000, 10_000, 10_000])
  expect(error).toMatchObject({ code: 'fetch.network', message: 'reset (5 attempts)' })
  expect(error.hint).toContain('cursor has not moved')
})

test('jitter is full: from zero to the ceiling', () => {
  expect([0, 0.25, 0.999999].map(r => backoffMs(3, settings.backoff, () => r))).toEqual([0, 2500, 10_000])
  expect(backoffMs(500, settings.backoff, () => 0.5)).toBe(5000)
})

test('a wait that the host asks for wins over the backoff', async () => {
  const { value, waits } = await run([failed({ waitMs: 60_000 }), failed({ waitMs: 0 }), failed(), done])
  expect(value).toBe(response)
  expect(waits).toEqual([60_000, 0, 5000])
})

test('what calling again cannot help is not called again', async () => {
  const { error, calls } = await run([failed({ again: false, error: new WeirError('fetch.fatal', 'no money') })])
  expect(error).toMatchObject({ code: 'fetch.fatal', message: 'no money' })
  expect(calls()).toBe(1)
})

test('a stop ends the wait at once with its own reason', async () => {
  const clock = createFakeClock()
  const stop = new AbortController()
  const running = retry(async () => failed(), settings, { clock, random: () => 1, retrying: () => {} }, stop.signal)
  await clock.waiting()
  stop.abort(new Error('stop'))
  await expect(running).rejects.toThrow('stop')
  expect(clock.waits).toEqual([])
})

const verdictAt = (askedMs: number | undefined, verdict: Parameters<typeof outcomeOf>[1]) =>
  outcomeOf(response, verdict, 'GET https://a.example/', askedMs, 900_000)

test('Retry-After is capped and the cap is told', () => {
  const outcome = verdictAt(3650 * 86_400_000, { class: 'throttled', reason: 'status 429' })
  expect(outcome).toMatchObject({ name: 'failed', again: true, harm: 'none', waitMs: 900_000, hostAsked: true })
  expect(outcome).toHaveProperty('error.message', expect.stringContaining('capped'))
})

test("Retry-After wins over a rule's own wait, which holds without it", () => {
  expect(verdictAt(1000, { class: 'retry', reason: 'x', waitMs: 5000 })).toMatchObject({
    waitMs: 1000,
    hostAsked: true,
    harm: 'failure',
  })
  expect(verdictAt(undefined, { class: 'retry', reason: 'x', waitMs: 5000 })).toMatchObject({
    waitMs: 5000,
    hostAsked: false,
  })
})

test.each([
  ['throttled', 'fetch.throttled', true, 'none'],
  ['retry', 'fetch.status', true, 'failure'],
  ['blocked', 'fetch.blocked', false, 'blocked'],
  ['fatal', 'fetch.fatal', false, 'none'],
] as const)('the verdict %s becomes %s', (name, code, again, harm) => {
  expect(verdictAt(undefined, { class: name, reason: 'why' })).toMatchObject({
    again,
    harm,
    error: { code, message: 'why', at: 'GET https://a.example/' },
  })
})
