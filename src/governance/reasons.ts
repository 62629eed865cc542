// Item 3: the reasons of a whole history as a reviewer reads them, each once with all versions that fail for it, and how to mend it.
import type { CompatibilityLevel } from '../schema/compatibility-level.ts'
import { printJson } from '../schema/json-text.ts'
import { type Comparison, compare } from './comparison.ts'
import { patchOf } from './edit.ts'
import { breaksLevel, type HistoryBreak, type HistoryVerdict, type SchemaVersion } from './levels.ts'
import { applied, reasonsLeft } from './mend.ts'
import { outlineOf, type TypeOutline } from './outline.ts'
import { type Reason, sentenceOf } from './reason.ts'
import { placeOf, remedyOf } from './remedy.ts'
import type { Fix, ReviewedReason } from './review.ts'
import type { NamedSchema } from './schema-tree.ts'

interface ReasonsInput {
  readonly candidate: NamedSchema
  readonly root: TypeOutline
  readonly history: readonly SchemaVersion[]
  readonly verdict: HistoryVerdict
  readonly level: CompatibilityLevel
  readonly file: string | null
}

/** Edits are tried for so many reasons, of a large schema for fewer; the others are only told. */
const maxTried = 50
const maxTriedOfLarge = 5
const largeLength = 100_000

type Draft = Omit<ReviewedReason, 'place' | 'waivedBy'>

/** Those that break the effective level first. */
export function reviewedReasons({ candidate, root, history, verdict, level, file }: ReasonsInput): readonly Draft[] {
  const comparisons = new Map<number, Comparison>()
  const comparisonWith = (version: number): Comparison => {
    const known =
      comparisons.get(version) ?? compare(outlineOf(history.find(each => each.version === version)!.schema), root)
    comparisons.set(version, known)
    return known
  }
  const grouped = new Map<
    string,
    { readonly first: HistoryBreak; readonly reason: Reason; readonly versions: number[]; breaks: boolean }
  >()
  for (const found of verdict.breaks)
    for (const reason of found.reasons) {
      const key = [found.direction, reason.rule, reason.path, reason.message].join('\n')
      const group = grouped.get(key) ?? { first: found, reason, versions: [], breaks: false }
      if (!group.versions.includes(found.version)) group.versions.push(found.version)
      group.breaks ||= breaksLevel(level, found)
      grouped.set(key, group)
    }
  const tried = candidate.text.length > largeLength ? maxTriedOfLarge : maxTried
  const groups = [...grouped.values()].sort((a, b) => Number(b.breaks) - Number(a.breaks))
  return groups.map(({ first, reason, versions, breaks }, index): Draft => {
    const comparison = comparisonWith(first.version)
    const { direction } = first
    return {
      rule: reason.rule,
      direction,
      message: withoutPath(sentenceOf(reason), reason.path),
      field: reason.path,
      breaks,
      versions: versions.sort((a, b) => a - b),
      ...partsOf(reason, direction, comparison),
      fix: fixOf(reason, direction, comparison, index < tried),
    }
  })

  function fixOf(reason: Reason, direction: HistoryBreak['direction'], comparison: Comparison, tried: boolean): Fix {
    const remedy = remedyOf(reason, direction, comparison)
    const made = tried ? applied(candidate.text, remedy) : null
    return {
      text: remedy.text,
      patch: made && patchOf(file ?? 'candidate.avsc', candidate.text, made.text),
      remaining: made ? reasonsLeft(level, made.schema, history) : 0,
      steps: remedy.steps,
    }
  }
}

/** Where the candidate has it, and what both have there. */
function partsOf(
  reason: Reason,
  direction: HistoryBreak['direction'],
  comparison: Comparison,
): Pick<Draft, 'pointer' | 'before' | 'after'> {
  const { field, types } = placeOf(reason, direction, comparison)
  const isField = reason.rule === 'READER_FIELD_MISSING_DEFAULT_VALUE'
  const [reader, writer] = isField ? [null, null] : [reason.reader, reason.writer]
  const [before, after] = direction === 'backward' ? [writer, reader] : [reader, writer]
  const pointer =
    direction === 'backward'
      ? reason.pointer
      : (field?.after?.pointer ?? types?.after.pointer ?? field?.records.after.pointer ?? null)
  if (!isField) return { pointer, before: fragment(before), after: fragment(after) }
  return {
    pointer,
    before: direction === 'forward' ? fragment(field?.before?.json) : null,
    after: direction === 'backward' ? fragment(field?.after?.json) : null,
  }
}

/** The JSON of a part; of a record without its fields. */
function fragment(json: unknown): string | null {
  if (json === undefined || json === null) return null
  if (typeof json !== 'object' || Array.isArray(json) || !('fields' in json)) return printJson(json)
  const { fields: _fields, doc: _doc, ...rest } = json as Record<string, unknown>
  return printJson(rest)
}

/** The path stands beside the sentence already. */
const withoutPath = (sentence: string, path: string) =>
  sentence.startsWith(`${path}: `) ? sentence.slice(path.length + 2) : sentence
