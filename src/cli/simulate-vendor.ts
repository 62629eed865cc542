// weir simulate NAME: the vendors that pipelines read, on this machine: their keys, jobs, limits, errors and faults. One command a vendor, of one make.
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import {
  localeTags,
  type Markup,
  markups,
  type RobotsStyle,
  robotsStyles,
  simulateVendor,
  triesOf,
  type VendorOptions,
  type VendorSpec,
} from '../app/simulating.ts'
import { demoKey, demoUser } from '../core/demo-login.ts'
import { WeirError } from '../core/errors.ts'
import { remember } from '../core/secret.ts'
import { parsePart } from './arguments.ts'
import type { CliContext } from './context.ts'
import type { ListenFlags } from './listen.ts'
import { defaultPort, duration, servingOptions, share, whole } from './simulate-options.ts'
import { count } from './terminal.ts'

interface VendorFlags extends ListenFlags {
  readonly seed: number
  readonly initial: number
  readonly addEvery?: number
  readonly editEvery?: number
  readonly user?: string
  readonly key?: string
  readonly faults?: number
  readonly fault?: string[]
  readonly slow?: number
  readonly latency?: number
  readonly rateLimit?: number
  readonly atOnce?: number
  readonly readyAfter?: number
  readonly keep?: number
  readonly pushAfter?: number
  readonly credits?: number
  readonly tokenLife?: number
  readonly locale?: string
  readonly markup?: Markup
  readonly robots?: RobotsStyle
  readonly wall: boolean
  readonly journal?: string
}

export function registerVendor(simulate: Command, context: CliContext, spec: VendorSpec): void {
  const { name, login, extras } = spec
  const command = simulate.command(name).description(spec.summary)
  servingOptions(command, context.terminal.env)
  if (login.user !== undefined) command.option('--user <text>', `Asked for: ${login.user} (default: ${demoUser})`)
  if (login.key !== undefined) command.option('--key <text>', `Asked for: ${login.key} (default: ${demoKey})`)
  command
    .option(
      '--faults <share>',
      'Share of calls, jobs and items with a fault of any kind, such as 5%',
      share('--faults'),
    )
    .option('--fault <kind=share...>', 'Share of one kind, such as reset=2%; --help lists the kinds')
    .option('--slow <duration>', 'How long a slow answer takes (default: 2s)', duration('--slow'))
    .option('--latency <duration>', 'How long each answer takes, give or take half', duration('--latency'))
    .option('--rate-limit <calls>', rateDoc(spec), whole('--rate-limit', 1))
  if (spec.atOnce !== null)
    command.option('--at-once <number>', `Jobs or calls at once (default: ${spec.atOnce})`, whole('--at-once', 1))
  if (spec.keepMs !== null)
    command
      .option('--ready-after <polls>', 'Polls that hear "not yet" (default: 2)', whole('--ready-after', 0))
      .option('--keep <duration>', 'How long results are kept', duration('--keep'))
  if (extras.includes('webhooks'))
    command.option(
      '--push-after <duration>',
      'When a webhook on this machine is called (default: 1s)',
      duration('--push-after'),
    )
  if (extras.includes('credits'))
    command.option('--credits <number>', 'What can be paid for before the money is gone', whole('--credits', 0))
  if (extras.includes('tokenLifeMs'))
    command.option('--token-life <duration>', 'How long a token is good (default: 1h)', duration('--token-life'))
  if (extras.includes('locale'))
    command.addOption(new Option('--locale <tag>', 'Language of the pages (default: en-US)').choices(localeTags))
  if (extras.includes('markup'))
    command.addOption(new Option('--markup <style>', 'Of the product page (default: classic)').choices(markups))
  if (extras.includes('robots'))
    command.addOption(new Option('--robots <style>', 'What /robots.txt is (default: usual)').choices(robotsStyles))
  if (extras.includes('wall')) command.option('--no-wall', 'Review lists are open, without signing in')
  command
    .option('--journal <file>', 'Append what is served, accepted and billed to this file, for an auditor')
    .addHelpText('after', helpOf(spec))
    .action((flags: VendorFlags) => serve(context, spec, flags))
}

function rateDoc({ limit }: VendorSpec): string {
  if (limit === null) return 'Calls a second before it says to slow down (default: no limit)'
  const window = limit.windowMs === 60_000 ? 'a minute' : 'a second'
  return `Calls ${window} before it says to slow down (default: ${limit.calls})`
}

function helpOf(spec: VendorSpec): string {
  const of = (scope: string) =>
    Object.entries(spec.faults)
      .filter(([, kind]) => kind.scope === scope)
      .map(([name, { doc, asked }]) => `  ${name.padEnd(18)}${doc}${asked ? ' (only when asked for)' : ''}`)
  const parts = [
    ['call', 'Faults of calls:'],
    ['job', 'Faults of jobs:'],
    ['item', 'Faults of items:'],
  ].flatMap(([scope, title]) => (of(scope!).length > 0 ? [`\n${title}`, ...of(scope!)] : []))
  const shown = { user: demoUser, key: demoKey }
  return `${parts.join('\n')}

Examples:
  weir simulate ${spec.name}
  weir simulate ${spec.name} --faults 5% --fault reset=2% --journal served.ndjson

While it runs:
${triesOf(spec, shown, `http://127.0.0.1:${defaultPort}`)
  .map(each => `  ${each}`)
  .join('\n')}`
}

function sharesOf(given: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    given.map(each => {
      const [kind, text] = each.split('=', 2)
      if (text !== undefined) return [kind!, parsePart(text, '--fault')]
      throw new WeirError('usage.invalid', `--fault has no share: ${each}`, {
        at: '--fault',
        hint: 'Write the kind and its share, such as --fault reset=2%.',
      })
    }),
  )
}

function optionsOf(context: CliContext, flags: VendorFlags): VendorOptions {
  const { terminal } = context
  const given = {
    user: flags.user,
    key: flags.key,
    slowMs: flags.slow,
    latencyMs: flags.latency,
    rateLimit: flags.rateLimit,
    atOnce: flags.atOnce,
    readyAfter: flags.readyAfter,
    keepMs: flags.keep,
    pushAfterMs: flags.pushAfter,
    credits: flags.credits,
    tokenLifeMs: flags.tokenLife,
    locale: flags.locale,
    markup: flags.markup,
    robots: flags.robots,
    wall: flags.wall,
  }
  return {
    host: flags.host,
    port: flags.port ?? defaultPort,
    seed: flags.seed,
    initial: flags.initial,
    addEveryMs: flags.addEvery ?? null,
    editEvery: flags.editEvery ?? 0,
    faults: flags.faults ?? 0,
    fault: sharesOf(flags.fault ?? []),
    journalFile: flags.journal === undefined ? null : resolve(terminal.cwd, flags.journal),
    clock: terminal.clock,
    ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as VendorOptions),
  }
}

async function serve(context: CliContext, spec: VendorSpec, flags: VendorFlags): Promise<void> {
  const { output, terminal } = context
  const { user = demoUser, key = demoKey } = flags
  if (flags.key !== undefined) remember(flags.key)
  if (flags.editEvery !== undefined && flags.addEvery === undefined)
    throw new WeirError('usage.invalid', '--edit-every counts new reviews, and none appear without --add-every', {
      at: '--edit-every',
      hint: 'Add --add-every, such as --add-every 2s.',
    })
  const stop = terminal.interrupted()
  await using vendor = await simulateVendor(spec.name, optionsOf(context, flags))
  if (output.json) {
    await output.item({ url: vendor.url, seed: flags.seed })
    await output.flush()
  } else {
    output.line(`A simulated ${spec.name} listens at ${output.paint('bold', vendor.url)} (seed ${flags.seed})`)
    for (const each of triesOf(spec, { user, key: flags.key === undefined ? key : '***' }, vendor.url).slice(0, 2))
      output.line(`Try: ${each}`)
    output.line(`What it offers: curl ${vendor.url}   Stop: Ctrl-C`)
  }
  if (!stop.aborted) await new Promise(done => stop.addEventListener('abort', done, { once: true }))
  const served = vendor.journal.filter(({ event }) => event === 'served').length
  const jobs = vendor.journal.filter(({ event }) => event === 'job').length
  if (output.json) {
    await output.item({ served, jobs, calls: vendor.counts })
    await output.flush()
  } else {
    const answers = Object.entries(vendor.counts).map(([what, n]) => `${what}: ${n}`)
    output.line(
      `Served ${count(served, 'item')}, accepted ${count(jobs, 'job')}. Calls: ${answers.join(', ') || 'none'}.`,
    )
  }
}
