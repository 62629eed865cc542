// The promises of a sink, in the words of the port: run over every connector of the map by sink.test.ts.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Append, Sink } from '../../src/pipeline/ports.ts'
import type { SinkConnector } from '../../src/sinks/sink.ts'
import { createSinkWorld, reviews, type SinkWorld } from '../support/sink-world.ts'

export interface SinkUnderTest {
  readonly connector: SinkConnector
  /** A configuration for a sink of its own each time: `n` differs. */
  config(n: number): Record<string, unknown>
  /** Ids of the records that have arrived, in order. `appends`: what `prepare` gave, for a sink that writes through the log. */
  arrived(world: SinkWorld, config: Record<string, unknown>, appends: readonly Append[]): Promise<readonly string[]>
}

const idsOf = (from: number, to: number, partition = 0) =>
  Array.from({ length: to - from }, (_, i) => `r${partition}-${from + i}`)

export function sinkContract({ connector, config, arrived }: SinkUnderTest): void {
  describe(`sink ${connector.name}`, () => {
    const signal = new AbortController().signal
    let dir: string
    let n = 0
    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'weir-sink-'))
    })
    afterAll(() => rm(dir, { recursive: true, force: true }))

    async function open() {
      const world = createSinkWorld(dir)
      const settings = config(n++)
      const sink: Sink = await connector.open(settings, world.deps)
      const appends: Append[] = []
      const take = async (delivery: ReturnType<typeof reviews>) => {
        if (sink.prepare) appends.push(...(await sink.prepare(delivery)))
        else await sink.deliver!(delivery, signal)
      }
      return { world, settings, sink, take, all: () => arrived(world, settings, appends), appends }
    }

    test('has either deliver or prepare, and the guarantee it declares', async () => {
      const { sink } = await open()
      await using _ = sink
      expect([sink.deliver, sink.prepare].filter(Boolean)).toHaveLength(1)
      expect(sink.guarantee).toBe(connector.guarantee)
      if (sink.startAt) expect([sink.exclusive, sink.guarantee]).toEqual([true, 'exactly_once'])
      if (sink.deliver && sink.guarantee === 'exactly_once') expect(sink.startAt).toBeDefined()
    })

    test('takes a tombstone', async () => {
      const { sink, take } = await open()
      await using _ = sink
      const delivery = reviews(0, 2)
      const { log } = delivery.records[0]!
      const gone = { log: { ...log, value: null }, schemaId: null, value: null }
      await expect(take({ ...delivery, records: [gone, delivery.records[1]!] })).resolves.toBeUndefined()
    })

    test('takes every record once, in order', async () => {
      const { sink, take, all } = await open()
      await using _ = sink
      await take(reviews(0, 3))
      await take(reviews(3, 4))
      await take(reviews(0, 2, 1))
      expect(await all()).toEqual([...idsOf(0, 4), ...idsOf(0, 2, 1)])
    })

    test('takes a delivery without records', async () => {
      const { sink, take, all } = await open()
      await using _ = sink
      await take({ ...reviews(0, 0), nextOffset: 7n })
      await take(reviews(7, 9))
      expect(await all()).toEqual(idsOf(7, 9))
    })

    test('takes a replay, which has no offset to store', async () => {
      const { sink, take, all } = await open()
      await using _ = sink
      await take(reviews(0, 5))
      await take({ ...reviews(2, 3), nextOffset: null })
      expect(await all()).toEqual([...idsOf(0, 5), 'r0-2'])
      if (sink.startAt) expect(sink.startAt('reviews', 0)).toBe(5n)
    })

    test('does not begin when the signal has aborted', async () => {
      const { sink, all } = await open()
      await using _ = sink
      if (!sink.deliver) return
      const reason = new Error('stop')
      await expect(sink.deliver(reviews(0, 1), AbortSignal.abort(reason))).rejects.toBe(reason)
      expect(await all()).toEqual([])
    })

    test('keeps what it took when it is opened again', async () => {
      const first = await open()
      await first.take(reviews(0, 3))
      await first.sink[Symbol.asyncDispose]()
      const again = await connector.open(first.settings, first.world.deps)
      await using _ = again
      expect(await first.all()).toEqual(idsOf(0, 3))
      if (again.startAt) expect(again.startAt('reviews', 0)).toBe(3n)
    })

    test('I1: with its own offset record, a delivery that comes again adds nothing, a partly new one adds the new part', async () => {
      const { sink, take, all } = await open()
      await using _ = sink
      if (!sink.startAt) return
      expect(sink.startAt('reviews', 0)).toBeNull()
      await take(reviews(0, 5))
      await take(reviews(0, 5))
      await take(reviews(3, 8))
      expect(sink.startAt('reviews', 0)).toBe(8n)
      expect(sink.startAt('reviews', 1)).toBeNull()
      expect(sink.startAt('other', 0)).toBeNull()
      expect(await all()).toEqual(idsOf(0, 8))
    })

    test('deliveries of several partitions at the same time all arrive', async () => {
      const { sink, take, all } = await open()
      await using _ = sink
      await Promise.all(Array.from({ length: 8 }, (_, partition) => take(reviews(0, 20, partition))))
      expect([...(await all())].sort()).toEqual(
        Array.from({ length: 8 }, (_, p) => idsOf(0, 20, p))
          .flat()
          .sort(),
      )
    })

    test('each example is valid, and a field that is none is not', () => {
      const valid = new Ajv({ strict: false, useDefaults: true }).compile(connector.config)
      for (const { config: example } of connector.examples) {
        const settings = structuredClone(example)
        expect([valid(settings), valid.errors]).toEqual([true, null])
        expect(connector.lint?.(settings as never, '/definitions') ?? []).toEqual([])
        expect(valid({ ...settings, nonsense: 1 })).toBe(false)
      }
      expect(connector.examples.length).toBeGreaterThan(0)
      expect(connector.summary).toMatch(/^[A-Z].*\.$/)
    })
  })
}
