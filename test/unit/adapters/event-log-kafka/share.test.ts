// Partitions of a member: handed over once nothing of them is in work, and never committed by who has lost them.
import { expect, test, vi } from 'vitest'
import { Share } from '../../../../src/adapters/event-log-kafka/share.ts'

function opened(revoked: (partition: number) => Promise<void> = async () => {}) {
  const dropped: number[] = []
  const changed = vi.fn()
  const share = new Share({ revoked, dropped: partition => dropped.push(partition), changed })
  const take = (partition: number) => {
    const state = share.ready(partition)!
    state.inWork = true
    return state
  }
  const place = (...partitions: number[]) => {
    share.assign(partitions)
    for (const state of share.unplaced) state.standing = { committed: 0n, start: 0n }
  }
  return { share, dropped, changed, take, place }
}

test('nothing is given out of a partition before its offset is known, nor twice', () => {
  const { share, take, place } = opened()
  share.assign([0])
  expect(share.ready(0)).toBeNull()
  place(0)
  take(0)
  expect(share.ready(0)).toBeNull()
  share.release(0)
  expect(share.ready(0)).not.toBeNull()
})

test('a partition asked back goes once its batch is done and its owner has said so', async () => {
  const said = Promise.withResolvers<void>()
  const { share, take, place, dropped } = opened(() => said.promise)
  place(0, 1)
  const state = take(0)
  let gone = false
  const revoking = share.revoke([0]).then(() => {
    gone = true
  })
  expect(share.ready(0)).toBeNull()
  expect(share.committing(0)).toBe(state)
  share.finish(state)
  await Promise.resolve()
  expect(gone).toBe(false)
  said.resolve()
  await revoking
  expect([share.holds(state), dropped, share.ready(1) !== null]).toEqual([false, [0], true])
})

test('I1: a batch of before a loss is refused, also where the partition has come back; then the partition is read again', () => {
  const { share, take, place } = opened()
  place(0)
  take(0)
  share.lose([0])
  place(0)
  expect(share.ready(0)).toBeNull()
  expect(share.committing(0)).toBeNull()
  expect(share.ready(0)).not.toBeNull()
  expect(share.committing(0)).not.toBeNull()
})

test('a loss while nothing is in work orphans nothing, and one during a commit that was answered neither', () => {
  const { share, take, place } = opened()
  place(0)
  share.lose([0])
  place(0)
  const state = take(0)
  share.lose([0])
  share.finish(state)
  place(0)
  expect(share.ready(0)).not.toBeNull()
})

test('after a doubt every offset is read anew, of what drains none', () => {
  const { share, take, place, dropped } = opened(() => new Promise(() => {}))
  place(0, 1, 2)
  take(0)
  take(1)
  void share.revoke([2])
  share.releaseAll()
  share.unplaceAll()
  expect(share.unplaced.map(({ partition, inWork }) => [partition, inWork])).toEqual([
    [0, false],
    [1, false],
  ])
  expect(dropped).toEqual([0, 1])
})
