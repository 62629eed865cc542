// weir schema history: the versions of a subject, what each changed, and which levels it kept.
import type { Command } from 'commander'
import { pastOf, type SubjectPast } from '../app/governance/past.ts'
import { lookAtPlace } from '../app/governance/registry-place.ts'
import { failingVersions, markOf } from '../governance/report/words.ts'
import { parseName } from './arguments.ts'
import type { CliContext } from './context.ts'
import { openBenchHere } from './schema-bench.ts'
import { count, printable } from './terminal.ts'

export function registerHistory(schema: Command, context: CliContext): void {
  schema
    .command('history')
    .description('Show the versions of a subject: ids, fingerprints, what each changed, and which levels it kept')
    .argument('<subject>', 'The subject, such as raw_reviews-value', text => parseName(text, 'subject'))
    .addHelpText(
      'after',
      `
Examples:
  weir schema history raw_reviews-value
  weir schema history raw_reviews-value --json | jq '.versions[].crc64'
Registries do not say when a version was registered.`,
    )
    .action((subject: string) => history(context, subject))
}

async function history(context: CliContext, subject: string): Promise<void> {
  const { output, terminal } = context
  const { bench } = await openBenchHere(context)
  await using place = await lookAtPlace(await context.workspace(), terminal.clock, terminal.random)
  const past = await pastOf(bench, place.registry, subject)
  if (output.json) return output.document(past)
  print(context, past)
}

function print({ output }: CliContext, { subject, level, level_from, versions, deleted }: SubjectPast): void {
  const { paint, line } = output
  line(`${paint('bold', printable(subject))}  ${paint('dim', `level ${level} (${level_from})`)}`)
  for (const each of versions) {
    line()
    line(
      `${paint('bold', `version ${each.version}`)}  id ${each.id}  ${paint('dim', each.crc64 === null ? 'no schema by the rules of Avro' : `crc64 ${each.crc64}`)}`,
    )
    for (const [field, changes] of Map.groupBy(each.changes, change => change.field)) {
      const mark = markOf(changes)
      const style = mark === '+' ? 'green' : mark === '-' ? 'red' : 'yellow'
      line(`  ${paint(style, mark)} ${printable(field)}: ${printable(changes.map(({ text }) => text).join('; '), 500)}`)
    }
    if (each.levels === null) continue
    if (each.changes.length === 0) line(`  ${paint('dim', 'nothing that a reader sees changed')}`)
    const failing = each.levels.filter(({ compatible }) => !compatible)
    const broken = failing.map(one => `${one.level} fails at ${failingVersions(one)}`).join(', ')
    line(
      `  ${each.keeps ? paint('green', `${level} holds`) : paint('red', `${level} fails`)}${broken === '' ? '; all seven levels hold' : `; ${broken}`}`,
    )
  }
  if (deleted.length > 0) {
    line()
    line(paint('dim', `deleted: ${count(deleted.length, 'version')}, ${deleted.map(String).join(', ')}`))
  }
}
