// weir dlq: what failed, why, and sending it again.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import {
  countLetters,
  deadLetterTopics,
  discardLetters,
  type LetterQuery,
  replayLetters,
  selectLetters,
  showLetter,
} from '../app/dead-letters.ts'
import type { PipelineDefinition } from '../config/definition.ts'
import { WeirError } from '../core/errors.ts'
import type { LetterState } from '../pipeline/marks.ts'
import { parseInteger, parseName, parseTime, parseWord } from './arguments.ts'
import { type CliContext, confirm } from './context.ts'
import { printable, printableLines } from './terminal.ts'

interface SelectFlags {
  readonly code?: string[]
  readonly stage?: string[]
  readonly since?: number
  readonly until?: number
  readonly key?: string
  readonly where?: string
  readonly state?: string
  readonly limit?: number
}

const defaultLimit = 50
const defaultMaxAttempts = 5
const stages = ['source', 'map', 'encode', 'decode', 'process', 'deliver']
const states = ['open', 'replayed', 'discarded', 'all']

export function register(program: Command, context: CliContext): void {
  const dlq = program.command('dlq').addHelpText(
    'after',
    `
Examples:
  weir dlq list pipelines/reviews.yaml
  weir dlq stats raw_reviews_dlq
  weir dlq show raw_reviews_dlq 0/17
  weir dlq replay pipelines/reviews.yaml --code 'map.*' --dry-run
  weir dlq discard raw_reviews_dlq --where 'original.contains("test")' --yes`,
  )
  const where = 'A pipeline file, or the name of a dead-letter topic'
  selecting(
    context,
    dlq.command('list').description('List dead letters, oldest first').argument('<pipeline-or-topic>', where),
  )
    .option('--limit <letters>', `How many at most (default: ${defaultLimit})`, text =>
      parseInteger(text, '--limit', 1, 1e9),
    )
    .action((target: string, flags: SelectFlags) => list(context, target, flags))
  dlq
    .command('show')
    .description('Show one dead letter whole, with its original bytes')
    .argument('<pipeline-or-topic>', where)
    .argument('<id>', 'Its partition/offset, as `weir dlq list` prints it', parseId)
    .action((target: string, id: string) => show(context, target, id))
  selecting(
    context,
    dlq
      .command('stats')
      .description('Count dead letters by state, code and stage')
      .argument('<pipeline-or-topic>', where),
  ).action((target: string, flags: SelectFlags) => stats(context, target, flags))
  selecting(
    context,
    dlq
      .command('replay')
      .description('Send dead letters again through the stage that refused them, with the definition of today')
      .argument('<pipeline>', 'The pipeline file'),
  )
    .argument('[ids...]', 'Only these letters', (id: string, all: string[] | undefined) => [
      ...(all ?? []),
      parseId(id),
    ])
    .option('--dry-run', 'Tell which would pass and which would fail, and change nothing')
    .option('--max-attempts <n>', `Leave letters alone that failed so often (default: ${defaultMaxAttempts})`, text =>
      parseInteger(text, '--max-attempts', 1, 1_000_000),
    )
    .option('--limit <letters>', 'At most so many', text => parseInteger(text, '--limit', 1, 1e9))
    .option('--yes', 'Do not ask')
    .action((file: string, ids: string[] | undefined, flags: ReplayFlags) => replay(context, file, ids, flags))
  selecting(
    context,
    dlq
      .command('discard')
      .description('Mark dead letters as done with, without replaying them')
      .argument('<pipeline-or-topic>', where),
  )
    .argument('[ids...]', 'Only these letters', (id: string, all: string[] | undefined) => [
      ...(all ?? []),
      parseId(id),
    ])
    .option('--limit <letters>', 'At most so many', text => parseInteger(text, '--limit', 1, 1e9))
    .option('--yes', 'Do not ask')
    .action((target: string, ids: string[] | undefined, flags: ReplayFlags) => discard(context, target, ids, flags))
}

interface ReplayFlags extends SelectFlags {
  readonly dryRun?: boolean
  readonly maxAttempts?: number
  readonly yes?: boolean
}

const selecting = ({ terminal }: CliContext, command: Command) =>
  command
    .option('--code <code...>', 'Only these error codes; map.* takes a family')
    .option(
      '--stage <stage...>',
      `Only what failed in these stages: ${stages.join(', ')}`,
      (stage: string, all: string[] | undefined) => [...(all ?? []), parseWord(stage, stages, '--stage')],
    )
    .option('--since <time>', 'Only from this time on: 2026-01-31T10:00:00Z, or 2h for the last two hours', text =>
      parseTime(text, terminal.clock),
    )
    .option('--until <time>', 'Only before this time', text => parseTime(text, terminal.clock))
    .option('--key <key>', 'Only those whose record has this key', text => parseName(text, 'key'))
    .option('--where <cel>', 'Only those for which this is true; CEL over letter, original, state')
    .option('--state <state>', 'open, replayed, discarded or all (default: open)', text =>
      parseWord(text, states, '--state'),
    )

function parseId(text: string): string {
  if (/^\d{1,6}\/\d{1,19}$/.test(text)) return text
  throw new WeirError('usage.invalid', `${printable(text, 80)} is no id of a dead letter`, {
    hint: 'Ids are partition/offset, such as 0/17; `weir dlq list` prints them.',
  })
}

function queryOf(flags: SelectFlags, ids?: readonly string[]): LetterQuery {
  const { code, stage, since, until, key, where, limit, state = ids && ids.length > 0 ? 'all' : 'open' } = flags
  if (since !== undefined && until !== undefined && since >= until)
    throw new WeirError('usage.invalid', '--since is not before --until', {
      at: '--since',
      hint: 'Letters from --since on and before --until are taken; swap the two.',
    })
  return {
    ...(ids && ids.length > 0 ? { ids } : {}),
    ...(code ? { codes: code } : {}),
    ...(stage ? { stages: stage } : {}),
    ...(since === undefined ? {} : { sinceMs: since }),
    ...(until === undefined ? {} : { untilMs: until }),
    ...(key === undefined ? {} : { key }),
    ...(where === undefined ? {} : { where }),
    ...(state === 'all' ? {} : { states: [state as LetterState] }),
    ...(limit === undefined ? {} : { limit }),
  }
}

const deadLetterTopicOf = (topic: string) => `${topic}_dlq`
const isFile = (target: string) => /\.ya?ml$/.test(target)

async function definitionOf(context: CliContext, file: string): Promise<PipelineDefinition> {
  const { loadDefinition } = await import('../app/definitions.ts')
  return loadDefinition(resolve(context.terminal.cwd, file), context.terminal.env)
}

async function topicOf(context: CliContext, target: string): Promise<string> {
  if (isFile(target)) return (await definitionOf(context, target)).deadLetter.topic
  const { log } = await context.store()
  if (await log.topic(target)) {
    const letters = deadLetterTopicOf(target)
    if (!target.endsWith('_dlq') && (await log.topic(letters)))
      throw new WeirError('usage.invalid', `${printable(target, 80)} holds records, not dead letters`, {
        hint: `Its dead letters are in ${letters}.`,
      })
    return target
  }
  const known = await deadLetterTopics(log)
  throw new WeirError('usage.not_found', `no topic ${printable(target, 80)}`, {
    hint: existsSync(target)
      ? 'A pipeline file ends in .yaml.'
      : known.length > 0
        ? `Dead-letter topics here: ${known.join(', ')}.`
        : 'No dead-letter topic is here yet: run a pipeline first.',
  })
}

async function list(context: CliContext, target: string, flags: SelectFlags): Promise<void> {
  const { output, terminal } = context
  const topic = await topicOf(context, target)
  const limit = flags.limit ?? defaultLimit
  const rows = []
  for await (const stored of selectLetters(
    await context.store(),
    topic,
    { ...queryOf(flags), limit: limit + 1 },
    terminal.interrupted(),
  ))
    rows.push(showLetter(stored))
  const more = rows.length > limit
  const shown = rows.slice(0, limit)
  if (output.json) {
    for (const row of shown) await output.item(row)
    return output.flush()
  }
  if (shown.length === 0)
    return output.note(`No ${flags.state === 'all' ? '' : `${flags.state ?? 'open'} `}dead letter in ${topic}.`)
  output.table(
    [
      { title: 'ID', value: r => r.id },
      { title: 'FAILED AT', value: r => new Date(r.last_failed_at).toISOString().slice(0, 19) },
      { title: 'STAGE', value: r => r.stage },
      { title: 'CODE', value: r => r.code },
      { title: 'STATE', value: r => r.state },
      { title: 'WHERE', value: r => r.place ?? r.path ?? r.position ?? '-', max: 40 },
      { title: 'MESSAGE', value: r => r.message, max: 80 },
    ],
    shown,
  )
  if (more) output.note(`There are more; --limit ${limit * 10} shows more of them, weir dlq stats counts them.`)
}

async function show(context: CliContext, target: string, id: string): Promise<void> {
  const { output, terminal } = context
  const topic = await topicOf(context, target)
  for await (const stored of selectLetters(
    await context.store(),
    topic,
    { ids: [id], limit: 1 },
    terminal.interrupted(),
  )) {
    const letter = showLetter(stored)
    if (output.json) return output.document(letter)
    const { original, original_base64, ...facts } = letter
    const time = (ms: number) => new Date(ms).toISOString()
    for (const [name, value] of Object.entries({
      ...facts,
      first_failed_at: time(facts.first_failed_at),
      last_failed_at: time(facts.last_failed_at),
    }))
      if (value !== null) output.line(`${output.paint('dim', name.padEnd(18))}${printable(String(value), 2000)}`)
    output.line()
    output.line(output.paint('bold', original === null ? 'original (base64)' : 'original'))
    output.line(printableLines(original ?? original_base64))
    return
  }
  throw new WeirError('usage.not_found', `no dead letter ${id} in ${topic}`, {
    hint: `weir dlq list ${target} prints those that are there.`,
  })
}

async function stats(context: CliContext, target: string, flags: SelectFlags): Promise<void> {
  const { output, terminal } = context
  const topic = await topicOf(context, target)
  const counted = await countLetters(
    await context.store(),
    topic,
    queryOf({ state: 'all', ...flags }),
    terminal.interrupted(),
  )
  if (output.json) return output.document({ topic, ...counted })
  output.line(
    `${output.paint('bold', topic)}: ${counted.total} dead letters${counted.first === null ? '' : `, from ${new Date(counted.first).toISOString()} to ${new Date(counted.last!).toISOString()}`}`,
  )
  for (const [title, counts] of [
    ['STATE', counted.by_state],
    ['CODE', counted.by_code],
    ['STAGE', counted.by_stage],
  ] as const) {
    const rows = Object.entries(counts).sort((a, b) => b[1] - a[1])
    if (rows.length === 0) continue
    output.line()
    output.table(
      [
        { title, value: ([name]) => name },
        { title: 'LETTERS', value: ([, count]) => String(count), align: 'right' },
      ],
      rows,
    )
  }
}

async function replay(context: CliContext, file: string, ids: string[] | undefined, flags: ReplayFlags): Promise<void> {
  const { output, terminal } = context
  if (!isFile(file))
    throw new WeirError('usage.invalid', 'a replay needs the pipeline file, because today’s mapping is in it', {
      hint: 'weir dlq replay pipelines/reviews.yaml',
    })
  const definition = await definitionOf(context, file)
  const query = queryOf(flags, ids)
  const dryRun = flags.dryRun ?? false
  if (!dryRun && Object.keys(query).every(part => part === 'states'))
    await confirm(context, `Replay every open dead letter of ${definition.deadLetter.topic}?`, flags.yes ?? false)
  const workspace = await context.workspace()
  const deps = { clock: terminal.clock, random: terminal.random, emit: () => {}, dataDir: workspace.dataDir }
  const totals = { passed: 0, failed: 0, skipped: 0 }
  const settings = { dryRun, maxAttempts: flags.maxAttempts ?? defaultMaxAttempts }
  for await (const { id, result, error, why, letter } of replayLetters(
    definition,
    await context.store(),
    deps,
    query,
    settings,
    terminal.interrupted(),
  )) {
    totals[result]++
    const told = {
      id,
      result: dryRun && result !== 'skipped' ? `would_${result === 'passed' ? 'pass' : 'fail'}` : result,
      was: letter.error_code,
      ...(error ? { code: error.code, message: error.message, path: error.at ?? null } : {}),
      ...(why ? { why } : {}),
    }
    if (output.json) await output.item(told)
    else if (result !== 'passed' || dryRun)
      output.line(
        `${id.padEnd(12)} ${told.result.padEnd(10)} ${printable(error ? `${error.code}: ${error.message}` : (why ?? `was ${letter.error_code}`), 160)}`,
      )
  }
  await output.flush()
  const { passed, failed, skipped } = totals
  output.note(
    dryRun
      ? `${passed} would pass, ${failed} would fail, ${skipped} skipped; nothing was changed.`
      : `${passed} replayed, ${failed} failed again, ${skipped} skipped.`,
  )
  if (failed > 0) context.exitWith(2)
}

async function discard(
  context: CliContext,
  target: string,
  ids: string[] | undefined,
  flags: ReplayFlags,
): Promise<void> {
  const { output, terminal } = context
  const topic = await topicOf(context, target)
  const query = queryOf(flags, ids)
  const workspace = await context.workspace()
  const { total } = await countLetters(
    await context.store(),
    topic,
    { ...query, states: ['open'] },
    terminal.interrupted(),
  )
  if (total > 0) await confirm(context, `Discard ${total} dead letters of ${topic}?`, flags.yes ?? false)
  const deps = { clock: terminal.clock, random: terminal.random, emit: () => {}, dataDir: workspace.dataDir }
  const discarded =
    total === 0 ? 0 : await discardLetters(await context.store(), topic, query, deps, terminal.interrupted())
  if (output.json) output.document({ topic, discarded })
  else output.line(`${discarded} discarded.`)
}
