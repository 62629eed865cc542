// Compatibility levels over the provable check: which direction, against which versions.
import type { CompatibilityLevel, CompatibilityVerdict, RegisteredSchema } from '../../pipeline/ports.ts'
import { type Finding, findingsOfReading } from '../../schema/provable-compatibility.ts'

const maxReasons = 20

/** What a level says of a new schema, given the subject's versions in ascending order. @throws schema.invalid */
export function checkLevel(
  level: CompatibilityLevel,
  schema: string,
  versions: readonly RegisteredSchema[],
): CompatibilityVerdict {
  if (level === 'NONE') return { verdict: 'compatible', reasons: [] }
  const against = level.endsWith('_TRANSITIVE') ? versions.toReversed() : versions.slice(-1)
  const findings = against.flatMap(old => findingsAgainst(level, schema, old))
  const reasons = findings
    .map(({ finding, text }) => ({ kind: finding.kind, text }))
    .sort((a, b) => Number(a.kind === 'unproven') - Number(b.kind === 'unproven'))
  if (reasons.length === 0) return { verdict: 'compatible', reasons: [] }
  return { verdict: reasons[0]!.kind, reasons: reasons.slice(0, maxReasons).map(reason => reason.text) }
}

function findingsAgainst(
  level: CompatibilityLevel,
  schema: string,
  old: RegisteredSchema,
): { finding: Finding; text: string }[] {
  if (old.schema === schema) return []
  const say = (direction: string) => (finding: Finding) => ({
    finding,
    text: `${direction} version ${old.version}: ${finding.path}: ${finding.message}`,
  })
  const backward = level.startsWith('FORWARD')
    ? []
    : findingsOfReading(schema, old.schema).map(say('reading values of'))
  const forward = level.startsWith('BACKWARD') ? [] : findingsOfReading(old.schema, schema).map(say('read by'))
  return [...backward, ...forward]
}
