// weir demo: what `npm start` runs.
import type { Command } from 'commander'
import { runDemo } from '../app/demo.ts'
import { summaryText } from '../app/summary-text.ts'
import { isCheckout } from '../core/shipped.ts'
import { parseWait } from './arguments.ts'
import type { CliContext } from './context.ts'
import { printable } from './terminal.ts'
import { version } from './version.ts'

const defaultForMs = 15_000

export function register(program: Command, context: CliContext): void {
  program
    .command('demo')
    .description('Watch a pipeline at work against a simulated review vendor')
    .option('--for <duration>', 'How long; 0s: until it is stopped (default: 15s)', text =>
      parseWait(text, '--for', { zero: true }),
    )
    .addHelpText('after', '\nExample: weir demo --for 1m')
    .action((flags: { for?: number }) => demo(context, flags.for ?? defaultForMs))
}

async function demo({ output, terminal, workspace: openWorkspace }: CliContext, forMs: number): Promise<void> {
  const { paint } = output
  const workspace = await openWorkspace()
  const tone = {
    plain: (text: string) => text,
    good: (text: string) => paint('green', text),
    bad: (text: string) => paint('yellow', text),
  }
  if (!output.json) output.line(paint('bold', 'weir: reviews from an API into an Avro topic, exactly once'))
  const { summary } = await runDemo({
    workspace,
    env: terminal.env,
    clock: terminal.clock,
    random: terminal.random,
    forMs: forMs === 0 ? null : forMs,
    version: version(),
    tell: (sentence, how) => {
      if (!output.json) output.line(`  ${tone[how](printable(sentence, 160))}`)
    },
  })
  if (output.json) return output.document(summary)
  output.line(
    `\n${paint('bold', 'What this run came to')}\n${summaryText(summary, paint('bold', 'x') !== 'x').trimEnd()}\n`,
  )
  output.line(paint('bold', 'What to type next'))
  // In a checkout weir is no command on the path; installed, it is.
  const weir = isCheckout ? 'npm run -s weir --' : 'weir'
  const next: readonly (readonly [command: string, what: string])[] = [
    ['topic cat demo_reviews --limit 3', 'records, decoded'],
    ['dlq list demo_reviews_dlq', 'what failed, and why'],
    ['cursor show demo-reviews', 'where the source stands'],
    ['demo', 'again: what is stored already is not stored twice'],
    ['run pipelines/finefoods.yaml --until end', '2,000 real reviews from a file'],
    ['connectors', 'sources and sinks for a pipeline of your own'],
  ]
  for (const [command, what] of next) output.line(`  ${`${weir} ${command}`.padEnd(62)} ${paint('dim', what)}`)
}
