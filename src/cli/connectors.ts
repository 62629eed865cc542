// weir connectors: which sources and sinks there are, and what each takes.
import { type Command, Option } from 'commander'
import { loadCatalogue } from '../app/catalogue.ts'
import { fieldRows } from '../app/describe-spec.ts'
import type { Catalogue } from '../config/catalogue.ts'
import { WeirError } from '../core/errors.ts'
import { closest } from '../core/suggest.ts'
import { parseName } from './arguments.ts'
import type { CliContext } from './context.ts'
import { printable } from './terminal.ts'

export function register(program: Command, context: CliContext): void {
  const connectors = program
    .command('connectors')
    .addHelpText('after', '\nExamples:\n  weir connectors\n  weir connectors show http')
    .action(() => list(context))
  connectors
    .command('show')
    .description('Show a connector: its fields, defaults, guarantee and examples')
    .argument('<name>', 'Name of a source or sink', text => parseName(text, 'connector'))
    .addOption(new Option('--source', 'The source of that name, where a sink has the same name').conflicts('sink'))
    .addOption(new Option('--sink', 'The sink of that name, where a source has the same name').conflicts('source'))
    .addHelpText('after', '\nExample: weir connectors show file --sink')
    .action((name: string, options: { source?: boolean; sink?: boolean }) => show(context, name, options))
}

type Kind = 'source' | 'sink'

interface ShownConnector {
  readonly kind: Kind
  readonly name: string
  readonly summary: string
  /** What it gives when the process may die at any instant. */
  readonly guarantee: string
}

async function list({ output }: CliContext): Promise<void> {
  const shown = connectorsOf(await loadCatalogue())
  if (output.json) return output.document(shown)
  output.table(
    [
      { title: 'KIND', value: c => c.kind },
      { title: 'NAME', value: c => c.name },
      { title: 'GUARANTEE', value: c => c.guarantee },
      { title: 'SUMMARY', value: c => c.summary },
    ],
    shown,
  )
  output.note('\nweir connectors show NAME tells the fields of one.')
}

function connectorsOf({ sources, sinks }: Catalogue): readonly ShownConnector[] {
  return [
    ...Object.values(sources).map(({ name, summary, replayable }) => ({
      kind: 'source' as const,
      name,
      summary,
      guarantee: replayable ? 'exactly once' : 'at least once',
    })),
    ...Object.values(sinks).map(({ name, summary, guarantee }) => ({
      kind: 'sink' as const,
      name,
      summary,
      guarantee: guarantee.replaceAll('_', ' '),
    })),
  ]
}

async function show({ output }: CliContext, name: string, only: { source?: boolean; sink?: boolean }): Promise<void> {
  const catalogue = await loadCatalogue()
  const any = !only.source && !only.sink
  const found = connectorsOf(catalogue)
    .filter(c => c.name === name && (any || (c.kind === 'source' ? only.source : only.sink)))
    .map(c => {
      const { config, examples } = (c.kind === 'source' ? catalogue.sources : catalogue.sinks)[name]!
      return { ...c, fields: fieldRows(config), examples }
    })
  if (found.length === 0) throw unknown(name, catalogue)
  if (output.json) return output.document(found.length === 1 ? found[0] : found)
  for (const [i, connector] of found.entries()) {
    if (i > 0) output.line()
    await print(output, connector)
  }
}

async function print(
  output: CliContext['output'],
  { kind, name, summary, guarantee, fields, examples }: ShownConnector & Pick<Described, 'fields' | 'examples'>,
): Promise<void> {
  const { paint } = output
  output.line(`${paint('bold', name)}  ${kind}, ${guarantee}`)
  output.line(summary)
  output.line()
  output.table(
    [
      { title: 'FIELD', value: f => f.path + (f.required ? ' *' : '') },
      { title: 'TYPE', value: f => f.type, max: 48 },
      { title: 'DEFAULT', value: f => f.default ?? '', max: 24 },
      { title: 'MEANING', value: f => f.doc, max: 160 },
    ],
    fields,
  )
  output.line('* required')
  const { stringify } = await import('yaml')
  for (const { title, config } of examples) {
    output.line()
    output.line(paint('dim', `# ${printable(title)}`))
    output.line(stringify({ [kind]: { [name]: config } }, { lineWidth: 120 }).trimEnd())
  }
}

interface Described {
  readonly fields: ReturnType<typeof fieldRows>
  readonly examples: readonly { readonly title: string; readonly config: Record<string, unknown> }[]
}

function unknown(name: string, { sources, sinks }: Catalogue): WeirError {
  const names = [...Object.keys(sources), ...Object.keys(sinks)]
  const near = closest(name, names)
  return new WeirError('usage.not_found', `no connector ${printable(name, 80)}`, {
    hint: near ? `Did you mean ${near}?` : `There are: ${[...new Set(names)].sort().join(', ')}.`,
  })
}
