// Rows of CSV (RFC 4180) and TSV, one at a time out of bytes, with the exact place where each begins and ends. Lenient where no meaning is
// lost (LF or CRLF, quote characters inside a field that does not begin with one), strict where it would be.

import { NextByte } from './next-byte.ts'

export interface RowShape {
  /** One ASCII character. */
  readonly delimiter: string
  /** One ASCII character; null: quote characters are data. */
  readonly quote: string | null
}

const lineFeed = 10
const carriageReturn = 13

/** Reads rows of one shape. The result of `scan` stands in the other members until the next call. */
export class RowScanner {
  fields: string[] = []
  /** Index after the row's last field, its line break not counted. */
  end = 0
  /** Index where the next row begins. */
  next = 0
  /** Line breaks from the start of the row to `next`. */
  lines = 0
  /** Why the row cannot be read. Its end is then the end of its first line, so that one stray quote does not swallow the rows after it. */
  fault: string | undefined
  readonly #delimiter: number
  readonly #delimiterText: string
  readonly #quote: number
  readonly #quoteText: string
  readonly #doubled: string
  /** So that rows without a quote are not searched twice. */
  readonly #quotes: NextByte | undefined

  constructor({ delimiter, quote }: RowShape) {
    this.#delimiterText = delimiter
    this.#delimiter = delimiter.charCodeAt(0)
    this.#quote = quote === null ? -1 : quote.charCodeAt(0)
    this.#quoteText = quote ?? ''
    this.#doubled = this.#quoteText.repeat(2)
    this.#quotes = quote === null ? undefined : new NextByte(this.#quote)
  }

  /** Reads the row that begins at `start`; false when it may go on after the bytes at hand, which at `final` it does not. */
  scan(bytes: Buffer, start: number, final: boolean): boolean {
    this.fault = undefined
    const found = bytes.indexOf(lineFeed, start)
    const lineEnd = found < 0 ? bytes.length : found
    const quoteAt = this.#quotes?.from(bytes, start) ?? -1
    if (quoteAt >= 0 && quoteAt < lineEnd) return this.#scanQuoted(bytes, start, final)
    if (found < 0 && !final) return false
    this.end = lineEnd > start && bytes[lineEnd - 1] === carriageReturn ? lineEnd - 1 : lineEnd
    this.next = found < 0 ? lineEnd : lineEnd + 1
    this.lines = found < 0 ? 0 : 1
    this.fields = bytes.toString('utf8', start, this.end).split(this.#delimiterText)
    return true
  }

  #scanQuoted(bytes: Buffer, start: number, final: boolean): boolean {
    const fields: string[] = []
    let lines = 0
    for (let i = start; ; ) {
      let after: number
      if (bytes[i] === this.#quote) {
        const close = this.#closingQuote(bytes, i + 1)
        // A quote in the last byte may be the first of a doubled one.
        if (!final && (close < 0 || close + 1 >= bytes.length)) return false
        if (close < 0) return this.#fail(bytes, start, final, 'a quote is never closed')
        const text = bytes.toString('utf8', i + 1, close)
        fields.push(text.includes(this.#quoteText) ? text.replaceAll(this.#doubled, this.#quoteText) : text)
        for (let k = bytes.indexOf(lineFeed, i); k >= 0 && k < close; k = bytes.indexOf(lineFeed, k + 1)) lines++
        after = close + 1
      } else {
        after = i
        while (after < bytes.length && bytes[after] !== this.#delimiter && bytes[after] !== lineFeed) after++
        if (after >= bytes.length && !final) return false
        const end =
          bytes[after - 1] === carriageReturn && after > i && bytes[after] !== this.#delimiter ? after - 1 : after
        fields.push(bytes.toString('utf8', i, end))
        after = end
      }
      if (bytes[after] === this.#delimiter) {
        i = after + 1
        continue
      }
      const rowEnd = after
      if (bytes[after] === carriageReturn) after++
      if (after >= bytes.length && !final) return false
      if (after < bytes.length && bytes[after] !== lineFeed)
        return this.#fail(bytes, start, final, 'text follows a closing quote')
      this.fields = fields
      this.end = rowEnd
      this.next = Math.min(after + 1, bytes.length)
      this.lines = after < bytes.length ? lines + 1 : lines
      return true
    }
  }

  /** Index of the quote that closes a field whose text begins at `from`, or -1. */
  #closingQuote(bytes: Buffer, from: number): number {
    for (let i = bytes.indexOf(this.#quote, from); i >= 0; i = bytes.indexOf(this.#quote, i + 2))
      if (bytes[i + 1] !== this.#quote) return i
    return -1
  }

  #fail(bytes: Buffer, start: number, final: boolean, why: string): boolean {
    const found = bytes.indexOf(lineFeed, start)
    if (found < 0 && !final) return false
    this.fault = why
    this.fields = []
    this.next = found < 0 ? bytes.length : found + 1
    this.lines = found < 0 ? 0 : 1
    const end = found < 0 ? bytes.length : found
    this.end = end > start && bytes[end - 1] === carriageReturn ? end - 1 : end
    return true
  }

  /** Takes the first line of an unfinished row as a row that cannot be read; false when no line break is at hand. */
  giveUp(bytes: Buffer, start: number, why: string): boolean {
    return this.#fail(bytes, start, false, why)
  }
}

/** Names for the columns of a header: unnamed ones get `column_3`, repeated ones `name_2`. */
export function columnNames(header: readonly string[]): string[] {
  const taken = new Set(header)
  const seen = new Set<string>()
  return header.map((written, i) => {
    let name = written === '' ? `column_${i + 1}` : written
    for (let n = 2; seen.has(name) || (name !== written && written !== '' && taken.has(name)); n++)
      name = `${written}_${n}`
    seen.add(name)
    return name
  })
}

/** A row as an object of texts by column. `__proto__` is a column like others. */
export function rowObject(columns: readonly string[], fields: readonly string[]): Record<string, string> {
  const row: Record<string, string> = {}
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i]!
    if (column === '__proto__')
      Object.defineProperty(row, column, { value: fields[i], enumerable: true, configurable: true, writable: true })
    else row[column] = fields[i]!
  }
  return row
}
