// weir record: a pipeline's source read once for real, stored as a cassette that replays without it.
import { relative, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { recordPipeline } from '../app/cassette/recording.ts'
import { parseInteger } from './arguments.ts'
import type { CliContext } from './context.ts'
import { count, printable } from './terminal.ts'

interface RecordFlags {
  readonly out?: string
  readonly maxRequests: number
}

export function register(program: Command, context: CliContext): void {
  program
    .command('record')
    .description(
      "Read a pipeline's source once for real and store what was asked and answered as a cassette, secrets and people scrubbed. Writes to no topic",
    )
    .argument('<file>', 'The pipeline file')
    .option('--out <file>', 'Where the cassette goes (default: cassettes/PIPELINE/DATE.yaml beside the pipeline)')
    .addOption(
      new Option('--max-requests <number>', 'Stop, and store nothing, when it takes more')
        .default(100)
        .argParser(text => parseInteger(text, '--max-requests', 1, 1000)),
    )
    .addHelpText(
      'after',
      '\nExamples:\n  weir record pipelines/reviews.yaml\n  weir record pipelines/reviews.yaml --out cassettes/happy.yaml\nCalls are real: a vendor bills them. Read the file before you share it.',
    )
    .action((file: string, flags: RecordFlags) => record(context, file, flags))
}

async function record({ output, terminal }: CliContext, file: string, flags: RecordFlags): Promise<void> {
  const { cwd, env, clock, random } = terminal
  const stop = new AbortController()
  const recorded = await recordPipeline({
    file: resolve(cwd, file),
    out: flags.out === undefined ? null : resolve(cwd, flags.out),
    maxRequests: flags.maxRequests,
    env,
    clock,
    random,
    signal: stop.signal,
    warn: problem => output.warn(problem.message, problem.hint),
  })
  const { requests, records, scrubbed, relaxed, failures } = recorded
  const shown = printable(relative(cwd, recorded.file))
  if (output.json) return output.document({ ...recorded, file: shown })
  output.line(`wrote ${shown}: ${count(requests, 'request')}, ${count(records, 'record')}`)
  const kinds = Object.entries(scrubbed).map(([kind, times]) => `${times} ${kind}`)
  output.line(`scrubbed: ${kinds.join(', ') || 'nothing was found to be secret or personal'}`)
  if (relaxed.length > 0) output.line(`may be anything, as it changes with each run: ${printable(relaxed.join(', '))}`)
  if (failures.length > 0) output.warn(`The poll was given up (${failures[0]}); the cassette expects that.`)
  output.note(`\nNext: read it, then weir test ${shown}`)
}
