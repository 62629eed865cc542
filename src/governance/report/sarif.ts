// A report as SARIF 2.1.0, for code scanning: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
import { escapeActing, escapeActingInJson } from '../../core/printable.ts'
import type { Report, UsedWaiver } from '../review.ts'
import { rules } from '../rules.ts'
import { allIssues, issueFingerprint, withHint } from './words.ts'

/** `version`: of weir. Waived issues are there, suppressed. */
export function sarifReport(report: Report, version: string): string {
  const issues = allIssues(report)
  const used = [...new Set(issues.map(issue => issue.rule))].sort()
  const waivers = new Map(
    report.reviews.flatMap(review => review.waivers.map(waiver => [waiver.index, waiver] as const)),
  )
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'weir',
            semanticVersion: version,
            rules: used.map(id => ({ id, name: nameOf(id), shortDescription: { text: ruleText(id) } })),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: issues.map(issue => {
          const { rule, level, message, hint, field, file, line, column, subject, waivedBy } = issue
          const waiver = waivedBy === null ? undefined : waivers.get(waivedBy)
          return {
            ruleId: rule,
            ruleIndex: used.indexOf(rule),
            level,
            message: {
              text: escapeActing(`${field === null ? subject : `${subject}, ${field}`}: ${withHint(message, hint)}`),
            },
            locations: [
              {
                ...(file === null
                  ? {}
                  : {
                      physicalLocation: {
                        artifactLocation: { uri: uriOf(file) },
                        region: { startLine: line, startColumn: column },
                      },
                    }),
                logicalLocations: [{ fullyQualifiedName: escapeActing(field ?? subject), kind: 'member' }],
              },
            ],
            partialFingerprints: { 'weirIssue/v1': issueFingerprint(issue) },
            ...(waivedBy === null
              ? {}
              : { suppressions: [{ kind: 'external', status: 'accepted', justification: justification(waiver) }] }),
          }
        }),
      },
    ],
  }
  return `${escapeActingInJson(JSON.stringify(log, null, 2))}\n`
}

const justification = (waiver: UsedWaiver | undefined) =>
  waiver ? escapeActing(`${waiver.reason} (${waiver.owner}, until ${waiver.until})`) : 'waived'

const uriOf = (file: string) => file.toWellFormed().replaceAll('\\', '/').split('/').map(encodeURIComponent).join('/')

/** `silent.decimal-scale` as `SilentDecimalScale`. */
const nameOf = (rule: string) =>
  rule
    .split(/[^A-Za-z0-9]+/)
    .map(word => word.charAt(0).toUpperCase() + (/^[A-Z]+$/.test(word) ? word.slice(1).toLowerCase() : word.slice(1)))
    .join('')

const ruleText = (rule: string) => rules[rule] ?? rule
