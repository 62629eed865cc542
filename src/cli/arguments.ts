// Values of flags and arguments, parsed once with an error that says what was expected.
import type { Clock } from '../core/clock.ts'
import { WeirError } from '../core/errors.ts'
import { parseDuration, parseShare } from '../core/units.ts'
import { printable } from './terminal.ts'

const invalid = (where: string, text: string, hint: string) =>
  new WeirError('usage.invalid', `${where} has no meaning: ${printable(text, 80) || '(empty)'}`, { at: where, hint })

/** A TCP port from 0 (any free one) to 65535. @throws usage.invalid */
export function parsePort(text: string, where = '--port'): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port >= 0 && port <= 65_535) return port
  throw invalid(where, text, 'A port is a number from 0 to 65535; 0 takes any free one.')
}

/** A host name or address to listen on. @throws usage.invalid */
export function parseHost(text: string, where = '--host'): string {
  if (/^[A-Za-z0-9:.%_-]{1,255}$/.test(text)) return text
  throw invalid(where, text, 'Write a host name or an address, such as 127.0.0.1 or ::1.')
}

/** A duration longer than nothing, in milliseconds; `zero` lets 0s pass. @throws usage.invalid */
export function parseWait(text: string, where: string, { zero = false } = {}): number {
  const ms = parseDuration(text)
  if (ms !== undefined && (ms > 0 || zero)) return ms
  throw invalid(where, text, 'Write it with its unit, such as 500ms, 15s or 2m.')
}

/** A share such as 12.5%, as 0 to 1. @throws usage.invalid */
export function parsePart(text: string, where: string): number {
  const part = parseShare(text)
  if (part !== undefined) return part
  throw invalid(where, text, 'Write it as a percentage, such as 1% or 12.5%.')
}

/** One of a few words. @throws usage.invalid */
export function parseWord(text: string, allowed: readonly string[], where: string): string {
  if (allowed.includes(text)) return text
  throw invalid(where, text, `Write one of ${allowed.join(', ')}.`)
}

/** A whole number between `min` and `max`. @throws usage.invalid */
export function parseInteger(text: string, where: string, min: number, max: number): number {
  const number = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (number >= min && number <= max) return number
  throw invalid(where, text, `Write a whole number from ${min} to ${max}.`)
}

export type ReadFrom = 'earliest' | 'latest' | { readonly offset: bigint } | { readonly timeMs: number }

/** Where to start reading: `earliest`, `latest`, an offset, or a point in time. @throws usage.invalid */
export function parseFrom(text: string, where = '--from'): ReadFrom {
  if (text === 'earliest' || text === 'latest') return text
  if (/^\d{1,19}$/.test(text)) return { offset: BigInt(text) }
  const timeMs = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(text)
    ? Date.parse(text)
    : Number.NaN
  if (!Number.isNaN(timeMs)) return { timeMs }
  throw invalid(where, text, 'Write earliest, latest, an offset such as 1200, or a time such as 2026-01-31T10:00:00Z.')
}

/** A point in time, or how long ago it was, as milliseconds since the epoch. @throws usage.invalid */
export function parseTime(text: string, clock: Clock): number {
  const agoMs = parseDuration(text)
  if (agoMs !== undefined) return clock.now() - agoMs
  const from = parseFrom(text, 'a time')
  if (typeof from === 'object' && 'timeMs' in from) return from.timeMs
  throw new WeirError('usage.invalid', `${printable(text, 80)} is no time`, {
    hint: 'Write 2026-01-31T10:00:00Z, or 2h for two hours ago.',
  })
}

/** A name for something of the store: no control characters, not too long. @throws usage.invalid */
export function parseName(text: string, what: string): string {
  if (text.length > 0 && text.length <= 512 && !/[\u0000-\u001f\u007f]/.test(text)) return text
  throw invalid(what, text, `A ${what} has 1 to 512 characters and no control characters.`)
}
