// The end-of-run summary for the command line, which may not reach into observe/ itself.
import { formatSummary, type Summary } from '../observe/summary.ts'

export function summaryText(summary: Summary, color: boolean): string {
  return formatSummary(summary, { color })
}
