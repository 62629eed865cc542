// A new schema against the versions of a subject: both directions, all seven levels, every version that fails.
import { type CompatibilityLevel, compatibilityLevels } from '../schema/compatibility-level.ts'
import { incompatibilities } from './compatibility.ts'
import type { Reason } from './reason.ts'
import type { NamedSchema } from './schema-tree.ts'

/** `backward`: the new schema reads what the version wrote. `forward`: the version reads what the new schema writes. */
export type Direction = 'backward' | 'forward'

export interface SchemaVersion {
  readonly version: number
  readonly schema: NamedSchema
}

/** One version that fails in one direction. */
export interface HistoryBreak {
  readonly version: number
  readonly direction: Direction
  /** True for the newest version: the only one that levels without TRANSITIVE look at. */
  readonly isLatest: boolean
  /** At least one. Pointers are in the reader's schema: the new one for `backward`, the version's for `forward`. */
  readonly reasons: readonly Reason[]
}

export interface HistoryVerdict {
  /** Newest version first; of one version `backward` first. */
  readonly breaks: readonly HistoryBreak[]
  /** The breaks that count for each level; none means that the level is kept. */
  readonly levels: Readonly<Record<CompatibilityLevel, readonly HistoryBreak[]>>
}

/** True when a level looks in a direction. */
function levelLooks(level: CompatibilityLevel, direction: Direction): boolean {
  return level.startsWith('FULL') || level.startsWith(direction.toUpperCase())
}

/** True when the break counts for the level. */
export function breaksLevel(level: CompatibilityLevel, { direction, isLatest }: HistoryBreak): boolean {
  return levelLooks(level, direction) && (isLatest || level.endsWith('_TRANSITIVE'))
}

/** Checks a schema against all versions, given in ascending order, in both directions. @throws schema.too_complex */
export function checkHistory(schema: NamedSchema, versions: readonly SchemaVersion[]): HistoryVerdict {
  const breaks = versions.toReversed().flatMap((version, index) => breaksOf(schema, version, index === 0, 'FULL'))
  const levels = Object.fromEntries(
    compatibilityLevels.map(level => [level, breaks.filter(each => breaksLevel(level, each))]),
  ) as Record<CompatibilityLevel, HistoryBreak[]>
  return { breaks, levels }
}

/** The breaks of one level only; compares no more than that level needs. @throws schema.too_complex */
export function checkLevel(
  level: CompatibilityLevel,
  schema: NamedSchema,
  versions: readonly SchemaVersion[],
): readonly HistoryBreak[] {
  if (level === 'NONE') return []
  const against = level.endsWith('_TRANSITIVE') ? versions.toReversed() : versions.slice(-1)
  return against.flatMap((version, index) => breaksOf(schema, version, index === 0, level))
}

function breaksOf(
  schema: NamedSchema,
  old: SchemaVersion,
  isLatest: boolean,
  level: CompatibilityLevel,
): HistoryBreak[] {
  const found: HistoryBreak[] = []
  const add = (direction: Direction, reasons: readonly Reason[]) => {
    if (reasons.length > 0) found.push({ version: old.version, direction, isLatest, reasons })
  }
  if (levelLooks(level, 'backward')) add('backward', incompatibilities(schema, old.schema))
  if (levelLooks(level, 'forward')) add('forward', incompatibilities(old.schema, schema))
  return found
}
