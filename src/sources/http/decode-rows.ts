// CSV and TSV bodies: one row an item, an object of texts by column, by the same rules as rows of files.
import { WeirError } from '../../core/errors.ts'
import { jsonOf } from '../../core/json-text.ts'
import type { HttpResponse } from '../../fetch/guard.ts'
import { parseRow, type RowContext } from '../file/rows.ts'
import { columnNames, RowScanner, type RowShape, rowObject } from '../row.ts'
import { type BadPart, type Decoded, textOf } from './decode.ts'
import type { HttpConfig } from './spec.ts'

const quoteHint = 'Double a quote that is data; set `csv: { quote: none }` when the source has no quoting at all.'

export interface RowDecoder {
  /** @throws source.shape when no row can be read */
  decode(response: HttpResponse, at: string): Decoded
  /** @throws source.invalid_csv, source.invalid_text */
  reparse(raw: Uint8Array, context: string): unknown
}

export function createRowDecoder({ decode, csv = { quote: '"' } }: Pick<HttpConfig, 'decode' | 'csv'>): RowDecoder {
  const shape: RowShape = {
    delimiter: csv.delimiter ?? (decode === 'tsv' ? '\t' : ','),
    quote: csv.quote === 'none' ? null : csv.quote,
  }
  const { columns: named } = csv
  const hasHeader = csv.header ?? named === undefined
  return {
    decode(response, at) {
      const text = textOf(response, at).replace(/^\ufeff/, '')
      if (/^\s*<(!doctype|html|head|body|\?xml)\b/i.test(text.slice(0, 1000))) throw notRows(decode, at)
      return rowsOf(Buffer.from(text), shape, named, hasHeader, at)
    },
    reparse: (raw, context) => parseRow(raw, JSON.parse(context) as RowContext),
  }
}

function rowsOf(
  bytes: Buffer,
  shape: RowShape,
  named: readonly string[] | undefined,
  hasHeader: boolean,
  at: string,
): Decoded {
  const scanner = new RowScanner(shape)
  const rows: unknown[] = []
  const places = new Map<unknown, readonly [start: number, end: number]>()
  const bad: BadPart[] = []
  let columns = named
  let isHeader = hasHeader
  let line = 1
  for (let start = 0; start < bytes.length; start = scanner.next, line += scanner.lines) {
    scanner.scan(bytes, start, true)
    if (scanner.end === start) continue
    if (isHeader) {
      columns = headerOf(scanner, named, at)
      isHeader = false
      continue
    }
    columns ??= scanner.fields.map((_, i) => `column_${i + 1}`)
    if (scanner.fault === undefined && scanner.fields.length === columns.length) {
      const row = rowObject(columns, scanner.fields)
      rows.push(row)
      places.set(row, [start, scanner.end])
    } else
      bad.push({
        raw: bytes.subarray(start, scanner.end),
        error: rowError(scanner, columns.length, `${at}:${line}`),
        context: contextOf(),
      })
  }
  return {
    body: rows,
    bad,
    rawOf(list, index) {
      const place = places.get(list[index])
      return place ? bytes.subarray(...place) : Buffer.from(jsonOf(list[index]))
    },
    contextOf: (list, index) => (places.has(list[index]) ? contextOf() : undefined),
  }

  function contextOf(): string {
    return JSON.stringify({ columns: columns ?? [], ...shape } satisfies RowContext)
  }
}

function headerOf({ fault, fields }: RowScanner, named: readonly string[] | undefined, at: string): readonly string[] {
  if (fault !== undefined)
    throw new WeirError('source.shape', `The first row cannot be read: ${fault}`, { at, hint: quoteHint })
  if (named !== undefined && named.length !== fields.length)
    throw new WeirError('source.shape', `The header has ${fields.length} columns, not ${named.length}`, {
      at,
      hint: 'Name every column of the answer in `csv: { columns }`.',
    })
  return named ?? columnNames(fields)
}

function rowError({ fault, fields }: RowScanner, columns: number, at: string): WeirError {
  if (fault !== undefined)
    return new WeirError('source.invalid_csv', `The row cannot be read: ${fault}`, { at, hint: quoteHint })
  return new WeirError('source.invalid_csv', `The row has ${fields.length} fields, the header has ${columns}`, {
    at,
    hint: 'A delimiter or line break inside a field needs quotes around the field.',
  })
}

function notRows(format: string, at: string): WeirError {
  return new WeirError('source.shape', `The answer is a page, not ${format}`, {
    at,
    hint: 'If such a page means something, write an error rule for it: body.contains("…").',
  })
}
