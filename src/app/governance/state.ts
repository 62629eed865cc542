// What a registry holds of a subject, with the schemas: what reviews and plans are made from.
import { WeirError } from '../../core/errors.ts'
import { type SubjectState, sha256 } from '../../governance/plan.ts'
import type { RegisteredSchema, SchemaRegistry } from '../../pipeline/ports.ts'
import type { CompatibilityLevel as Level } from '../../schema/compatibility-level.ts'

/** What is asked of a registry that is not changed. */
export type ReadRegistry = Pick<
  SchemaRegistry,
  'versions' | 'deletedVersions' | 'version' | 'level' | 'lookup' | 'subjects'
>

export interface SubjectHistory {
  /** The subject's own level; null: none. */
  readonly level: Level | null
  /** Oldest first. */
  readonly versions: readonly RegisteredSchema[]
}

/** Versions asked for at the same time. */
const atOnce = 8

/** The versions and the level of a subject; no versions where there is no such subject. @throws registry.* */
export async function readHistory(registry: ReadRegistry, subject: string): Promise<SubjectHistory> {
  const [level, versions] = await Promise.all([registry.level(subject), versionsOf(registry, subject)])
  return { level, versions }
}

/** The versions of a subject, oldest first; none where there is no such subject. @throws registry.* */
async function versionsOf(
  registry: Pick<ReadRegistry, 'versions' | 'version'>,
  subject: string,
): Promise<readonly RegisteredSchema[]> {
  const numbers = await registry.versions(subject).catch((error: unknown) => {
    if (error instanceof WeirError && error.code === 'registry.unknown_subject') return []
    throw error
  })
  const found: RegisteredSchema[] = []
  for (let i = 0; i < numbers.length; i += atOnce)
    found.push(...(await Promise.all(numbers.slice(i, i + atOnce).map(number => registry.version(subject, number)))))
  return found
}

/** The history as a plan is bound to it. */
export function stateOf({ level, versions }: SubjectHistory): SubjectState {
  return { level, versions: versions.map(({ version, id, schema }) => ({ version, id, sha256: sha256(schema) })) }
}
