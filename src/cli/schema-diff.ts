// weir schema diff: what lies between two schemas, in files, commits or the registry.
import type { Command } from 'commander'
import { compareSchemas } from '../app/governance/comparing.ts'
import { openRegistry } from '../app/open.ts'
import { dayOf } from '../core/clock.ts'
import type { CliContext } from './context.ts'
import { printReport, type ReportFlags, withReportFlags } from './schema-report.ts'

export function registerDiff(schema: Command, context: CliContext): void {
  const place = 'A file, a file at a commit (REF:path), or a version of the registry (SUBJECT@VERSION, SUBJECT@latest)'
  withReportFlags(
    schema
      .command('diff')
      .description('Review the change from one schema to another')
      .argument('<before>', place)
      .argument('<after>', place),
  )
    .addHelpText(
      'after',
      `
Examples:
  weir schema diff origin/main:schemas/raw-review.avsc schemas/raw-review.avsc
  weir schema diff raw_reviews-value@latest schemas/raw-review.avsc --level FULL
  weir schema diff raw_reviews-value@2 raw_reviews-value@3 --format markdown`,
    )
    .action((before: string, after: string, flags: ReportFlags) => diff(context, before, after, flags))
}

async function diff(context: CliContext, before: string, after: string, flags: ReportFlags): Promise<void> {
  const { output, terminal } = context
  await using stack = new AsyncDisposableStack()
  let registry: ReturnType<typeof openRegistry> | undefined
  const report = await compareSchemas({
    cwd: terminal.cwd,
    env: terminal.env,
    before,
    after,
    level: flags.level ?? null,
    strict: flags.strict ?? false,
    today: dayOf(terminal.clock.now()),
    warn: ({ message, hint }) => output.warn(message, hint ?? undefined),
    registry: () =>
      (registry ??= context
        .workspace()
        .then(workspace => openRegistry(workspace, terminal.clock, terminal.random))
        .then(opened => stack.use(opened))),
  })
  printReport(context, report, flags)
}
