// The same lines for a person at a terminal: time, level, pipeline, message, fields. Everything is escaped, so one event stays one line.
import { escapeActing } from '../core/printable.ts'
import type { EventLine, Level } from './event-lines.ts'
import { safeText } from './safe-text.ts'

const colours: Record<Level, string> = {
  fatal: '\x1b[1;31m',
  error: '\x1b[31m',
  warn: '\x1b[33m',
  info: '\x1b[32m',
  debug: '\x1b[2m',
}
const dim = '\x1b[2m'
const reset = '\x1b[0m'

/** One line, newline included. */
export function prettyLine(line: EventLine, timeMs: number, colour: boolean): string {
  const paint = (text: string, code: string): string => (colour ? `${code}${text}${reset}` : text)
  const { pipeline, ...rest } = line.fields
  const time = new Date(timeMs).toISOString().slice(11, 23)
  const fields = Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${shown(value)}`)
  const parts = [paint(time, dim), paint(line.level.toUpperCase().padEnd(5), colours[line.level])]
  if (pipeline !== undefined) parts.push(shown(pipeline))
  parts.push(escapeActing(line.message))
  if (fields.length > 0) parts.push(paint(fields.join(' '), dim))
  return `${parts.join(' ')}\n`
}

function shown(value: unknown): string {
  const text = typeof value === 'string' && /^[\w.:/@+-]+$/.test(value) ? value : (JSON.stringify(value) ?? 'undefined')
  return escapeActing(safeText(text))
}
