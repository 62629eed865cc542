// I1, I3: for any sequence of transactions, refusals, renewals, commits and crashes the embedded log equals a model kept in memory.
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openSqliteEventLog } from '../../src/adapters/event-log-sqlite/event-log.ts'
import { systemClock } from '../../src/core/clock.ts'
import { partitionOf } from '../../src/core/murmur2.ts'
import type { OutRecord } from '../../src/core/record.ts'
import type { Bucket, Consumer, EventLog } from '../../src/pipeline/ports.ts'

const partitions = 3
const topics = ['a', 'b'] as const
const maxRecordBytes = 3000

interface Written {
  readonly topic: (typeof topics)[number]
  readonly key: string
  readonly size: number
  readonly headers: number
}

type Step =
  | { readonly do: 'transact'; readonly records: readonly Written[]; readonly cursor: string | null }
  | { readonly do: 'transact_zombie' }
  | { readonly do: 'transact_too_large'; readonly records: readonly Written[] }
  | { readonly do: 'renew' | 'reopen' | 'crash' | 'check' }
  | { readonly do: 'consume'; readonly maxRecords: number; readonly forward: boolean; readonly commit: boolean }

const written: fc.Arbitrary<Written> = fc.record({
  topic: fc.constantFrom(...topics),
  key: fc.constantFrom('', 'k1', 'k2', 'k3', 'größe', 'k'.repeat(70)),
  size: fc.oneof({ weight: 8, arbitrary: fc.nat(60) }, { weight: 1, arbitrary: fc.nat(2500) }),
  headers: fc.nat(3),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('transact' as const),
      records: fc.array(written, { maxLength: 40 }),
      cursor: fc.option(fc.string({ maxLength: 20 }), { nil: null }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'transact_zombie' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('transact_too_large' as const),
      records: fc.array(written, { maxLength: 5 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('renew' as const, 'reopen' as const, 'crash' as const, 'check' as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('consume' as const),
      maxRecords: fc.integer({ min: 1, max: 50 }),
      forward: fc.boolean(),
      commit: fc.boolean(),
    }),
  },
)

interface Stored {
  readonly key: string
  readonly value: string
  readonly headers: readonly string[]
}

/** What must be in the log. */
class Model {
  readonly partitions = new Map<string, Stored[]>(
    topics.flatMap(topic => Array.from({ length: partitions }, (_, p) => [`${topic}/${p}`, [] as Stored[]] as const)),
  )
  cursor: string | null = null
  offsets = new Map<number, number>()

  append(topic: string, { key, value, headers }: OutRecord): void {
    const place = `${topic}/${partitionOf(key!, partitions)}`
    this.partitions.get(place)!.push({
      key: Buffer.from(key!).toString(),
      value: Buffer.from(value!).toString(),
      headers: headers.map(([name, content]) => `${name}=${content}`),
    })
  }
}

/** The log under test, in a directory that changes with each crash. */
class Scene {
  readonly root = mkdtempSync(join(tmpdir(), 'weir-model-'))
  readonly model = new Model()
  #round = 0
  #serial = 0
  #log!: EventLog
  #bucket!: Bucket
  #zombie: Bucket | null = null
  #consumer!: Consumer
  /** Grows with each crash, so that the leases of the dead have run out: here they live in the same process. */
  #laterMs = 0

  get #dir(): string {
    return join(this.root, `${this.#round}`)
  }

  async open(): Promise<void> {
    this.#log = await openSqliteEventLog({
      dataDir: this.#dir,
      clock: { ...systemClock, monotonic: () => systemClock.monotonic() + this.#laterMs },
    })
    for (const name of topics)
      await this.#log.ensureTopic({ name, partitions, retentionMs: null, retentionBytes: null, maxRecordBytes })
    const assigned = Promise.withResolvers<Bucket>()
    await this.#log.joinProducers({
      pipeline: 'p',
      buckets: 1,
      assigned: assigned.resolve,
      revoked: async () => {},
      lost: () => {},
    })
    this.#bucket = await assigned.promise
    this.#zombie = null
    this.#consumer = await this.#log.joinConsumers({ group: 'g', topic: 'a', start: 'earliest', outOfRange: 'stop' })
    expect(this.#bucket.cursors.get('s')?.value ?? null).toBe(this.model.cursor)
  }

  async close(): Promise<void> {
    await this.#log[Symbol.asyncDispose]()
  }

  async run(each: Step): Promise<void> {
    switch (each.do) {
      case 'transact': {
        const appends = this.#appends(each.records)
        await this.#bucket.transact({ appends, cursors: [{ split: 's', value: each.cursor }] })
        for (const { topic, records } of appends) for (const record of records) this.model.append(topic, record)
        this.model.cursor = each.cursor
        return
      }
      case 'transact_zombie':
        if (this.#zombie)
          await expect(
            this.#zombie.transact({ appends: [], cursors: [{ split: 's', value: 'zombie' }] }),
          ).rejects.toMatchObject({ code: 'log.fenced' })
        return
      case 'transact_too_large': {
        const large = {
          topic: 'b',
          records: [{ key: Buffer.from('k'), value: Buffer.alloc(maxRecordBytes), headers: [], timestampMs: 1 }],
        }
        await expect(
          this.#bucket.transact({
            appends: [...this.#appends(each.records), large],
            cursors: [{ split: 's', value: 'no' }],
          }),
        ).rejects.toMatchObject({ code: 'log.record_too_large' })
        return
      }
      case 'renew':
        this.#zombie = this.#bucket
        this.#bucket = await this.#bucket.renew()
        expect(this.#bucket.cursors.get('s')?.value ?? null).toBe(this.model.cursor)
        return
      case 'reopen':
        await this.close()
        return this.open()
      case 'crash':
        return this.#crash()
      case 'check':
        return this.check()
      case 'consume':
        return this.#consume(each)
    }
  }

  async check(): Promise<void> {
    for (const [place, expected] of this.model.partitions) {
      const [topic, partition] = place.split('/')
      const found: Stored[] = []
      for await (const page of this.#log.browse(topic!, { partition: Number(partition), from: 'earliest' }))
        for (const { offset, key, value, headers } of page) {
          expect(offset).toBe(BigInt(found.length))
          found.push({
            key: Buffer.from(key!).toString(),
            value: Buffer.from(value!).toString(),
            headers: headers.map(([name, content]) => `${name}=${Buffer.from(content)}`),
          })
        }
      expect(found).toEqual(expected)
    }
    expect((await this.#log.cursors('p'))[0]?.value ?? null).toBe(this.model.cursor)
  }

  /** The files as they are at this moment, in another directory: what a power cut leaves. */
  async #crash(): Promise<void> {
    const from = this.#dir
    const old = this.#log
    this.#round++
    this.#laterMs += 60_000
    mkdirSync(this.#dir)
    for (const name of ['weir.db', 'weir.db-wal'])
      if (existsSync(join(from, name))) copyFileSync(join(from, name), join(this.#dir, name))
    await old[Symbol.asyncDispose]()
    await this.open()
  }

  async #consume({ maxRecords, forward, commit }: Extract<Step, { do: 'consume' }>): Promise<void> {
    const fetched = await this.#consumer.poll({
      maxRecords,
      maxBytes: 100_000,
      maxWaitMs: 0,
      signal: new AbortController().signal,
    })
    if (fetched === null) {
      for (let p = 0; p < partitions; p++)
        expect(this.model.offsets.get(p) ?? 0).toBe(this.model.partitions.get(`a/${p}`)!.length)
      return
    }
    const { partition, records, nextOffset } = fetched
    const from = this.model.offsets.get(partition) ?? 0
    const expected = this.model.partitions.get(`a/${partition}`)!.slice(from, from + records.length)
    expect(records.map(each => Buffer.from(each.value!).toString())).toEqual(expected.map(each => each.value))
    if (!commit) return this.#consumer.release(partition)
    const appends = forward
      ? [
          {
            topic: 'b',
            records: records.map(({ key, value, timestampMs }) => ({ key, value, headers: [], timestampMs })),
          },
        ]
      : []
    await this.#consumer.commit([{ topic: 'a', partition, offset: nextOffset }], appends)
    for (const { records: sent } of appends) for (const each of sent) this.model.append('b', each)
    this.model.offsets.set(partition, Number(nextOffset))
  }

  #appends(records: readonly Written[]): { topic: string; records: OutRecord[] }[] {
    return topics.map(topic => ({
      topic,
      records: records
        .filter(each => each.topic === topic)
        .map(({ key, size, headers }) => ({
          key: Buffer.from(key),
          value: Buffer.from(`${this.#serial++}:${'x'.repeat(size)}`),
          headers: Array.from({ length: headers }, (_, i) => [`h${i}`, `ü${i}`] as const),
          timestampMs: 1_700_000_000_000 + this.#serial,
        })),
    }))
  }
}

test('for any transactions, refusals, renewals, commits and crashes the log equals the model', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async steps => {
      const scene = new Scene()
      await scene.open()
      try {
        for (const each of steps) await scene.run(each)
        await scene.check()
      } finally {
        await scene.close()
        rmSync(scene.root, { recursive: true })
      }
    }),
    { numRuns: 250, interruptAfterTimeLimit: 170_000, markInterruptAsFailure: true },
  )
}, 180_000)
