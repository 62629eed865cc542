// What the commands of `weir schema` that look at the workspace begin with.
import { type Bench, openBench } from '../app/governance/checking.ts'
import { dayOf } from '../core/clock.ts'
import type { CliContext } from './context.ts'

/** The workspace with its policy, and the day it counts by, as YYYY-MM-DD. @throws config.* */
export async function openBenchHere({ terminal, output }: CliContext): Promise<{ bench: Bench; today: string }> {
  const today = dayOf(terminal.clock.now())
  const bench = await openBench({
    cwd: terminal.cwd,
    env: terminal.env,
    today,
    warn: ({ message, hint }) => output.warn(message, hint),
  })
  return { bench, today }
}
