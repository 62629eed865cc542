// Text to numbers as people write them: separators by locale, or guessed where the text allows only one reading.
import { Failure } from '../budget.ts'
import { define, text } from './function.ts'

type Separators = readonly [decimal: string, thousands: readonly string[]]

const spaces = [' ', '\u00a0', '\u202f', '\u2009'] as const
const point: Separators = ['.', [',', ...spaces]]
const comma: Separators = [',', ['.', ...spaces]]

/** By language; a country decides only where it differs. */
const byLocale: Record<string, Separators> = {
  en: point,
  ja: point,
  zh: point,
  ko: point,
  th: point,
  he: point,
  hi: point,
  de: comma,
  fr: comma,
  es: comma,
  it: comma,
  nl: comma,
  pt: comma,
  sv: comma,
  pl: comma,
  tr: comma,
  da: comma,
  nb: comma,
  no: comma,
  fi: comma,
  cs: comma,
  ru: comma,
  uk: comma,
  el: comma,
  hu: comma,
  ro: comma,
  id: comma,
  vi: comma,
  'es-mx': point,
  'es-us': point,
  'de-ch': ['.', ["'", '’', ...spaces]],
  'en-za': comma,
}

function separatorsOf(locale: string): Separators {
  const tag = locale.toLowerCase().replace('_', '-')
  const found = (Object.hasOwn(byLocale, tag) ? byLocale[tag] : undefined) ?? byLocaleLanguage(tag)
  if (!found)
    throw new Failure('the locale is not known', `Use one of ${Object.keys(byLocale).slice(0, 12).join(', ')}, ...`)
  return found
}

function byLocaleLanguage(tag: string): Separators | undefined {
  const language = tag.split('-')[0]!
  return Object.hasOwn(byLocale, language) ? byLocale[language] : undefined
}

/** Digits with separators between them, and a sign before. A space separates only before exactly three digits. */
const run = /[-+\u2212]?\d+(?:[.,'’]\d+|[ \u00a0\u202f\u2009]\d{3}(?!\d))*/

const maxNumberLength = 400

function parseWith(written: string, [decimal, thousands]: Separators): number | null {
  let digits = written.replace('\u2212', '-')
  const at = digits.lastIndexOf(decimal)
  if (at !== digits.indexOf(decimal)) return null
  const whole = at === -1 ? digits : digits.slice(0, at)
  const fraction = at === -1 ? '' : digits.slice(at + 1)
  if (!/^\d*$/.test(fraction)) return null
  const groups = whole.replace(/^[-+]/, '').split(/[^\d]/)
  const used = new Set(whole.replace(/[-+\d]/g, ''))
  if (used.size > 1 || [...used].some(each => !thousands.includes(each))) return null
  if (groups.length > 1 && !wellGrouped(groups)) return null
  digits = `${whole.startsWith('-') ? '-' : ''}${groups.join('')}${fraction === '' ? '' : `.${fraction}`}`
  return Number(digits)
}

/** Groups of three, or as in India of two with a last one of three. */
function wellGrouped(groups: readonly string[]): boolean {
  const [head, ...rest] = groups
  const last = rest.at(-1)!
  if (head === '' || head!.length > 3 || last.length !== 3) return false
  const middle = rest.slice(0, -1)
  return middle.every(group => group.length === 3) || (head!.length <= 2 && middle.every(group => group.length === 2))
}

/** Without a locale: with two kinds of separators the last is the decimal one; a single one before three digits could be either. */
function guess(written: string): number {
  const kinds = [...new Set(written.replace(/[-+\u2212\d]/g, ''))]
  if (kinds.length === 0) return Number(written.replace('\u2212', '-'))
  const readings = new Set<number>()
  for (const separators of [point, comma, ['.', ["'", '’']] as Separators]) {
    const value = parseWith(written, separators)
    if (value !== null) readings.add(value)
  }
  if (readings.size === 1) return [...readings][0]!
  if (readings.size === 0) throw new Failure('the text holds no number that can be read')
  throw new Failure(
    'the number can be read in two ways: a point or comma before three digits',
    "Name the locale: number(this.x, 'de').",
  )
}

function whole(value: string): string {
  const written = value.trim()
  if (written.length > maxNumberLength) throw new Failure('the text is too long to be a number')
  if (written === '')
    throw new Failure('an empty text is no number', 'Use number(blank_to_null(...)) where it may be empty.')
  return written
}

function isPlain(written: string): boolean {
  return /^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,3})?$/.test(written)
}

function toNumber(value: unknown, locale?: string): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'string') throw new Failure('only text and numbers can become a number')
  const written = whole(value)
  const separators = locale === undefined ? null : separatorsOf(locale)
  if (isPlain(written) && (separators === null || separators[0] === '.' || !written.includes('.')))
    return finite(Number(written))
  const found = run.exec(written)
  if (!found || found[0].length !== written.length)
    throw new Failure('the text is not a number', 'Use first_number(...) for a number inside a text.')
  if (separators === null) return guess(written)
  const parsed = parseWith(written, separators)
  if (parsed === null) throw new Failure('the text is not a number in this locale')
  return finite(parsed)
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new Failure('the number is too large')
  return value
}

/** The first number inside a text, or null. A comma or point before one or two digits is the decimal one. */
export function firstNumber(value: string, locale?: string): number | null {
  const found = run.exec(value.slice(0, 10_000))
  if (!found || found[0].length > maxNumberLength) return null
  const written = found[0].trim()
  const separators = locale === undefined ? null : separatorsOf(locale)
  if (separators !== null) return parseWith(written, separators) ?? Number.parseFloat(written)
  return isPlain(written) ? Number(written) : guess(written)
}

function toInt(value: number): bigint {
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 63) throw new Failure('the number does not fit 64 bits')
  return BigInt(value)
}

const anything = { name: 'value', type: 'dyn' }
const locale = { name: 'locale', type: 'string' }

export const numberFunctions = [
  define({
    name: 'number',
    group: 'Numbers',
    parameters: [anything],
    returns: 'double',
    doc: 'A number from text; numbers stay as they are. Separators are guessed, and a text that can be read in two ways, such as "1,234", is refused: name the locale then. A plain "1.234" is a decimal.',
    nullGivesNull: true,
    examples: [
      { expression: "number('4.5')", gives: 4.5 },
      { expression: "number('4,5')", gives: 4.5 },
      { expression: "number('1.234,5')", gives: 1234.5 },
      { expression: "number('1,234.5')", gives: 1234.5 },
      { expression: 'number(this.?rating)', this: {}, gives: null },
    ],
    run: (value: unknown) => toNumber(value),
  }),
  define({
    name: 'number',
    group: 'Numbers',
    parameters: [anything, locale],
    returns: 'double',
    doc: 'A number from text written in a locale: en, de, fr, es, es-MX, it, ...',
    nullGivesNull: true,
    examples: [
      { expression: "number('1.234,5', 'de')", gives: 1234.5 },
      { expression: "number('1,234', 'en')", gives: 1234 },
      { expression: "number('12 345,67', 'fr')", gives: 12345.67 },
    ],
    run: (value: unknown, name: string) => toNumber(value, name),
  }),
  define({
    name: 'first_number',
    group: 'Numbers',
    parameters: [text],
    returns: 'double',
    doc: 'The first number inside a text; null when there is none.',
    nullGivesNull: true,
    examples: [
      { expression: "first_number('4,0 von 5 Sternen')", gives: 4 },
      { expression: "first_number('4.6 out of 5 stars')", gives: 4.6 },
      { expression: "first_number('none')", gives: null },
    ],
    run: (value: string) => firstNumber(value),
  }),
  define({
    name: 'first_number',
    group: 'Numbers',
    parameters: [text, locale],
    returns: 'double',
    doc: 'The first number inside a text written in a locale; null when there is none.',
    nullGivesNull: true,
    examples: [{ expression: "first_number('1.234 Bewertungen', 'de')", gives: 1234 }],
    run: (value: string, name: string) => firstNumber(value, name),
  }),
  define({
    name: 'round',
    group: 'Numbers',
    parameters: [anything],
    returns: 'int',
    doc: 'The nearest whole number; halves go away from zero.',
    nullGivesNull: true,
    examples: [
      { expression: 'round(this.votes)', this: { votes: 2.5 }, gives: 3 },
      { expression: 'round(-2.5)', gives: -3 },
    ],
    run: (value: unknown) => {
      const number = toNumber(value)
      return toInt(Math.sign(number) * Math.round(Math.abs(number)))
    },
  }),
  define({
    name: 'whole',
    group: 'Numbers',
    parameters: [anything],
    returns: 'int',
    doc: 'The number as an int when it has no fraction; anything else is refused. int() cuts the fraction off instead.',
    nullGivesNull: true,
    examples: [
      { expression: 'whole(this.votes)', this: { votes: 12 }, gives: 12 },
      { expression: "whole('12')", gives: 12 },
    ],
    run: (value: unknown) => {
      if (typeof value === 'string' && /^[-+]?\d{1,19}$/.test(value.trim()))
        return inRange(BigInt(value.trim().replace('+', '')))
      if (typeof value === 'bigint') return value
      const number = toNumber(value)
      if (!Number.isInteger(number)) throw new Failure('the number has a fraction', 'Use round(...) or int(...).')
      return toInt(number)
    },
  }),
]

function inRange(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw new Failure('the number does not fit 64 bits')
  return value
}
