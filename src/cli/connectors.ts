// weir connectors: which sources and sinks there are, what each takes, and a start for one of your own.
import { type Command, Option } from 'commander'
import { loadCatalogue } from '../app/catalogue.ts'
import { fieldRows } from '../app/describe-spec.ts'
import { isVendor, modesOf, type ShownMode, type Vendor } from '../app/vendors.ts'
import type { Catalogue } from '../config/catalogue.ts'
import { WeirError } from '../core/errors.ts'
import { closest } from '../core/suggest.ts'
import { parseName } from './arguments.ts'
import type { CliContext } from './context.ts'
import { printable } from './terminal.ts'

export function register(program: Command, context: CliContext): void {
  const connectors = program
    .command('connectors')
    .addHelpText(
      'after',
      '\nExamples:\n  weir connectors\n  weir connectors show http\n  weir connectors new my_vendor',
    )
    .action(() => list(context))
  connectors
    .command('show')
    .description(
      'Show a connector: its fields, defaults, guarantee and examples; of a vendor also cost, limits and mapping',
    )
    .argument('<name>', 'Name of a source or sink', text => parseName(text, 'connector'))
    .addOption(new Option('--source', 'The source of that name, where a sink has the same name').conflicts('sink'))
    .addOption(new Option('--sink', 'The sink of that name, where a source has the same name').conflicts('source'))
    .addHelpText('after', '\nExamples:\n  weir connectors show file --sink\n  weir connectors show oxylabs')
    .action((name: string, options: { source?: boolean; sink?: boolean }) => show(context, name, options))
  connectors
    .command('new')
    .description('Write a commented vendor file, a recorded exchange to test it with, and how to go on')
    .argument('<name>', 'Name of the vendor: a-z, 0-9 and _')
    .option('--into <dir>', 'Folder to write below', '.')
    .addHelpText('after', '\nExample: weir connectors new my_vendor')
    .action(async (name: string, options: { into: string }) => {
      const { writeNewVendor } = await import('./new-vendor.ts')
      await writeNewVendor(context, name, options.into)
    })
}

type Kind = 'source' | 'sink'

interface ShownConnector {
  readonly kind: Kind
  readonly name: string
  readonly summary: string
  /** What it gives when the process may die at any instant. */
  readonly guarantee: string
  /** `stable`, `experimental`, `retired`. */
  readonly status: string
}

async function list({ output }: CliContext): Promise<void> {
  const shown = connectorsOf(await loadCatalogue())
  if (output.json) return output.document(shown)
  output.table(
    [
      { title: 'KIND', value: c => c.kind },
      { title: 'NAME', value: c => c.name },
      { title: 'STATUS', value: c => c.status },
      { title: 'GUARANTEE', value: c => c.guarantee },
      { title: 'SUMMARY', value: c => c.summary },
    ],
    shown,
  )
  output.note('\nweir connectors show NAME tells the fields of one.')
}

function connectorsOf({ sources, sinks }: Catalogue): readonly ShownConnector[] {
  return [
    ...Object.values(sources).map(source => ({
      kind: 'source' as const,
      name: source.name,
      summary: source.summary,
      guarantee: source.replayable ? 'exactly once' : 'at least once',
      status: isVendor(source) ? source.status : 'stable',
    })),
    ...Object.values(sinks).map(({ name, summary, guarantee }) => ({
      kind: 'sink' as const,
      name,
      summary,
      guarantee: guarantee.replaceAll('_', ' '),
      status: 'stable',
    })),
  ]
}

async function show({ output }: CliContext, name: string, only: { source?: boolean; sink?: boolean }): Promise<void> {
  const catalogue = await loadCatalogue()
  const any = !only.source && !only.sink
  const found = connectorsOf(catalogue)
    .filter(c => c.name === name && (any || (c.kind === 'source' ? only.source : only.sink)))
    .map(c => {
      const connector = (c.kind === 'source' ? catalogue.sources : catalogue.sinks)[name]!
      const vendor = 'origin' in connector ? vendorDetails(connector) : {}
      return { ...c, ...vendor, fields: fieldRows(connector.config), examples: connector.examples }
    })
  if (found.length === 0) throw unknown(name, catalogue)
  if (output.json) return output.document(found.length === 1 ? found[0] : found)
  for (const [i, connector] of found.entries()) {
    if (i > 0) output.line()
    await print(output, connector)
  }
}

interface VendorDetails {
  readonly notes?: Readonly<Record<string, string>>
  readonly modes?: readonly ShownMode[]
}

const vendorDetails = (vendor: Vendor): VendorDetails => ({ notes: vendor.notes, modes: modesOf(vendor) })

type Described = ShownConnector &
  VendorDetails & {
    readonly fields: ReturnType<typeof fieldRows>
    readonly examples: readonly { readonly title: string; readonly config: Record<string, unknown> }[]
  }

async function print(output: CliContext['output'], connector: Described): Promise<void> {
  const { kind, name, summary, guarantee, status, fields, examples, notes, modes } = connector
  const { paint } = output
  const { stringify } = await import('yaml')
  const yaml = (value: unknown) => stringify(value, { lineWidth: 120 }).trimEnd()
  output.line(`${paint('bold', name)}  ${kind}, ${guarantee}${status === 'stable' ? '' : `, ${status}`}`)
  output.line(summary)
  for (const [about, text] of Object.entries(notes ?? {})) output.line(`\n${paint('bold', about)}: ${text}`)
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
  if (modes) printModes(output, modes, yaml)
  for (const { title, config } of examples) {
    output.line()
    output.line(paint('dim', `# ${printable(title)}`))
    output.line(yaml({ [kind]: { [name]: config } }))
  }
}

function printModes(
  { line, paint }: CliContext['output'],
  modes: readonly ShownMode[],
  yaml: (value: unknown) => string,
): void {
  for (const { name, connector, claim, fetch } of modes) {
    line(`\n${paint('bold', name === null ? 'how' : `mode ${name}`)}: over ${connector}`)
    if (claim)
      line(`${claim.guarantee.replaceAll('_', ' ')}${claim.while ? `, as long as ${claim.while}` : ''}. ${claim.why}`)
    if (Object.keys(fetch).length === 0) continue
    line(paint('dim', '# unless the pipeline says otherwise'))
    line(yaml({ fetch }))
  }
  const maps = modes.flatMap(({ map }) => (map ? [JSON.stringify(map)] : []))
  for (const map of new Set(maps)) {
    line(paint('dim', '\n# its mapping, where the pipeline has none'))
    line(yaml({ map: JSON.parse(map) }))
  }
}

function unknown(name: string, { sources, sinks }: Catalogue): WeirError {
  const names = [...Object.keys(sources), ...Object.keys(sinks)]
  const near = closest(name, names)
  return new WeirError('usage.not_found', `no connector ${printable(name, 80)}`, {
    hint: near ? `Did you mean ${near}?` : `There are: ${[...new Set(names)].sort().join(', ')}.`,
  })
}
