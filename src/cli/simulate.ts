// weir simulate: review vendors on this machine, with the pages, limits and faults of real ones. Real ones cost money and credentials.
// `reviews` is a vendor in general; simulate-vendor.ts has those by name.
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import {
  type Damage,
  damageKinds,
  type FaultKind,
  faultKinds,
  type ItemStyle,
  itemStyles,
  type RetryAfterStyle,
  retryAfterStyles,
  simulateReviews,
  vendorSpecs,
} from '../app/simulating.ts'
import { WeirError } from '../core/errors.ts'
import { remember } from '../core/secret.ts'
import type { CliContext } from './context.ts'
import type { ListenFlags } from './listen.ts'
import { defaultPort, duration, servingOptions, share, whole } from './simulate-options.ts'
import { registerVendor } from './simulate-vendor.ts'
import { count } from './terminal.ts'

interface ReviewFlags extends ListenFlags {
  readonly seed: number
  readonly initial: number
  readonly addEvery?: number
  readonly editEvery?: number
  readonly malformed?: number
  readonly damage?: Damage[]
  readonly style: ItemStyle
  readonly faults?: number
  readonly faultKind?: FaultKind[]
  readonly slow?: number
  readonly rateLimit?: number
  readonly retryAfter: RetryAfterStyle
  readonly token?: string
  readonly basic?: { readonly username: string; readonly password: string }
  readonly journal?: string
}

/** Where pipelines/demo-reviews.yaml looks for it. */
export function register(program: Command, context: CliContext): void {
  const simulate = program
    .command('simulate')
    .addHelpText(
      'after',
      '\nExamples:\n  weir simulate reviews\n  weir simulate reviews --faults 20% --rate-limit 5\n  weir simulate brightdata --faults 5%\n  weir simulate amazon-page --locale de-DE --markup 2026',
    )
  const reviews = simulate.command('reviews').description('Serve real reviews as a vendor would: pages, limits, faults')
  servingOptions(reviews, context.terminal.env)
    .option('--malformed <share>', 'Share of reviews that are damaged, such as 1%', share('--malformed'))
    .addOption(new Option('--damage <kind...>', 'How they are damaged (default: every kind)').choices(damageKinds))
    .addOption(
      new Option('--style <style>', 'plain: stars are numbers; amazon: "4.0 out of 5 stars"')
        .choices(itemStyles)
        .default('plain'),
    )
    .option('--faults <share>', 'Share of requests that fail, such as 20%', share('--faults'))
    .addOption(new Option('--fault-kind <kind...>', 'How they fail (default: all but slow)').choices(faultKinds))
    .option('--slow <duration>', 'How long a slow answer takes (default: 2s)', duration('--slow'))
    .option('--rate-limit <requests>', 'Requests a second before 429 with Retry-After', whole('--rate-limit', 1))
    .addOption(
      new Option('--retry-after <style>', 'How Retry-After is written').choices(retryAfterStyles).default('seconds'),
    )
    .option('--token <text>', 'Ask for it as bearer token, X-Api-Key or ?key=')
    .option('--basic <user:password>', 'Ask for HTTP basic authentication', userAndPassword)
    .option('--journal <file>', 'Append every review served to this file, for an auditor')
    .addHelpText(
      'after',
      `
Examples:
  weir simulate reviews
  weir simulate reviews --port 8080 --add-every 2s --edit-every 5
  weir simulate reviews --faults 20% --fault-kind 503 reset captcha --malformed 1% --damage no_id not_an_object
  weir simulate reviews --rate-limit 5 --retry-after date --basic me:secret --journal served.ndjson

While it runs, curl http://127.0.0.1:${defaultPort}/ says what it offers; ?fault=captcha makes one call go wrong.`,
    )
    .action((flags: ReviewFlags) => serve(context, flags))
  for (const spec of Object.values(vendorSpecs)) registerVendor(simulate, context, spec)
}

function userAndPassword(text: string): { username: string; password: string } {
  const colon = text.indexOf(':')
  if (colon > 0) return { username: text.slice(0, colon), password: text.slice(colon + 1) }
  throw new WeirError('usage.invalid', '--basic has no user name and password', {
    at: '--basic',
    hint: 'Write them with a colon between, such as --basic me:secret.',
  })
}

async function serve({ output, terminal }: CliContext, flags: ReviewFlags): Promise<void> {
  if (flags.token !== undefined) remember(flags.token)
  if (flags.basic !== undefined) remember(flags.basic.password)
  if (flags.editEvery !== undefined && flags.addEvery === undefined)
    throw new WeirError('usage.invalid', '--edit-every counts new reviews, and none appear without --add-every', {
      at: '--edit-every',
      hint: 'Add --add-every, such as --add-every 2s.',
    })
  const stop = terminal.interrupted()
  await using vendor = await simulateReviews({
    host: flags.host,
    port: flags.port ?? defaultPort,
    seed: flags.seed,
    initial: flags.initial,
    addEveryMs: flags.addEvery ?? null,
    editEvery: flags.editEvery ?? 0,
    malformed: flags.malformed ?? 0,
    ...(flags.damage ? { damageKinds: flags.damage } : {}),
    style: flags.style,
    faults: flags.faults ?? 0,
    ...(flags.faultKind ? { faultKinds: flags.faultKind } : {}),
    ...(flags.slow === undefined ? {} : { slowMs: flags.slow }),
    perSecond: flags.rateLimit ?? null,
    retryAfter: flags.retryAfter,
    token: flags.token ?? null,
    basic: flags.basic ?? null,
    journalFile: flags.journal === undefined ? null : resolve(terminal.cwd, flags.journal),
    clock: terminal.clock,
  })
  if (output.json) {
    await output.item({ url: vendor.url })
    await output.flush()
  } else {
    output.line(`A simulated review vendor listens at ${output.paint('bold', vendor.url)}`)
    output.line(`Try: curl '${vendor.url}/reviews?page_size=2'   What it offers: curl ${vendor.url}   Stop: Ctrl-C`)
  }
  if (!stop.aborted) await new Promise(done => stop.addEventListener('abort', done, { once: true }))
  if (output.json) {
    await output.item({ served: vendor.journal.length, requests: vendor.counts })
    await output.flush()
  } else {
    const answers = Object.entries(vendor.counts).map(([what, n]) => `${what}: ${n}`)
    output.line(`Served ${count(vendor.journal.length, 'review')}. Requests: ${answers.join(', ') || 'none'}.`)
  }
}
