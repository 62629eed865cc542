// weir schema check: the schemas of the workspace against a commit, or against files of their history. Connects to nothing
// without --records.
import type { Command } from 'commander'
import { checkSchemas, type FixedFile } from '../app/governance/checking.ts'
import { dayOf } from '../core/clock.ts'
import type { CliContext } from './context.ts'
import { proverFor, type RecordsFlags, withRecords } from './schema-data.ts'
import { printReport, type ReportFlags, withReportFlags } from './schema-report.ts'
import { printable, printableLines } from './terminal.ts'

interface CheckFlags extends ReportFlags, RecordsFlags {
  readonly against?: string
  readonly history?: string[]
  readonly fix?: boolean
}

export function registerCheck(schema: Command, context: CliContext): void {
  withRecords(
    withReportFlags(
      schema
        .command('check')
        .description(
          'Review schema files: compatibility at all levels, what changes in meaning, docs, names, personal data. Connects to nothing without --records',
        )
        .argument('[files...]', 'Schema files (default: those that pipelines and schemas/governance.yaml name)')
        .option(
          '--against <commit>',
          'Compare with where the work tree began to differ from this commit (default: the branch that a pull request goes into, else the main branch)',
        )
        .option(
          '--history <paths...>',
          'Compare with earlier versions in files or folders, oldest first, instead of a commit',
        ),
    ),
  )
    .option('--fix', 'Write the smallest edits with which the level holds; where none does, tell the steps')
    .addHelpText(
      'after',
      `
Examples:
  weir schema check
  weir schema check --against origin/main --format github --strict
  weir schema check schemas/raw-review.avsc --fix
  weir schema check schemas/raw-review.avsc --history schemas/history --level FULL_TRANSITIVE
  weir schema check --records 10000 --out review.html`,
    )
    .action((files: string[], flags: CheckFlags) => check(context, files, flags))
}

async function check(context: CliContext, files: readonly string[], flags: CheckFlags): Promise<void> {
  const { output, terminal } = context
  const { report, fixed } = await checkSchemas({
    cwd: terminal.cwd,
    env: terminal.env,
    files,
    against: flags.against ?? null,
    history: flags.history ?? [],
    level: flags.level ?? null,
    strict: flags.strict ?? false,
    today: dayOf(terminal.clock.now()),
    fix: flags.fix ?? false,
    prove: proverFor(context, flags),
    warn: ({ message, hint }) => output.warn(message, hint ?? undefined),
    note: output.note,
  })
  for (const each of fixed) tellFix(context, each)
  printReport(context, report, flags)
}

function tellFix({ output }: CliContext, { file, written, done, patch, remaining, plans }: FixedFile): void {
  if (written)
    output.note(
      `${output.paint('green', 'fixed')} ${printable(file)}: ${done.map(text => printable(text, 500)).join(' ')}`,
    )
  else {
    output.note(
      `${output.paint('yellow', 'not fixed')} ${printable(file)}: no edit of the file keeps the level; ${remaining} left. In steps:`,
    )
    for (const { text, steps } of plans) {
      output.note(`  ${printable(text, 500)}`)
      for (const [i, step] of steps.entries()) output.note(`    ${i + 1}. ${printable(step, 500)}`)
    }
  }
  if (patch !== '') output.note(printableLines(patch).trimEnd())
}
