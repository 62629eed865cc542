// weir schema apply: an approved plan, in the registry that it was made for.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { type AppliedStep, applySteps, examinePlan } from '../app/governance/applying.ts'
import { lookAtPlace, openPlace } from '../app/governance/registry-place.ts'
import { readText } from '../config/text.ts'
import { WeirError } from '../core/errors.ts'
import { type Plan, readPlan } from '../governance/plan.ts'
import { stepText } from '../governance/report/plan.ts'
import type { CliContext } from './context.ts'
import { openBenchHere } from './schema-bench.ts'
import { count, printable } from './terminal.ts'

/** The largest plan: it holds every schema and every review. */
const maxPlanBytes = 256 * 1024 * 1024

export function registerApply(schema: Command, context: CliContext): void {
  schema
    .command('apply')
    .description('Apply a plan that was made with weir schema plan --out: set levels, register schemas')
    .argument('<file>', 'The plan')
    .option('--dry-run', 'Look at everything again and tell the steps; change nothing')
    .addHelpText(
      'after',
      `
Examples:
  weir schema apply plan.json --dry-run
  weir schema apply plan.json
It is refused when the registry, the policy or a schema is not as the plan saw it, and when the plan breaks what no waiver covers. After a
crash the same call goes on where it stopped; of a plan that is done it does nothing.`,
    )
    .action((file: string, flags: { dryRun?: boolean }) => apply(context, file, flags.dryRun ?? false))
}

async function apply(context: CliContext, file: string, dryRun: boolean): Promise<void> {
  const { output, terminal } = context
  const plan = planIn(context, file)
  const { bench, today } = await openBenchHere(context)
  const workspace = await context.workspace()
  const progress = await lookFirst()
  const applied: AppliedStep[] = []
  const tell = (each: AppliedStep): void => {
    applied.push(each)
    if (!output.json) output.line(lineOf(context, plan, each))
  }
  if (dryRun) await applySteps(progress, null, tell)
  else {
    await using place = await openPlace(workspace, terminal.clock, terminal.random)
    await applySteps(progress, place.registry, tell)
  }
  if (output.json) return output.document({ plan: plan.hash, registry: plan.registry, dry_run: dryRun, steps: applied })
  const done = applied.filter(({ outcome }) => outcome === 'done').length
  const before = applied.filter(({ outcome }) => outcome === 'was done').length
  output.line(
    dryRun
      ? `Nothing was changed: ${count(applied.length - before, 'step')} to do, ${before} done before.`
      : `${count(done, 'step')} done${before > 0 ? `, ${before} done before` : ''}; plan ${plan.hash.slice(0, 12)} is applied.`,
  )

  async function lookFirst() {
    await using place = await lookAtPlace(workspace, terminal.clock, terminal.random)
    return await examinePlan(plan, bench, place, today)
  }
}

function planIn({ terminal }: CliContext, file: string): Plan {
  const read = readText(resolve(terminal.cwd, file), maxPlanBytes)
  if ('text' in read) return readPlan(read.text, file)
  const { message, hint, missing } = read.failure
  throw new WeirError(missing ? 'usage.not_found' : 'schema.plan_invalid', `The plan cannot be read. ${message}`, {
    at: file,
    hint: missing ? 'Make it with weir schema plan --out plan.json' : hint,
  })
}

function lineOf(
  { output: { paint } }: CliContext,
  plan: Plan,
  { subject, step, outcome, version, id }: AppliedStep,
): string {
  const planned = plan.subjects.find(each => each.subject === subject)!
  const mark = outcome === 'done' ? paint('green', 'done') : paint('dim', outcome)
  const got = version === null ? '' : `: version ${version}, id ${id}`
  return `${mark}  ${printable(subject)}  ${stepText(planned, step)}${got}`
}
