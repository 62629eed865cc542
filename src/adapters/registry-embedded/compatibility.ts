// What the versions of a subject have against a schema: in Confluent's words for clients, in sentences for people.
import { checkLevel, type HistoryBreak } from '../../governance/levels.ts'
import { confluentText, sentenceOf } from '../../governance/reason.ts'
import type { CompatibilityLevel } from '../../pipeline/ports.ts'
import type { Sql } from '../embedded-store/store.ts'
import { type AvroText, storedAvro } from './avro.ts'
import { resolve } from './references.ts'
import type { StoredVersion } from './rows.ts'

/** What a level has against a schema. */
export interface Objection {
  readonly level: CompatibilityLevel
  /** Newest version first; none: nothing. */
  readonly breaks: readonly HistoryBreak[]
  readonly versions: readonly StoredVersion[]
}

/** `versions` in ascending order. @throws schema.too_complex */
export function objectionTo(
  sql: Sql,
  level: CompatibilityLevel,
  { schema }: AvroText,
  versions: readonly StoredVersion[],
): Objection {
  const against = level === 'NONE' ? [] : level.endsWith('_TRANSITIVE') ? versions : versions.slice(-1)
  const old = against.map(({ version, text, references }) => ({
    version,
    schema: storedAvro(text, resolve(sql, references)),
  }))
  return { level, versions, breaks: checkLevel(level, schema, old) }
}

/** Longer schemas are cut in messages, as Confluent's registry does. */
const maxSchemaShown = 10 * 1024

/** As Confluent's registry answers: the first version that fails, newest first, and what was checked. Empty when nothing fails. */
export function confluentMessages({ level, breaks, versions }: Objection): string[] {
  const [first] = breaks
  if (first === undefined) return []
  const ofFirst = breaks.filter(each => each.version === first.version)
  const reasons = (direction: HistoryBreak['direction'], reader: 'new' | 'old') =>
    ofFirst
      .filter(each => each.direction === direction)
      .flatMap(each => each.reasons)
      .map(reason => confluentText(reason, reader))
  const forward = reasons('forward', 'old')
  const backward = reasons('backward', 'new')
  const { text } = versions.find(each => each.version === first.version)!
  const shown = text.length > maxSchemaShown ? `<truncated> '${text.slice(0, maxSchemaShown)}...'` : `'${text}'`
  // Of a check in both directions the old schema is told only where the new one is the reader.
  const told = level.startsWith('FULL') && backward.length === 0
  return [
    ...forward,
    ...backward,
    ...(told ? [] : [`{oldSchemaVersion: ${first.version}}`, `{oldSchema: ${shown}}`]),
    `{validateFields: 'false', compatibility: '${level}'}`,
  ]
}

const maxSentences = 20

/** Every version and reason, up to a number. */
export function sentencesOf({ breaks }: Objection): string[] {
  const all = breaks.flatMap(({ direction, version, reasons }) => {
    const side = direction === 'backward' ? 'reading values of' : 'read by'
    return reasons.map(reason => `${side} version ${version}: ${sentenceOf(reason)}`)
  })
  return all.slice(0, maxSentences)
}
