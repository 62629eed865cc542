// Redpanda, broker and registry in one, in a container. testcontainers is loaded only when somebody asks.
import { MissingService } from './missing.ts'

export interface Redpanda extends AsyncDisposable {
  readonly bootstrap: string
  /** Its Confluent-compatible registry, without a slash at its end. */
  readonly registry: string
}

const image = 'docker.redpanda.com/redpandadata/redpanda:v26.1.10'

/** As the Kafka of the tests: no topic comes by itself, a group waits for nobody. */
const settings = {
  auto_create_topics_enabled: 'false',
  group_initial_rebalance_delay: '0',
  group_min_session_timeout_ms: '100',
}

/** Starts one; WEIR_TEST_REDPANDA_IMAGE names another image. @throws MissingService where no container engine answers */
export async function startRedpanda(): Promise<Redpanda> {
  const { getContainerRuntimeClient } = await import('testcontainers')
  try {
    await getContainerRuntimeClient()
  } catch {
    throw new MissingService('no container engine answers')
  }
  const { RedpandaContainer } = await import('@testcontainers/redpanda')
  const container = await new RedpandaContainer(process.env.WEIR_TEST_REDPANDA_IMAGE || image).start()
  const redpanda: Redpanda = {
    bootstrap: container.getBootstrapServers(),
    registry: container.getSchemaRegistryAddress(),
    [Symbol.asyncDispose]: async () => void (await container.stop()),
  }
  for (const [name, value] of Object.entries(settings)) {
    const { exitCode, output } = await container.exec(['rpk', 'cluster', 'config', 'set', name, value])
    if (exitCode === 0) continue
    await redpanda[Symbol.asyncDispose]()
    throw new Error(`Redpanda does not take ${name}=${value}: ${output.trim()}`)
  }
  return redpanda
}
