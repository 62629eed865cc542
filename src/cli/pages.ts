// The generated files, each from the code it describes: command line, connectors, errors, mapping functions, editor schemas.
import type { Command } from 'commander'
import { loadCatalogue } from '../app/catalogue.ts'
import { type FieldRow, fieldRows } from '../app/describe-spec.ts'
import { definitionSpecs, editorSchemas, mappingPage } from '../app/reference.ts'
import { isVendor, modesOf, type Vendor } from '../app/vendors.ts'
import type { Catalogue } from '../config/catalogue.ts'
import { codes } from '../core/errors.ts'
import { rules } from '../governance/rules.ts'
import { environment } from './environment.ts'

const banner = '<!-- Generated from the code by `npm run generate`. Do not edit. -->\n'

/** Path from the project's root to text. `program` has every command loaded. */
export async function generatePages(program: Command): Promise<Readonly<Record<string, string>>> {
  const catalogue = await loadCatalogue()
  const schemas = await editorSchemas(catalogue)
  const page = (text: string) => `${banner}${text.replace(/\n{3,}/g, '\n\n').trimEnd()}\n`
  return {
    'docs/reference/cli.md': page(cliPage(program)),
    'docs/reference/connectors.md': page(await connectorsPage(catalogue)),
    'docs/reference/definitions.md': page(definitionsPage()),
    'docs/reference/errors.md': page(errorsPage()),
    'docs/reference/rules.md': page(rulesPage()),
    'docs/reference/vendors.md': page(await vendorsPage(catalogue)),
    'docs/reference/mapping.md': page(await mappingPage()),
    ...Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [
        `schemas/weir/${name}.schema.json`,
        `${JSON.stringify(schema, null, 2)}\n`,
      ]),
    ),
  }
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const row = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |\n`
const table = (titles: readonly string[], rows: readonly (readonly string[])[]) =>
  row(titles) + row(titles.map(() => '---')) + rows.map(row).join('')
const code = (text: string) => `\`${text}\``

function errorsPage(): string {
  const rows = Object.entries(codes).map(([name, { exit, retry, doc }]) => [
    code(name),
    String(exit),
    retry ? 'yes' : 'no',
    doc,
  ])
  return `# Errors

Every error has a code that never changes its meaning. The exit code of a command follows from it: 0 fine, 1 a defect in weir,
2 your input, 3 your environment. "Retry" says whether the same call may succeed later.

${table(['Code', 'Exit', 'Retry', 'Meaning'], rows)}`
}

function rulesPage(): string {
  return `# Rules of schema governance

What findings carry, and what \`block\` and the waivers of [schemas/governance.yaml](../governance.md#the-policy) name; \`*\` stands for anything: \`silent.*\`.

${table(
  ['Rule', 'What it says'],
  Object.entries(rules).map(([name, text]) => [code(name), text]),
)}`
}

function cliPage(program: Command): string {
  const globals = program.options.map(o => [code(o.flags), o.description])
  const variables = Object.entries(environment).map(([name, { doc }]) => [code(name), doc])
  return `# Command line

${program.description()}

${table(
  ['Command', 'What it does'],
  ownCommands(program).map(c => [`[weir ${c.name()}](#weir-${c.name()})`, c.summary()]),
)}
## Flags of every command

${table(['Flag', 'Meaning'], globals)}
## Environment

${table(['Variable', 'Meaning'], variables)}
\`NO_COLOR\` and \`FORCE_COLOR\` are honoured. Exit codes: 0 fine, 1 internal, 2 your input, 3 your environment.

${ownCommands(program)
  .map(c => commandSection(c, 'weir', 2))
  .join('\n')}`
}

const ownCommands = (command: Command) => command.commands.filter(c => c.name() !== 'help')

function commandSection(command: Command, parent: string, level: number): string {
  const path = `${parent} ${command.name()}`
  const args = command.registeredArguments.map(a => [code(a.name()), a.required ? 'yes' : 'no', a.description])
  const options = command.options.map(o => [
    code(o.flags),
    o.defaultValue === undefined || o.defaultValue === false
      ? ''
      : code(String(o.defaultValueDescription ?? o.defaultValue)),
    o.description,
  ])
  const children = ownCommands(command)
  const examples = examplesOf(command)
  return [
    `${'#'.repeat(level)} ${path}\n`,
    command.description(),
    children.length === 0 || args.length > 0 ? `\n\`\`\`\n${path} ${command.usage()}\n\`\`\`` : '',
    args.length > 0 ? `\n${table(['Argument', 'Required', 'Meaning'], args)}` : '',
    options.length > 0 ? `\n${table(['Flag', 'Default', 'Meaning'], options)}` : '',
    examples.length > 0 ? `\nExamples:\n\n\`\`\`sh\n${examples.join('\n')}\n\`\`\`` : '',
    ...children.map(c => `\n${commandSection(c, path, level + 1)}`),
  ]
    .filter(part => part !== '')
    .join('\n')
    .concat('\n')
}

/** The lines of the help that are commands to type. */
function examplesOf(command: Command): readonly string[] {
  let text = ''
  const before = command.configureOutput()
  command.configureOutput({ ...before, writeOut: part => void (text += part) })
  command.outputHelp()
  command.configureOutput(before)
  return [...text.matchAll(/^(?:Examples?: | {2})(weir .+)$/gm)].map(match => match[1]!.trim())
}

async function connectorsPage(catalogue: Catalogue): Promise<string> {
  const { stringify } = await import('yaml')
  const section = (kind: 'source' | 'sink', name: string): string => {
    const connector = (kind === 'source' ? catalogue.sources : catalogue.sinks)[name]!
    const guarantee =
      'guarantee' in connector
        ? connector.guarantee.replaceAll('_', ' ')
        : connector.replayable
          ? 'exactly once'
          : 'at least once: the source cannot be read again'
    const examples = connector.examples.map(
      ({ title, config }) =>
        `${title}:\n\n\`\`\`yaml\n${stringify({ [kind]: { [name]: config } }, { lineWidth: 120 })}\`\`\`\n`,
    )
    return `### ${kind}: ${name}\n\n${connector.summary} Guarantee: ${guarantee}.\n\n${fieldTable(fieldRows(connector.config))}\n${examples.join('\n')}`
  }
  return `# Connectors

Vendors, which are data over these sources, stand in [vendors.md](vendors.md).

## Sources

${Object.keys(catalogue.sources)
  .filter(name => !isVendor(catalogue.sources[name]!))
  .map(name => section('source', name))
  .join('\n')}
## Sinks

${Object.keys(catalogue.sinks)
  .map(name => section('sink', name))
  .join('\n')}`
}

async function vendorsPage({ sources }: Catalogue): Promise<string> {
  const { stringify } = await import('yaml')
  const yaml = (value: unknown) => stringify(value, { lineWidth: 120 })
  const vendors = Object.values(sources).flatMap(source => (isVendor(source) ? [source] : []))
  const section = (vendor: Vendor): string => {
    const { name, summary, status, notes, examples } = vendor
    const modes = modesOf(vendor)
    const promises = modes.map(
      mode =>
        `${mode.name === null ? '' : `Mode ${code(mode.name)}: `}over ${code(mode.connector)}, ${mode.claim?.guarantee.replaceAll('_', ' ') ?? 'no guarantee'}${mode.claim?.while ? `, as long as ${mode.claim.while}` : ''}.`,
    )
    const shown = examples.map(
      ({ title, config }) => `${title}:\n\n\`\`\`yaml\n${yaml({ source: { [name]: config } })}\`\`\`\n`,
    )
    return `## ${name}

${summary} Status: ${status}.

${table(['About', 'What to know'], Object.entries(notes))}
${promises.map(each => `- ${each}`).join('\n')}

${fieldTable(fieldRows(vendor.config))}
${shown.join('\n')}`
  }
  return `# Vendors

A vendor is a YAML file over one of the [connectors](connectors.md): \`src/sources/vendors/\`. A pipeline names it like any other source. Its defaults for
\`fetch\` hold where the pipeline says nothing, its mapping where the pipeline has none; \`weir connectors show NAME\` prints both. One of your own is named
by its path, \`source: { ./my-vendor.yaml: {…} }\`: [adding a source](../adding-a-source.md).

${table(
  ['Vendor', 'Status', 'What it brings'],
  vendors.map(({ name, status, summary }) => [`[${name}](#${name})`, status, summary]),
)}
${vendors.map(section).join('\n')}`
}

function definitionsPage(): string {
  return `# Definition files

Values may hold variables: \`\${NAME}\`, \`\${NAME:-default}\`, \`\${file:/run/secrets/name}\`. They are resolved when the file is read. A secret of a
broker or a registry that comes from \`\${file:…}\` is read anew at every login, so that a rotated one works without a restart.

## A pipeline

The fields of \`source\` and \`sink\` themselves stand in [connectors.md](connectors.md).

${fieldTable(fieldRows(definitionSpecs.pipeline))}
## A vendor file

A source as data over a connector: \`source: { ./my-vendor.yaml: {…} }\`. [Adding a source](../adding-a-source.md) builds one. \`\${params.name}\` puts a parameter in:
alone in a field, the value as it is; within a text, as text; within an expression, as a literal, so without quotes around it. In \`url\` it is escaped unless it is an
address. A parameter that is left out takes the field with it; in an expression it is null.

${fieldTable(fieldRows(definitionSpecs.vendor))}
## A cassette

Recorded exchanges with a source, and what must come of them: [cassettes.md](../cassettes.md). \`weir test\` replays it.

${fieldTable(fieldRows(definitionSpecs.cassette))}
## schemas/governance.yaml

The policy of the schemas of a workspace, found from the pipeline's folder upwards: [governance.md](../governance.md). It holds no variables: it is the same
wherever it is read. \`block\` and waivers name [rules](rules.md).

${fieldTable(fieldRows(definitionSpecs.governance))}
## weir.yaml

Beside the pipelines or above them, optional: what all of them share. A container needs no weir.yaml where the connections are plain:
\`WEIR_BROKER\` and \`WEIR_REGISTRY\` name the addresses. Where credentials or tls are needed, write a weir.yaml with variables in it; there
are no further variables of weir's own for them.

${fieldTable(fieldRows(definitionSpecs.workspace))}
A cluster with a login, and its registry:

\`\`\`yaml
broker:
  kafka:
    brokers: ["\${KAFKA_BROKERS}"]                   # host:port, several with commas
    tls: { ca: ca.pem }                              # or true: the authorities of the machine
    sasl: { scram_sha_512: { username: weir, password: "\${file:/run/secrets/kafka}" } }
    replication_factor: 3
registry:
  url: https://registry.example.com
  auth: { basic: { username: weir, password: "\${file:/run/secrets/registry}" } }
\`\`\`
`
}

function fieldTable(fields: readonly FieldRow[]): string {
  if (fields.length === 0) return 'It has no fields.\n'
  return table(
    ['Field', 'Type', 'Required', 'Default', 'Meaning'],
    fields.map(f => [code(f.path), f.type, f.required ? 'yes' : '', f.default === null ? '' : code(f.default), f.doc]),
  )
}
