// A report as annotations of GitHub Actions: https://docs.github.com/actions/reference/workflow-commands-for-github-actions
import { escapeActing } from '../../core/printable.ts'
import type { Report } from '../review.ts'
import { allIssues, withHint } from './words.ts'

const commands = { error: 'error', warning: 'warning', note: 'notice' } as const

/** One line for each issue that is not waived; nothing else, so that no text of a schema can begin a command of its own. */
export function githubReport(report: Report): string {
  return allIssues(report)
    .filter(issue => issue.waivedBy === null)
    .map(({ level, file, line, column, rule, subject, field, message, hint }) => {
      const place = file === null ? [] : [`file=${property(file)}`, `line=${line}`, `col=${column}`]
      const properties = [...place, `title=${property(`${subject}: ${rule}`)}`].join(',')
      const text = `${field === null ? '' : `${field}: `}${withHint(message, hint)}`
      return `::${commands[level]} ${properties}::${data(text)}\n`
    })
    .join('')
}

const data = (text: string) => escapeActing(text).replaceAll('%', '%25')
const property = (text: string) => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
