// What a pipeline needs from its broker before it runs: topics created or checked, schemas registered (I14). The same calls as a run makes,
// so that a rollout finds what is wrong before any process of the fleet starts.
import type { PipelineDefinition, WorkspaceDefinition } from '../config/definition.ts'
import type { Clock } from '../core/clock.ts'
import type { Event } from '../core/event.ts'
import { governedBroker } from './governance/gate.ts'
import { openBroker } from './open.ts'
import { ensureTopics, openKeeper, openOffice, registerSchema } from './parts.ts'

type Of<T extends Event['type']> = Omit<Extract<Event, { type: T }>, 'type'>

export interface Prepared {
  readonly pipeline: string
  readonly topics: readonly Of<'topic_ready'>[]
  readonly schemas: readonly Of<'schema_ready'>[]
  /** What is allowed, but likely not meant, such as a topic with a single copy. */
  readonly warnings: readonly string[]
}

/** Makes the broker and the registry ready for each pipeline in turn; what is ready stays as it is. @throws log.*, registry.* */
export async function prepareBroker(
  definitions: readonly PipelineDefinition[],
  workspace: WorkspaceDefinition,
  clock: Clock,
): Promise<readonly Prepared[]> {
  await using opened = await openBroker(workspace, clock)
  const all: Prepared[] = []
  for (const definition of definitions) {
    const broker = governedBroker(opened, definition, clock)
    const topics: Of<'topic_ready'>[] = []
    const schemas: Of<'schema_ready'>[] = []
    const warnings: string[] = []
    const emit = (event: Event): void => {
      const { type: _type, ...fields } = event
      if (event.type === 'topic_ready') topics.push(fields as Of<'topic_ready'>)
      else if (event.type === 'schema_ready') schemas.push(fields as Of<'schema_ready'>)
      else if (event.type === 'warning') warnings.push(event.message)
    }
    await registerSchema(definition.topic.subject, definition.topic.schemaText, broker, emit)
    await ensureTopics(definition, broker, emit)
    await openOffice(definition, broker, emit)
    await openKeeper(definition, broker, emit)
    all.push({ pipeline: definition.pipeline, topics, schemas, warnings })
  }
  return all
}
