// The embedded event log under the contract of the port.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteEventLog } from '../../src/adapters/event-log-sqlite/event-log.ts'
import type { EventLog } from '../../src/pipeline/ports.ts'
import { freezableClock } from '../support/freezable-clock.ts'
import { type EventLogPlace, eventLogContract } from './event-log.ts'

async function openPlace(): Promise<EventLogPlace> {
  const dataDir = await mkdtemp(join(tmpdir(), 'weir-contract-'))
  const logs: EventLog[] = []
  return {
    prefix: '',
    connect: async () => {
      const { clock, freeze, thaw } = freezableClock()
      const log = await openSqliteEventLog({ dataDir, clock, leaseMs: 2_000, retentionEveryMs: 30 })
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
