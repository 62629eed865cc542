// The options that every `weir simulate` has: where it listens, and how the reviews it serves come to be and change.
import { type Command, Option } from 'commander'
import { parseInteger, parsePart, parseWait } from './arguments.ts'
import type { CliContext } from './context.ts'
import { listenOptions } from './listen.ts'

export const defaultPort = 4505

export const whole = (where: string, min: number) => (text: string) => parseInteger(text, where, min, 1_000_000_000)
export const duration = (where: string) => (text: string) => parseWait(text, where)
export const share = (where: string) => (text: string) => parsePart(text, where)

/** Adds them to a command. */
export function servingOptions(command: Command, env: CliContext['terminal']['env']): Command {
  return listenOptions(command, env, {
    host: 'Address to listen on',
    port: 'Port to listen on; 0 takes any free one',
    defaultPort,
  })
    .addOption(new Option('--seed <number>', 'The same seed serves the same').default(1).argParser(whole('--seed', 0)))
    .addOption(
      new Option('--initial <reviews>', 'Reviews there from the start').default(300).argParser(whole('--initial', 0)),
    )
    .option('--add-every <duration>', 'A review appears this often, such as 2s', duration('--add-every'))
    .option('--edit-every <reviews>', 'An older review is edited at every so many new ones', whole('--edit-every', 1))
}
