import { describe, expect, test } from 'vitest'
import { WeirError } from '../../../src/core/errors.ts'
import type { Event } from '../../../src/core/event.ts'
import { type DeliverOptions, deliver } from '../../../src/pipeline/deliver.ts'
import type { DecodedRecord, Delivery, Sink } from '../../../src/pipeline/ports.ts'

function setup(answer: (ids: number[], call: number) => void) {
  const events: Event[] = []
  const slept: number[] = []
  const calls: number[][] = []
  const options: DeliverOptions = {
    pipeline: 'p',
    group: 'g',
    sinkName: 'test',
    retry: { attempts: 3, minMs: 100, maxMs: 300 },
    emit: event => events.push(event),
    random: () => 1,
    clock: {
      now: () => 0,
      monotonic: () => 0,
      sleep: async (ms, signal) => {
        signal?.throwIfAborted()
        slept.push(ms)
      },
    },
  }
  const sink: Sink = {
    guarantee: 'at_least_once',
    exclusive: false,
    deliver: async delivery => {
      const ids = delivery.records.map(record => record.value!['id'] as number)
      calls.push(ids)
      answer(ids, calls.length)
    },
    [Symbol.asyncDispose]: async () => {},
  }
  return { options, sink, events, slept, calls }
}

function delivery(...ids: number[]): Delivery {
  const record = (id: number): DecodedRecord => ({
    schemaId: 1,
    value: { id },
    log: {
      topic: 't',
      partition: 0,
      offset: BigInt(id),
      timestampMs: 0,
      key: null,
      value: new Uint8Array(),
      headers: [],
    },
  })
  return { topic: 't', partition: 0, records: ids.map(record), nextOffset: 9n }
}

const failing = () => {
  throw new WeirError('sink.failed', 'down')
}

describe('delivering to a sink', () => {
  test('tries again with growing waits and then succeeds', async () => {
    const { options, sink, slept, calls, events } = setup((_ids, call) => {
      if (call < 3) failing()
    })
    expect(await deliver(sink, delivery(1, 2), options, new AbortController().signal)).toEqual([])
    expect(calls).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ])
    expect(slept).toEqual([100, 200])
    expect(events.map(event => event.type)).toEqual(['sink_failed', 'sink_failed'])
  })

  test('isolates the record that the sink rejects and keeps the rest', async () => {
    const { options, sink, calls } = setup(ids => {
      if (ids.includes(2)) throw new WeirError('sink.rejected', 'no')
    })
    const failures = await deliver(sink, delivery(1, 2, 3), options, new AbortController().signal)
    expect(failures.map(({ log, stage, error }) => [log.offset, stage, error.code])).toEqual([
      [2n, 'deliver', 'sink.rejected'],
    ])
    expect(calls).toEqual([[1, 2, 3], [1], [2], [3]])
  })

  test('gives up after its attempts, each record failing with the reason and the count of tries', async () => {
    const { options, sink } = setup(failing)
    const failures = await deliver(sink, delivery(1, 2), options, new AbortController().signal)
    expect(failures.map(({ attempts, error }) => [attempts, error.message])).toEqual([
      [4, 'down'],
      [4, 'down'],
    ])
  })

  test('never skips a batch of a sink that keeps its own offsets', async () => {
    const { options, sink, calls } = setup((_ids, call) => {
      if (call < 20) failing()
    })
    expect(await deliver({ ...sink, startAt: () => 0n }, delivery(1), options, new AbortController().signal)).toEqual(
      [],
    )
    expect(calls).toHaveLength(20)
  })

  test('a defect of the sink stops the stage instead of becoming a dead letter', async () => {
    const { options, sink } = setup(() => {
      throw new TypeError('defect')
    })
    await expect(deliver(sink, delivery(1), options, new AbortController().signal)).rejects.toThrow('defect')
  })

  test('stops waiting when told to stop', async () => {
    const { options, sink } = setup(failing)
    await expect(deliver(sink, delivery(1), options, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop')
  })
})
