// How the commands of weir schema print a report: the form that is asked for, to the terminal or into a file.
import { writeFileSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { compatibilityLevels } from '../app/governance/checking.ts'
import { WeirError } from '../core/errors.ts'
import { redact } from '../core/secret.ts'
import { type ReportFormat, renderReport, reportFormats } from '../governance/report/render.ts'
import type { Report } from '../governance/review.ts'
import type { CliContext } from './context.ts'
import { printable } from './terminal.ts'
import { version } from './version.ts'

export interface ReportFlags {
  readonly format?: ReportFormat
  readonly out?: string
  readonly strict?: boolean
  readonly level?: (typeof compatibilityLevels)[number]
}

/** The flags that every command with a report has. */
export function withReportFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--format <form>',
        'Form of the report; --json is --format json. Default: text, or what the name of --out says',
      ).choices(reportFormats),
    )
    .option('--out <file>', 'Write the report into a file: .html, .md, .json, .xml (JUnit), .sarif, .txt')
    .addOption(
      new Option('--level <level>', 'Compatibility level to ask for, instead of that of the policy').choices(
        compatibilityLevels,
      ),
    )
    .option('--strict', 'End with exit code 3 when there are warnings')
}

const formOfExtension: Readonly<Record<string, ReportFormat>> = {
  '.html': 'html',
  '.htm': 'html',
  '.md': 'markdown',
  '.json': 'json',
  '.xml': 'junit',
  '.sarif': 'sarif',
  '.txt': 'text',
}

/** Prints or writes the report and sets the exit code. @throws usage.invalid, usage.refused for a file that cannot be written */
export function printReport(
  { output, terminal, exitWith }: CliContext,
  report: Report,
  { format, out }: ReportFlags,
): void {
  if (report.exitCode !== 0) exitWith(report.exitCode)
  const width = output.width ?? 100
  const render = (form: ReportFormat, paint = output.paint) =>
    renderReport(report, form, { paint, width: Math.min(width, 120), version: version() })
  if (out === undefined) {
    const text = render(format ?? (output.json ? 'json' : 'text'))
    if (text !== '') output.line(text.replace(/\n$/, ''))
    return
  }
  const form = format ?? formOfExtension[extname(out).toLowerCase()]
  if (form === undefined)
    throw new WeirError('usage.invalid', `the name of --out says no form: ${printable(out)}`, {
      at: '--out',
      hint: `Add --format with one of ${reportFormats.join(', ')}.`,
    })
  try {
    writeFileSync(resolve(terminal.cwd, out), redact(render(form, (_style, text) => text)))
  } catch (cause) {
    throw new WeirError('usage.refused', `the report cannot be written to ${printable(out)}`, {
      at: '--out',
      hint: 'Check the folder and its permissions.',
      cause,
    })
  }
  output.note(`wrote ${printable(out)}: ${report.verdict}`)
}
