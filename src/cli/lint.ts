// weir lint: everything that is wrong in pipeline files, without running or connecting to anything.
import { type Command, Option } from 'commander'
import { lintAgainstRegistry } from '../app/governance/registry-lint.ts'
import { explainPipelines, lintFormats, lintPaths } from '../app/linting.ts'
import { dayOf } from '../core/clock.ts'
import type { CliContext } from './context.ts'
import { printExplanation } from './explanation.ts'
import { coloured } from './terminal.ts'

interface LintFlags {
  readonly format?: (typeof lintFormats)[number]
  readonly strict?: boolean
  readonly withoutSecrets?: boolean
  readonly explain?: boolean
  readonly registry?: boolean
}

export function register(program: Command, context: CliContext): void {
  program
    .command('lint')
    .description(
      'Check pipeline files: fields, expressions, the mapping against its Avro schema, the schema against its policy. Connects to nothing without --registry',
    )
    .argument('[paths...]', 'Files, or folders to search (default: pipelines/ and weir.yaml, else this folder)')
    .addOption(
      new Option('--format <format>', 'How problems are printed; --json is --format json').choices(lintFormats),
    )
    .option('--strict', 'Count warnings as errors')
    .option(
      '--without-secrets',
      'Let variables that are not set be: for checking where the secrets are not, such as CI',
    )
    .option(
      '--registry',
      'Also check the schemas against the versions in the registry of the workspace; connects to it',
    )
    .option(
      '--explain',
      'Tell what each pipeline guarantees, what limits it, why, which test shows it, and which fields each consumer reads',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  weir lint\n  weir lint pipelines/reviews.yaml --strict\n  weir lint --format github --without-secrets\n  weir lint --explain\n  weir lint --registry',
    )
    .action((paths: string[], flags: LintFlags) => lint(context, paths, flags))
}

async function lint(context: CliContext, paths: readonly string[], flags: LintFlags): Promise<void> {
  const { output, terminal, exitWith } = context
  const format = flags.format ?? (output.json ? 'json' : 'pretty')
  const strict = flags.strict ?? false
  const inRegistry = async (definitions: Parameters<typeof lintAgainstRegistry>[0]) =>
    lintAgainstRegistry(definitions, await context.workspace(), {
      clock: terminal.clock,
      random: terminal.random,
      strict,
    })
  const options = {
    cwd: terminal.cwd,
    env: terminal.env,
    strict,
    today: dayOf(terminal.clock.now()),
    unsetVariables: flags.withoutSecrets ? ('warning' as const) : ('error' as const),
    format,
    colour: output.paint('dim', '') === coloured('dim', ''),
  }
  const { problems, definitions, text } = await lintPaths(paths, options, flags.registry ? inRegistry : undefined)
  if (problems.some(p => p.severity === 'error')) exitWith(2)
  if (flags.explain) {
    const explained = await explainPipelines(definitions, terminal)
    if (format === 'json') return output.line(JSON.stringify({ ...JSON.parse(text), pipelines: explained }, null, 2))
    for (const each of explained) printExplanation(output, each)
  }
  if (text !== '') output.line(text.replace(/\n$/, ''))
}
