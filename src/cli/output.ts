// What a command prints: tables and lines for people, one JSON document or one object a line for programs.
// Everything goes through `redact` (I9) and, for people, has its control characters escaped.
import { jsonOf } from '../core/json-text.ts'
import { redact } from '../core/secret.ts'
import { type Paint, paintFor, printable, type Terminal } from './terminal.ts'

export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => string
  readonly align?: 'right'
  /** Longer values are cut with an ellipsis. */
  readonly max?: number
}

export interface Progress {
  /** Shows how far the work is; cheap to call often. */
  update(done: number, total?: number): void
  /** Removes the line. */
  end(): void
}

export interface Output {
  /** True when the reader is a program. */
  readonly json: boolean
  readonly paint: Paint
  /** Characters in a line of the terminal, or null when stdout is none. */
  readonly width: number | null
  /** One line to stdout, as it is: the caller has made what comes from outside `printable`. */
  line(text?: string): void
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void
  /** The one JSON document of a command. BigInts become exact JSON numbers. */
  document(value: unknown): void
  /** One object a line, gathered into larger writes; resolves late when the reader is slow. `flush` before the end. */
  item(value: unknown): Promise<void>
  flush(): Promise<void>
  /** Something for people beside the result, to stderr; nothing with --json. */
  note(text: string): void
  warn(message: string, hint?: string): void
  progress(label: string): Progress
}

const flushAtChars = 64 * 1024
const progressEveryMs = 100

export function createOutput(terminal: Terminal, options: { json: boolean; color: boolean }): Output {
  const { stdout, stderr } = terminal
  const paint = options.json ? (_s: unknown, text: string) => text : paintFor(stdout, terminal.env, options.color)
  const errorPaint = paintFor(stderr, terminal.env, options.color)
  let pending: string[] = []
  let pendingChars = 0

  const flush = async () => {
    if (pending.length === 0) return
    const text = pending.join('')
    pending = []
    pendingChars = 0
    if (!stdout.write(redact(text))) await new Promise<void>(resolve => stdout.once('drain', resolve))
  }

  return {
    json: options.json,
    paint,
    width: stdout.isTTY ? (stdout.columns ?? 80) : null,
    line: (text = '') => void stdout.write(`${redact(text)}\n`),
    table: (columns, rows) => {
      for (const line of renderTable(columns, rows, paint)) stdout.write(`${redact(line)}\n`)
    },
    document: value => void stdout.write(`${redact(jsonOf(value, stdout.isTTY ? 2 : undefined))}\n`),
    item: async value => {
      const text = `${jsonOf(value)}\n`
      pending.push(text)
      pendingChars += text.length
      if (pendingChars >= flushAtChars) await flush()
    },
    flush,
    note: text => {
      if (!options.json) stderr.write(`${redact(text)}\n`)
    },
    warn: (message, hint) => stderr.write(redact(warningText(message, hint, options.json, errorPaint))),
    progress: label => createProgress(terminal, label, options.json),
  }
}

function warningText(message: string, hint: string | undefined, json: boolean, paint: Paint): string {
  if (json) return `${JSON.stringify({ warning: { message, ...(hint ? { hint } : {}) } })}\n`
  return `${paint('yellow', 'warning')} ${message}\n${hint ? `  ${paint('dim', 'hint:')} ${hint}\n` : ''}`
}

/** The lines of a table: a header, then the rows; columns as wide as their widest value. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], paint: Paint): string[] {
  const cells = rows.map(row => columns.map(c => clip(c.value(row), c.max ?? 200)))
  const widths = columns.map((c, i) => Math.max(c.title.length, ...cells.map(r => displayWidth(r[i]!))))
  const render = (row: readonly string[], style?: 'bold') =>
    row
      .map((text, i) => {
        const last = i === row.length - 1
        const pad = ' '.repeat(Math.max(0, widths[i]! - displayWidth(text)))
        const shown = style ? paint(style, text) : text
        return columns[i]!.align === 'right' ? pad + shown : last ? shown : shown + pad
      })
      .join('  ')
      .trimEnd()
  return [
    render(
      columns.map(c => c.title),
      'bold',
    ),
    ...cells.map(row => render(row)),
  ]
}

const clip = (text: string, max: number) => printable(text.length > max ? `${text.slice(0, max - 1)}…` : text, max)

/** Columns a text takes on a terminal: wide East Asian characters and emoji take two, combining marks none. */
export function displayWidth(text: string): number {
  let width = 0
  for (const { segment } of new Intl.Segmenter().segment(text))
    width +=
      /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u.test(
        segment,
      )
        ? 2
        : 1
  return width
}

function createProgress(terminal: Terminal, label: string, json: boolean): Progress {
  const { stderr, clock } = terminal
  if (json || !stderr.isTTY) return { update: () => {}, end: () => {} }
  let shownAt = Number.NEGATIVE_INFINITY
  let shown = false
  return {
    update: (done, total) => {
      if (clock.monotonic() - shownAt < progressEveryMs) return
      shownAt = clock.monotonic()
      shown = true
      stderr.write(`\r\u001b[2K${label} ${progressText(done, total)}`)
    },
    end: () => {
      if (shown) stderr.write('\r\u001b[2K')
    },
  }
}

/** `[######--------------] 30% 3/10`, or the count alone when the total is not known. */
export function progressText(done: number, total: number | undefined): string {
  if (total === undefined || total <= 0) return String(done)
  const share = Math.min(1, done / total)
  const filled = Math.round(share * 20)
  return `[${'#'.repeat(filled)}${'-'.repeat(20 - filled)}] ${Math.floor(share * 100)}% ${done}/${total}`
}
