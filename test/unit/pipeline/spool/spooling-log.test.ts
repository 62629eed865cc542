// When transactions go to the spool, how they come out of it, and what the pipeline is told (I6).
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openSqliteSpool } from '../../../../src/adapters/spool-sqlite/spool.ts'
import { systemClock } from '../../../../src/core/clock.ts'
import { WeirError } from '../../../../src/core/errors.ts'
import type { Event } from '../../../../src/core/event.ts'
import type { Bucket, Producer, Spool, SpoolShare } from '../../../../src/pipeline/ports.ts'
import { spoolingLog } from '../../../../src/pipeline/spool/spooling-log.ts'
import { eventually } from '../../../support/eventually.ts'
import { createFakeClock, type FakeClock } from '../../../support/fake-clock.ts'
import { type ObedientCluster, obedientCluster } from '../../../support/obedient-cluster.ts'

let dir: string
let spool: Spool
let cluster: ObedientCluster
let clock: FakeClock
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'weir-spool-'))
  spool = await openSqliteSpool({ dataDir: dir, clock: systemClock })
  cluster = obedientCluster()
  clock = createFakeClock()
})
afterEach(async () => {
  await spool[Symbol.asyncDispose]()
  rmSync(dir, { recursive: true })
})

interface Joined extends AsyncDisposable {
  readonly producer: Producer
  readonly events: Event[]
  readonly lost: string[]
  readonly revoked: number[]
  /** The bucket as the pipeline has it. */
  bucket: Bucket
  count(type: Event['type']): number
}

async function join_(through: Spool = spool): Promise<Joined> {
  const events: Event[] = []
  const lost: string[] = []
  const revoked: number[] = []
  let held: Bucket | undefined
  const log = spoolingLog(cluster.log, through, { clock, random: () => 0.5, emit: event => void events.push(event) })
  const producer = await log.joinProducers({
    pipeline: 'p',
    buckets: 1,
    assigned: bucket => {
      held = bucket
    },
    revoked: async number => void revoked.push(number),
    lost: (_, error) => lost.push(error.code),
  })
  const bucket = await eventually('the bucket is handed on', () => held)
  return {
    producer,
    events,
    lost,
    revoked,
    bucket,
    count: type => events.filter(event => event.type === type).length,
    [Symbol.asyncDispose]: () => producer[Symbol.asyncDispose](),
  }
}

/** A batch of one record that moves the cursor of `split` to its value. */
const batch = (value: string, cursor = value, split = 's') => ({
  appends: [
    { topic: 't', records: [{ key: Buffer.from('k'), value: Buffer.from(value), headers: [], timestampMs: 1 }] },
  ],
  cursors: [{ split, value: cursor }],
})
const waiting = async () => (await spool.backlog('p')).entries
const empty = () => eventually('the spool is empty', async () => (await waiting()) === 0)
const code = (of: string) => expect.objectContaining({ code: of })

/** The cluster is away, and the batches are in the spool. */
async function spooled(joined: Joined, ...values: string[]): Promise<void> {
  cluster.script.push('doubt, not written')
  cluster.otherwise = cluster.renewing = 'log.unavailable'
  for (const value of values) await joined.bucket.transact(batch(value))
}

function back(): void {
  cluster.otherwise = 'written'
  cluster.renewing = null
}

describe('I6: into the spool', () => {
  test('while the cluster takes writes they go there, with a mark that the pipeline does not see', async () => {
    await using joined = await join_()
    await joined.bucket.transact(batch('1'))
    await joined.bucket.transact(batch('2'))
    expect(cluster.values).toEqual(['1', '2'])
    expect([...cluster.cursors.keys()]).toEqual(['s', '~weir/spool/0'])
    expect([...(await joined.bucket.renew()).cursors.keys()]).toEqual(['s'])
    expect(joined.count('batch_spooled')).toBe(0)
  })

  test('a proven refusal is the pipeline’s to try again, until the cluster has refused for five seconds', async () => {
    await using joined = await join_()
    cluster.otherwise = 'log.unavailable'
    await expect(joined.bucket.transact(batch('1'))).rejects.toEqual(code('log.unavailable'))
    await clock.advance(4_900)
    await expect(joined.bucket.transact(batch('1'))).rejects.toEqual(code('log.unavailable'))
    expect(await waiting()).toBe(0)
    await clock.advance(200)
    await joined.bucket.transact(batch('1'))
    expect(await waiting()).toBe(1)
    expect(joined.events).toContainEqual(
      expect.objectContaining({ type: 'spool_started', bucket: 0, code: 'log.unavailable' }),
    )
  })

  test('refusals with a success between them do not add up', async () => {
    await using joined = await join_()
    cluster.script.push('log.not_replicated', 'written', 'log.not_replicated')
    await expect(joined.bucket.transact(batch('1'))).rejects.toEqual(code('log.not_replicated'))
    await clock.advance(4_000)
    await joined.bucket.transact(batch('1'))
    await clock.advance(4_000)
    await expect(joined.bucket.transact(batch('2'))).rejects.toEqual(code('log.not_replicated'))
    expect(await waiting()).toBe(0)
  })

  test.each(['log.record_too_large', 'log.topic_unknown', 'log.denied', 'log.fenced', 'log.invalid'] as const)(
    '%s is thrown as ever, and nothing is spooled',
    async refused => {
      await using joined = await join_()
      cluster.script.push(refused)
      await expect(joined.bucket.transact(batch('1'))).rejects.toEqual(code(refused))
      expect(await waiting()).toBe(0)
    },
  )

  test('a split with a name of weir’s own is refused', async () => {
    await using joined = await join_()
    await expect(joined.bucket.transact(batch('1', '1', '~weir/spool/0'))).rejects.toEqual(code('log.invalid'))
  })

  test('a full disk makes the pipeline wait, and loses nothing', async () => {
    let full = true
    await using joined = await join_(
      sharing(share => ({
        append: entry => (full ? Promise.reject(new WeirError('log.full', 'full')) : share.append(entry)),
      })),
    )
    cluster.otherwise = 'log.unavailable'
    await expect(joined.bucket.transact(batch('1'))).rejects.toEqual(code('log.unavailable'))
    await clock.advance(6_000)
    await expect(joined.bucket.transact(batch('1'))).rejects.toEqual(code('log.full'))
    full = false
    await joined.bucket.transact(batch('1'))
    back()
    await clock.advance(5_000)
    await empty()
    expect(cluster.values).toEqual(['1'])
  })

  test('L2: a commit in doubt that cannot be spooled is in doubt for the pipeline: nothing more until it has read back', async () => {
    await using joined = await join_(
      sharing(() => ({ append: () => Promise.reject(new WeirError('log.full', 'full')) })),
    )
    cluster.script.push('doubt, written')
    await expect(joined.bucket.transact(batch('1'))).rejects.toEqual(code('log.outcome_unknown'))
    await expect(joined.bucket.transact(batch('2'))).rejects.toEqual(code('log.outcome_unknown'))
    expect(cluster.values).toEqual(['1'])
    const renewed = await joined.bucket.renew()
    expect(renewed.cursors.get('s')?.value).toBe('1')
    await renewed.transact(batch('2'))
    await expect(joined.bucket.transact(batch('zombie'))).rejects.toEqual(code('log.fenced'))
    expect(cluster.values).toEqual(['1', '2'])
  })

  test('L2: an entry whose storing is in doubt is found, or not, when the pipeline reads back', async () => {
    let stored = true
    await using joined = await join_(
      sharing(share => ({
        append: async entry => {
          if (stored) await share.append(entry)
          throw new WeirError('log.outcome_unknown', 'fsync')
        },
      })),
    )
    cluster.otherwise = cluster.renewing = 'log.unavailable'
    cluster.script.push('doubt, not written')
    await expect(joined.bucket.transact(batch('1'))).rejects.toEqual(code('log.outcome_unknown'))
    const renewed = await joined.bucket.renew()
    expect(renewed.cursors.get('s')?.value).toBe('1')
    stored = false
    await expect(renewed.transact(batch('2'))).rejects.toEqual(code('log.outcome_unknown'))
    const again = await renewed.renew()
    expect(again.cursors.get('s')?.value).toBe('1')
  })
})

describe('I6: out of the spool', () => {
  test('a commit in doubt is spooled at once; its mark tells that it was there, and the pipeline hears of nothing', async () => {
    await using joined = await join_()
    cluster.script.push('doubt, written')
    await joined.bucket.transact(batch('1'))
    await empty()
    expect(cluster.values).toEqual(['1'])
    expect(cluster.renewals).toBe(1)
    expect(joined.lost).toEqual([])
    await joined.bucket.transact(batch('2'))
    expect(cluster.values).toEqual(['1', '2'])
    expect(joined.count('spool_ended')).toBe(1)
  })

  test('a commit in doubt that was not written is forwarded, also when it leaves the cursor where it was', async () => {
    await using joined = await join_()
    await joined.bucket.transact(batch('1', 'same'))
    cluster.script.push('doubt, not written')
    await joined.bucket.transact(batch('2', 'same'))
    await empty()
    cluster.script.push('doubt, written')
    await joined.bucket.transact(batch('3', 'same'))
    await empty()
    expect(cluster.values).toEqual(['1', '2', '3'])
    expect(joined.lost).toEqual([])
  })

  test('I3: what comes later waits behind what is spooled, until all is forwarded', async () => {
    await using joined = await join_()
    await spooled(joined, '1', '2', '3')
    expect(await waiting()).toBe(3)
    back()
    const tried = cluster.transactions
    await joined.bucket.transact(batch('4'))
    expect(cluster.transactions).toBe(tried)
    await clock.advance(5_000)
    await empty()
    await joined.bucket.transact(batch('5'))
    expect(cluster.values).toEqual(['1', '2', '3', '4', '5'])
    expect(cluster.cursors.get('s')?.value).toBe('5')
  })

  test('forwarding is tried again with growing waits, and said', async () => {
    await using joined = await join_()
    await spooled(joined, '1')
    await clock.advance(30_000)
    const waits = joined.events.flatMap(event => (event.type === 'spool_waiting' ? [event.waitMs] : []))
    expect(waits.slice(0, 4)).toEqual([38, 75, 150, 300])
    expect(Math.max(...waits)).toBe(3_750)
  })

  test('the backlog is told when it begins, while it stands, and when it ends', async () => {
    await using joined = await join_()
    const told = () => joined.events.flatMap(event => (event.type === 'spool_backlog' ? [event.records] : []))
    expect(told()).toEqual([0])
    await spooled(joined, '1', '2')
    await clock.advance(100)
    await eventually('both are told', () => told().at(-1) === 2)
    back()
    await clock.advance(5_000)
    await eventually('its end is told', () => told().at(-1) === 0)
  })

  test('a refusal that will not pass stops the bucket; the entry stays', async () => {
    await using joined = await join_()
    await spooled(joined, '1')
    back()
    cluster.script.push('log.topic_unknown')
    await clock.advance(5_000)
    await eventually('the pipeline is told', () => joined.lost.length > 0)
    expect(joined.lost).toEqual(['log.topic_unknown'])
    expect(await waiting()).toBe(1)
    await expect(joined.bucket.transact(batch('2'))).rejects.toEqual(code('log.fenced'))
  })

  test('I7: something else that was written in between stops the bucket; nothing of the spool is forwarded over it', async () => {
    await using joined = await join_()
    await spooled(joined, '1')
    cluster.cursors.set('s', { split: 's', value: 'elsewhere', updatedAtMs: 0 })
    back()
    await clock.advance(5_000)
    await eventually('the pipeline is told', () => joined.lost.length > 0)
    expect(joined.lost).toEqual(['log.fenced'])
    expect(cluster.values).toEqual([])
  })
})

describe('I6: from one process to the next', () => {
  /** A process that left batches 1 to 3 in the spool; the first of them in doubt. */
  async function left(first: 'doubt, written' | 'doubt, not written'): Promise<void> {
    await using joined = await join_()
    cluster.script.push(first)
    cluster.otherwise = cluster.renewing = 'log.unavailable'
    for (const value of ['1', '2', '3']) await joined.bucket.transact(batch(value))
  }

  test.each(['doubt, written', 'doubt, not written'] as const)(
    'the pipeline goes on after what was left, and it is forwarded once (%s)',
    async first => {
      await left(first)
      expect(await waiting()).toBe(3)
      await using joined = await join_()
      expect(joined.bucket.cursors.get('s')?.value).toBe('3')
      back()
      await joined.bucket.transact(batch('4'))
      await clock.advance(5_000)
      await empty()
      expect(cluster.values).toEqual(['1', '2', '3', '4'])
      expect(joined.count('spool_superseded')).toBe(0)
    },
  )

  test('what is left at the end is said', async () => {
    const joined = await join_()
    await spooled(joined, '1')
    await joined[Symbol.asyncDispose]()
    expect(joined.events.at(-1)).toMatchObject({ type: 'warning', message: expect.stringContaining('1 records wait') })
  })

  test('another owner has gone on with its own marks: what was left is superseded, counted and removed', async () => {
    await left('doubt, not written')
    back()
    cluster.cursors.set('~weir/spool/0', { split: '~weir/spool/0', value: 'of another', updatedAtMs: 0 })
    await using joined = await join_()
    expect(joined.bucket.cursors.size).toBe(0)
    expect(joined.events).toContainEqual({
      type: 'spool_superseded',
      pipeline: 'p',
      bucket: 0,
      entries: 3,
      records: 3,
      bytes: expect.any(Number),
    })
    expect(await waiting()).toBe(0)
    await joined.bucket.transact(batch('1'))
    expect(cluster.values).toEqual(['1'])
  })

  test('`weir cursor set` counts as another owner, though it leaves no mark', async () => {
    await left('doubt, not written')
    back()
    cluster.cursors.set('s', { split: 's', value: 'by hand', updatedAtMs: 0 })
    await using joined = await join_()
    expect(joined.bucket.cursors.get('s')?.value).toBe('by hand')
    expect(await waiting()).toBe(0)
  })

  test('nothing is taken for superseded on old knowledge: the cluster is read once more under the claim', async () => {
    await left('doubt, not written')
    back()
    cluster.cursors.set('s', { split: 's', value: 'by hand', updatedAtMs: 0 })
    cluster.renewing = 'log.unavailable'
    const joining = join_()
    await eventually('it is asked again and again', async () => {
      await clock.advance(200)
      return cluster.renewals > 3
    })
    expect(await waiting()).toBe(3)
    cluster.renewing = null
    await eventually('it opens', async () => {
      await clock.advance(200)
      return (await waiting()) === 0
    })
    await using _joined = await joining
  })

  test('a bucket that is asked back is forwarded first, while that works', async () => {
    await using joined = await join_()
    await spooled(joined, '1', '2')
    back()
    await cluster.revoke()
    expect(joined.revoked).toEqual([0])
    expect(cluster.values).toEqual(['1', '2'])
    expect(await waiting()).toBe(0)
  })

  test('a bucket that is asked back while the cluster is away is given up at once; its entries stay', async () => {
    await using joined = await join_()
    await spooled(joined, '1', '2')
    await cluster.revoke()
    expect(await waiting()).toBe(2)
    cluster.give()
    back()
    await clock.advance(5_000)
    await empty()
    expect(cluster.values).toEqual(['1', '2'])
    expect(joined.lost).toEqual([])
  })

  test('I7: a lost bucket writes nothing more, neither to the cluster nor to the spool', async () => {
    await using joined = await join_()
    await spooled(joined, '1')
    cluster.lose('log.fenced')
    expect(joined.lost).toEqual(['log.fenced'])
    await expect(joined.bucket.transact(batch('2'))).rejects.toEqual(code('log.fenced'))
    back()
    await clock.advance(10_000)
    expect(cluster.values).toEqual([])
    expect(await waiting()).toBe(1)
  })

  test('not every bucket counts as owned before what was left of it is read', async () => {
    const opened = Promise.withResolvers<void>()
    const slow: Spool = {
      ...spool,
      claim: async (pipeline, bucket) => {
        await opened.promise
        return spool.claim(pipeline, bucket)
      },
    }
    const log = spoolingLog(cluster.log, slow, { clock, random: () => 0.5, emit: () => {} })
    const options = { pipeline: 'p', buckets: 1, assigned: () => {}, revoked: async () => {}, lost: () => {} }
    await using producer = await log.joinProducers(options)
    expect(await producer.settled()).toBe(false)
    opened.resolve()
    await eventually('it is owned', () => producer.settled())
  })
})

/** The spool with some calls of its shares replaced. */
function sharing(change: (share: SpoolShare) => Partial<SpoolShare>): Spool {
  return {
    ...spool,
    claim: async (pipeline, bucket) => {
      const share = await spool.claim(pipeline, bucket)
      const plain: SpoolShare = {
        id: share.id,
        append: entry => share.append(entry),
        links: (after, limit) => share.links(after, limit),
        next: after => share.next(after),
        removeThrough: id => share.removeThrough(id),
        removeFrom: id => share.removeFrom(id),
      }
      return { ...plain, ...change(plain) }
    },
  }
}

test('one that stands by and is shut out for good is told, once', async () => {
  await using joined = await join_()
  await cluster.revoke()
  cluster.lose('log.denied')
  cluster.lose('log.denied')
  expect(joined.lost).toEqual(['log.denied'])
})
