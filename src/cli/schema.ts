// weir schema: what changes of schemas mean, before anything is registered, and registering what was decided.
import type { Command } from 'commander'
import type { CliContext } from './context.ts'
import { registerProbe } from './registry-probe.ts'
import { registerApply } from './schema-apply.ts'
import { registerCensus } from './schema-census.ts'
import { registerCheck } from './schema-check.ts'
import { registerDiff } from './schema-diff.ts'
import { registerHistory } from './schema-history.ts'
import { registerPlan } from './schema-plan.ts'
import { registerProve } from './schema-prove.ts'
import { registerSuggest } from './schema-suggest.ts'

export function register(program: Command, context: CliContext): void {
  const schema = program.command('schema').addHelpText(
    'after',
    `
Examples:
  weir schema check
  weir schema diff origin/main:schemas/raw-review.avsc schemas/raw-review.avsc
  weir schema plan --out plan.json
  weir schema apply plan.json
  weir schema history raw_reviews-value
  weir schema prove raw_reviews-value
  weir schema census raw_reviews
  weir schema suggest pipelines/reviews.yaml

Exit codes of check, diff, plan and prove: 0 fine, 1 breaking, 2 your input, 3 warnings with --strict, or your environment.`,
  )
  registerCheck(schema, context)
  registerDiff(schema, context)
  registerPlan(schema, context)
  registerApply(schema, context)
  registerHistory(schema, context)
  registerProve(schema, context)
  registerCensus(schema, context)
  registerSuggest(schema, context)
  registerProbe(schema, context)
}
