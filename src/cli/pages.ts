// The generated files, each from the code it describes: command line, connectors, errors, mapping functions, editor schemas.
import type { Command } from 'commander'
import { loadCatalogue } from '../app/catalogue.ts'
import { type FieldRow, fieldRows } from '../app/describe-spec.ts'
import { editorSchemas, mappingPage } from '../app/reference.ts'
import type { Catalogue } from '../config/catalogue.ts'
import { codes } from '../core/errors.ts'
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
    'docs/reference/errors.md': page(errorsPage()),
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

## Sources

${Object.keys(catalogue.sources)
  .map(name => section('source', name))
  .join('\n')}
## Sinks

${Object.keys(catalogue.sinks)
  .map(name => section('sink', name))
  .join('\n')}`
}

function fieldTable(fields: readonly FieldRow[]): string {
  if (fields.length === 0) return 'It has no fields.\n'
  return table(
    ['Field', 'Type', 'Required', 'Default', 'Meaning'],
    fields.map(f => [code(f.path), f.type, f.required ? 'yes' : '', f.default === null ? '' : code(f.default), f.doc]),
  )
}
