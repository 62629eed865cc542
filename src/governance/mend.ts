// Edits made and checked again: what one remedy does to a candidate, and all of them together (`--fix`).
import type { CompatibilityLevel } from '../schema/compatibility-level.ts'
import { type Comparison, compare } from './comparison.ts'
import { edited } from './edit.ts'
import { checkLevel, type SchemaVersion } from './levels.ts'
import { readNamedSchema } from './named-schema.ts'
import { outlineOf } from './outline.ts'
import { type Remedy, remedyOf } from './remedy.ts'
import type { NamedSchema } from './schema-tree.ts'

/** Characters of schemas that are read for the edits that are tried. */
const maxWork = 5_000_000

/** The text with the edits of a remedy, when it is still a valid schema; else null. */
export function applied(
  text: string,
  { edits }: Pick<Remedy, 'edits'>,
): { readonly text: string; readonly schema: NamedSchema } | null {
  // Each edit reads the text again: one of thousands of parts is told in words only.
  if (edits.length === 0 || edits.length * text.length > maxWork) return null
  let result: string | null = text
  for (const edit of edits) {
    result = edited(result, edit)
    if (result === null) return null
  }
  const { schema, problems } = readNamedSchema(result)
  return schema && problems.length === 0 ? { text: result, schema } : null
}

/** How many reasons are left at the level. */
export function reasonsLeft(level: CompatibilityLevel, schema: NamedSchema, history: readonly SchemaVersion[]): number {
  return checkLevel(level, schema, history).reduce((sum, each) => sum + each.reasons.length, 0)
}

export interface Mended {
  /** The candidate with every edit that helped; the text that was given when none did. */
  readonly text: string
  /** What was done, in words. */
  readonly done: readonly string[]
  /** Reasons that no edit takes away. */
  readonly remaining: number
  /** What to do about those, in steps. */
  readonly plans: readonly { readonly text: string; readonly steps: readonly string[] }[]
}

const maxEdits = 200

/**
 * The smallest edits, one after the other, until the level holds or none helps. Each is kept only when fewer reasons are left after it.
 * Of a large schema, or against many versions, fewer are tried; what is left is told.
 */
export function mend(candidate: NamedSchema, history: readonly SchemaVersion[], level: CompatibilityLevel): Mended {
  let current = { text: candidate.text, schema: candidate }
  const done: string[] = []
  const perTry = candidate.text.length * (history.length + 1)
  let tried = 0
  for (let edits = 0; edits < maxEdits && tried * perTry < maxWork; edits++) {
    const found = remediesFor(current.schema, history, level)
    const left = found.length
    if (left === 0) return { text: current.text, done, remaining: 0, plans: [] }
    let helped: { readonly text: string; readonly schema: NamedSchema } | undefined
    // Many versions fail for one thing, which is mended once.
    for (const remedy of new Map(found.map(each => [JSON.stringify(each.edits), each])).values()) {
      if (tried++ * perTry >= maxWork) break
      const next = applied(current.text, remedy)
      if (!next || reasonsLeft(level, next.schema, history) >= left) continue
      done.push(remedy.text)
      helped = next
      break
    }
    if (!helped) return { text: current.text, done, remaining: left, plans: plansOf(found) }
    current = helped
  }
  const found = remediesFor(current.schema, history, level)
  return { text: current.text, done, remaining: found.length, plans: plansOf(found) }
}

function remediesFor(
  schema: NamedSchema,
  history: readonly SchemaVersion[],
  level: CompatibilityLevel,
): readonly Remedy[] {
  const root = outlineOf(schema)
  const comparisons = new Map<number, Comparison>()
  return checkLevel(level, schema, history).flatMap(({ version, direction, reasons }) => {
    const comparison =
      comparisons.get(version) ?? compare(outlineOf(history.find(each => each.version === version)!.schema), root)
    comparisons.set(version, comparison)
    return reasons.map(reason => remedyOf(reason, direction, comparison))
  })
}

const plansOf = (remedies: readonly Remedy[]) => [
  ...new Map(remedies.map(({ text, steps }) => [text, { text, steps }])).values(),
]
