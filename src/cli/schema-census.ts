// weir schema census: which schema ids the retained records of a topic carry.
import type { Command } from 'commander'
import { type CensusEntry, censusOf, type TopicCensus } from '../app/governance/counting.ts'
import { deadLettersOf } from '../app/governance/proving.ts'
import type { CensusRecord } from '../governance/census.ts'
import { parseName } from './arguments.ts'
import type { CliContext } from './context.ts'
import { openBenchHere } from './schema-bench.ts'
import { count, printable } from './terminal.ts'

interface CensusFlags {
  readonly subject?: string
}

export function registerCensus(schema: Command, context: CliContext): void {
  schema
    .command('census')
    .description(
      'Count the retained records of a topic by the schema they were written with: what is still in the log, until when, and what nothing needs any more',
    )
    .argument('<topic>', 'Name of the topic', text => parseName(text, 'topic'))
    .option('--subject <subject>', 'The subject of its values (default: the topic with -value)', text =>
      parseName(text, 'subject'),
    )
    .addHelpText(
      'after',
      `
Examples:
  weir schema census raw_reviews
  weir schema census raw_reviews --json | jq '.ids[] | select(.safe_to_delete) | .version'
It reads the five bytes before each value, and decodes nothing. An id whose last record is removed by age is told with the day from which on it is free;
a topic that is cut by size may lose it earlier.`,
    )
    .action((topic: string, flags: CensusFlags) => census(context, topic, flags))
}

async function census(context: CliContext, topic: string, flags: CensusFlags): Promise<void> {
  const { output, terminal } = context
  const { bench } = await openBenchHere(context)
  const store = await context.store()
  const progress = output.progress(`reading ${printable(topic, 60)}`)
  let found: TopicCensus
  try {
    found = await censusOf(
      store,
      { topic, subject: flags.subject ?? `${topic}-value`, deadLetters: deadLettersOf(bench, topic) },
      { signal: terminal.interrupted(), onRead: progress.update },
    )
  } finally {
    progress.end()
  }
  if (output.json) return output.document(found)
  print(context, found)
}

function print({ output }: CliContext, found: TopicCensus): void {
  const { paint, line } = output
  line(
    `${paint('bold', printable(found.topic))}  ${count(found.records, 'record')}${found.tombstones > 0 ? `, ${count(found.tombstones, 'tombstone')} among them` : ''}`,
  )
  if (found.ids.length > 0)
    output.table(
      [
        { title: 'ID', value: each => String(each.id), align: 'right' },
        { title: 'VERSION', value: each => (each.version === null ? '-' : String(each.version)), align: 'right' },
        { title: 'RECORDS', value: each => each.records.toLocaleString('en-US'), align: 'right' },
        { title: 'SHARE', value: each => (each.records === 0 ? '-' : percent(each.share)), align: 'right' },
        { title: 'FIRST', value: each => placeOf(each.first) },
        { title: 'LAST', value: each => placeOf(each.last) },
        { title: 'FREE', value: freeText },
        { title: '', value: remarkOf },
      ],
      found.ids,
    )
  if (found.unlisted > 0)
    line(paint('yellow', `${count(found.unlisted, 'record')} of still other ids, which are not listed`))
  if (found.unframed)
    line(
      paint(
        'yellow',
        `${count(found.unframed.records, 'value')} without wire header, the first at ${placeOf(found.unframed.first)}`,
      ),
    )
  if (found.deleted_versions.length > 0)
    line(
      paint('dim', `deleted softly in ${printable(found.subject)}: ${found.deleted_versions.map(String).join(', ')}`),
    )
  for (const { group, last_id, last_version, ahead } of found.groups) {
    const name = (id: number, version: number | null) => (version === null ? `id ${id}` : `version ${version}`)
    const last = last_id === null ? 'what it read last is not in the log' : `read last: ${name(last_id, last_version)}`
    const rest = ahead.map(each => `${count(each.records, 'record')} of ${name(each.id, each.version)}`).join(', ')
    line(
      `${paint('dim', 'group')} ${printable(group)}  ${last}${rest === '' ? '; nothing left to read' : `; left to read: ${rest}`}`,
    )
  }
}

const percent = (share: number) => (share > 0 && share < 0.001 ? '<0.1 %' : `${(share * 100).toFixed(1)} %`)

const placeOf = (record: CensusRecord | null) =>
  record === null ? '-' : `${record.partition}/${record.offset} ${new Date(record.timestamp).toISOString()}`

const freeText = ({ records, free_at }: CensusEntry) =>
  records === 0 ? 'now' : free_at === null ? 'never by age' : `from ${new Date(free_at).toISOString().slice(0, 16)}Z`

function remarkOf({ unknown, version, dead_letters, safe_to_delete, records }: CensusEntry): string {
  if (unknown) return 'not in the registry: nobody can read these'
  if (safe_to_delete) return `safe to delete version ${version}: 0 records`
  if (dead_letters > 0) return `${count(dead_letters, 'dead letter')}`
  if (version === null) return 'deleted softly, or of another subject'
  return records === 0 ? 'the latest' : ''
}
