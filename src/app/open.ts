// Opens what a workspace names: the only place, with compose.ts, where adapters are chosen. They are loaded on first use.
import { existsSync } from 'node:fs'
import { storeFile } from '../adapters/embedded-store/store-file.ts'
import type { KafkaEventLogOptions } from '../adapters/event-log-kafka/options.ts'
import type { KafkaBrokerDefinition, SaslDefinition, WorkspaceDefinition } from '../config/definition.ts'
import type { LocatedProblem } from '../config/problem.ts'
import { findWorkspace } from '../config/workspace.ts'
import { type Clock, type Random, systemClock, systemRandom } from '../core/clock.ts'
import type { EventLog, SchemaRegistry } from '../pipeline/ports.ts'

export interface Store extends AsyncDisposable {
  readonly log: EventLog
  readonly registry: SchemaRegistry
}

/** Until a broker has taken the connection and the login. */
const connectTimeoutMs = 10_000

/** weir.yaml of the folder or one above it, with `--data` and the environment on top; its warnings go to `warn`. @throws config.* */
export async function openWorkspace(from: {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly dataDir: string | null
  readonly warn?: (problem: LocatedProblem) => void
}): Promise<WorkspaceDefinition> {
  return findWorkspace(from.cwd, from.env, {
    cwd: from.cwd,
    warn: from.warn,
    ...(from.dataDir === null ? {} : { dataDir: from.dataDir }),
  })
}

/**
 * Opens the event log and the registry. The folder of an embedded one is made when it is missing; a cluster is reached and logged in to.
 * @throws log.*, registry.*
 */
export async function openBroker(
  workspace: WorkspaceDefinition,
  clock: Clock = systemClock,
  random: Random = systemRandom,
): Promise<Store> {
  await using stack = new AsyncDisposableStack()
  const { log } = stack.use(await openLog(workspace, clock, random))
  const registry = stack.use(await openRegistry(workspace, clock, random))
  const opened = stack.move()
  return { log, registry, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** The event log alone, with what it needs to log in. @throws log.* */
export async function openLog(
  { broker, dataDir }: WorkspaceDefinition,
  clock: Clock,
  random: Random,
): Promise<{ readonly log: EventLog } & AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  let log: EventLog
  if (broker.kind === 'embedded') {
    const { openSqliteEventLog } = await import('../adapters/event-log-sqlite/event-log.ts')
    log = stack.use(await openSqliteEventLog({ dataDir, clock }))
  } else {
    const { openKafkaEventLog } = await import('../adapters/event-log-kafka/event-log.ts')
    log = stack.use(await openKafkaEventLog(await kafkaOptions(broker, clock, random, stack)))
  }
  const opened = stack.move()
  return { log, [Symbol.asyncDispose]: () => opened.disposeAsync() }
}

/** The registry alone. @throws registry.* */
export async function openRegistry(
  { registry, dataDir = '' }: Pick<WorkspaceDefinition, 'registry'> & Partial<WorkspaceDefinition>,
  clock: Clock,
  random: Random,
): Promise<SchemaRegistry> {
  if (registry.kind === 'embedded') {
    const { openEmbeddedRegistry } = await import('../adapters/registry-embedded/registry.ts')
    return openEmbeddedRegistry({ dataDir, clock })
  }
  const { openHttpRegistry } = await import('../adapters/registry-http/registry.ts')
  return openHttpRegistry({ ...registry, clock, random })
}

/** What the Kafka adapter is opened with. What fetches tokens is put on the stack, to be closed after the log. */
export async function kafkaOptions(
  broker: KafkaBrokerDefinition,
  clock: Clock,
  random: Random,
  stack: AsyncDisposableStack,
): Promise<KafkaEventLogOptions> {
  const sasl = broker.sasl === null ? null : await saslOptions(broker.sasl, clock, random, stack)
  return { ...broker, sasl, connectTimeoutMs, clock, random }
}

async function saslOptions(
  sasl: SaslDefinition,
  clock: Clock,
  random: Random,
  stack: AsyncDisposableStack,
): Promise<NonNullable<KafkaEventLogOptions['sasl']>> {
  if (sasl.mechanism !== 'oauthbearer') return sasl
  if (sasl.token.kind === 'secret') return { mechanism: 'oauthbearer', token: sasl.token.token }
  const { openTokenProvider } = await import('./oauth-token.ts')
  const provider = stack.use(openTokenProvider(sasl.token, { clock, random }))
  return { mechanism: 'oauthbearer', token: () => provider.token() }
}

/** True when there is something to look at: a cluster always is, an embedded store once its file is there. What only looks must not create one. */
export function storeExists({ broker, dataDir }: WorkspaceDefinition): boolean {
  return broker.kind !== 'embedded' || existsSync(storeFile(dataDir))
}
