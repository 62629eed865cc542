// A report as Code Quality of GitLab, shown on the lines of a merge request: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
import { escapeActing, escapeActingInJson } from '../../core/printable.ts'
import type { Report } from '../review.ts'
import { allIssues, issueFingerprint, withHint } from './words.ts'

const severities = { error: 'critical', warning: 'minor', note: 'info' } as const

/** A list of the issues that are not waived. What stands in no file is left out: GitLab shows lines of files only. */
export function gitlabReport(report: Report): string {
  const issues = allIssues(report).flatMap(issue => {
    const { level, file, line, rule, subject, field, message, hint, waivedBy } = issue
    if (waivedBy !== null || file === null) return []
    return [
      {
        description: escapeActing(`${subject}${field === null ? '' : `, ${field}`}: ${withHint(message, hint)}`),
        check_name: escapeActing(rule),
        fingerprint: issueFingerprint(issue),
        severity: severities[level],
        location: { path: escapeActing(file), lines: { begin: line } },
      },
    ]
  })
  return `${escapeActingInJson(JSON.stringify(issues, null, 2))}\n`
}
