// One process at a time for work beside the pipelines: a scope of its own in the place of a pipeline, with one bucket (I7). Who takes it over
// fences the one before, whose open transaction is ended by then.
import type { Clock } from '../core/clock.ts'
import { WeirError } from '../core/errors.ts'
import type { Bucket, EventLog } from './ports.ts'

export interface ScopeClaim {
  readonly bucket: Bucket
  release(): PromiseLike<void>
}

const claimMs = 15_000

/** @param what such as "replay of reviews_dlq". @throws usage.refused when another process is at work in the scope */
export async function claimScope(
  log: EventLog,
  scope: string,
  what: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<ScopeClaim> {
  const assigned = Promise.withResolvers<Bucket>()
  const membership = await log.joinProducers({
    pipeline: scope,
    buckets: 1,
    assigned: bucket => assigned.resolve(bucket),
    revoked: async () => {},
    lost: () => {},
  })
  const release = () => membership[Symbol.asyncDispose]()
  const giveUp = new AbortController()
  try {
    const timeout = clock.sleep(claimMs, AbortSignal.any([signal, giveUp.signal])).then(() => {
      throw new WeirError('usage.refused', `Another ${what} is at work.`, {
        hint: 'Wait for it to end, then try again.',
      })
    })
    timeout.catch(() => {})
    return { bucket: await Promise.race([assigned.promise, timeout]), release }
  } catch (error) {
    await release()
    throw error
  } finally {
    giveUp.abort()
  }
}
