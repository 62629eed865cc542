// weir registry probe URL, weir schema probe URL: which behaviours of Confluent's contract a registry has.
import type { Command } from 'commander'
import type { ProbeFinding } from '../app/registry-probing.ts'
import type { HttpRegistryDefinition } from '../config/definition.ts'
import type { CliContext } from './context.ts'
import { secretOption } from './secret-option.ts'
import { count, printable } from './terminal.ts'

interface ProbeFlags {
  readonly token?: string
  readonly user?: string
}

export function registerProbe(parent: Command, context: CliContext): void {
  parent
    .command('probe')
    .description('Find out what a registry really supports, on subjects that are removed again')
    .argument('<url>', 'Address of a Confluent-compatible registry')
    .option('--token <text>', 'Shown as bearer token: ${VAR} or ${file:/path}')
    .option('--user <name>', 'Shown with the token as password, by HTTP basic authentication')
    .addHelpText(
      'after',
      `
It registers a few schemas in subjects named weir-probe-… and deletes them; nothing that all subjects share is changed. The registry of
weir.yaml is asked with its own credentials.

Examples:
  weir ${parent.name()} probe http://127.0.0.1:8081
  weir ${parent.name()} probe https://registry.example.com --user me --token '\${REGISTRY_PASSWORD}' --json`,
    )
    .action((url: string, flags: ProbeFlags) => run(context, url, flags))
}

async function run(context: CliContext, url: string, flags: ProbeFlags): Promise<void> {
  const { output, terminal } = context
  const { probe } = await import('../app/registry-probing.ts')
  const progress = output.progress('probing')
  const result = await probe({
    url,
    auth: authOf(context, flags),
    workspace: await context.workspace(),
    clock: terminal.clock,
    random: terminal.random,
    onTried: progress.update,
  }).finally(progress.end)
  if (output.json) return output.document(result)
  output.table(
    [
      { title: 'BEHAVIOUR', value: (each: ProbeFinding) => each.behaviour },
      { title: '', value: each => (each.supported ? 'yes' : 'NO') },
      { title: 'CONFLUENT', value: each => each.expected },
      { title: 'FOUND', value: each => each.found, max: 100 },
    ],
    result.findings,
  )
  const lacking = result.findings.filter(each => !each.supported).length
  output.line()
  output.line(
    lacking === 0
      ? `${printable(result.registry)} does all ${result.findings.length} as Confluent’s registry does.`
      : `${printable(result.registry)} differs in ${lacking} of ${count(result.findings.length, 'behaviour')}.`,
  )
  for (const subject of result.left)
    output.warn(`the subject ${printable(subject)} could not be removed`, 'Delete it by hand.')
}

function authOf(context: CliContext, { token, user }: ProbeFlags): HttpRegistryDefinition['auth'] {
  // No variable stands behind it: a token of ours must not go to whatever address is probed.
  const secret = secretOption(context, { name: '--token', value: token }, null)
  if (secret === null) return null
  return user === undefined ? { bearer: secret } : { username: user, password: secret }
}
