// weir schema suggest: what a source gives and the schema has not, as a patch and a line of the mapping.
import type { Command } from 'commander'
import { type CheckedField, type SuggestResult, suggestFields } from '../app/governance/suggesting.ts'
import { headline } from '../governance/report/words.ts'
import type { CliContext } from './context.ts'
import { openBenchHere } from './schema-bench.ts'
import { count, printable, printableLines } from './terminal.ts'

interface SuggestFlags {
  readonly schema?: string
  readonly sample?: string[]
  readonly path?: string[]
  readonly write?: boolean
}

export function registerSuggest(schema: Command, context: CliContext): void {
  schema
    .command('suggest')
    .description(
      'Make a patch of the schema, and lines of the mapping, for fields that a source gives and nothing reads yet. Makes no call',
    )
    .argument('[pipeline]', 'The pipeline file')
    .option('--schema <file>', 'A schema alone, for items whose fields have the same names')
    .option(
      '--sample <files...>',
      'Items as the source gives them: a JSON list, or a value a line (default: the newest pages that the pipeline kept, the files it reads, or its cassettes)',
    )
    .option('--path <paths...>', 'Only these, as the event drift names them: author.country')
    .option('--write', 'Write the schema, unless the change is breaking; the mapping is yours to write')
    .addHelpText(
      'after',
      `
Examples:
  weir schema suggest pipelines/reviews.yaml
  weir schema suggest pipelines/reviews.yaml --path author.country --write
  weir schema suggest --schema schemas/raw-review.avsc --sample items.ndjson
Exit codes: 0 fine, 1 the change is breaking, 2 your input, 3 your environment.`,
    )
    .action((pipeline: string | undefined, flags: SuggestFlags) => suggest(context, pipeline ?? null, flags))
}

async function suggest(context: CliContext, pipeline: string | null, flags: SuggestFlags): Promise<void> {
  const { output, terminal } = context
  const { env, clock, random } = terminal
  const { bench, today } = await openBenchHere(context)
  const found = await suggestFields(bench, {
    pipeline,
    schema: flags.schema ?? null,
    samples: flags.sample ?? [],
    paths: flags.path ?? [],
    env,
    today,
    write: flags.write ?? false,
    clock,
    random,
    signal: terminal.interrupted(),
    store: async () => {
      const { storeExists } = await import('../app/open.ts')
      return storeExists(await context.workspace()) ? context.store() : null
    },
  })
  if (found.review?.verdict === 'breaking') context.exitWith(1)
  if (output.json) return output.document(found)
  print(context, found)
}

function print({ output }: CliContext, found: SuggestResult): void {
  const { paint, line, note } = output
  const { fields, left, failing, patch, review, written } = found
  note(`${count(found.samples, 'sample')} from ${printable(found.from, 300)}, against ${printable(found.file)}`)
  for (const each of fields) line(fieldText(each, paint))
  for (const { field, samples, message, instead } of failing) {
    line(
      `${paint('red', '!')} ${printable(field)} fails on ${count(samples, 'sample')} today: ${printable(message, 300)}`,
    )
    if (instead !== null) line(`    map it as ${printable(instead, 300)}: then all samples pass`)
  }
  for (const { path, why } of left)
    line(paint('dim', `- ${printable(path)}: nothing is proposed, ${printable(why, 300)}`))
  if (fields.length === 0 && failing.length === 0 && left.length === 0)
    note('Everything that the samples have is read already.')
  if (patch !== '') {
    line()
    line(printableLines(patch).trimEnd())
  }
  const lines = fields.flatMap(({ map }) => (map ? [`  ${map.field}: ${yamlText(map.expression)}`] : []))
  if (lines.length > 0) {
    line()
    line('map:')
    for (const each of lines) line(printable(each, 500))
    if (found.mapping === 'connector')
      note(
        'The mapping of today comes with the connector, and `map` in a pipeline replaces all of it: copy it first, weir connectors show tells it.',
      )
  }
  if (review) {
    line()
    line(printable(headline(review), 500))
    for (const { rule, field, message } of review.findings.filter(({ severity }) => severity !== 'note'))
      line(`  ${paint('yellow', rule)} ${printable(field ?? '')}: ${printable(message, 300)}`)
  }
  if (written) note(`wrote ${printable(found.file)}; the lines of the mapping are yours to write`)
}

function fieldText(
  { what, name, path, type, seen, fails, failure, remarks }: CheckedField,
  paint: CliContext['output']['paint'],
): string {
  const words = { new: 'new field', widened: 'wider type', mapped: 'in the schema already, not mapped' }[what]
  const checked =
    fails > 0 ? paint('red', `; fails on ${count(fails, 'sample')}: ${printable(failure ?? '', 300)}`) : ''
  const notes = remarks.map(remark => `\n    ${paint('dim', printable(remark, 300))}`).join('')
  const sign = what === 'new' ? paint('green', '+') : paint('yellow', '~')
  return `${sign} ${printable(name)}: ${words}, ${type}, from ${printable(path)} (${count(seen, 'sample')})${checked}${notes}`
}

/** As a value in YAML: what has brackets or quotes in them is quoted. */
const yamlText = (expression: string) =>
  /^[\w.?()]+$/.test(expression) ? expression : `'${expression.replaceAll("'", "''")}'`
