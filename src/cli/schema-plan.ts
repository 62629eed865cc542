// weir schema plan: what the workspace would change in its registry.
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { makePlan } from '../app/governance/planning.ts'
import { lookAtPlace } from '../app/governance/registry-place.ts'
import { WeirError } from '../core/errors.ts'
import type { Plan } from '../governance/plan.ts'
import { planText } from '../governance/report/plan.ts'
import { reportOf } from '../governance/report/words.ts'
import type { CliContext } from './context.ts'
import { openBenchHere } from './schema-bench.ts'
import { proverFor, type RecordsFlags, withRecords } from './schema-data.ts'
import { printReport } from './schema-report.ts'
import { printable } from './terminal.ts'
import { version } from './version.ts'

interface PlanFlags extends RecordsFlags {
  readonly out?: string
  readonly report?: string
  readonly strict?: boolean
}

export function registerPlan(schema: Command, context: CliContext): void {
  withRecords(
    schema
      .command('plan')
      .description(
        'Show what the workspace would change in its registry: versions, levels, who is affected, in which order to roll out. Changes nothing',
      )
      .option('--out <file>', 'Write the plan into a file, for weir schema apply')
      .option(
        '--report <file>',
        'Write the reviews of all that would be registered: .html, .md, .json, .xml (JUnit), .sarif, .txt',
      )
      .option('--strict', 'End with exit code 3 when there are warnings'),
  )
    .addHelpText(
      'after',
      `
Examples:
  weir schema plan
  weir schema plan --out plan.json --report review.html
  weir schema plan --records 10000
Exit codes: 0 fine, 1 breaking, 2 your input, 3 warnings with --strict, or your environment. A breaking plan is written too: to be read.`,
    )
    .action((flags: PlanFlags) => plan(context, flags))
}

async function plan(context: CliContext, flags: PlanFlags): Promise<void> {
  const { output } = context
  const made = await planOf(context, flags)
  if (flags.out !== undefined) write(context, flags.out, made)
  const reviews = made.subjects.filter(({ action }) => action !== 'none').map(({ review }) => review)
  if (flags.report !== undefined) printReport(context, reportOf(reviews, []), { out: flags.report })
  if (output.json) output.document(made)
  else output.line(planText(made, output).trimEnd())
  context.exitWith(made.verdict === 'breaking' ? 1 : made.verdict === 'warning' && flags.strict ? 3 : 0)
  if (flags.out !== undefined && made.verdict !== 'breaking')
    output.note(`wrote ${printable(flags.out)}; after its approval: weir schema apply ${printable(flags.out)}`)
}

async function planOf(context: CliContext, flags: PlanFlags): Promise<Plan> {
  const { terminal, output } = context
  const { bench, today } = await openBenchHere(context)
  for (const file of bench.workspace.unreadable)
    output.warn(
      `The topic of ${printable(file)} cannot be read, so its schema is not in the plan.`,
      'weir lint says why.',
    )
  await using place = await lookAtPlace(await context.workspace(), terminal.clock, terminal.random)
  const time = { now: new Date(terminal.clock.now()).toISOString(), today, version: version() }
  return await makePlan(bench, place, time, (await proverFor(context, flags)?.(bench)) ?? null)
}

/** @throws usage.refused */
function write({ terminal }: CliContext, file: string, made: Plan): void {
  try {
    writeFileSync(resolve(terminal.cwd, file), `${JSON.stringify(made, null, 2)}\n`)
  } catch (cause) {
    throw new WeirError('usage.refused', `the plan cannot be written to ${printable(file)}`, {
      at: '--out',
      hint: 'Check the folder and its permissions.',
      cause,
    })
  }
}
