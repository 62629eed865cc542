// weir lint: everything that is wrong in pipeline files, without running or connecting to anything.
import { type Command, Option } from 'commander'
import { lintFormats, lintPaths } from '../app/linting.ts'
import type { CliContext } from './context.ts'
import { coloured } from './terminal.ts'

interface LintFlags {
  readonly format?: (typeof lintFormats)[number]
  readonly strict?: boolean
  readonly withoutSecrets?: boolean
}

export function register(program: Command, context: CliContext): void {
  program
    .command('lint')
    .description('Check pipeline files: fields, expressions, the mapping against its Avro schema. Connects to nothing')
    .argument('[paths...]', 'Files, or folders to search (default: pipelines/ and weir.yaml, else this folder)')
    .addOption(
      new Option('--format <format>', 'How problems are printed; --json is --format json').choices(lintFormats),
    )
    .option('--strict', 'Count warnings as errors')
    .option(
      '--without-secrets',
      'Let variables that are not set be: for checking where the secrets are not, such as CI',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  weir lint\n  weir lint pipelines/reviews.yaml --strict\n  weir lint --format github --without-secrets',
    )
    .action((paths: string[], flags: LintFlags) => lint(context, paths, flags))
}

async function lint(
  { output, terminal, exitWith }: CliContext,
  paths: readonly string[],
  flags: LintFlags,
): Promise<void> {
  const { problems, text } = await lintPaths(paths, {
    cwd: terminal.cwd,
    env: terminal.env,
    strict: flags.strict ?? false,
    unsetVariables: flags.withoutSecrets ? 'warning' : 'error',
    format: flags.format ?? (output.json ? 'json' : 'pretty'),
    colour: output.paint('dim', '') === coloured('dim', ''),
  })
  if (text !== '') output.line(text.replace(/\n$/, ''))
  if (problems.some(p => p.severity === 'error')) exitWith(2)
}
