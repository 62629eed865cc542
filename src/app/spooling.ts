// The log that a producer writes to: where the definition says so, one that goes on while the cluster is away (I6).
import type { PipelineDefinition } from '../config/definition.ts'
import type { EventLog } from '../pipeline/ports.ts'
import type { AppDeps } from './parts.ts'

/** The cluster's log, with a spool in the data directory before it where `on_broker_down: spool`. The spool is put on the stack. @throws log.* */
export async function producerLog(
  { onBrokerDown }: Pick<PipelineDefinition, 'onBrokerDown'>,
  log: EventLog,
  deps: AppDeps,
  stack: AsyncDisposableStack,
): Promise<EventLog> {
  // The embedded log is always at hand: its spool would stand on the same disk.
  if (onBrokerDown !== 'spool' || log.kind === 'embedded') return log
  const [{ openSqliteSpool }, { spoolingLog }] = await Promise.all([
    import('../adapters/spool-sqlite/spool.ts'),
    import('../pipeline/spool/spooling-log.ts'),
  ])
  const spool = stack.use(await openSqliteSpool({ dataDir: deps.dataDir, clock: deps.clock }))
  return spoolingLog(log, spool, deps)
}
