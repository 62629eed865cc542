// weir reparse: raw pages mapped again with the definition of today, without fetching.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { itemResults, type PageSelection, reparsePages } from '../app/reparsing.ts'
import { WeirError } from '../core/errors.ts'
import { parseName, parseTime } from './arguments.ts'
import { type CliContext, confirm } from './context.ts'
import { count, printable } from './terminal.ts'
import { version } from './version.ts'

interface ReparseFlags {
  readonly from?: number
  readonly to?: number
  readonly split?: string[]
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export function register(program: Command, context: CliContext): void {
  const { clock } = context.terminal
  program
    .command('reparse')
    .description(
      'Map the pages that keep_raw: topic has kept again, with the definition of today. Fetches nothing; what comes out as the topic holds it is left alone',
    )
    .argument('<pipeline>', 'The pipeline file')
    .option(
      '--from <time>',
      'Only pages fetched from this time on: 2026-01-31T10:00:00Z, or 2h for the last two hours',
      text => parseTime(text, clock),
    )
    .option('--to <time>', 'Only pages fetched before this time', text => parseTime(text, clock))
    .option('--split <split...>', 'Only pages of these splits', (split: string, all: string[] | undefined) => [
      ...(all ?? []),
      parseName(split, 'split'),
    ])
    .option('--dry-run', 'Tell what would be written, and change nothing')
    .option('--yes', 'Do not ask')
    .addHelpText(
      'after',
      `
Examples:
  weir reparse pipelines/reviews.yaml --dry-run
  weir reparse pipelines/reviews.yaml --from 2026-01-31 --split asin=B07FZ8S74R --yes
A record that changes is appended anew with the header weir-change: remapped. Items that fail become dead letters; items that have one are
left to weir dlq replay.`,
    )
    .action((file: string, flags: ReparseFlags) => reparse(context, file, flags))
}

async function reparse(context: CliContext, file: string, flags: ReparseFlags): Promise<void> {
  const { output, terminal } = context
  const { loadDefinition } = await import('../app/definitions.ts')
  const selection = selectionOf(flags)
  const definition = await loadDefinition(resolve(terminal.cwd, file), terminal.env)
  const dryRun = flags.dryRun ?? false
  const store = await context.store()
  if (!dryRun && Object.keys(selection).length === 0)
    await confirm(context, `Map every kept page of ${definition.pipeline} again?`, flags.yes ?? false)
  const { dataDir } = await context.workspace()
  const deps = { clock: terminal.clock, random: terminal.random, emit: () => {}, dataDir }
  const signal = terminal.interrupted()
  const settings = { dryRun, version: version() }
  const totals = Object.fromEntries(itemResults.map(result => [result, 0])) as Record<
    (typeof itemResults)[number],
    number
  >
  let pages = 0
  let refused = 0
  for await (const page of reparsePages(definition, store, deps, selection, settings, signal)) {
    pages++
    for (const result of itemResults) totals[result] += page.counts[result]
    const told = page.items.map(({ position, result, error }) => ({
      page: page.id,
      split: page.split,
      position,
      result: dryRun ? `would_be_${result}` : result,
      ...(error ? { code: error.code, message: error.message, path: error.at ?? null } : {}),
    }))
    for (const each of told) await print(context, each)
    if (!page.error) continue
    refused++
    const { code, message, at = null } = page.error
    await print(context, {
      page: page.id,
      split: page.split,
      position: null,
      result: 'refused',
      code,
      message,
      path: at,
    })
  }
  await output.flush()
  output.note(summaryOf(totals, pages, refused, dryRun))
  if (signal.aborted) output.note('Interrupted: run it again, what is done stays done.')
  if (totals.failed > 0 || refused > 0) context.exitWith(2)
}

interface Told {
  readonly page: string
  readonly split: string
  readonly position: string | null
  readonly result: string
  readonly code?: string
  readonly message?: string
  readonly path?: string | null
}

async function print({ output }: CliContext, told: Told): Promise<void> {
  if (output.json) return output.item(told)
  const { page, split, position, result, code, message } = told
  const where = printable(position === null ? split : `${split} ${position}`, 80)
  output.line(
    `${page.padEnd(8)} ${result.padEnd(16)} ${where}${code ? `  ${printable(`${code}: ${message}`, 160)}` : ''}`,
  )
}

function selectionOf({ from, to, split }: ReparseFlags): PageSelection {
  if (from !== undefined && to !== undefined && from >= to)
    throw new WeirError('usage.invalid', '--from is not before --to', {
      at: '--from',
      hint: 'Pages from --from on and before --to are taken; swap the two.',
    })
  return {
    ...(from === undefined ? {} : { fromMs: from }),
    ...(to === undefined ? {} : { toMs: to }),
    ...(split ? { splits: split } : {}),
  }
}

function summaryOf(
  totals: Readonly<Record<(typeof itemResults)[number], number>>,
  pages: number,
  refused: number,
  dryRun: boolean,
): string {
  const { changed, new: found, failed, unchanged, dead, elsewhere, superseded, gone } = totals
  const rest = [
    [elsewhere, 'came of another page'],
    [superseded, 'superseded by a later version'],
    [dead, 'left to their dead letters'],
    [gone, 'no longer in the topic'],
  ] as const
  const parts = [
    `${count(pages, 'page')}: ${changed} changed, ${found} new, ${failed} failed, ${unchanged} as they are`,
    ...rest.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`),
    ...(refused > 0 ? [`${count(refused, 'page')} do not fit the definition`] : []),
  ]
  return `${parts.join(', ')}${dryRun ? '; nothing was written' : ''}.`
}
