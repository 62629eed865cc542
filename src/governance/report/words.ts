// The sentences that all forms of a report share.
import { createHash } from 'node:crypto'
import {
  type Finding,
  type LevelVerdict,
  type Report,
  type Review,
  type ReviewedReason,
  type Rollout,
  reviewVersion,
  type Verdict,
} from '../review.ts'

/** `1 record`, `12 records`. */
export const count = (n: number, word: string) => `${n.toLocaleString('en-US')} ${word}${n === 1 ? '' : 's'}`

export const verdictWord: Readonly<Record<Verdict, string>> = {
  ok: 'Compatible',
  warning: 'Look at it',
  breaking: 'Breaking',
}

export const rolloutTitle: Readonly<Record<Rollout['order'], string>> = {
  'consumers-first': 'Consumers first',
  'producers-first': 'Producers first',
  any: 'Any order',
  'new-subject': 'A new subject',
}

/** The verdict in one sentence. */
export function headline(review: Review): string {
  const { level, reasons, findings, base } = review
  const broken = reasons.filter(reason => reason.breaks && reason.waivedBy === null).length
  const blocked = findings.filter(each => each.severity === 'error' && each.waivedBy === null).length
  const warned = findings.filter(each => each.severity === 'warning' && each.waivedBy === null).length
  const waived = [...reasons.filter(each => each.breaks), ...findings].filter(each => each.waivedBy !== null).length
  const parts = [
    broken > 0
      ? `${count(broken, 'reason')} why ${level} does not hold`
      : base === null
        ? 'a new schema: nothing to be compatible with'
        : level === 'NONE'
          ? 'the level NONE asks for nothing'
          : `${level} holds`,
    ...(blocked > 0 ? [`${count(blocked, 'finding')} that the policy blocks`] : []),
    ...(warned > 0 ? [count(warned, 'warning')] : []),
    ...(waived > 0 ? [`${waived} waived`] : []),
  ]
  return `${parts.join(', ')}.`
}

/** `v3, v5` of the versions that fail; empty when none does. */
export const failingVersions = ({ failing }: LevelVerdict): string =>
  [...new Set(failing.map(each => each.version))].map(version => `v${version}`).join(', ')

export const baseText = ({ base }: Review): string =>
  base === null
    ? 'no earlier version'
    : [base.version === null ? null : `version ${base.version}`, base.id === null ? null : `id ${base.id}`, base.from]
        .filter(each => each !== null)
        .join(', ')

export const directionText = (reason: Pick<ReviewedReason, 'direction' | 'versions'>): string =>
  reason.direction === 'backward'
    ? `the new schema cannot read data of ${versionsText(reason.versions)}`
    : `${versionsText(reason.versions)} cannot read new data`

const versionsText = (versions: readonly number[]) =>
  versions.length === 0 ? 'the base' : `${versions.length === 1 ? 'version' : 'versions'} ${versions.join(', ')}`

/** What is wrong or worth a look, reasons and findings alike. */
export interface Issue {
  readonly rule: string
  readonly level: 'error' | 'warning' | 'note'
  readonly message: string
  readonly hint: string | null
  readonly field: string | null
  readonly file: string | null
  readonly line: number
  readonly column: number
  readonly waivedBy: number | null
}

/** The reasons that break the effective level, then the findings. A reason that breaks no level asked for is no issue. */
export function issuesOf(review: Review): readonly Issue[] {
  const broken = review.reasons
    .filter(reason => reason.breaks)
    .map(
      (reason): Issue => ({
        rule: `compatibility.${reason.rule}`,
        level: 'error',
        message: `${reason.message} (${directionText(reason)})`,
        hint: reason.fix?.text ?? null,
        field: reason.field,
        ...where(reason.place, review.file),
        waivedBy: reason.waivedBy,
      }),
    )
  return [...broken, ...review.findings.map(finding => issueOf(finding, review.file))]
}

/** An issue with the subject it belongs to; with several, when they share the file. */
export type SubjectIssue = Issue & { readonly subject: string }

/** The issues of all schemas. What is the same in a file for several subjects is one. */
export function allIssues(report: Report): readonly SubjectIssue[] {
  const same = Map.groupBy(issuesBySubject(report), issue =>
    issue.file === null
      ? issue
      : [
          issue.file,
          issue.line,
          issue.column,
          issue.rule,
          issue.level,
          issue.field,
          issue.message,
          issue.waivedBy,
        ].join('\n'),
  )
  return [...same.values()].map(group => ({
    ...group[0]!,
    subject: namesOf([...new Set(group.map(each => each.subject))]),
  }))
}

const maxNames = 3
const namesOf = (names: readonly string[]) =>
  names.length <= maxNames
    ? names.join(', ')
    : `${names.slice(0, maxNames).join(', ')} and ${names.length - maxNames} more`

function issuesBySubject(report: Report): readonly SubjectIssue[] {
  return [
    ...report.unusable.flatMap(({ subject, file, findings }) =>
      findings.map(finding => ({ ...issueOf(finding, file), subject })),
    ),
    ...report.reviews.flatMap(review => issuesOf(review).map(issue => ({ ...issue, subject: review.subject }))),
  ]
}

/** What makes an issue the same in the next run. */
export function issueFingerprint({ subject, rule, field, message }: SubjectIssue): string {
  return createHash('sha256')
    .update([subject, rule, field ?? '', message].join('\n'))
    .digest('hex')
    .slice(0, 32)
}

const issueOf = ({ rule, severity, message, hint, field, place, waivedBy }: Finding, file: string | null): Issue => ({
  rule,
  level: severity,
  message,
  hint,
  field,
  ...where(place, file),
  waivedBy,
})

const where = (place: Finding['place'], file: string | null) => ({
  file: place?.file ?? file,
  line: place?.line ?? 1,
  column: place?.column ?? 1,
})

/** A sentence with its full stop, and what to do after it. */
export const withHint = (message: string, hint: string | null): string =>
  `${message}${/[.!?]$/.test(message) ? '' : '.'}${hint === null ? '' : ` ${hint}`}`

/** True for a schema that says what it said before, and in which nothing is to be looked at. */
export const isUnchanged = (review: Review): boolean =>
  review.base !== null &&
  review.changes.length === 0 &&
  review.reasons.length === 0 &&
  issuesOf(review).every(issue => issue.level === 'note')

/** What changed, grouped by field, in the order in which the fields come. */
export function changesByField(review: Review): ReadonlyMap<string, readonly Review['changes'][number][]> {
  return Map.groupBy(review.changes, change => change.field)
}

/** `+` new, `-` gone, `~` changed, `>` renamed. */
export function markOf(changes: readonly Review['changes'][number][]): '+' | '-' | '~' | '>' {
  const kinds = new Set(changes.map(change => change.kind))
  return kinds.has('field-added') ? '+' : kinds.has('field-removed') ? '-' : kinds.has('field-renamed') ? '>' : '~'
}

/** The verdict over all schemas: the largest trouble wins, and what cannot be used breaks. */
export function reportOf(reviews: Report['reviews'], unusable: Report['unusable']): Report {
  const has = (verdict: Verdict) => reviews.some(review => review.verdict === verdict)
  const verdict = unusable.length > 0 || has('breaking') ? 'breaking' : has('warning') ? 'warning' : 'ok'
  const exitCode = verdict === 'breaking' ? 1 : reviews.some(review => review.exitCode === 3) ? 3 : 0
  return { reviewVersion, verdict, exitCode, reviews, unusable }
}
