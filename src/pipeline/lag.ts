// How far a consumer is behind, told every few seconds beside its work: a log that cannot say for now holds up no batch and ends no stage (L8).
import type { Clock } from '../core/clock.ts'
import { toWeirError } from '../core/errors.ts'
import type { Emit } from '../core/event.ts'
import type { Consumer } from './ports.ts'

export interface LagOptions {
  readonly pipeline: string
  readonly group: string
  readonly topic: string
  readonly emit: Emit
  readonly clock: Clock
}

export interface LagTeller {
  /** Asks when it is time, without waiting for the answer. @throws what an earlier question failed with for good */
  tick(): void
  /** Asks once more, and waits for the answer, a moment at most. */
  last(): Promise<void>
}

const everyMs = 5_000
const retryMs = 500
const lastMs = 1_000

export function createLagTeller(consumer: Consumer, options: LagOptions): LagTeller {
  const { pipeline, group, topic, emit, clock } = options
  let nextMs = Number.NEGATIVE_INFINITY
  let asking = false
  let failed: { readonly by: unknown } | undefined
  const ask = async (): Promise<void> => {
    asking = true
    nextMs = clock.monotonic() + everyMs
    try {
      emit({ type: 'lag', pipeline, group, topic, lag: Number(await consumer.lag()) })
    } catch (thrown) {
      nextMs = clock.monotonic() + retryMs
      if (!toWeirError(thrown).retry) failed = { by: thrown }
    } finally {
      asking = false
    }
  }
  return {
    tick() {
      if (failed) throw failed.by
      if (!asking && clock.monotonic() >= nextMs) void ask()
    },
    async last() {
      const enough = new AbortController()
      const moment = clock.sleep(lastMs, enough.signal).catch(() => {})
      await Promise.race([ask(), moment])
      enough.abort()
    },
  }
}

/** True when nothing is left to read, here or elsewhere; not known for now counts as no. @throws what will not pass */
export function isReadToEnd(consumer: Consumer): Promise<boolean> {
  return noForNow(async () => (await consumer.settled()) && (await consumer.lag()) === 0n)
}

/** The answer to a question that is asked again soon: no while the log cannot say. @throws what will not pass */
export async function noForNow(question: () => Promise<boolean>): Promise<boolean> {
  try {
    return await question()
  } catch (thrown) {
    if (toWeirError(thrown).retry) return false
    throw thrown
  }
}
