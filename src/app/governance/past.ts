// `weir schema history`: what a registry holds of one subject, and how it came to be.
import { WeirError } from '../../core/errors.ts'
import { suggestion } from '../../core/suggest.ts'
import { type HistoryEntry, stepsOf } from '../../governance/history.ts'
import { readNamedSchema } from '../../governance/named-schema.ts'
import type { CompatibilityLevel } from '../../schema/compatibility-level.ts'
import type { Bench } from './checking.ts'
import { type ReadRegistry, readHistory } from './state.ts'

export interface SubjectPast {
  readonly subject: string
  readonly level: CompatibilityLevel
  readonly level_from: 'policy' | 'subject' | 'global'
  readonly versions: readonly HistoryEntry[]
  /** Versions that were deleted softly, where the registry tells. */
  readonly deleted: readonly number[]
}

/** @throws registry.unknown_subject with the nearest name, registry.* */
export async function pastOf(bench: Bench, registry: ReadRegistry, subject: string): Promise<SubjectPast> {
  const [history, deleted] = await Promise.all([readHistory(registry, subject), registry.deletedVersions(subject)])
  if (history.versions.length === 0 && deleted.length === 0) {
    const known = await registry.subjects()
    throw new WeirError('registry.unknown_subject', `There is no subject ${subject}.`, {
      hint:
        known.length > 0
          ? suggestion(subject, known)
          : 'The registry holds no subject yet: a pipeline or `weir schema apply` registers them.',
    })
  }
  const asked = bench.rules(subject).level
  const level = asked ?? history.level ?? (await registry.level()) ?? 'BACKWARD'
  const versions = history.versions.map(({ version, id, schema }) => ({
    version,
    id,
    schema: readNamedSchema(schema).schema,
  }))
  return {
    subject,
    level,
    level_from: asked !== null ? 'policy' : history.level !== null ? 'subject' : 'global',
    versions: stepsOf(versions, level),
    deleted,
  }
}
