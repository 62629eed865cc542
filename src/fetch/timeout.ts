// A deadline for one whole attempt, redirects and body included, so that a host that drips bytes cannot hold a poll.
import { type Clock, deadline as deadlineOn } from '../core/clock.ts'
import { WeirError } from '../core/errors.ts'
import { formatDuration } from '../core/units.ts'

/**
 * Runs `work` with a signal that aborts at the deadline, and ends at the deadline even if `work` does not.
 * @throws fetch.timeout, or the outer signal's reason
 */
export async function withDeadline<T>(
  ms: number,
  clock: Clock,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const deadline = new AbortController()
  const ended = new AbortController()
  const inner = AbortSignal.any([signal, deadline.signal])
  const timer = deadlineOn(clock, ms, ended.signal).then(
    () =>
      deadline.abort(
        new WeirError('fetch.timeout', `No complete answer within ${formatDuration(ms)}`, {
          hint: 'Raise `fetch: { timeout }` if the source is known to be slow.',
        }),
      ),
    () => {},
  )
  const aborted = Promise.withResolvers<never>()
  const onAbort = () => aborted.reject(inner.reason)
  inner.addEventListener('abort', onAbort, { once: true })
  const running = work(inner)
  running.catch(() => {})
  try {
    return await Promise.race([running, aborted.promise])
  } catch (error) {
    // What the work throws because it was aborted is noise: the reason is the deadline or the caller.
    throw inner.aborted ? inner.reason : error
  } finally {
    inner.removeEventListener('abort', onAbort)
    ended.abort()
    await timer
  }
}
