// The forms that a report can take.
import type { Report } from '../review.ts'
import { githubReport } from './github.ts'
import { gitlabReport } from './gitlab.ts'
import { htmlReport } from './html.ts'
import { jsonReport } from './json.ts'
import { junitReport } from './junit.ts'
import { markdownReport } from './markdown.ts'
import { sarifReport } from './sarif.ts'
import { type TextOptions, textReport } from './text.ts'

export const reportFormats = ['text', 'markdown', 'json', 'junit', 'sarif', 'github', 'gitlab', 'html'] as const
export type ReportFormat = (typeof reportFormats)[number]

export interface RenderOptions extends TextOptions {
  /** Of weir, for SARIF. */
  readonly version: string
}

/** The text of a report; ends with a line end, unless there is nothing to say. */
export function renderReport(report: Report, format: ReportFormat, options: RenderOptions): string {
  switch (format) {
    case 'text':
      return textReport(report, options)
    case 'markdown':
      return markdownReport(report)
    case 'json':
      return jsonReport(report)
    case 'junit':
      return junitReport(report)
    case 'sarif':
      return sarifReport(report, options.version)
    case 'github':
      return githubReport(report)
    case 'gitlab':
      return gitlabReport(report)
    case 'html':
      return htmlReport(report)
  }
}
