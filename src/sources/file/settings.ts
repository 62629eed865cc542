// The `file:` part of a pipeline, and what it means for one file: format and compression by name where the definition does not say.
import { WeirError } from '../../core/errors.ts'
import { duration, expression, fields, type Problem, path, type Static, size, Type } from '../../core/spec.ts'
import { lintHtml } from '../html/lint.ts'
import { htmlSpec } from '../html/spec.ts'

const oneOf = <T extends string>(values: readonly T[], o: { description: string; default?: T }) =>
  Type.Unsafe<T>({ type: 'string', enum: values, ...o })

export const formats = ['ndjson', 'json', 'csv', 'tsv', 'html'] as const
export type Format = (typeof formats)[number]

export const fileSpec = fields({
  paths: Type.Array(path({ description: 'A file, or a glob such as data/*.jsonl.gz.' }), {
    description: 'Files to read, relative to the definition. Hidden files match only when the glob names the dot.',
    minItems: 1,
    maxItems: 1000,
  }),
  format: Type.Optional(
    oneOf(formats, {
      description:
        'How items stand in a file; omitted: by its extension (.ndjson .jsonl .json .csv .tsv .html .htm, before .gz).',
    }),
  ),
  compression: oneOf(['auto', 'none', 'gzip'], {
    description: 'auto: gzip when the file begins like gzip.',
    default: 'auto',
  }),
  records: Type.Optional(
    expression({
      description: 'The list of items in a line (ndjson) or in the whole file (json).',
      vars: ['this'],
    }),
  ),
  header: Type.Optional(
    Type.Boolean({
      description: 'csv, tsv: the first row names the columns. Omitted: true unless `columns` is there.',
    }),
  ),
  columns: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
      description: 'csv, tsv: names of the columns, instead of those of the header.',
      minItems: 1,
      maxItems: 20_000,
    }),
  ),
  delimiter: Type.Optional(
    Type.String({
      description: 'csv, tsv: the ASCII character between fields; a comma for csv, a tab for tsv.',
      minLength: 1,
      maxLength: 1,
    }),
  ),
  quote: oneOf(['"', "'", 'none'], {
    description:
      'csv, tsv: the character around fields that hold delimiters or line breaks; none: such characters are data.',
    default: '"',
  }),
  html: Type.Optional(htmlSpec),
  follow: Type.Boolean({
    description:
      'Wait at the end of each file for more, as tail -F does; a last line without a line break waits for it.',
    default: false,
  }),
  check_every: duration({
    description: 'follow: the longest time until new lines are seen where the system does not tell about them.',
    default: '1s',
    min: 10,
    max: 3_600_000,
  }),
  max_item: size({
    description: 'A larger line, row or element becomes a dead letter with its first 64 KB.',
    default: '1mb',
    min: 1024,
    max: 64 * 1024 * 1024,
  }),
  max_document: size({
    description:
      'json: the largest file that is read whole, as one object or with `records`. A plain list has no limit.',
    default: '64mb',
    min: 1024,
    max: 256 * 1024 * 1024,
  }),
  root: Type.Optional(
    path({
      description: 'Files must lie under this folder, symbolic links followed. Omitted: the folder of the definition.',
    }),
  ),
})

export type FileConfig = Static<typeof fileSpec>

export interface RowShape {
  readonly delimiter: string
  /** null: quote characters are data. */
  readonly quote: string | null
}

const extensionFormats: Readonly<Record<string, Format>> = {
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'json',
  csv: 'csv',
  tsv: 'tsv',
  html: 'html',
  htm: 'html',
}

/** The format of a file. @throws config.invalid when neither the definition nor the extension says */
export function formatOf(config: FileConfig, name: string): Format {
  if (config.format) return config.format
  const format = formatByExtension(name)
  if (format) return format
  throw new WeirError('config.invalid', 'The extension does not tell the format of the file', {
    at: name,
    hint: `Set format to ${formats.join(', ')}.`,
  })
}

function formatByExtension(name: string): Format | undefined {
  const extension = /\.([a-z]+)(?:\.gz)?$/.exec(name.toLowerCase())?.[1]
  return extension === undefined ? undefined : extensionFormats[extension]
}

export function rowShapeOf(config: FileConfig, format: Format): RowShape {
  return {
    delimiter: config.delimiter ?? (format === 'tsv' ? '\t' : ','),
    quote: config.quote === 'none' ? null : config.quote,
  }
}

/** Mistakes the schema cannot express. */
export function lintFile(config: FileConfig): Problem[] {
  const problems: Problem[] = []
  const refuse = (pointer: string, message: string, hint: string) =>
    problems.push({ severity: 'error', code: 'config.conflict', message, pointer, hint })
  const isRows = config.format === 'csv' || config.format === 'tsv'
  if (config.records !== undefined && isRows)
    refuse('/records', `A ${config.format} row is one item.`, 'Remove records.')
  if (config.records !== undefined && config.format === 'html')
    refuse('/records', 'The items of a page are what `html: { item }` finds.', 'Remove records.')
  for (const field of ['columns', 'header', 'delimiter'] as const)
    if (config[field] !== undefined && config.format !== undefined && !isRows)
      refuse(`/${field}`, `${field} is for csv and tsv.`, `Remove ${field}, or set format to csv or tsv.`)
  if (config.header === false && config.columns === undefined && isRows)
    problems.push({
      severity: 'warning',
      code: 'config.warning',
      message: 'Without header and columns the fields are named column_1, column_2, ...',
      pointer: '/header',
      hint: 'Name them with columns.',
    })
  if (config.follow && (config.format === 'json' || config.format === 'html'))
    refuse('/follow', `A ${config.format} file has one end and cannot be followed.`, 'Use ndjson, one item a line.')
  problems.push(...lintPages(config))
  if (config.follow && config.compression === 'gzip')
    refuse('/follow', 'A gzip file cannot be followed.', 'Follow the file before it is compressed.')
  const { delimiter } = config
  if (delimiter !== undefined && (!/^[\t\x20-\x7e]$/.test(delimiter) || delimiter === config.quote))
    problems.push({
      severity: 'error',
      code: 'config.invalid',
      message: 'The delimiter must be a tab or a printable ASCII character other than the quote.',
      pointer: '/delimiter',
      hint: 'Write "," or ";" or "\\t" in double quotes.',
    })
  config.paths.forEach((each, i) => {
    if (config.format === undefined && formatByExtension(each) === undefined && /\.[a-z]+$/i.test(each))
      problems.push({
        severity: 'error',
        code: 'config.missing_field',
        message: 'The extension does not tell the format of the files.',
        pointer: `/paths/${i}`,
        hint: `Set format to ${formats.join(', ')}.`,
      })
  })
  return problems
}

/** Pages need to be told what to take out of them, and nothing else does. */
function lintPages({ html, format, paths }: FileConfig): Problem[] {
  const problems: Problem[] = []
  const add: Parameters<typeof lintHtml>[1] = (pointer, message, hint, severity = 'error', code = 'config.invalid') =>
    problems.push({ severity, code, message, pointer, hint })
  const isPage = (path: string) => (format ?? formatByExtension(path)) === 'html'
  if (html === undefined && paths.some(isPage))
    add(
      '',
      'Pages need `html`, what to take out of them.',
      'Write html: { require: …, item: …, fields: {…} }.',
      'error',
      'config.missing_field',
    )
  if (html !== undefined && format !== undefined && format !== 'html')
    add('/html', `\`html\` is for pages, and format is ${format}.`, 'Remove it.', 'error', 'config.conflict')
  if (html !== undefined) lintHtml(html, add)
  return problems
}
