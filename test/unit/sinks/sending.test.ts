// Calls within limits, what is refused in passing and for good, order, and deliveries that come again: over a service of a few lines.
import { expect, test } from 'vitest'
import { WeirError } from '../../../src/core/errors.ts'
import { createSender, type Entry, type Result, rejected } from '../../../src/sinks/aws/sending.ts'
import { hastyClock } from '../../support/aws/scene.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { reviewAt } from '../../support/sink-world.ts'

const signal = new AbortController().signal
const entry = (offset: number, order: string | null = null, bytes = 1): Entry => ({
  record: reviewAt(offset),
  order,
  bytes,
})
const offsetOf = ({ record }: Entry) => Number(record.log.offset)

function service(
  answer: (offset: number, call: number) => Result = () => 'taken',
  limits: { count?: number; bytes?: number } = {},
) {
  const calls: number[][] = []
  const clock = hastyClock()
  const sender = createSender<Entry>({
    name: 'it',
    maxCount: limits.count ?? 10,
    maxBytes: limits.bytes ?? 100,
    clock,
    async call(batch) {
      calls.push(batch.map(offsetOf))
      return batch.map(each => answer(offsetOf(each), calls.length))
    },
  })
  return { calls, clock, sender }
}
const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    error => error as WeirError,
  )

test('calls are as large as the limits allow', async () => {
  const { sender, calls } = service(undefined, { count: 3, bytes: 10 })
  await sender.send([entry(0), entry(1), entry(2), entry(3, null, 6), entry(4, null, 5), entry(5, null, 10)], signal)
  expect(calls).toEqual([[0, 1, 2], [3], [4], [5]])
})

test('of records with the same order one is in a call, the next when it is taken', async () => {
  const { sender, calls } = service((offset, call) => (offset === 0 && call < 3 ? { again: 'busy' } : 'taken'))
  await sender.send([entry(0, 'a'), entry(1, 'b'), entry(2, 'a'), entry(3, 'b'), entry(4, 'a')], signal)
  expect(calls).toEqual([[0, 1], [0, 3], [0], [2], [4]])
})

test('without an order what is refused in passing is sent again with the rest', async () => {
  const { sender, calls, clock } = service((offset, call) => (offset === 0 && call === 1 ? { again: 'busy' } : 'taken'))
  await sender.send([entry(0), entry(1), entry(2)], signal)
  expect(calls).toEqual([[0, 1, 2], [0]])
  expect(clock.waits).toEqual([100])
})

test('what is never taken is given back after some calls, with growing waits between', async () => {
  const { sender, calls, clock } = service(() => ({ again: 'ProvisionedThroughputExceededException' }))
  const error = await failure(sender.send([entry(0), entry(1)], signal))
  expect(error).toMatchObject({ code: 'sink.failed', hint: expect.any(String) })
  expect(error!.message).toContain('ProvisionedThroughputExceededException')
  expect(calls).toHaveLength(5)
  expect(clock.waits).toEqual([200, 400, 800, 1600])
})

test('a record that will never be taken is told when all others are, and these are not sent again', async () => {
  const { sender, calls } = service(offset => (offset === 1 ? { rejected: 'InvalidMessageContents' } : 'taken'))
  const entries = [entry(0), entry(1), entry(2)]
  expect(await failure(sender.send(entries, signal))).toMatchObject({ code: 'sink.rejected', at: 'reviews/0@1' })
  for (const each of entries) await failure(sender.send([each], signal))
  expect(calls).toEqual([[0, 1, 2], [1]])
})

test('one that is too large is not sent at all', async () => {
  const { sender, calls } = service()
  const large = rejected(reviewAt(7), 'too large')
  expect(await failure(sender.send([entry(0), large, entry(1)], signal))).toBe(large)
  expect(calls).toEqual([[0, 1]])
})

test('a delivery that is tried again after a failure goes on where it was', async () => {
  let down = true
  const calls: number[][] = []
  const sender = createSender<Entry>({
    name: 'it',
    maxCount: 2,
    maxBytes: 100,
    clock: hastyClock(),
    async call(batch) {
      calls.push(batch.map(offsetOf))
      if (calls.length > 1 && down) throw new WeirError('sink.failed', 'down')
      return batch.map(() => 'taken')
    },
  })
  const entries = [0, 1, 2, 3].map(n => entry(n))
  expect(await failure(sender.send(entries, signal))).toMatchObject({ message: 'down' })
  down = false
  await sender.send(entries, signal)
  expect(calls).toEqual([
    [0, 1],
    [2, 3],
    [2, 3],
  ])
})

test('an answer that lacks a record means that it is to be sent again', async () => {
  let short = true
  const sender = createSender<Entry>({
    name: 'it',
    maxCount: 10,
    maxBytes: 100,
    clock: hastyClock(),
    async call(batch) {
      if (!short) return batch.map(() => 'taken')
      short = false
      return ['taken']
    },
  })
  await sender.send([entry(0), entry(1)], signal)
  expect(short).toBe(false)
})

test('a wait ends when the process is told to stop', async () => {
  const stopping = new AbortController()
  const clock = createFakeClock()
  const sender = createSender<Entry>({
    name: 'it',
    maxCount: 1,
    maxBytes: 1,
    clock,
    call: async () => [{ again: 'no' }],
  })
  const sending = failure(sender.send([entry(0)], stopping.signal))
  await clock.waiting()
  stopping.abort(new Error('stop'))
  expect((await sending)!.message).toBe('stop')
})
