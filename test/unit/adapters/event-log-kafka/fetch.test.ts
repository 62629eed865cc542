// Fetching from several leaders in one call: a quiet one holds up no busy one, and no answer is asked for twice or lost.
import { describe, expect, test } from 'vitest'
import type { FetchedPartition, FetchRequest } from '../../../../src/adapters/event-log-kafka/client.ts'
import { WeirError } from '../../../../src/core/errors.ts'
import { eventually } from '../../../support/eventually.ts'
import { metadataOf, openScripted, type Reply, type ScriptedCluster } from '../../../support/scripted-cluster.ts'

const never = new AbortController().signal
const request = (...offsets: readonly bigint[]): FetchRequest => ({
  partitions: offsets.map((offset, partition) => ({ topic: 'a', partition, offset })),
  maxWaitMs: 100,
  minBytes: 1,
  maxBytes: 1_000,
  maxBytesPerPartition: 1_000,
})

/** Answers one partition with records (text), or with an error code. */
const answer =
  (partition: number, said: string | number): Reply =>
  to => {
    to.int32(0)
      .int16(0)
      .int32(0)
      .array(['a'], topic =>
        to.string(topic).array([partition], each => {
          to.int32(each)
            .int16(typeof said === 'number' ? said : 0)
            .int64(9n)
            .int64(9n)
            .int64(0n)
          to.array([], () => {})
            .int32(-1)
            .bytes(Buffer.from(typeof said === 'number' ? '' : said))
        }),
      )
  }

/** An answer that comes when `give` is called. */
function held(reply: Reply): { readonly reply: Reply; give(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { reply: (to, ...rest) => promise.then(() => reply(to, ...rest)), give: resolve }
}

const told = (fetched: readonly FetchedPartition[]) =>
  fetched.map(each => [each.partition, each.refusal?.code ?? String(each.bytes)]).sort()
const fetches = (cluster: ScriptedCluster) => cluster.asked().filter(each => each.endsWith('Fetch'))

async function twoLeaders(): Promise<ScriptedCluster> {
  const cluster = await openScripted()
  cluster.on('Metadata', metadataOf({ a: [1, 2] }))
  return cluster
}

describe('two leaders', () => {
  test('a quiet one does not hold up a busy one, and its answer is that of the next call', async () => {
    await using cluster = await twoLeaders()
    const quiet = held(answer(1, 'late'))
    cluster.on('b1 Fetch', answer(0, 'first'), answer(0, 'second'), held(answer(0, 'never')).reply)
    cluster.on('b2 Fetch', quiet.reply, held(answer(1, 'never')).reply)
    expect(told(await cluster.lane.fetch(request(0n, 0n), never))).toEqual([[0, 'first']])
    expect(told(await cluster.lane.fetch(request(5n, 0n), never))).toEqual([[0, 'second']])
    expect(fetches(cluster).sort()).toEqual(['b1 Fetch', 'b1 Fetch', 'b2 Fetch'])
    const third = cluster.lane.fetch(request(9n, 0n), never)
    quiet.give()
    expect(told(await third)).toEqual([[1, 'late']])
  })

  test('nothing new at both ends the call when both have said so', async () => {
    await using cluster = await twoLeaders()
    cluster.on('b1 Fetch', answer(0, ''))
    cluster.on('b2 Fetch', answer(1, ''))
    const fetched = await cluster.lane.fetch(request(3n, 4n), never)
    expect(told(fetched)).toEqual([[0, ''], [1, '']]) // biome-ignore format: pairs
    expect(fetched[0]).toMatchObject({ topic: 'a', highWatermark: 9n, lastStableOffset: 9n, logStartOffset: 0n })
  })

  test('after a move to another offset the old answer is not taken', async () => {
    await using cluster = await twoLeaders()
    const old = held(answer(1, 'old place'))
    cluster.on('b1 Fetch', answer(0, 'x'), answer(0, ''))
    cluster.on('b2 Fetch', old.reply, answer(1, 'new place'))
    await cluster.lane.fetch(request(0n, 0n), never)
    const moved = cluster.lane.fetch(request(1n, 70n), never)
    old.give()
    expect(told(await moved)).toContainEqual([1, 'new place'])
  })

  test('one that fails is told as partitions without a leader, and looked up again', async () => {
    await using cluster = await twoLeaders()
    cluster.on('Metadata', metadataOf({ a: [1, 2] }), metadataOf({ a: [1, 3] }))
    cluster.on('b1 Fetch', answer(0, ''), answer(0, 'x'))
    cluster.on('b2 Fetch', () => Promise.reject(new WeirError('log.unavailable', 'lost')))
    cluster.on('b3 Fetch', answer(1, 'moved'))
    expect(told(await cluster.lane.fetch(request(0n, 0n), never))).toEqual([[0, ''], [1, 5]]) // biome-ignore format: pairs
    await eventually('the new leader is asked', async () =>
      told(await cluster.lane.fetch(request(0n, 0n), never)).some(([, said]) => said === 'moved'),
    )
    expect(cluster.asked().filter(each => each.endsWith('Metadata'))).toHaveLength(2)
  })

  test('both failing fails the call', async () => {
    await using cluster = await twoLeaders()
    cluster.on('Fetch', () => Promise.reject(new WeirError('log.unavailable', 'lost')))
    await expect(cluster.lane.fetch(request(0n, 0n), never)).rejects.toMatchObject({ message: 'lost' })
  })
})

test.each([1, 3, 6, 29, 999])('a refusal of a partition (%i) is told with it', async number => {
  await using cluster = await openScripted()
  cluster.on('Metadata', metadataOf({ a: [1] }))
  cluster.on('Fetch', answer(0, number))
  expect(told(await cluster.lane.fetch(request(0n), never))).toEqual([[0, number]])
})

test('a partition that does not exist or has no leader is told as refused', async () => {
  await using cluster = await openScripted()
  cluster.on('Metadata', metadataOf({ a: [0] }))
  expect(told(await cluster.lane.fetch(request(0n, 0n), never))).toEqual([[0, 5], [1, 3]]) // biome-ignore format: pairs
})

describe('an abort', () => {
  test('closes the connections that wait, and the next fetch opens new ones', async () => {
    await using cluster = await twoLeaders()
    cluster.on('Fetch', () => new Promise(() => {}))
    const stop = new AbortController()
    const outcome = cluster.lane.fetch(request(0n, 0n), stop.signal).catch(thrown => thrown)
    await eventually('both are asked', () => fetches(cluster).length > 0 && cluster.connections.size === 2)
    stop.abort(new Error('enough'))
    expect(await outcome).toMatchObject({ message: 'enough' })
    await eventually('both are closed', () => cluster.connections.size === 0)
    cluster.on('b1 Fetch', answer(0, 'again'))
    expect(told(await cluster.lane.fetch(request(0n, 0n), never))).toEqual([[0, 'again']])
  })

  test('also ends what an earlier call left on its way', async () => {
    await using cluster = await twoLeaders()
    cluster.on('b1 Fetch', answer(0, 'x'), () => new Promise(() => {}))
    cluster.on('b2 Fetch', () => new Promise(() => {}))
    await cluster.lane.fetch(request(0n, 0n), never)
    cluster.asked()
    const stop = new AbortController()
    const outcome = cluster.lane.fetch(request(1n, 0n), stop.signal).catch(thrown => thrown)
    await eventually('the second call has asked', () => fetches(cluster).length > 0)
    stop.abort(new Error('enough'))
    await outcome
    await eventually('both are closed', () => cluster.connections.size === 0)
  })

  test('while the leaders are looked up ends the call at once, and what was left on its way', async () => {
    await using cluster = await twoLeaders()
    cluster.on('b1 Fetch', answer(0, 'x'))
    cluster.on('b2 Fetch', () => new Promise(() => {}))
    await cluster.lane.fetch(request(0n, 0n), never)
    const stop = new AbortController()
    const outcome = cluster.lane.fetch(request(1n, 0n), stop.signal).catch(thrown => thrown)
    await Promise.resolve()
    stop.abort(new Error('enough'))
    expect(await outcome).toMatchObject({ message: 'enough' })
    await eventually('the one on its way is closed', () => cluster.connections.size === 1)
  })

  test('that came before asks nobody', async () => {
    await using cluster = await twoLeaders()
    await expect(cluster.lane.fetch(request(0n), AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
    expect(cluster.asked()).toEqual([])
  })
})

test('after the lane was dropped what was on its way is asked for anew', async () => {
  await using cluster = await twoLeaders()
  cluster.on('b1 Fetch', answer(0, 'x'), answer(0, ''))
  cluster.on('b2 Fetch', () => new Promise(() => {}), answer(1, 'new'))
  await cluster.lane.fetch(request(0n, 0n), never)
  cluster.lane.drop()
  await eventually('all are closed', () => cluster.connections.size === 0)
  expect(told(await cluster.lane.fetch(request(1n, 0n), never))).toContainEqual([1, 'new'])
})
