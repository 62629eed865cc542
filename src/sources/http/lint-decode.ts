// Mistakes in what a definition takes out of rows and pages.
import { lintHtml } from '../html/lint.ts'
import type { Add } from './lint-auth.ts'
import type { HttpConfig } from './spec.ts'

export function lintDecode(config: HttpConfig, add: Add): void {
  const { decode, csv, html, robots } = config
  const isRows = decode === 'csv' || decode === 'tsv'
  if (csv !== undefined && !isRows)
    add(
      '/csv',
      `\`csv\` says how rows are written, and decode is ${decode}.`,
      'Set decode: csv or tsv, or remove it.',
      'error',
      'config.conflict',
    )
  if (csv?.delimiter !== undefined && !/^[\t\x20-\x7e]$/.test(csv.delimiter))
    add('/csv/delimiter', 'The delimiter must be an ASCII character.', 'Write one such as ; or |.')
  if (csv?.delimiter !== undefined && csv.delimiter === csv.quote)
    add('/csv/delimiter', 'Delimiter and quote are the same.', 'Change one of them.', 'error', 'config.conflict')
  if (csv?.header === false && csv.columns === undefined)
    add(
      '/csv',
      'Without a header the columns are called column_1, column_2 and so on.',
      'Name them in `columns`.',
      'warning',
    )
  if (html !== undefined && decode !== 'html')
    add(
      '/html',
      `\`html\` says what to take out of pages, and decode is ${decode}.`,
      'Set decode: html, or remove it.',
      'error',
      'config.conflict',
    )
  if (robots?.agent.split(/[\s/(;]/)[0] === '')
    add(
      '/robots/agent',
      'The agent has no name to look up in robots.txt.',
      'Begin with a name: my-company-reviews (ops@example.com).',
    )
  if (decode !== 'html') return
  if (html === undefined) {
    add(
      '',
      'decode: html needs `html`, what to take out of the page.',
      'Write html: { require: …, item: …, fields: {…} }.',
      'error',
      'config.missing_field',
    )
    return
  }
  lintHtml(html, add)
}
