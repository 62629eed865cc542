// Versions of a registry as reviews take them.
import { WeirError } from '../../core/errors.ts'
import { parseNamedSchema, readNamedSchema } from '../../governance/named-schema.ts'
import type { HistoricalSchema } from '../../governance/review-schema.ts'
import type { RegisteredSchema, SchemaRegistry } from '../../pipeline/ports.ts'

/** Every version of a subject that is a schema, oldest first, and the numbers of those that are none: lax registries take what Avro refuses. */
export interface RegisteredHistory {
  readonly versions: readonly HistoricalSchema[]
  readonly unreadable: readonly number[]
}

/** Of what `readHistory` of state.ts gives. */
export function historyFrom(registered: readonly RegisteredSchema[]): RegisteredHistory {
  const versions: HistoricalSchema[] = []
  const unreadable: number[] = []
  for (const { version, id, schema: text } of registered) {
    const { schema } = readNamedSchema(text)
    if (schema) versions.push({ version, id, from: 'registry', schema })
    else unreadable.push(version)
  }
  return { versions, unreadable }
}

/** One version; `latest` is the newest. @throws registry.*, schema.invalid */
export async function versionAt(
  registry: Pick<SchemaRegistry, 'version' | 'latest'>,
  subject: string,
  version: number | 'latest',
): Promise<HistoricalSchema> {
  const found = version === 'latest' ? await registry.latest(subject) : await registry.version(subject, version)
  if (found === null)
    throw new WeirError('registry.unknown_subject', 'The subject has no version.', {
      at: subject,
      hint: 'weir topic list shows which subjects there are.',
    })
  return { version: found.version, id: found.id, from: 'registry', schema: parseNamedSchema(found.schema) }
}
