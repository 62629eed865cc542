// The cursor field of an item as something that compares: milliseconds of a date, a number, a text. Dates and numbers keep the form
// in which the source writes them, so that a request can ask for "since" in the same form.
import { hash as digest } from 'node:crypto'

/** Comparable with < within one kind. */
export type OrderKey = number | bigint | string
export type OrderKind = 'date' | 'number' | 'string'

/** How a date is written: epoch seconds, epoch milliseconds, a calendar day, or date and time. */
export type DateForm = 's' | 'ms' | 'day' | 'iso'

export interface FieldValue {
  readonly key: OrderKey
  /** As the source wrote it: part of the version of the item. */
  readonly text: string
  readonly form?: DateForm
}

/** Below: seconds (until the year 5138); from here on: milliseconds (from 1973). */
const firstMilliseconds = 100_000_000_000
const isoDate =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,12})?)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/i
const rfcDate = /^[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}(?::\d{2})? (?:GMT|UTC|[+-]\d{4})$/

/** The value as it compares; undefined when it is no value of that kind. */
export function fieldValue(value: unknown, kind: OrderKind): FieldValue | undefined {
  if (kind === 'string') return typeof value === 'string' && value !== '' ? { key: value, text: value } : undefined
  if (kind === 'number') return numberValue(value)
  return dateValue(value)
}

function numberValue(value: unknown): FieldValue | undefined {
  if (typeof value === 'bigint')
    return { key: Number.isSafeInteger(Number(value)) ? Number(value) : value, text: String(value) }
  if (typeof value === 'number') return Number.isFinite(value) ? { key: value, text: String(value) } : undefined
  if (typeof value !== 'string' || !/^-?\d{1,400}(\.\d+)?$/.test(value)) return undefined
  const number = Number(value)
  if (Number.isSafeInteger(number) || value.includes('.'))
    return Number.isFinite(number) ? { key: number, text: value } : undefined
  return { key: BigInt(value), text: value }
}

function dateValue(value: unknown): FieldValue | undefined {
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? undefined : { key: value.getTime(), text: value.toISOString(), form: 'iso' }
  if (typeof value === 'number' || typeof value === 'bigint') return epochValue(Number(value))
  if (typeof value !== 'string') return undefined
  if (/^\d{9,14}$/.test(value)) return epochValue(Number(value))
  const iso = isoDate.exec(value)
  if (!iso)
    return rfcDate.test(value) && !Number.isNaN(Date.parse(value))
      ? { key: Date.parse(value), text: value, form: 'iso' }
      : undefined
  if (!isDayOfMonth(Number(iso[1]), Number(iso[2]), Number(iso[3]))) return undefined
  // A time without zone is taken as UTC: what the machine's own zone is, must not move a cursor.
  const zone = iso[7] ?? 'Z'
  const ms =
    iso[4] === undefined
      ? Date.UTC(Number(iso[1]), Number(iso[2]) - 1, Number(iso[3]))
      : Date.parse(normalized(value, iso, zone))
  return Number.isNaN(ms) ? undefined : { key: ms, text: value, form: iso[4] === undefined ? 'day' : 'iso' }
}

function normalized(value: string, iso: RegExpExecArray, zone: string): string {
  if (iso[7] === 'Z' && value.charCodeAt(10) === 84 && iso[6] !== undefined) return value
  const fraction = /[.,](\d{1,3})/.exec(value)?.[1]
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase()
  return `${iso[1]}-${iso[2]}-${iso[3]}T${iso[4]}:${iso[5]}:${iso[6] ?? '00'}${fraction === undefined ? '' : `.${fraction}`}${offset}`
}

function isDayOfMonth(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false
  return day <= 28 || day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
}

function epochValue(value: number): FieldValue | undefined {
  if (!Number.isFinite(value) || value <= 0) return undefined
  const form = value < firstMilliseconds ? 's' : 'ms'
  const ms = form === 's' ? value * 1000 : value
  return ms <= 8.64e15 ? { key: ms, text: String(value), form } : undefined
}

/** `by` less than the key; only dates and numbers can be moved. */
export function lessBy(key: OrderKey, by: number): OrderKey {
  if (by === 0 || typeof key === 'string') return key
  return typeof key === 'bigint' ? key - BigInt(Math.round(by)) : key - by
}

/** The key in the form of the source, for a request. */
export function renderKey(key: OrderKey, form: DateForm | undefined): string | number {
  if (typeof key === 'string' || form === undefined) return typeof key === 'number' ? key : String(key)
  const ms = Number(key)
  if (form === 's') return Math.floor(ms / 1000)
  if (form === 'ms') return ms
  const iso = new Date(Math.max(ms, 0)).toISOString()
  return form === 'day' ? iso.slice(0, 10) : iso
}

/** An id as text; undefined when it cannot identify anything. */
export function idText(value: unknown): string | undefined {
  if (typeof value === 'string')
    return value === '' ? undefined : value.length <= 1000 ? value : `sha256:${hash(value)}`
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value))) return String(value)
  return undefined
}

/** 16 characters that stand for a text. */
export function hash(text: string | Uint8Array): string {
  return digest('sha256', text, 'base64url').slice(0, 16)
}
