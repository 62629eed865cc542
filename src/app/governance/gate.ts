// The registry as a pipeline gets it: behind the policy of its folder (I14). What a run may register is decided in registering.ts, which is
// loaded when there is a policy: a start without one pays for none of it.
import type { PipelineDefinition } from '../../config/definition.ts'
import { loadPolicy } from '../../config/governance/load.ts'
import { type Clock, dayOf } from '../../core/clock.ts'
import type { Broker, OpenBroker } from '../parts.ts'

/**
 * The broker for a pipeline, its registry under the policy of the pipeline's folder; as it is where there is none.
 * @throws DefinitionError (config.*) for a policy that cannot be used
 */
export function governedBroker(
  { log, registry }: OpenBroker,
  { baseDir }: Pick<PipelineDefinition, 'baseDir'>,
  clock: Clock,
): Broker {
  const policy = loadPolicy(baseDir, dayOf(clock.now()))
  if (policy === null) return { log, registry }
  const schemas: Broker['registry'] = {
    byId: id => registry.byId(id),
    lookup: (subject, schema) => registry.lookup(subject, schema),
    async register(subject, schema) {
      const { registerUnder } = await import('./registering.ts')
      return registerUnder(policy, registry, subject, schema, dayOf(clock.now()))
    },
  }
  return { log, registry: schemas }
}
