// The embedded log behind a spool, under the contract of the port: to a pipeline nothing changes while the log is at hand.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteEventLog } from '../../src/adapters/event-log-sqlite/event-log.ts'
import { openSqliteSpool } from '../../src/adapters/spool-sqlite/spool.ts'
import { systemClock } from '../../src/core/clock.ts'
import { spoolingLog } from '../../src/pipeline/spool/spooling-log.ts'
import { type EventLogPlace, eventLogContract } from './event-log.ts'

async function openPlace(): Promise<EventLogPlace> {
  const dir = await mkdtemp(join(tmpdir(), 'weir-contract-'))
  const logs = new AsyncDisposableStack()
  let machines = 0
  return {
    prefix: '',
    connect: async () => {
      const clock = systemClock
      const cluster = logs.use(
        await openSqliteEventLog({ dataDir: join(dir, 'cluster'), clock, leaseMs: 2_000, retentionEveryMs: 30 }),
      )
      const spool = logs.use(await openSqliteSpool({ dataDir: join(dir, `machine-${machines++}`), clock }))
      const log = spoolingLog(cluster, spool, { clock, random: Math.random, emit: () => {} })
      return { log, freeze: () => {}, thaw: () => {} }
    },
    [Symbol.asyncDispose]: async () => {
      await logs.disposeAsync()
      await rm(dir, { recursive: true })
    },
  }
}

eventLogContract('embedded behind a spool', { freeze: false, quickRetention: true, denseOffsets: true }, openPlace)
