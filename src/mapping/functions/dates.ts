// Dates as sources write them. A timestamp is a moment in UTC; a date without a time of day is its midnight.
import { Failure } from '../budget.ts'
import { define, text } from './function.ts'

/** The first letters that tell a month in all the languages of review sites; checked in this order. */
const months: readonly (readonly [number, RegExp])[] = [
  [1, /^(jan|gen|ene|oca|sty|januari|janv)/],
  [2, /^(feb|fév|fev|fevr|şub|sub|lut)/],
  [3, /^(mar|mär|maa|mrt|mrz)(?!t)/],
  [3, /^mart/],
  [4, /^(apr|abr|avr|nis|kwi)/],
  [5, /^(may|mai|mei|mag|maj|maio)/],
  [6, /^(jun|juin|giu|haz|cze)/],
  [7, /^(jul|juil|lug|tem|lip)/],
  [8, /^(aug|aoû|aou|ago|ağu|agu|sie)/],
  [9, /^(sep|set|eyl|wrz)/],
  [10, /^(oct|okt|ott|out|eki|paź|paz)/],
  [11, /^(nov|kas|lis)/],
  [12, /^(dec|dez|déc|dic|ara|gru)/],
]

function monthOf(word: string): number | null {
  const lower = word.toLowerCase()
  for (const [number, pattern] of months) if (pattern.test(lower)) return number
  return null
}

const minMs = -62135596800000
const maxMs = 253402300799999

function at(ms: number): Date {
  if (!(ms >= minMs && ms <= maxMs)) throw new Failure('the date is outside the years 1 to 9999')
  return new Date(ms)
}

/** A day that exists, or null. */
function day(year: number, month: number, dayOfMonth: number): Date | null {
  if (month < 1 || month > 12 || dayOfMonth < 1 || year < 1) return null
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, dayOfMonth)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === dayOfMonth ? date : null
}

const iso =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?$/i

function parseIso(written: string): Date | null {
  const found = iso.exec(written)
  if (!found) return null
  const [, year, month, date, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = found
  const start = day(Number(year), Number(month), Number(date))
  if (!start || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null
  const offset = /^([+-])(\d{2}):?(\d{2})$/.exec(zone)
  const offsetMinutes = offset ? (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3])) : 0
  const ms = ((Number(hour) * 60 + Number(minute) - offsetMinutes) * 60 + Number(second)) * 1000
  return at(start.getTime() + ms + Number(fraction.padEnd(3, '0').slice(0, 3)))
}

/** A date found in a text: numbers in order of a language, or the name of a month. */
function findDate(value: string): Date | null {
  const written = value.trim()
  if (written.length > 2000) return null
  const exact = parseIso(written)
  if (exact) return exact
  const japanese = /(\d{4})年(\d{1,2})月(\d{1,2})日/.exec(written)
  if (japanese) return day(Number(japanese[1]), Number(japanese[2]), Number(japanese[3]))
  const inside = /(?:^|\D)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:\D|$)/.exec(written)
  if (inside) return day(Number(inside[1]), Number(inside[2]), Number(inside[3]))
  const american = /(?:^|\D)(\d{1,2}) (\d{1,2}), (\d{4})(?:\D|$)/.exec(written)
  if (american) return day(Number(american[3]), Number(american[1]), Number(american[2]))
  return dateByMonthName(written)
}

function dateByMonthName(written: string): Date | null {
  for (const [, d, word, y] of written.matchAll(
    /(\d{1,2})(?:\.|er|st|nd|rd|th)?\s+(?:de\s+)?(\p{L}{3,12})\.?,?\s+(?:de\s+)?(\d{4})/giu,
  )) {
    const month = monthOf(word!)
    if (month) return day(Number(y), month, Number(d))
  }
  for (const [, word, d, y] of written.matchAll(/(\p{L}{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})/gu)) {
    const month = monthOf(word!)
    if (month) return day(Number(y), month, Number(d))
  }
  return null
}

function parseWithFormat(value: string, format: string): Date {
  const tokens: Record<string, string> = {
    YYYY: '(?<Y>\\d{4})',
    MM: '(?<M>\\d{2})',
    M: '(?<M>\\d{1,2})',
    DD: '(?<D>\\d{2})',
    D: '(?<D>\\d{1,2})',
    HH: '(?<h>\\d{2})',
    mm: '(?<m>\\d{2})',
    ss: '(?<s>\\d{2})',
  }
  if (format.length > 64) throw new Failure('a date format is longer than 64 characters')
  const source = format.replace(
    /YYYY|MM|M|DD|D|HH|mm|ss|[\s\S]/g,
    part => tokens[part] ?? part.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'),
  )
  let found: RegExpExecArray | null
  try {
    found = new RegExp(`^${source}$`).exec(value.trim())
  } catch {
    throw new Failure('the date format names a part twice', 'Parts are YYYY, MM or M, DD or D, HH, mm, ss.')
  }
  const groups = found?.groups
  if (!groups) throw new Failure('the text does not have the date format')
  const date = day(Number(groups['Y'] ?? 'x'), Number(groups['M'] ?? 1), Number(groups['D'] ?? 1))
  const time = [Number(groups['h'] ?? 0), Number(groups['m'] ?? 0), Number(groups['s'] ?? 0)] as const
  if (!date || time[0] > 23 || time[1] > 59 || time[2] > 59)
    throw new Failure('the text names a date that does not exist')
  return at(date.getTime() + ((time[0] * 60 + time[1]) * 60 + time[2]) * 1000)
}

function epoch(value: unknown, unitMs: number): Date {
  const amount = typeof value === 'string' && /^[-+]?\d{1,16}(\.\d{1,9})?$/.test(value.trim()) ? Number(value) : value
  if (typeof amount !== 'number' && typeof amount !== 'bigint')
    throw new Failure('only a number, or digits, can be a time since 1970')
  const ms = Number(amount) * unitMs
  if (!Number.isFinite(ms)) throw new Failure('the number is not finite')
  return at(Math.round(ms))
}

/** A Date, text that holds a date, or milliseconds since 1970. */
function moment(value: unknown): Date {
  if (value instanceof Date) return value
  if (typeof value === 'string') {
    const found = findDate(value)
    if (found) return found
    throw new Failure('the text holds no date that can be read', "Name its format: parse_date(this.x, 'DD.MM.YYYY').")
  }
  if (typeof value === 'number' || typeof value === 'bigint') return epoch(value, 1)
  throw new Failure('only a timestamp, text or milliseconds can be a date')
}

const timestamp = 'google.protobuf.Timestamp'
const when = { name: 'when', type: 'dyn' }
const whenDoc = 'The argument is a timestamp, a text with a date, or milliseconds since 1970.'

const datePart = (name: string, doc: string, gives: number, get: (date: Date) => number) =>
  define({
    name,
    group: 'Dates',
    parameters: [when],
    returns: 'int',
    doc: `${doc} ${whenDoc}`,
    nullGivesNull: true,
    examples: [{ expression: `${name}('2024-01-05')`, gives }],
    run: (value: unknown) => BigInt(get(moment(value))),
  })

export const dateFunctions = [
  define({
    name: 'parse_date',
    group: 'Dates',
    parameters: [text],
    returns: timestamp,
    doc: 'The date in a text: ISO 8601, "01 5, 2024", or a day with the name of its month in the languages of review sites. Null when there is none; "03/04/2024" is refused as none, since it can be read in two ways.',
    nullGivesNull: true,
    examples: [
      { expression: "parse_date('2024-01-05T10:00:00+02:00')", gives: '2024-01-05T08:00:00.000Z' },
      {
        expression: "parse_date('Reviewed in the United States on January 5, 2024')",
        gives: '2024-01-05T00:00:00.000Z',
      },
      { expression: "parse_date('Rezension aus Deutschland vom 5. Januar 2024')", gives: '2024-01-05T00:00:00.000Z' },
      { expression: "parse_date('05 29, 2014')", gives: '2014-05-29T00:00:00.000Z' },
      { expression: "parse_date('03/04/2024')", gives: null },
    ],
    run: findDate,
  }),
  define({
    name: 'parse_date',
    group: 'Dates',
    parameters: [text, { name: 'format', type: 'string' }],
    returns: timestamp,
    doc: 'A timestamp from a text of a known format, of YYYY, MM or M, DD or D, HH, mm, ss; UTC.',
    nullGivesNull: true,
    examples: [{ expression: "parse_date('03/04/2024', 'DD/MM/YYYY')", gives: '2024-04-03T00:00:00.000Z' }],
    run: parseWithFormat,
  }),
  define({
    name: 'from_epoch_s',
    group: 'Dates',
    parameters: [{ name: 'seconds', type: 'dyn' }],
    returns: timestamp,
    doc: 'The timestamp so many seconds after 1970.',
    nullGivesNull: true,
    examples: [
      {
        expression: 'from_epoch_s(this.unixReviewTime)',
        this: { unixReviewTime: 1401321600 },
        gives: '2014-05-29T00:00:00.000Z',
      },
    ],
    run: (value: unknown) => epoch(value, 1000),
  }),
  define({
    name: 'from_epoch_ms',
    group: 'Dates',
    parameters: [{ name: 'milliseconds', type: 'dyn' }],
    returns: timestamp,
    doc: 'The timestamp so many milliseconds after 1970.',
    nullGivesNull: true,
    examples: [{ expression: 'from_epoch_ms(1401321600000)', gives: '2014-05-29T00:00:00.000Z' }],
    run: (value: unknown) => epoch(value, 1),
  }),
  define({
    name: 'epoch_ms',
    group: 'Dates',
    parameters: [when],
    returns: 'int',
    doc: `Milliseconds since 1970. ${whenDoc}`,
    nullGivesNull: true,
    examples: [{ expression: "epoch_ms('2014-05-29')", gives: 1401321600000 }],
    run: (value: unknown) => BigInt(moment(value).getTime()),
  }),
  define({
    name: 'iso_date',
    group: 'Dates',
    parameters: [when],
    returns: 'string',
    doc: `The day as YYYY-MM-DD, in UTC. ${whenDoc}`,
    nullGivesNull: true,
    examples: [
      { expression: "iso_date('January 5, 2024')", gives: '2024-01-05' },
      { expression: 'iso_date(this.timestamp)', this: { timestamp: 1401351468000 }, gives: '2014-05-29' },
    ],
    run: (value: unknown) => moment(value).toISOString().slice(0, 10),
  }),
  define({
    name: 'iso_time',
    group: 'Dates',
    parameters: [when],
    returns: 'string',
    doc: `The moment as ISO 8601 with milliseconds, in UTC. ${whenDoc}`,
    nullGivesNull: true,
    examples: [{ expression: 'iso_time(1401351468000)', gives: '2014-05-29T08:17:48.000Z' }],
    run: (value: unknown) => moment(value).toISOString(),
  }),
  datePart('year', 'The year, in UTC.', 2024, date => date.getUTCFullYear()),
  datePart('month', 'The month, 1 to 12, in UTC.', 1, date => date.getUTCMonth() + 1),
  datePart('day', 'The day of the month, 1 to 31, in UTC.', 5, date => date.getUTCDate()),
]
