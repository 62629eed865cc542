// A report for programs. schemas/weir/review.schema.json describes it.
import { escapeActingInJson } from '../../core/printable.ts'
import type { Report } from '../review.ts'

export function jsonReport(report: Report): string {
  return `${escapeActingInJson(JSON.stringify(report, null, 2))}\n`
}
