// --host and --port of what listens; WEIR_HOST and WEIR_PORT stand behind them.
import { type Command, Option } from 'commander'
import { parseHost, parsePort } from './arguments.ts'
import type { Terminal } from './terminal.ts'

export interface ListenFlags {
  readonly host: string
  readonly port?: number
}

/** Adds the two flags. Wrong values of the variables are refused by the check of the environment before the command runs. */
export function listenOptions(
  command: Command,
  env: Terminal['env'],
  docs: { readonly host: string; readonly port: string; readonly defaultPort?: number },
): Command {
  const port = env['WEIR_PORT'] === undefined ? docs.defaultPort : Number(env['WEIR_PORT'])
  return command
    .addOption(
      new Option('--host <host>', docs.host)
        .default(env['WEIR_HOST'] ?? '127.0.0.1')
        .argParser(text => parseHost(text)),
    )
    .addOption(new Option('--port <port>', docs.port).default(port).argParser(text => parsePort(text)))
}
