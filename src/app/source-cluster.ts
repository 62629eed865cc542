// Opens the cluster that a source reads from, with the registry of its values, when the source first asks; loaded only then.
import type { ClusterDefinition } from '../config/definition.ts'
import type { Clock, Random } from '../core/clock.ts'
import { WeirError } from '../core/errors.ts'
import { createDecode } from '../pipeline/decode.ts'
import type { AvroValue, Cluster } from '../sources/kafka/cluster.ts'
import { kafkaOptions, openRegistry } from './open.ts'

export interface ClusterOpener extends AsyncDisposable {
  /** The cluster; a failure is not remembered. @throws log.*, registry.* */
  readonly open: () => Promise<Cluster>
}

export function clusterOpener(definition: ClusterDefinition, clock: Clock, random: Random): ClusterOpener {
  const stack = new AsyncDisposableStack()
  let opening: Promise<Cluster> | undefined
  return {
    open: () =>
      (opening ??= openCluster(definition, clock, random, stack).catch(error => {
        opening = undefined
        throw error
      })),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function openCluster(
  { broker, registry }: ClusterDefinition,
  clock: Clock,
  random: Random,
  owner: AsyncDisposableStack,
): Promise<Cluster> {
  await using stack = new AsyncDisposableStack()
  const { openKafkaEventLog } = await import('../adapters/event-log-kafka/event-log.ts')
  const log = stack.use(await openKafkaEventLog(await kafkaOptions(broker, clock, random, stack)))
  const avro = registry === null ? noRegistry : decoding(stack.use(await openRegistry({ registry }, clock, random)))
  owner.use(stack.move())
  return { log, avro }
}

function decoding(registry: Parameters<typeof createDecode>[0]): Cluster['avro'] {
  const decode = createDecode(registry, null)
  return async records => {
    const { decoded, failures } = await decode(records)
    return new Map<bigint, AvroValue>([
      ...decoded.map(({ log, value }) => [log.offset, { value }] as const),
      ...failures.map(({ log, error }) => [log.offset, { error }] as const),
    ])
  }
}

const noRegistry: Cluster['avro'] = () =>
  Promise.reject(new WeirError('internal', 'The definition names no registry for Avro values'))
