// weir topic: which topics there are, and what is in them.
import { type Command, Option } from 'commander'
import { type ReadOptions, readRecords, type ShownRecord, tailRecords } from '../app/reading.ts'
import { describeTopic, listTopics, type ShownTopic } from '../app/topics.ts'
import { jsonOf } from '../core/json-text.ts'
import { formatBytes, formatDuration } from '../core/units.ts'
import { parseFrom, parseInteger, parseName, type ReadFrom } from './arguments.ts'
import type { CliContext } from './context.ts'
import { count, printable } from './terminal.ts'

export function register(program: Command, context: CliContext): void {
  const topic = program.command('topic').addHelpText(
    'after',
    `
Examples:
  weir topic list
  weir topic cat raw_reviews --from earliest --limit 5
  weir topic cat raw_reviews --json --filter 'record.rating <= 2.0' | jq .value
  weir topic tail raw_reviews --follow`,
  )
  topic
    .command('list')
    .description('List the topics with their sizes')
    .addHelpText('after', '\nExample: weir topic list --json')
    .action(() => list(context))
  topic
    .command('describe')
    .description('Show partitions, offsets, settings, schema and groups of a topic')
    .argument('<topic>', 'Name of the topic', text => parseName(text, 'topic'))
    .addHelpText('after', '\nExample: weir topic describe raw_reviews')
    .action((name: string) => describe(context, name))
  reading(topic.command('cat'))
    .description('Print the records of a topic, from the oldest on')
    .addOption(
      new Option('--from <place>', 'Where to start: earliest, latest, an offset, or a time')
        .default('earliest')
        .argParser(text => parseFrom(text)),
    )
    .option('--limit <records>', 'Stop after so many records', text => parseInteger(text, '--limit', 1, 1e9))
    .addHelpText(
      'after',
      "\nExample: weir topic cat raw_reviews --json --from 2026-01-31 --filter 'record.rating == 1.0'",
    )
    .action((name: string, options: CatOptions) => cat(context, name, options))
  reading(topic.command('tail'))
    .description('Print the newest records of a topic')
    .option('--limit <records>', 'How many (default: 10)', text => parseInteger(text, '--limit', 0, 10_000))
    .option('-f, --follow', 'Go on with records as they come, until interrupted')
    .addHelpText('after', '\nExample: weir topic tail raw_reviews --follow')
    .action((name: string, options: TailOptions) => tail(context, name, options))
}

interface ReadFlags {
  readonly partition?: number
  readonly filter?: string
}
interface CatOptions extends ReadFlags {
  readonly from: ReadFrom
  readonly limit?: number
}
interface TailOptions extends ReadFlags {
  readonly limit?: number
  readonly follow?: boolean
}

const reading = (command: Command) =>
  command
    .argument('<topic>', 'Name of the topic', text => parseName(text, 'topic'))
    .option('--partition <number>', 'Only this partition', text => parseInteger(text, '--partition', 0, 100_000))
    .option(
      '--filter <cel>',
      'Only records for which this is true; CEL over record, key, headers, partition, offset, timestamp, schema_id',
    )

/** As many as there are, or at most. */
function shownCount({ records, records_exact }: Pick<ShownTopic, 'records' | 'records_exact'>): string {
  return records_exact || records === 0n ? String(records) : `<= ${records}`
}

async function list({ output, store }: CliContext): Promise<void> {
  const topics = await listTopics((await store()).log)
  if (output.json) return output.document(topics)
  if (topics.length === 0) return output.note('No topic yet: run a pipeline first.')
  output.table(
    [
      { title: 'TOPIC', value: t => t.topic, max: 249 },
      { title: 'PARTITIONS', value: t => String(t.partitions), align: 'right' },
      { title: 'RECORDS', value: shownCount, align: 'right' },
      { title: 'SIZE', value: t => (t.bytes === null ? '-' : formatBytes(t.bytes)), align: 'right' },
      {
        title: 'KEPT FOR',
        value: t => (t.retention_ms === null ? 'ever' : formatDuration(t.retention_ms)),
        align: 'right',
      },
    ],
    topics,
  )
}

async function describe({ output, store }: CliContext, name: string): Promise<void> {
  const { log, registry } = await store()
  const topic = await describeTopic(log, registry, name)
  if (output.json) return output.document(topic)
  const { paint } = output
  const fact = (label: string, value: string) =>
    output.line(`${paint('dim', label.padEnd(16))}${printable(value, 500)}`)
  output.line(paint('bold', topic.topic))
  fact('records', `${shownCount(topic)} in ${count(topic.partitions, 'partition')}`)
  fact('size', topic.bytes === null ? 'unknown' : formatBytes(topic.bytes))
  fact('kept for', topic.retention_ms === null ? 'ever' : formatDuration(topic.retention_ms))
  fact('kept up to', topic.retention_bytes === null ? 'any size' : formatBytes(topic.retention_bytes))
  fact('largest record', formatBytes(topic.max_record_bytes))
  fact(
    'schema',
    topic.schema ? `${topic.schema.subject} version ${topic.schema.version}, id ${topic.schema.id}` : 'none registered',
  )
  output.line()
  output.table(
    [
      { title: 'PARTITION', value: p => String(p.partition), align: 'right' },
      { title: 'EARLIEST', value: p => String(p.earliest), align: 'right' },
      { title: 'NEXT', value: p => String(p.latest), align: 'right' },
    ],
    topic.partition_offsets,
  )
  if (topic.groups.length === 0) return
  output.line()
  output.table(
    [
      { title: 'GROUP', value: g => g.group },
      { title: 'PARTITION', value: g => String(g.partition), align: 'right' },
      { title: 'OFFSET', value: g => String(g.offset), align: 'right' },
      { title: 'LAG', value: g => String(g.lag), align: 'right' },
      { title: 'MEMBER', value: g => g.member ?? '-' },
    ],
    topic.groups,
  )
}

const readOptions = ({ output, terminal }: CliContext, flags: ReadFlags) =>
  ({
    partition: flags.partition,
    filter: flags.filter,
    signal: terminal.interrupted(),
    onFilterFailure: message => output.warn(message, 'Such records are left out. has(record.field) tests for a field.'),
  }) satisfies Omit<ReadOptions, 'from'>

async function cat(context: CliContext, name: string, options: CatOptions): Promise<void> {
  const { log, registry } = await context.store()
  // Where the records go to the same terminal they are the progress.
  const progress = context.terminal.stdout.isTTY ? undefined : context.output.progress(`reading ${printable(name, 60)}`)
  try {
    const records = readRecords(log, registry, name, {
      ...readOptions(context, options),
      from: options.from,
      ...(progress ? { onRead: progress.update } : {}),
    })
    await print(context, records, options.limit)
  } finally {
    progress?.end()
  }
}

async function tail(context: CliContext, name: string, options: TailOptions): Promise<void> {
  const { log, registry } = await context.store()
  const records = tailRecords(log, registry, name, options.limit ?? 10, {
    ...readOptions(context, options),
    follow: options.follow,
  })
  await print(context, records, undefined, options.follow)
}

async function print(
  { output }: CliContext,
  records: AsyncIterable<ShownRecord>,
  limit = Number.POSITIVE_INFINITY,
  live = false,
): Promise<void> {
  let printed = 0
  try {
    for await (const record of records) {
      if (output.json) await output.item(record)
      else output.line(lineOf(record, output.width, output.paint))
      // A follower wants each record when it comes, not when a buffer is full.
      if (live) await output.flush()
      if (++printed >= limit) break
    }
  } finally {
    await output.flush()
  }
  if (printed === 0 && !live) output.note('No records.')
}

/** `0/17  2026-01-31T10:00:00.000Z  B07FZ8S74R  {"review_id":...}`, cut to the width of the terminal. */
function lineOf(record: ShownRecord, width: number | null, paint: CliContext['output']['paint']): string {
  const place = `${record.partition}/${record.offset}`
  const time = new Date(record.timestamp).toISOString()
  const key =
    record.key === null ? '-' : typeof record.key === 'string' ? printable(record.key, 80) : jsonOf(record.key)
  const value = record.error
    ? `${paint('red', `[${record.error.code}]`)} ${printable(record.error.message)} ${printable(record.value_base64 ?? '', 80)}`
    : record.value === null
      ? '(tombstone)'
      : printable(jsonOf(record.value), 100_000)
  const head = `${place}  ${time}  ${key}  `
  const room = width === null ? Number.POSITIVE_INFINITY : Math.max(20, width - head.length - 1)
  const shown = !record.error && value.length > room ? `${value.slice(0, room - 1)}…` : value
  return `${paint('dim', `${place}  ${time}`)}  ${paint('cyan', key)}  ${shown}`
}
