// Opens what a workspace names: the only place, with compose.ts, where adapters are chosen. They are loaded on first use.
import { existsSync } from 'node:fs'
import { storeFile } from '../adapters/embedded-store/store-file.ts'
import type { WorkspaceDefinition } from '../config/definition.ts'
import { findWorkspace } from '../config/workspace.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import type { EventLog, SchemaRegistry } from '../pipeline/ports.ts'

export interface Store extends AsyncDisposable {
  readonly log: EventLog
  readonly registry: SchemaRegistry
}

/** weir.yaml of the folder or one above it, with `--data` and the environment on top. @throws config.* */
export async function openWorkspace(from: {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly dataDir: string | null
}): Promise<WorkspaceDefinition> {
  return findWorkspace(from.cwd, from.env, {
    cwd: from.cwd,
    ...(from.dataDir === null ? {} : { dataDir: from.dataDir }),
  })
}

/** Opens the event log and the registry; the folder of an embedded store is made when it is missing. @throws log.*, registry.* */
export async function openBroker(workspace: WorkspaceDefinition, clock: Clock = systemClock): Promise<Store> {
  const [{ openSqliteEventLog }, { openEmbeddedRegistry }] = await Promise.all([
    import('../adapters/event-log-sqlite/event-log.ts'),
    import('../adapters/registry-embedded/registry.ts'),
  ])
  const stack = new AsyncDisposableStack()
  try {
    const log = stack.use(await openSqliteEventLog({ dataDir: workspace.dataDir, clock }))
    const registry = stack.use(await openEmbeddedRegistry({ dataDir: workspace.dataDir, clock }))
    const opened = stack.move()
    return { log, registry, [Symbol.asyncDispose]: () => opened.disposeAsync() }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

/** True when an embedded store is there: what only looks must not create one. */
export function storeExists(workspace: WorkspaceDefinition): boolean {
  return existsSync(storeFile(workspace.dataDir))
}
