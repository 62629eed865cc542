// I6, I1, I3, I7: whatever the cluster, the disk, kills and other owners do, after healing each item stands in the cluster once, in order, and
// nothing waits in a spool. The cluster is a model, the spool is the real one, the pipeline is the commit loop of the producer stage.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as macrotask } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSqliteSpool } from '../../src/adapters/spool-sqlite/spool.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import { toWeirError, WeirError } from '../../src/core/errors.ts'
import type { Event } from '../../src/core/event.ts'
import { commitUntilDurable, type RetryDeps, renewUntilSure } from '../../src/pipeline/append.ts'
import type { Bucket, Spool, SpoolShare } from '../../src/pipeline/ports.ts'
import { spoolingLog } from '../../src/pipeline/spool/spooling-log.ts'
import { type Chance, chanceOf, ModelCluster } from '../support/model-cluster.ts'

const itemsOfSplit = 40
const splits = ['a', 'b']
const machines = ['one', 'two'] as const
type Machine = (typeof machines)[number]

const dir = mkdtempSync(join(tmpdir(), 'weir-spool-model-'))
const spools = new Map<Machine, Spool>()
beforeAll(async () => {
  for (const machine of machines)
    spools.set(machine, await openSqliteSpool({ dataDir: join(dir, machine), clock: systemClock }))
})
afterAll(async () => {
  for (const spool of spools.values()) await spool[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

/** Waits pass at once, and the time with them. */
function hurriedClock(): Clock {
  let elapsedMs = 0
  return {
    now: () => 1_700_000_000_000 + elapsedMs,
    monotonic: () => elapsedMs,
    sleep: async (ms, signal) => {
      if (signal?.aborted) throw signal.reason
      elapsedMs += ms
      await macrotask()
      if (signal?.aborted) throw signal.reason
    },
  }
}

interface Odds {
  readonly kill: number
  readonly full: number
  readonly diskDoubt: number
}
const calm: Odds = { kill: 0, full: 0, diskDoubt: 0 }
const never = new Promise<never>(() => {})

/** A process on a machine: reads both splits to their ends, with a spool or without. It may be killed at any call that leaves it. */
class Process {
  readonly ended = Promise.withResolvers<string>()
  readonly events: Event[] = []
  readonly #cluster: ModelCluster
  readonly #pipeline: string
  readonly #spool: Spool | null
  readonly #chance: Chance
  readonly #odds: Odds
  readonly #stop = new AbortController()
  #killed = false
  #loop: Promise<void> = Promise.resolve()

  constructor(cluster: ModelCluster, pipeline: string, spool: Spool | null, chance: Chance, odds: Odds) {
    this.#cluster = cluster
    this.#pipeline = pipeline
    this.#spool = spool
    this.#chance = chance
    this.#odds = odds
  }

  /** `ask`: the owner of before is asked to give up, rather than fenced without a word. */
  async start(ask: boolean): Promise<void> {
    const clock = hurriedClock()
    const deps = {
      pipeline: this.#pipeline,
      clock,
      random: this.#chance,
      emit: (event: Event) => void this.events.push(event),
    }
    const cluster = this.#cluster.log(() => ask)
    const gated = { ...cluster, joinProducers: this.#gatedJoin(cluster.joinProducers) }
    const log = this.#spool === null ? gated : spoolingLog(gated, this.#gatedSpool(this.#spool), deps)
    const producer = await log.joinProducers({
      pipeline: this.#pipeline,
      buckets: 1,
      assigned: bucket => {
        this.#loop = this.#read(bucket, deps)
      },
      revoked: async () => {
        this.#stop.abort(new Error('revoked'))
        await this.#loop
        // A cluster asks for a bucket back; what follows the pipeline's drain is the log's own.
        void this.#after(async () => producer[Symbol.asyncDispose](), 'revoked')
      },
      lost: (_, error) => {
        this.#stop.abort(error)
        void this.#after(async () => producer[Symbol.asyncDispose](), `lost: ${error.code}`)
      },
    })
    void this.ended.promise.then(() => this.#stop.abort(new Error('over')))
  }

  async #after(work: () => Promise<unknown>, why: string): Promise<void> {
    await macrotask()
    await work().catch(() => {})
    this.ended.resolve(why)
  }

  /** As producer.ts and gather.ts do: one batch after the other, splits at the same time. */
  async #read(first: Bucket, deps: RetryDeps): Promise<void> {
    const { signal } = this.#stop
    let bucket = first
    while (!signal.aborted) {
      const cursors = new Map([...bucket.cursors].map(([split, { value }]) => [split, Number(value)]))
      const results = await Promise.allSettled(
        splits.map(async split => {
          for (let at = cursors.get(split) ?? 0; at < itemsOfSplit && !signal.aborted; ) {
            const to = Math.min(itemsOfSplit, at + Math.floor(this.#chance() * 5))
            const records = Array.from({ length: to - at }, (_, i) => ({
              key: Buffer.from(split),
              value: Buffer.from(`${split}${at + i}`),
              headers: [],
              timestampMs: 1,
            }))
            const transaction = {
              appends: records.length === 0 ? [] : [{ topic: 't', records }],
              cursors: [{ split, value: String(to) }],
            }
            const mine = bucket
            await commitUntilDurable(() => mine.transact(transaction), deps, signal)
            for (const { value } of records) value.fill(0) // Its memory is used again.
            at = to
          }
        }),
      )
      const failed = results.find(each => each.status === 'rejected')
      if (failed === undefined || signal.aborted) return
      const error = toWeirError(failed.reason)
      const doubtful = results.some(
        each => each.status === 'rejected' && toWeirError(each.reason).code === 'log.outcome_unknown',
      )
      if (!doubtful) {
        this.ended.resolve(`failed: ${error.code}`)
        return
      }
      try {
        bucket = await renewUntilSure(() => bucket.renew(), deps, signal)
      } catch (thrown) {
        if (!signal.aborted) this.ended.resolve(`failed: ${toWeirError(thrown).code}`)
        return
      }
    }
  }

  /** Everything that leaves the process goes through here: it may be dead before it, or before it hears of the outcome. */
  async #leave<T>(work: () => Promise<T>): Promise<T> {
    if (this.#chance() < 0.3) await macrotask()
    this.#maybeDie()
    if (this.#killed) return never
    const result = await work().then(
      value => ({ value }),
      error => ({ error }),
    )
    this.#maybeDie()
    if (this.#killed) return never
    if ('error' in result) throw result.error
    return result.value
  }

  #maybeDie(): void {
    if (this.#killed || this.#chance() >= this.#odds.kill) return
    this.#killed = true
    this.ended.resolve('killed')
  }

  #gatedJoin(join: ReturnType<ModelCluster['log']>['joinProducers']): typeof join {
    const gatedBucket = (bucket: Bucket): Bucket => ({
      ...bucket,
      transact: transaction => this.#leave(() => bucket.transact(transaction)),
      renew: () => this.#leave(async () => gatedBucket(await bucket.renew())),
    })
    return options =>
      join({
        ...options,
        assigned: bucket => {
          if (!this.#killed) options.assigned(gatedBucket(bucket))
        },
        // Who is asked and dead does not answer; the cluster waits no longer than for a session.
        revoked: number =>
          Promise.race([this.#killed ? undefined : options.revoked(number), this.ended.promise.then(() => {})]),
        lost: (number, error) => {
          if (!this.#killed) options.lost(number, error)
        },
      })
  }

  #gatedSpool(spool: Spool): Spool {
    const gatedShare = (share: SpoolShare): SpoolShare => ({
      id: share.id,
      append: entry =>
        this.#leave(async () => {
          if (this.#chance() < this.#odds.full) throw new WeirError('log.full', 'no space is left')
          if (this.#chance() >= this.#odds.diskDoubt) return share.append(entry)
          if (this.#chance() < 0.5) await share.append(entry)
          throw new WeirError('log.outcome_unknown', 'fsync failed')
        }),
      links: (after, limit) => this.#leave(() => share.links(after, Math.min(limit, 3))),
      next: after => this.#leave(() => share.next(after)),
      removeThrough: id => this.#leave(() => share.removeThrough(id)),
      removeFrom: id => this.#leave(() => share.removeFrom(id)),
    })
    return {
      claim: (pipeline, bucket) => this.#leave(async () => gatedShare(await spool.claim(pipeline, bucket))),
      backlog: pipeline => spool.backlog(pipeline),
      [Symbol.asyncDispose]: async () => {},
    }
  }
}

let world = 0

/** @returns what each process came to */
async function live(seed: number): Promise<string[]> {
  const chance = chanceOf(seed)
  const pipeline = `p${world++}`
  const cluster = new ModelCluster(chance, { away: chance() * 0.15, doubt: chance() * 0.2 })
  const odds = { kill: chance() * 0.04, full: chance() * 0.1, diskDoubt: chance() < 0.3 ? 0.05 : 0 }
  const ends: string[] = []
  const running: Process[] = []
  for (let round = 0; round < 6; round++) {
    const machine = machines[chance() < 0.7 ? 0 : 1]!
    const spool = chance() < 0.85 ? spools.get(machine)! : null
    const process = new Process(cluster, pipeline, spool, chance, odds)
    running.push(process)
    void process.ended.promise.then(end => ends.push(end))
    await process.start(chance() < 0.5)
    // The next one comes when this one is over, or before: a takeover.
    const patience = Math.floor(chance() * 150)
    let over = false
    void process.ended.promise.then(() => {
      over = true
    })
    for (let turns = 0; turns < patience && !over; turns++) await macrotask()
  }
  cluster.heal()
  for (const machine of machines) {
    // A supervisor starts again what ends; a process of before that wakes up late may still get in the way of the first.
    let through = false
    const begin = async (): Promise<void> => {
      const process = new Process(cluster, pipeline, spools.get(machine)!, chance, calm)
      void process.ended.promise.then(end => {
        ends.push(`last: ${end}`)
        if (!through) void begin()
      })
      await process.start(chance() < 0.5)
    }
    await begin()
    const done = async () =>
      splits.every(split => cluster.cursors.get(split)?.value === String(itemsOfSplit)) &&
      (await spools.get(machine)!.backlog(pipeline)).entries === 0
    for (let turns = 0; !(await done()); turns++) {
      if (turns > 3_000) throw new Error(`the last process on ${machine} does not get through: ${ends.join(', ')}`)
      await macrotask()
    }
    through = true
  }
  const found = cluster.records.map(({ record }) => Buffer.from(record.value!).toString())
  for (const split of splits)
    expect(found.filter(value => value.startsWith(split))).toEqual(
      Array.from({ length: itemsOfSplit }, (_, i) => `${split}${i}`),
    )
  return [...ends, ...running.flatMap(({ events }) => events.map(({ type }) => type))]
}

test('I6 I1 I3 I7: each item once and in order, through outages, doubt, full disks, kills and takeovers', async () => {
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.integer(), async seed => {
      for (const what of await live(seed)) seen.add(what)
    }),
    { numRuns: 300, endOnFailure: true },
  )
  // The scenes are worth nothing if what they are about does not happen in them.
  for (const what of [
    'killed',
    'revoked',
    'lost: log.fenced',
    'spool_started',
    'spool_forwarded',
    'spool_ended',
    'spool_superseded',
  ])
    expect(seen).toContain(what)
}, 120_000)
