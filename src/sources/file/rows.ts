// CSV and TSV: one row an item, an object of texts by column. A row that cannot be read becomes an item with its error and its bytes.
import { WeirError } from '../../core/errors.ts'
import { decodeUtf8, hasByteOrderMark } from '../../core/json-text.ts'
import { columnNames, RowScanner, type RowShape, rowObject } from '../row.ts'
import { type Cutter, Oversized } from './cutter.ts'
import { type Cut, invalidText, type Origin, Piece, stretchOf } from './piece.ts'
import type { Window } from './window.ts'

const lineFeed = 10
const quoteHint = 'Double a quote that is data; set quote: none when the file has no quoting at all.'

/** What `reparse` needs beside the bytes of a row. */
export interface RowContext extends RowShape {
  readonly columns: readonly string[]
}

/** The names of the columns, and where the rows begin. */
export interface Layout {
  readonly columns: readonly string[]
  readonly offset: number
  readonly line: number
}

/**
 * What the first row says; undefined when the window does not hold all of it and is not `final`, or when there is none.
 * @throws source.invalid_csv, source.invalid_text: no row can be read without it
 */
export function layoutOf(
  window: Window,
  final: boolean,
  shape: RowShape,
  options: { readonly name: string; readonly columns: readonly string[] | undefined; readonly header: boolean },
): Layout | undefined {
  const { name, columns, header } = options
  if (hasByteOrderMark(window.bytes.subarray(window.start))) window.start += 3
  const scanner = new RowScanner(shape)
  while (columns === undefined || header) {
    if (window.length === 0 || !scanner.scan(window.bytes, window.start, final)) return undefined
    if (scanner.end > window.start) break
    window.start = scanner.next
    window.line += scanner.lines
  }
  const { offset, line } = window
  if (columns && !header) return { columns, offset, line }
  const at = `${name}:${line}`
  if (scanner.fault)
    throw new WeirError('source.invalid_csv', `The first row cannot be read: ${scanner.fault}`, { at, hint: quoteHint })
  if (!window.isValid(window.start, scanner.end))
    throw invalidText({ name, prefix: '' }, window, window.start, scanner.end)
  if (!header) return { columns: scanner.fields.map((_, i) => `column_${i + 1}`), offset, line }
  const names = columns ?? columnNames(scanner.fields)
  if (names.length !== scanner.fields.length)
    throw new WeirError('source.invalid_csv', `The header has ${scanner.fields.length} columns, not ${names.length}`, {
      at,
      hint: 'Name every column of the file in `columns`.',
    })
  return { columns: names, offset: window.offsetOf(scanner.next), line: line + scanner.lines }
}

export function cutRows(origin: Origin, shape: RowShape, columns: readonly string[], maxItem: number): Cutter {
  const scanner = new RowScanner(shape)
  const context = JSON.stringify({ columns, delimiter: shape.delimiter, quote: shape.quote } satisfies RowContext)
  let oversized: Oversized | undefined
  /**
   * True when a row was read. One that does not end within the limit is taken for a quote that was never closed when its first line does, so
   * that the lines after it are read; else its line is passed over.
   */
  const scan = (window: Window, final: boolean): boolean => {
    const { bytes, start } = window
    if (scanner.scan(bytes, start, final)) {
      if (lineEndOf(scanner, bytes) - start <= maxItem) return true
    } else if (window.length <= maxItem) return false
    const found = bytes.indexOf(lineFeed, start)
    if (found >= 0 && found - start <= maxItem)
      return scanner.giveUp(bytes, start, `a quote is not closed within ${maxItem} bytes`)
    oversized = new Oversized(window)
    return false
  }
  const passOver = (window: Window, final: boolean): Cut | undefined => {
    const found = window.bytes.indexOf(lineFeed, window.start)
    oversized!.pass(window, found < 0 ? window.bytes.length : found)
    if (found < 0 && !final) return undefined
    const item = oversized!.item(origin, maxItem)
    oversized = undefined
    if (found >= 0) {
      window.start++
      window.line++
    }
    return item
  }
  /** The row that was scanned; undefined when it is blank. */
  const take = (window: Window): Cut | undefined => {
    const { end, next, lines } = scanner
    const cut = end > window.start ? rowPiece(origin, window, scanner, columns, context) : undefined
    window.start = next
    window.line += lines
    return cut
  }
  return {
    next(window, final) {
      while (window.length > 0 || (final && oversized)) {
        if (oversized) return passOver(window, final)
        if (scan(window, final)) {
          const cut = take(window)
          if (cut) return cut
        } else if (!oversized) return undefined
      }
      return undefined
    },
  }
}

function lineEndOf({ next }: RowScanner, bytes: Buffer): number {
  return bytes[next - 1] === lineFeed ? next - 1 : next
}

function rowPiece(
  origin: Origin,
  window: Window,
  scanner: RowScanner,
  columns: readonly string[],
  context: string,
): Piece {
  const { start } = window
  const { end, fault, fields } = scanner
  const failed = (error: WeirError) => new Piece(stretchOf(origin, window, start, end), undefined, error, context)
  if (!window.isValid(start, end)) return failed(invalidText(origin, window, start, end))
  if (fault === undefined && fields.length === columns.length)
    return new Piece(stretchOf(origin, window, start, end), rowObject(columns, fields), undefined, context)
  return failed(rowError(fault, fields.length, columns.length, `${origin.name}:${window.line}`))
}

function rowError(fault: string | undefined, fields: number, columns: number, at: string): WeirError {
  if (fault !== undefined)
    return new WeirError('source.invalid_csv', `The row cannot be read: ${fault}`, { at, hint: quoteHint })
  return new WeirError('source.invalid_csv', `The row has ${fields} fields, the header has ${columns}`, {
    at,
    hint: 'A delimiter or line break inside a field needs quotes around the field.',
  })
}

/** The row in the bytes of a dead letter. @throws source.invalid_csv, source.invalid_text */
export function parseRow(raw: Uint8Array, { columns, ...shape }: RowContext): Record<string, string> {
  const bytes = Buffer.from(decodeUtf8(raw))
  const scanner = new RowScanner(shape)
  scanner.scan(bytes, 0, true)
  const rest = bytes.subarray(scanner.next)
  if (scanner.fault === undefined && rest.length > 0)
    throw rowError('it holds more than one row', 0, 0, 'the dead letter')
  if (scanner.fault !== undefined || scanner.fields.length !== columns.length)
    throw rowError(scanner.fault, scanner.fields.length, columns.length, 'the dead letter')
  return rowObject(columns, scanner.fields)
}
