// weir run: one pipeline, until it is told to stop or --until holds.
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { type Stage, stageNames } from '../app/compose.ts'
import { loadDefinition } from '../app/definitions.ts'
import { type ObservedResult, runObserved } from '../app/running.ts'
import { summaryText } from '../app/summary-text.ts'
import { WeirError } from '../core/errors.ts'
import { parseWait } from './arguments.ts'
import type { CliContext } from './context.ts'
import { logLevels } from './environment.ts'
import { listenOptions } from './listen.ts'
import { version } from './version.ts'

export interface RunFlags {
  readonly stage?: readonly Stage[]
  readonly until?: 'end' | 'idle'
  readonly idleFor: number
  readonly host: string
  readonly port?: number
  readonly logFormat?: 'pretty' | 'json'
  readonly logLevel: (typeof logLevels)[number]
}

export function register(program: Command, context: CliContext): void {
  const command = program.command('run')
  listenOptions(command, context.terminal.env, {
    host: 'Address for /livez, /readyz and /metrics',
    port: 'Port for them; without it nothing listens',
  })
  command
    .description('Run a pipeline: its source, its consumers, its dead letters')
    .argument('<file>', 'The pipeline file')
    .addOption(
      new Option('--stage <stage...>', 'Only these stages, so that they can run apart').choices([...stageNames]),
    )
    .addOption(
      new Option(
        '--until <condition>',
        'Stop by itself: end, when the source is read once and consumed; idle, when nothing new comes any more',
      ).choices(['end', 'idle']),
    )
    .addOption(
      new Option('--idle-for <duration>', 'How long nothing new must come for --until idle')
        .default(10_000, '10s')
        .argParser(text => parseWait(text, '--idle-for')),
    )
    .addOption(
      new Option(
        '--log-format <format>',
        'json: a line an event; pretty: for people (default: pretty on a terminal)',
      ).choices(['pretty', 'json']),
    )
    .addOption(
      new Option('--log-level <level>', 'Quietest level that is written')
        .choices(logLevels)
        .default(context.terminal.env['WEIR_LOG_LEVEL'] ?? 'info'),
    )
    .addHelpText(
      'after',
      `
Examples:
  weir run pipelines/reviews.yaml
  weir run pipelines/reviews.yaml --until end
  weir run pipelines/reviews.yaml --stage consumer --port 8080
Stops: SIGTERM or Ctrl-C finishes what is in flight and exits 0; a second one ends at once.`,
    )
    .action((file: string, flags: RunFlags) => run(context, file, flags))
}

async function run(context: CliContext, file: string, flags: RunFlags): Promise<void> {
  const { terminal, output } = context
  const definition = await loadDefinition(resolve(terminal.cwd, file), terminal.env, problem =>
    output.warn(problem.message, problem.hint),
  )
  const pretty = (flags.logFormat ?? (terminal.stdout.isTTY && !output.json ? 'pretty' : 'json')) === 'pretty'
  const result = await runObserved({
    definition,
    workspace: await context.workspace(),
    clock: terminal.clock,
    random: terminal.random,
    run: {
      stages: flags.stage ?? stageNames,
      until: flags.until ?? null,
      idleForMs: flags.idleFor,
      version: version(),
    },
    log: { pretty, colour: output.paint('bold', 'x') !== 'x', level: flags.logLevel },
    listen: flags.port === undefined ? null : { host: flags.host, port: flags.port },
    onListening: url => output.note(`health and metrics on ${url}`),
  })
  report(context, definition.pipeline, result, pretty)
}

/** The summary: as a table for people, as the last line for programs. */
function report(context: CliContext, pipeline: string, { summary, failures }: ObservedResult, pretty: boolean): void {
  const { output } = context
  if (pretty) output.line(`\n${summaryText(summary, output.paint('bold', 'x') !== 'x')}`.trimEnd())
  else
    output.line(
      JSON.stringify({
        level: 'info',
        time: new Date(context.terminal.clock.now()).toISOString(),
        event: 'summary',
        pipeline,
        message: 'what this run came to',
        ...summary,
        ms: Math.round(summary.ms),
      }),
    )
  if (failures.length > 0) {
    const [first] = failures
    throw new WeirError(
      first!.code,
      failures.length === 1
        ? `A poll was given up, its cursor stands where it stood: ${first!.message}`
        : `${failures.length} polls were given up, their cursors stand where they stood. The first: ${first!.message}`,
      {
        ...(first!.at === undefined ? {} : { at: first!.at }),
        hint: first!.hint ?? 'Run again: it goes on from there.',
      },
    )
  }
}
