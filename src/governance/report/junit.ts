// A report as JUnit XML, as GitLab, Jenkins and others read it: a suite for each subject, a case for each thing that was looked at.
import { escapeActing } from '../../core/printable.ts'
import type { Report, Review } from '../review.ts'
import { baseText, headline, type Issue, issuesOf, withHint } from './words.ts'

const cases = [
  ['compatibility', 'compatibility'],
  ['silent', 'meaning'],
  ['alias', 'aliases'],
  ['pii', 'personal data'],
  ['docs', 'documentation'],
  ['naming', 'names'],
  ['owner', 'owner'],
  ['engine', 'two engines'],
  ['data', 'retained data'],
] as const

interface Case {
  readonly name: string
  readonly failures: readonly string[]
  readonly notes: readonly string[]
}

/** Warnings fail their case when they made the exit code 3. */
export function junitReport(report: Report): string {
  const suites = [
    ...report.unusable.map(({ subject, file, findings }) => ({
      subject,
      file,
      note: '',
      cases: [
        {
          name: 'schema is usable',
          failures: findings.map(each =>
            lineOf({ ...each, line: each.place?.line ?? 1, file: each.place?.file ?? file }),
          ),
          notes: [],
        },
      ],
    })),
    ...report.reviews.map(review => ({
      subject: review.subject,
      file: review.file,
      note: `${headline(review)} Base: ${baseText(review)}.`,
      cases: casesOf(review),
    })),
  ]
  const total = suites.flatMap(each => each.cases)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="weir schema" tests="${total.length}" failures="${failed(total)}" errors="0">`,
    ...suites.flatMap(({ subject, file, note, cases }) => [
      `  <testsuite name="${xml(subject)}" tests="${cases.length}" failures="${failed(cases)}" errors="0" skipped="0">`,
      ...cases.flatMap(each => caseXml(each, subject, file)),
      ...(note ? [`    <system-out>${xml(note)}</system-out>`] : []),
      '  </testsuite>',
    ]),
    '</testsuites>',
    '',
  ].join('\n')
}

const failed = (cases: readonly Case[]) => cases.filter(each => each.failures.length > 0).length

function casesOf(review: Review): readonly Case[] {
  const issues = issuesOf(review)
  const fails = (issue: Issue) =>
    issue.waivedBy === null && (issue.level === 'error' || (issue.level === 'warning' && review.exitCode === 3))
  const known = cases.map(([prefix, name]): Case => {
    const own = issues.filter(issue => issue.rule.startsWith(`${prefix}.`))
    return {
      name: prefix === 'compatibility' ? `compatibility at ${review.level}` : name,
      failures: own.filter(fails).map(lineOf),
      notes: own
        .filter(issue => !fails(issue))
        .map(issue => `${issue.waivedBy !== null ? 'waived: ' : ''}${lineOf(issue)}`),
    }
  })
  const others = issues.filter(issue => !cases.some(([prefix]) => issue.rule.startsWith(`${prefix}.`)))
  return others.length === 0
    ? known
    : [
        ...known,
        {
          name: 'others',
          failures: others.filter(fails).map(lineOf),
          notes: others.filter(issue => !fails(issue)).map(lineOf),
        },
      ]
}

function lineOf({
  rule,
  field,
  message,
  hint,
  file,
  line,
}: Pick<Issue, 'rule' | 'field' | 'message' | 'hint' | 'file' | 'line'>): string {
  return `${rule}${field === null ? '' : ` at ${field}`}: ${withHint(message, hint)}${file === null ? '' : ` (${file}:${line})`}`
}

function caseXml({ name, failures, notes }: Case, subject: string, file: string | null): readonly string[] {
  const open = `    <testcase name="${xml(name)}" classname="${xml(subject)}"${file === null ? '' : ` file="${xml(file)}"`} time="0"`
  if (failures.length === 0 && notes.length === 0) return [`${open}/>`]
  return [
    `${open}>`,
    ...(failures.length > 0
      ? [`      <failure message="${xml(failures[0]!)}" type="schema">${xml(failures.join('\n'))}</failure>`]
      : []),
    ...(notes.length > 0 ? [`      <system-out>${xml(notes.join('\n'))}</system-out>`] : []),
    '    </testcase>',
  ]
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}

/** Line ends stay; what XML cannot hold, and what acts on a viewer, is made visible. */
const xml = (text: string) =>
  text
    .split('\n')
    .map(escapeActing)
    .join('\n')
    .replace(/[\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>"']/g, each => entities[each]!)
