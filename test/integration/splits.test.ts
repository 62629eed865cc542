// Listing the splits of a source: one listing for all buckets of a process, whatever becomes of each bucket.
import { expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import type { Bucket, EventLog } from '../../src/pipeline/ports.ts'
import { scripted, stageWorld } from '../support/stage-world.ts'

test('I4: a listing that fails is told once, however many buckets wait for it', async () => {
  await using world = await stageWorld()
  let listings = 0
  const { failures } = await world.produce(
    {
      ...scripted([]),
      splits: async () => {
        listings++
        throw new WeirError('file.not_found', 'no file', { at: 'reviews.csv' })
      },
    },
    { buckets: 8 },
  )
  expect(failures).toMatchObject([{ code: 'file.not_found' }])
  expect(world.events.filter(event => event.type === 'fetch_failed')).toEqual([
    expect.objectContaining({ split: '*', code: 'file.not_found', at: 'reviews.csv' }),
  ])
  expect(listings).toBe(1)
})

test('I7: a bucket that is taken away during the listing does not end it for the others', async () => {
  await using world = await stageWorld()
  const listing = Promise.withResolvers<void>()
  let aborted: AbortSignal | undefined
  const log = new Proxy(world.log, {
    get(target, name) {
      const value = Reflect.get(target, name)
      if (name !== 'joinProducers') return typeof value === 'function' ? value.bind(target) : value
      const join: EventLog['joinProducers'] = async options => {
        const given: Bucket[] = []
        const membership = await target.joinProducers({
          ...options,
          assigned: bucket => {
            given.push(bucket)
            options.assigned(bucket)
          },
        })
        // The first bucket goes to another process while its loop lists the splits, then comes back.
        void options.revoked(0).then(() => {
          options.assigned(given.find(bucket => bucket.number === 0)!)
          listing.resolve()
        })
        return membership
      }
      return join
    },
  })
  await world.produce(
    {
      ...scripted([[{ id: 'a', rating: 1 }]]),
      splits: async signal => {
        aborted = signal
        await Promise.race([
          listing.promise,
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true })),
        ])
        return [{ id: 's', vars: {} }]
      },
    },
    { buckets: 8, log },
  )
  expect(aborted).toBeDefined()
  expect(await world.records()).toEqual([{ id: 'a', rating: 1 }])
})
