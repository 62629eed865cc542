import { expect, test } from 'vitest'
import { withDeadline } from '../../../src/fetch/timeout.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const forEver = () => new Promise<never>(() => {})

test('work in time gives its result and leaves no timer', async () => {
  const clock = createFakeClock()
  await expect(withDeadline(1000, clock, new AbortController().signal, async () => 7)).resolves.toBe(7)
  expect(clock.waits).toEqual([])
})

test('work that ignores its signal still ends at the deadline', async () => {
  const clock = createFakeClock()
  let inner: AbortSignal | undefined
  const running = withDeadline(1000, clock, new AbortController().signal, signal => {
    inner = signal
    return forEver()
  })
  const result = expect(running).rejects.toMatchObject({
    code: 'fetch.timeout',
    message: 'No complete answer within 1s',
  })
  await clock.advance(999)
  expect(inner!.aborted).toBe(false)
  await clock.advance(1)
  await result
  expect(inner!.aborted).toBe(true)
})

test("the caller's stop wins, with its own reason", async () => {
  const clock = createFakeClock()
  const stop = new AbortController()
  const running = withDeadline(1000, clock, stop.signal, forEver)
  stop.abort(new Error('stop'))
  await expect(running).rejects.toThrow('stop')
  expect(clock.waits).toEqual([])
})

test('what aborted work throws is not shown instead of the deadline', async () => {
  const clock = createFakeClock()
  const running = withDeadline(
    10,
    clock,
    new AbortController().signal,
    signal => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('noise')))),
  )
  const result = expect(running).rejects.toMatchObject({ code: 'fetch.timeout' })
  await clock.advance(10)
  await result
})
