// What reviews need: ids, stars and votes as review sites write them, in the languages they are served in.
// A new language is a new word in these tables; its sentences go into the tests.
import { Failure } from '../budget.ts'
import { unwrap } from '../optional.ts'
import { sha256 } from './encodings.ts'
import { define, text } from './function.ts'
import { firstNumber } from './numbers.ts'

/** How sentences about one person begin. */
const onePerson = /^\s*(one person|eine person|une personne|a una persona|una persona|uma pessoa|[eé][eé]n persoon)\b/i

/** Digits with any separator between them: votes are whole, so each separator is one of thousands. */
const voteDigits = /\d+(?:[.,'’ \u00a0\u202f\u2009]\d{2,3}(?!\d))*/

export function votes(value: unknown): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new Failure('votes are whole numbers')
    return BigInt(value)
  }
  if (typeof value !== 'string') throw new Failure('votes are a number or a text')
  if (value.trim() === '') return 0n
  const head = value.slice(0, 200).normalize('NFC')
  if (onePerson.test(head)) return 1n
  const found = voteDigits.exec(head)
  if (!found) throw new Failure('the text holds no number of votes')
  const digits = found[0].replace(/\D/g, '')
  if (digits.length > 15) throw new Failure('the number of votes is too large')
  return BigInt(digits)
}

/** Japanese, Turkish and Chinese sentences name the maximum where others name the rating. */
const afterMaximum = [/のうち\s*(\d+(?:[.,]\d+)?)/, /yıldız üzerinden\s*(\d+(?:[.,]\d+)?)/i]
const starClass = /\ba-star(?:-mini|-small)?-(\d)(?:-(\d))?\b/

export function stars(value: unknown): number | null {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (typeof value !== 'string') throw new Failure('stars are a number or a text')
  for (const pattern of afterMaximum) {
    const found = pattern.exec(value.slice(0, 1000))
    if (found) return Number(found[1]!.replace(',', '.'))
  }
  const byClass = starClass.exec(value.slice(0, 1000))
  if (byClass) return Number(`${byClass[1]}.${byClass[2] ?? 0}`)
  return firstNumber(value)
}

/** What sites put under a text that they show in part. As they write it: a reviewer who wants to read more says so in small letters. */
const readMore =
  /\s*(?:Read more|Mehr lesen|Lesen Sie weiter|Lire la suite|En lire plus|Leer más|Leggi di più|Meer lezen|Lees meer|Ler mais|Leia mais|Läs mer|Czytaj więcej|Devamını oku|続きを読む|もっと読む|阅读更多)\s*$/

/** Code that got into a text, and what a player says where it cannot play. */
const pageScript = /P\.when\(|\(function\s*\(/
const noMedia = /^\s*the media could not be loaded\.?\s*/i

function reviewBody(value: string): string | null {
  if (pageScript.test(value)) return null
  const tail = value.slice(-40)
  const body = (value.slice(0, -40) + tail.replace(readMore, '')).replace(noMedia, '').trim()
  return body === '' ? null : body
}

/** Where a date line names the country, by language; what stands before it in the line tells the language apart. */
const countryIn: readonly RegExp[] = [
  /\bin (?:the )?(.{2,60}?) on (?:\d|\p{L})/u,
  /\baus (?:de[rnm] )?(.{2,60}?) vom \d/,
  /(?:^|\s)(?:en|au|aux|à) (.{2,60}?) le \d/,
  /\ben (.{2,60}?) el \d/,
  /\b(?:in|nel|nei|nella|negli|nell['’]) ?(.{2,60}?) il \d/,
  /\bin (?:de |het )?(.{2,60}?) op \d/,
  /\b(?:no|na|nos|nas|em) (.{2,60}?) em \d/,
  /\bi (.{2,60}?) den \d/,
  /\b[zw]e? (.{2,60}?) (?:z )?dnia \d/,
  /日に(.{2,30}?)で/,
  /在(.{2,30}?)(?:审核|发布|评论)/,
]

const flags = /[\u{1f1e6}-\u{1f1ff}]/gu

function reviewCountry(line: string): string | null {
  const head = line.slice(0, 300).replace(flags, '').replace(/\s+/g, ' ')
  for (const pattern of countryIn) {
    const found = pattern.exec(head)?.[1]?.trim()
    if (found) return found
  }
  return null
}

function textOf(part: unknown): string {
  if (part === null || part === undefined) return ''
  if (typeof part === 'string') return part
  if (typeof part === 'bigint' || typeof part === 'number' || typeof part === 'boolean') return String(part)
  throw new Failure('an id is made of texts and numbers')
}

function fallbackId(parts: readonly unknown[]): string {
  return `h:${sha256(parts.map(unwrap).map(textOf).join('|').toWellFormed()).slice(0, 24)}`
}

const asinInUrl =
  /(?:\/(?:dp|gp\/product|product-reviews|gp\/aw\/d|exec\/obidos\/ASIN|o\/ASIN)\/|[?&]asin=)([A-Z0-9]{10})(?![A-Z0-9])/i
const reviewIdInUrl = /(?:customer-reviews|review)\/(R[A-Z0-9]{9,14})(?![A-Z0-9])/

export const reviewFunctions = [
  define({
    name: 'stars',
    group: 'Reviews',
    parameters: [{ name: 'rating', type: 'dyn' }],
    returns: 'double',
    doc: 'Stars from a sentence, a CSS class such as a-star-4, or a number; null when there is none.',
    nullGivesNull: true,
    examples: [
      { expression: "stars('4,0 von 5 Sternen')", gives: 4 },
      { expression: "stars('5つ星のうち4.5')", gives: 4.5 },
      { expression: "stars('a-icon a-star-3 review-rating')", gives: 3 },
    ],
    run: stars,
  }),
  define({
    name: 'votes',
    group: 'Reviews',
    parameters: [{ name: 'helpful', type: 'dyn' }],
    returns: 'int',
    doc: 'Helpful votes from a sentence or a number. An empty text is 0; a missing value stays null.',
    nullGivesNull: true,
    examples: [
      { expression: "votes('1,234 people found this helpful')", gives: 1234 },
      { expression: "votes('1.234 Personen fanden diese Informationen hilfreich')", gives: 1234 },
      { expression: "votes('One person found this helpful')", gives: 1 },
      { expression: "votes('')", gives: 0 },
    ],
    run: votes,
  }),
  define({
    name: 'review_body',
    group: 'Reviews',
    parameters: [text],
    returns: 'string',
    doc: 'The text of a review without the `Read more` under it, in the languages of review sites, and without what a video player says; null when nothing is left, or when it is page script.',
    nullGivesNull: true,
    examples: [
      { expression: "review_body('Gießt sehr gezielt. Mehr lesen')", gives: 'Gießt sehr gezielt.' },
      { expression: "review_body('P.when(\\'A\\').execute()')", gives: null },
    ],
    run: reviewBody,
  }),
  define({
    name: 'review_country',
    group: 'Reviews',
    parameters: [{ name: 'line', type: 'string' }],
    returns: 'string',
    doc: 'The country that the date line of a review names, in the language of the line; null when it names none.',
    nullGivesNull: true,
    examples: [
      { expression: "review_country('Reviewed in the United States on January 5, 2024')", gives: 'United States' },
      { expression: "review_country('Rezension aus Deutschland vom 5. Januar 2024')", gives: 'Deutschland' },
      { expression: "review_country('on January 5, 2018')", gives: null },
    ],
    run: reviewCountry,
  }),
  define({
    name: 'fallback_id',
    group: 'Reviews',
    parameters: [{ name: 'parts', type: 'list' }],
    returns: 'string',
    doc: 'An id for items that have none: `h:` and the first 24 hex digits of SHA-256 over the parts joined by |, null and missing as empty.',
    nullGivesNull: true,
    examples: [
      {
        expression: "fallback_id([this.asin, this.?name, 'x'])",
        this: { asin: 'B07FZ8S74R' },
        gives: 'h:520f22d3f326625e075c7bf6',
      },
    ],
    run: fallbackId,
  }),
  define({
    name: 'review_hash',
    group: 'Reviews',
    parameters: ['asin', 'name', 'date', 'title', 'text'].map(name => ({ name, type: 'dyn' })),
    returns: 'string',
    doc: 'The review id for sources without one: `fallback_id` over ASIN, reviewer, date, title and text, in this order, as mapped.',
    nullGivesNull: false,
    examples: [
      {
        expression: 'review_hash(this.asin, this.?name, this.date, this.title, this.text)',
        this: { asin: 'B07FZ8S74R', date: 'January 5, 2024', title: 'Good', text: 'Works.' },
        gives: 'h:b9d7ab3287cb1e3660dcd4a2',
      },
    ],
    run: (...parts: unknown[]) => fallbackId(parts),
  }),
  define({
    name: 'asin_of',
    group: 'Reviews',
    parameters: [text],
    returns: 'string',
    doc: 'The ASIN in a product URL, or the text itself when it is one; null when there is none.',
    nullGivesNull: true,
    examples: [
      { expression: "asin_of('https://www.amazon.com/Echo/dp/B07FZ8S74R/ref=sr_1')", gives: 'B07FZ8S74R' },
      { expression: "asin_of('https://example.com/')", gives: null },
    ],
    run: (value: string) =>
      /^[A-Z0-9]{10}$/.test(value) ? value : (asinInUrl.exec(value.slice(0, 8192))?.[1]?.toUpperCase() ?? null),
  }),
  define({
    name: 'review_id_of',
    group: 'Reviews',
    parameters: [text],
    returns: 'string',
    doc: 'The review id in a permalink, or the text itself when it is one; null when there is none.',
    nullGivesNull: true,
    examples: [
      {
        expression: "review_id_of('https://www.amazon.com/gp/customer-reviews/R1ABCDEFGHIJK/ref=cm')",
        gives: 'R1ABCDEFGHIJK',
      },
    ],
    run: (value: string) =>
      /^R[A-Z0-9]{9,14}$/.test(value) ? value : (reviewIdInUrl.exec(value.slice(0, 8192))?.[1] ?? null),
  }),
]
