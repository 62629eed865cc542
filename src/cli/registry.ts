// weir registry: the embedded schema registry as a server for other programs, and what a registry really supports.
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { serveEmbeddedRegistry } from '../app/registry-serving.ts'
import type { LiveSecret, RegistryServeDefinition, WorkspaceDefinition } from '../config/definition.ts'
import { tokenFault, tokenHint } from '../config/token.ts'
import { defaultDataDir, findWorkspaceFile } from '../config/workspace-file.ts'
import { toWeirError, WeirError } from '../core/errors.ts'
import { parseHost, parsePort } from './arguments.ts'
import type { CliContext } from './context.ts'
import { registerProbe } from './registry-probe.ts'
import { secretOption } from './secret-option.ts'

interface ServeFlags {
  readonly host?: string
  readonly port?: number
  readonly token?: string
  readonly readToken?: string
}

/** Where clients of Confluent's registry look first. */
const defaultPort = 8081

export function register(program: Command, context: CliContext): void {
  const registry = program
    .command('registry')
    .addHelpText(
      'after',
      "\nExamples:\n  weir registry serve\n  weir registry serve --host 0.0.0.0 --token '${file:/run/secrets/registry}'\n  weir registry probe http://127.0.0.1:8081",
    )
  registry
    .command('serve')
    .description('Serve the embedded registry over HTTP, as Confluent’s does')
    .addOption(
      new Option('--host <host>', 'Address to listen on (default: 127.0.0.1)').argParser(text => parseHost(text)),
    )
    .addOption(
      new Option('--port <port>', `Port to listen on; 0 takes any free one (default: ${defaultPort})`).argParser(text =>
        parsePort(text),
      ),
    )
    .option('--token <text>', 'Asked of every client: ${VAR}, ${file:/path}, or WEIR_REGISTRY_TOKEN')
    .option('--read-token <text>', 'Another one, for clients that may look and not change')
    .addHelpText(
      'after',
      `
Without flags it listens where weir.yaml says (registry: { embedded: { serve } }). Clients show the token as bearer token, or as the
password of HTTP basic authentication with any user name. Stops at SIGTERM or Ctrl-C.

Examples:
  weir registry serve
  weir registry serve --port 9081 --data /var/lib/weir
  weir registry serve --host 0.0.0.0 --token '\${file:/run/secrets/registry}'`,
    )
    .action((flags: ServeFlags) => serve(context, flags))
  registerProbe(registry, context)
}

async function serve(context: CliContext, flags: ServeFlags): Promise<void> {
  const { terminal, output } = context
  const { registry, dataDir } = await placeOf(context)
  const written = registry.kind === 'embedded' ? registry.serve : undefined
  const definition = await definitionOf(context, flags, written)
  const stop = terminal.interrupted()
  await using server = await serveEmbeddedRegistry({
    dataDir,
    serve: definition,
    clock: terminal.clock,
    onError: thrown => {
      const { code, message, hint } = toWeirError(thrown)
      output.warn(`a request failed: [${code}] ${message}`, hint)
    },
  })
  if (output.json) {
    await output.item({ url: server.url, data: dataDir })
    await output.flush()
  } else {
    output.line(`The schema registry of ${dataDir} listens at ${output.paint('bold', server.url)}`)
    output.line(`Try: curl ${server.url}/subjects   Stop: Ctrl-C`)
  }
  if (!stop.aborted) await new Promise(done => stop.addEventListener('abort', done, { once: true }))
}

/** Without a weir.yaml nothing is loaded that could read one: that is a third of the memory of the process. */
async function placeOf(context: CliContext): Promise<Pick<WorkspaceDefinition, 'registry' | 'dataDir'>> {
  const { cwd } = context.terminal
  if (findWorkspaceFile(cwd) !== null) return context.workspace()
  return { registry: { kind: 'embedded' }, dataDir: resolve(cwd, context.dataFlag ?? defaultDataDir) }
}

/** Flags and variables stand above weir.yaml. */
async function definitionOf(
  context: CliContext,
  flags: ServeFlags,
  written: RegistryServeDefinition | undefined,
): Promise<RegistryServeDefinition> {
  const { env } = context.terminal
  const token = (await tokenOption(context, '--token', flags.token, 'WEIR_REGISTRY_TOKEN')) ?? written?.token ?? null
  const readToken =
    (await tokenOption(context, '--read-token', flags.readToken, 'WEIR_REGISTRY_READ_TOKEN')) ??
    written?.readToken ??
    null
  if (readToken !== null && token === null)
    throw new WeirError('usage.invalid', '--read-token has no meaning without --token: everyone may do everything', {
      at: '--read-token',
      hint: 'Add --token, or WEIR_REGISTRY_TOKEN.',
    })
  return {
    host: flags.host ?? env['WEIR_HOST'] ?? written?.host ?? '127.0.0.1',
    port: flags.port ?? (env['WEIR_PORT'] === undefined ? (written?.port ?? defaultPort) : Number(env['WEIR_PORT'])),
    token,
    readToken,
  }
}

async function tokenOption(
  context: CliContext,
  name: string,
  value: string | undefined,
  variable: string,
): Promise<LiveSecret | null> {
  const secret = secretOption(context, { name, value }, variable)
  const fault = secret === null ? null : tokenFault(await secret())
  if (fault === null) return secret
  throw new WeirError('usage.invalid', `The token ${fault}`, {
    at: value === undefined ? `environment variable ${variable}` : name,
    hint: tokenHint,
  })
}
