// The cluster that a source reads from, by the fields in its own config: the rules of weir.yaml, at another place.
import { isObject } from '../core/json-text.ts'
import { readKafka, valueAt } from './broker.ts'
import type { KafkaFields, RegistryFields } from './broker-spec.ts'
import type { ClusterDefinition } from './definition.ts'
import { readRegistry } from './registry.ts'
import type { Reading } from './resolve.ts'
import type { Partly } from './rules.ts'

/** What only writers and members of groups need. */
const unused = { client_id: 'weir', compression: 'none', transaction_timeout: 30_000, session_timeout: 15_000 } as const

/** `config`: decoded, `written`: as it stands in the file. Of use only when nothing is wrong. */
export function readCluster(
  config: unknown,
  written: unknown,
  pointer: string,
  reading: Reading,
): ClusterDefinition | undefined {
  if (!isObject(config)) return undefined
  const broker = readKafka({ ...(config as Partly<KafkaFields>), ...unused }, written, pointer, reading)
  const fields = config['registry'] as Partly<RegistryFields> | undefined
  const registry = fields ? readRegistry(fields, valueAt(written, ['registry']), `${pointer}/registry`, reading) : null
  return { broker, registry }
}
