// Opening a sink that only one process may write to: where a member of the same group holds it, this process stands by and takes over (I7).
import type { ConsumeDefinition, PipelineDefinition } from '../config/definition.ts'
import { toWeirError } from '../core/errors.ts'
import type { Sink } from '../pipeline/ports.ts'
import { type AppDeps, type Broker, openSink } from './parts.ts'

const lookEveryMs = 250
/** A holder joins its group a moment after it opened the sink, and leaves it a moment before it closes it. */
const graceMs = 2_000

/**
 * The open sink, or null when told to stop, or when there is `enough` and the others have consumed all.
 * @throws sink.locked when the holder is no member of the group, and what opening the sink throws
 */
export async function openSinkInTurn(
  consume: ConsumeDefinition,
  definition: PipelineDefinition,
  broker: Broker,
  deps: AppDeps,
  enough: () => boolean,
  signal: AbortSignal,
): Promise<Sink | null> {
  const { clock, emit } = deps
  let memberSeenMs = clock.monotonic()
  let isTold = false
  while (!signal.aborted) {
    try {
      return await openSink(consume, definition, broker, deps)
    } catch (thrown) {
      if (toWeirError(thrown).code !== 'sink.locked') throw thrown
      const parts = (await broker.log.groups()).filter(
        each => each.group === consume.group && each.topic === definition.topic.name,
      )
      if (parts.some(each => each.member !== null)) memberSeenMs = clock.monotonic()
      else if (clock.monotonic() - memberSeenMs > graceMs) throw thrown
      if (enough() && parts.length > 0 && parts.every(each => each.lag === 0n)) return null
      if (!isTold)
        emit({
          type: 'warning',
          pipeline: definition.pipeline,
          code: 'info',
          message: `${consume.group}: another process writes to the ${consume.sink.connector} sink; this one stands by.`,
        })
      isTold = true
    }
    await clock.sleep(lookEveryMs, signal).catch(() => {})
  }
  return null
}
