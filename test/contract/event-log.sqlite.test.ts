// The embedded event log under the contract of the port.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteEventLog } from '../../src/adapters/event-log-sqlite/event-log.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { EventLog } from '../../src/pipeline/ports.ts'
import { type EventLogPlace, eventLogContract } from './event-log.ts'

/** While frozen, no wait ends but by its signal. */
function freezableClock(): { clock: Clock; freeze: () => void; thaw: () => void } {
  let thawed: PromiseWithResolvers<void> | null = null
  const clock: Clock = {
    ...systemClock,
    sleep: async (ms, signal) => {
      await systemClock.sleep(ms, signal)
      if (thawed === null) return
      const aborted = Promise.withResolvers<never>()
      signal?.addEventListener('abort', () => aborted.reject(signal.reason), { once: true })
      await Promise.race([thawed.promise, aborted.promise])
    },
  }
  return {
    clock,
    freeze: () => {
      thawed = Promise.withResolvers<void>()
    },
    thaw: () => {
      thawed?.resolve()
      thawed = null
    },
  }
}

async function openPlace(): Promise<EventLogPlace> {
  const dataDir = await mkdtemp(join(tmpdir(), 'weir-contract-'))
  const logs: EventLog[] = []
  return {
    prefix: '',
    connect: async () => {
      const { clock, freeze, thaw } = freezableClock()
      const log = await openSqliteEventLog({ dataDir, clock, leaseMs: 600, retentionEveryMs: 30 })
      logs.push(log)
      return { log, freeze, thaw }
    },
    [Symbol.asyncDispose]: async () => {
      for (const log of logs) await log[Symbol.asyncDispose]()
      await rm(dataDir, { recursive: true })
    },
  }
}

eventLogContract('embedded', { freeze: true, quickRetention: true, denseOffsets: true }, openPlace)
