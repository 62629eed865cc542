// The versions of a subject one after the other: what each changed, and which levels the step kept.
import type { CompatibilityLevel } from '../schema/compatibility-level.ts'
import { compare } from './comparison.ts'
import { changesOf } from './diff.ts'
import { fingerprintsOf } from './fingerprint.ts'
import { checkHistory } from './levels.ts'
import { outlineOf } from './outline.ts'
import type { Change, LevelVerdict } from './review.ts'
import { levelVerdicts } from './review-schema.ts'
import type { NamedSchema } from './schema-tree.ts'

export interface HistoryEntry {
  readonly version: number
  readonly id: number
  /** Of the parsing canonical form; null for a text that is no schema. */
  readonly crc64: string | null
  readonly sha256: string | null
  /** Against the version before it; empty for the first one. */
  readonly changes: readonly Change[]
  /** All seven levels, against all versions before it; null for the first one. */
  readonly levels: readonly LevelVerdict[] | null
  /** Does the step keep the level that is asked for? null for the first version, and where a text is no schema. */
  readonly keeps: boolean | null
}

export interface HistoricalVersion {
  readonly version: number
  readonly id: number
  /** null for a text that is no schema. */
  readonly schema: NamedSchema | null
}

/** Oldest first. `level`: the one in effect today. @throws schema.too_complex */
export function stepsOf(versions: readonly HistoricalVersion[], level: CompatibilityLevel): readonly HistoryEntry[] {
  return versions.map(({ version, id, schema }, index) => {
    const earlier = versions.slice(0, index).flatMap(each => (each.schema ? [{ ...each, schema: each.schema }] : []))
    const before = versions[index - 1]?.schema ?? null
    const prints = schema && fingerprintsOf(schema)
    const verdict = schema && earlier.length > 0 ? checkHistory(schema, earlier) : null
    return {
      version,
      id,
      crc64: prints?.crc64 ?? null,
      sha256: prints?.sha256 ?? null,
      changes: schema && before ? changesOf(compare(outlineOf(before), outlineOf(schema))) : [],
      levels: verdict && levelVerdicts(verdict),
      keeps: verdict && verdict.levels[level].length === 0,
    }
  })
}
