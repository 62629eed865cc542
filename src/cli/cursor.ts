// weir cursor: where a pipeline stands in its source, and how to move it by hand. Refused while the pipeline runs.
import type { Command } from 'commander'
import { describeCursors, type ShownCursor } from '../app/cursors.ts'
import { WeirError } from '../core/errors.ts'
import { closest } from '../core/suggest.ts'
import type { EventLog } from '../pipeline/ports.ts'
import { parseName } from './arguments.ts'
import { type CliContext, confirm } from './context.ts'
import { count, printable } from './terminal.ts'

/** A cursor is the state of one pagination; a larger one is not ours. */
const maxCursorBytes = 1024 * 1024

export function register(program: Command, context: CliContext): void {
  const cursor = program.command('cursor').addHelpText(
    'after',
    `
Examples:
  weir cursor list
  weir cursor show raw-reviews
  weir cursor reset raw-reviews --split asin=B07FZ8S74R --yes`,
  )
  cursor
    .command('list')
    .description('List the pipelines that have cursors')
    .addHelpText('after', '\nExample: weir cursor list --json')
    .action(() => list(context))
  onPipeline(cursor.command('show'))
    .description('Show the cursors of a pipeline, in words where its definition is at hand')
    .option('--file <path>', 'The definition of the pipeline (default: looked for here and in pipelines/)')
    .addHelpText('after', '\nExample: weir cursor show raw-reviews --json')
    .action((name: string, options: { file?: string }) => show(context, name, options.file))
  onPipeline(cursor.command('set'))
    .description('Set the cursor of one split')
    .argument('<split>', 'The split, as weir cursor show names it', text => parseName(text, 'split'))
    .argument('<value>', 'The cursor, as weir cursor show --json prints it; - reads it from stdin')
    .option('-y, --yes', 'Do not ask')
    .addHelpText('after', '\nExample: weir cursor set raw-reviews asin=B07FZ8S74R \'{"v":1}\' --yes')
    .action((name: string, split: string, value: string, options: { yes?: boolean }) =>
      set(context, name, split, value, options.yes ?? false),
    )
  onPipeline(cursor.command('reset'))
    .description('Remove cursors, so that the pipeline reads from the start')
    .option('--split <split...>', 'Only these splits')
    .option('-y, --yes', 'Do not ask')
    .addHelpText('after', '\nExample: weir cursor reset raw-reviews --yes')
    .action((name: string, options: { split?: string[]; yes?: boolean }) =>
      reset(context, name, options.split, options.yes ?? false),
    )
}

const onPipeline = (command: Command) =>
  command.argument('<pipeline>', 'Name of the pipeline', text => parseName(text, 'pipeline'))

async function list({ output, store }: CliContext): Promise<void> {
  const pipelines = [...(await (await store()).log.pipelines())].sort((a, b) => (a.pipeline < b.pipeline ? -1 : 1))
  if (output.json) return output.document(pipelines)
  if (pipelines.length === 0) return output.note('No cursor yet: run a pipeline first.')
  output.table(
    [
      { title: 'PIPELINE', value: p => p.pipeline },
      { title: 'SPLITS', value: p => String(p.splits), align: 'right' },
      { title: 'STATE', value: p => (p.running ? 'running' : 'stopped') },
    ],
    pipelines,
  )
}

async function show(context: CliContext, name: string, file: string | undefined): Promise<void> {
  const { output, terminal } = context
  const { log } = await context.store()
  const { running } = await findPipeline(log, name)
  const stored = await log.cursors(name)
  const { cursors, problem } = await describeCursors(name, stored, {
    workspace: await context.workspace(),
    file: file ?? null,
    cwd: terminal.cwd,
    env: terminal.env,
    clock: terminal.clock,
    random: terminal.random,
  })
  if (output.json) return output.document({ pipeline: name, running, cursors })
  if (problem) output.warn(`cursors are shown as they are stored: ${problem.message}`, problem.hint)
  printCursors(output, cursors)
}

function printCursors(output: CliContext['output'], cursors: readonly ShownCursor[]): void {
  if (cursors.length === 0) output.note('No cursor: the next run reads from the start.')
  else printTable(output, cursors)
}

function printTable(output: CliContext['output'], cursors: readonly ShownCursor[]): void {
  output.table(
    [
      { title: 'SPLIT', value: c => c.split || '(the whole source)', max: 80 },
      { title: 'STANDS AT', value: c => c.description ?? c.value, max: 160 },
      { title: 'SINCE', value: c => c.updated_at },
    ],
    cursors,
  )
}

async function set(context: CliContext, name: string, split: string, text: string, yes: boolean): Promise<void> {
  const { log } = await context.store()
  const value = text === '-' ? await readInput(context) : text
  if (value === '' || Buffer.byteLength(value) > maxCursorBytes)
    throw new WeirError('usage.invalid', 'the cursor is empty or too large', {
      at: '<value>',
      hint: 'Write a cursor as weir cursor show --json prints it in `value`.',
    })
  const before = (await findSplits(log, name, [split]))[0]!
  await refuseWhileRunning(log, name)
  await confirm(
    context,
    `Set the cursor of ${printable(name)}, split ${printable(split)}, from ${printable(before)}?`,
    yes,
  )
  await log.writeCursors(name, [{ split, value }])
  done(context, { pipeline: name, set: [split] }, `Set. The next run of ${name} goes on from there.`)
}

async function reset(context: CliContext, name: string, only: string[] | undefined, yes: boolean): Promise<void> {
  const { log } = await context.store()
  await findPipeline(log, name)
  const stored = (await log.cursors(name)).map(c => c.split)
  if (only) await findSplits(log, name, only)
  const splits = [...new Set(only ?? stored)]
  await refuseWhileRunning(log, name)
  const what = `the ${splits.length === 1 ? 'cursor' : 'cursors'} of ${count(splits.length, 'split')}`
  await confirm(
    context,
    `Remove ${what} of ${printable(name)}? The next run reads from the start, and records already in the topic come again.`,
    yes,
  )
  await log.writeCursors(
    name,
    splits.map(split => ({ split, value: null })),
  )
  done(context, { pipeline: name, reset: splits }, `Removed ${what}. The next run of ${name} reads from the start.`)
}

function done({ output }: CliContext, document: unknown, words: string): void {
  if (output.json) output.document(document)
  else output.line(printable(words, 500))
}

async function findPipeline(log: EventLog, name: string) {
  const all = await log.pipelines()
  const found = all.find(p => p.pipeline === name)
  if (found) return found
  const names = all.map(p => p.pipeline)
  const near = closest(name, names)
  throw new WeirError('usage.not_found', `no cursors of a pipeline ${JSON.stringify(printable(name, 80))}`, {
    hint: near
      ? `Did you mean ${near}?`
      : names.length > 0
        ? `Pipelines with cursors: ${names.slice(0, 20).join(', ')}.`
        : 'No pipeline has run here yet.',
  })
}

/** The stored cursors of these splits. @throws usage.not_found for one that is not there */
async function findSplits(log: EventLog, name: string, splits: readonly string[]): Promise<readonly string[]> {
  await findPipeline(log, name)
  const stored = new Map((await log.cursors(name)).map(c => [c.split, c.value]))
  return splits.map(split => {
    const value = stored.get(split)
    if (value !== undefined) return value
    const near = closest(split, [...stored.keys()])
    throw new WeirError(
      'usage.not_found',
      `pipeline ${printable(name)} has no split ${JSON.stringify(printable(split, 80))}`,
      {
        hint: near ? `Did you mean ${near}?` : `weir cursor show ${printable(name)} lists its splits.`,
      },
    )
  })
}

/** Told before the question, not after it; the log checks again when it writes. */
async function refuseWhileRunning(log: EventLog, name: string): Promise<void> {
  if ((await findPipeline(log, name)).running)
    throw new WeirError('cursor.in_use', `pipeline ${printable(name)} is running`, {
      hint: 'Stop it first: a running pipeline would write its own cursor over yours.',
    })
}

async function readInput({ terminal }: CliContext): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of terminal.stdin) {
    const part = Buffer.from(chunk as Uint8Array | string)
    bytes += part.length
    if (bytes > maxCursorBytes) break
    chunks.push(part)
  }
  return bytes > maxCursorBytes ? '' : Buffer.concat(chunks).toString('utf8').trimEnd()
}
