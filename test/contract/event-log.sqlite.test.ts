// The embedded event log under the contract of the port.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteEventLog } from '../../src/adapters/event-log-sqlite/event-log.ts'
import { type Clock, systemClock } from '../../src/core/clock.ts'
import type { EventLog } from '../../src/pipeline/ports.ts'
import { type EventLogPlace, eventLogContract } from './event-log.ts'

/** Waits that were begun before `freeze` end as usual only if the log is closed. */
function freezableClock(): { clock: Clock; freeze: () => void } {
  const frozen = new AbortController()
  const clock: Clock = {
    ...systemClock,
    sleep: async (ms, signal) => {
      await systemClock.sleep(ms, signal)
      if (!frozen.signal.aborted) return
      await new Promise<never>((_, reject) =>
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true }),
      )
    },
  }
  return { clock, freeze: () => frozen.abort() }
}

async function openPlace(): Promise<EventLogPlace> {
  const dataDir = await mkdtemp(join(tmpdir(), 'weir-contract-'))
  const logs: EventLog[] = []
  return {
    prefix: '',
    connect: async () => {
      const { clock, freeze } = freezableClock()
      const log = await openSqliteEventLog({ dataDir, clock, leaseMs: 600, retentionEveryMs: 30 })
      logs.push(log)
      return { log, freeze }
    },
    [Symbol.asyncDispose]: async () => {
      for (const log of logs) await log[Symbol.asyncDispose]()
      await rm(dataDir, { recursive: true })
    },
  }
}

eventLogContract('embedded', { freeze: true, quickRetention: true, denseOffsets: true }, openPlace)
