// One run of the command line: arguments in, exit code out. Builds the program with only the command that is called, and turns
// whatever goes wrong into one message and an exit code from the table.
import { Command, CommanderError } from 'commander'
import { exitCodeOf, WeirError } from '../core/errors.ts'
import { type CliContext, openContext } from './context.ts'
import { checkEnvironment } from './environment.ts'
import { failureText } from './failure.ts'
import { commands as allCommands, type CommandEntry } from './index.ts'
import { createOutput, type Output } from './output.ts'
import { beStrict } from './strict.ts'
import { paintFor, printableLines, type Terminal } from './terminal.ts'
import { version } from './version.ts'

interface Globals {
  readonly json?: boolean
  readonly color: boolean
  readonly data?: string
}

/** Runs one command. Never throws: what goes wrong is printed to stderr and told by the code (0 fine, 1 internal, 2 your input, 3 your environment). */
export async function runCli(
  argv: readonly string[],
  terminal: Terminal,
  commands: Readonly<Record<string, CommandEntry>> = allCommands,
): Promise<number> {
  const early = earlyFlags(argv)
  const program = new Command('weir')
  let output: Output | undefined
  let exitCode = 0
  try {
    await using context = openContext({
      terminal,
      output: () =>
        (output ??= createOutput(terminal, { json: program.opts<Globals>().json ?? false, color: early.color })),
      dataFlag: () => program.opts<Globals>().data ?? null,
      wholeProgram: () => wholeProgram(commands),
    })
    const called = operands(argv, 2)
    await build(program, commands, name => called.includes(name), context)
    program.hook('preAction', () => {
      for (const { message, hint } of checkEnvironment(terminal.env)) context.output.warn(message, hint)
    })
    await program.parseAsync([...argv], { from: 'user' })
    exitCode = context.exitCode
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0
    if (thrown instanceof UsageProblem && !early.json) terminal.stderr.write(thrown.printed)
    terminal.stderr.write(
      failureText(asUsage(thrown), {
        json: early.json,
        paint: paintFor(terminal.stderr, terminal.env, early.color),
        debug: terminal.env['WEIR_DEBUG'] === '1' && !(thrown instanceof CommanderError),
        cwd: terminal.cwd,
      }),
    )
    return exitCodeOf(asUsage(thrown))
  }
  return exitCode
}

async function wholeProgram(commands: Readonly<Record<string, CommandEntry>>): Promise<Command> {
  const program = new Command('weir')
  const silent = { write: () => true, once: () => {} }
  const terminal = { stdout: silent, stderr: silent, env: {} } as unknown as Terminal
  await build(program, commands, () => true, { terminal } as CliContext)
  return program
}

/** The flags that shape an error message, needed before the arguments are parsed. */
function earlyFlags(argv: readonly string[]): { json: boolean; color: boolean } {
  const end = argv.indexOf('--')
  const flags = end < 0 ? argv : argv.slice(0, end)
  return { json: flags.includes('--json'), color: !flags.includes('--no-color') }
}

async function build(
  program: Command,
  commands: Readonly<Record<string, CommandEntry>>,
  wanted: (name: string) => boolean,
  context: CliContext,
): Promise<void> {
  program
    .description(
      'Brings reviews from APIs, files and pages into Avro topics, exactly once, from one YAML file per pipeline.',
    )
    .version(`weir ${version()}`, '-V, --version', 'Print the version')
    .helpOption('-h, --help', 'Print help')
    .helpCommand('help [command]', 'Print help for a command')
    .option('--json', 'Print JSON, for programs')
    .option('--data <dir>', 'Folder of the embedded store (default: .weir, or `data` of weir.yaml)')
    .option('--no-color', 'No colour, as NO_COLOR=1')
    .addHelpText(
      'after',
      '\nStart here: weir demo · weir connectors · weir lint pipelines/\nExit codes: 0 fine, 1 internal, 2 your input, 3 your environment.',
    )
  for (const [name, entry] of Object.entries(commands)) {
    if (wanted(name)) (await entry.load()).register(program, context)
    else program.command(name)
    const command = program.commands.find(c => c.name() === name)
    if (!command) throw new WeirError('internal', `src/cli/${name}.ts registers no command of that name`)
    command
      .summary(entry.summary)
      .description(command.description() || entry.summary)
      .helpGroup(`${entry.group}:`)
  }
  prepare(program, context.terminal)
  beStrict(program)
}

/** The first arguments that are neither flags nor the value of `--data`. */
function operands(argv: readonly string[], count: number): string[] {
  const found: string[] = []
  for (let i = 0; i < argv.length && found.length < count; i++) {
    if (argv[i] === '--data') i++
    else if (!argv[i]!.startsWith('-')) found.push(argv[i]!)
  }
  return found
}

/** An error of commander with the command it belongs to, for the hint, and the help it printed. */
class UsageProblem extends CommanderError {
  readonly command: Command
  readonly printed: string

  constructor(error: CommanderError, command: Command, printed: string) {
    super(error.exitCode, error.code, error.message)
    this.command = command
    this.printed = printed
  }
}

function prepare(command: Command, terminal: Terminal): void {
  let printed = ''
  command
    .configureOutput({
      writeOut: text => void terminal.stdout.write(text),
      writeErr: text => {
        printed += text
      },
      outputError: () => {},
      getOutHelpWidth: () => Math.min(terminal.stdout.columns ?? 100, 120),
      getErrHelpWidth: () => Math.min(terminal.stderr.columns ?? 100, 120),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError(true)
    .exitOverride(error => {
      throw new UsageProblem(error, command, printed)
    })
  for (const child of command.commands) prepare(child, terminal)
}

/** Commander's words as an error of ours; any other value stays what it is. */
function asUsage(thrown: unknown): unknown {
  if (!(thrown instanceof CommanderError)) return thrown
  const command = thrown instanceof UsageProblem ? thrown.command : undefined
  const path = command ? pathOf(command) : 'weir'
  if (thrown.code === 'commander.help')
    return new WeirError('usage.invalid', path === 'weir' ? 'no command given' : `${path} needs a command`, {
      hint: `Run ${path} --help.`,
    })
  const [first = '', ...rest] = thrown.message.replace(/^error: /, '').split('\n(')
  const suggestion = rest.join(' ').replace(/\)$/, '').trim()
  const usage = command ? `Usage: ${path} ${command.usage()}` : ''
  return new WeirError('usage.invalid', shorten(first), {
    hint: [suggestion, usage, `Run ${path} --help for more.`].filter(s => s !== '').join('\n'),
  })
}

const shorten = (text: string) => (text.length > 300 ? `${text.slice(0, 300)}…` : printableLines(text))

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}
