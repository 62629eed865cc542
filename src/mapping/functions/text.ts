// Functions on text. Lengths and positions count UTF-16 units, as in CEL's own functions here, but no character is cut in half.
import { bounded, Failure, spend, spendSearch } from '../budget.ts'
import { define, text } from './function.ts'

// Characters without width, which people do not see and `trim` of JavaScript leaves.
const invisible = /^[\u200b-\u200d\u2060\ufeff]$/

/** Without whitespace and characters without width at both ends. A loop: a pattern would look at long runs again and again. */
function trimAll(value: string): string {
  let result = value.trim()
  while (result !== '' && (invisible.test(result[0]!) || invisible.test(result.at(-1)!))) {
    let start = 0
    let end = result.length
    while (start < end && invisible.test(result[start]!)) start++
    while (end > start && invisible.test(result[end - 1]!)) end--
    result = result.slice(start, end).trim()
  }
  return result
}

const named: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  copy: '©',
  reg: '®',
  trade: '™',
  hellip: '…',
  mdash: '—',
  ndash: '–',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  laquo: '«',
  raquo: '»',
  bull: '•',
  middot: '·',
  deg: '°',
  euro: '€',
  pound: '£',
  yen: '¥',
  cent: '¢',
  sect: '§',
  para: '¶',
  times: '×',
  divide: '÷',
  frac12: '½',
  frac14: '¼',
  frac34: '¾',
  iexcl: '¡',
  iquest: '¿',
  szlig: 'ß',
  auml: 'ä',
  ouml: 'ö',
  uuml: 'ü',
  Auml: 'Ä',
  Ouml: 'Ö',
  Uuml: 'Ü',
  agrave: 'à',
  aacute: 'á',
  acirc: 'â',
  atilde: 'ã',
  aring: 'å',
  aelig: 'æ',
  ccedil: 'ç',
  egrave: 'è',
  eacute: 'é',
  ecirc: 'ê',
  euml: 'ë',
  igrave: 'ì',
  iacute: 'í',
  icirc: 'î',
  iuml: 'ï',
  ntilde: 'ñ',
  ograve: 'ò',
  oacute: 'ó',
  ocirc: 'ô',
  otilde: 'õ',
  oslash: 'ø',
  ugrave: 'ù',
  uacute: 'ú',
  ucirc: 'û',
  yacute: 'ý',
  yuml: 'ÿ',
  Agrave: 'À',
  Aacute: 'Á',
  Acirc: 'Â',
  Atilde: 'Ã',
  Aring: 'Å',
  AElig: 'Æ',
  Ccedil: 'Ç',
  Egrave: 'È',
  Eacute: 'É',
  Ecirc: 'Ê',
  Ntilde: 'Ñ',
  Ograve: 'Ò',
  Oacute: 'Ó',
  Ocirc: 'Ô',
  Oslash: 'Ø',
  Ugrave: 'Ù',
  Uacute: 'Ú',
  Ucirc: 'Û',
  hearts: '♥',
  rarr: '→',
  larr: '←',
  check: '✓',
  shy: '\u00ad',
  ensp: '\u2002',
  emsp: '\u2003',
  thinsp: '\u2009',
  zwnj: '\u200c',
}

/** What browsers read for the numbers 128 to 159: Windows-1252. */
const windows1252 = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ'

function unescapeHtml(value: string): string {
  if (!value.includes('&')) return value
  return value.replace(
    /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,7}));/g,
    (whole, decimal, hex, word) => {
      if (word !== undefined) return Object.hasOwn(named, word) ? named[word]! : whole
      const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
      if (code >= 128 && code <= 159) return windows1252[code - 128]!
      if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return '\ufffd'
      return String.fromCodePoint(code)
    },
  )
}

function stripHtml(value: string): string {
  if (!value.includes('<')) return unescapeHtml(value)
  const pieces: string[] = []
  let endsInText = false
  let at = 0
  for (let open = value.indexOf('<'); open !== -1; open = value.indexOf('<', at)) {
    if (open > at) {
      pieces.push(value.slice(at, open))
      endsInText = value[open - 1] !== '\n'
    }
    const tag = /^<(?:!--|\/?([A-Za-z][A-Za-z0-9]*)|[!?])/.exec(value.slice(open, open + 40))
    if (!tag) {
      pieces.push('<')
      endsInText = true
      at = open + 1
      continue
    }
    const name = tag[1]?.toLowerCase()
    const close = tag[0] === '<!--' ? value.indexOf('-->', open + 4) : value.indexOf('>', open)
    // What never closes is no text: pages that were cut end like this.
    if (close === -1) return unescapeHtml(pieces.join(''))
    let end = tag[0] === '<!--' ? close + 3 : close + 1
    if ((name === 'script' || name === 'style') && !tag[0].startsWith('</')) end = endOfElement(value, name, end)
    if (name === 'br' || (name !== undefined && blocks.has(name) && endsInText)) {
      pieces.push('\n')
      endsInText = false
    }
    at = end
  }
  pieces.push(value.slice(at))
  return unescapeHtml(pieces.join(''))
}

const blocks = new Set([
  'p',
  'div',
  'li',
  'ul',
  'ol',
  'tr',
  'table',
  'h1',
  'h2',
  'h3',
  'h4',
  'h5',
  'h6',
  'blockquote',
  'section',
])

function endOfElement(value: string, name: string, from: number): number {
  const close = new RegExp(`</${name}\\s*>`, 'gi')
  close.lastIndex = from
  const found = close.exec(value)
  return found ? found.index + found[0].length : value.length
}

/** Text of a page as a reader sees it. */
function cleanText(value: string): string {
  return trimAll(
    stripHtml(value)
      .replace(/[\u200b-\u200d\u2060\ufeff\ufffd]/g, '')
      .replace(/[^\S\n]+/g, ' ')
      .replace(/ ?\n ?/g, '\n'),
  )
}

/** At most `length` UTF-16 units, never half a character. */
function cut(value: string, length: number): string {
  if (value.length <= length) return value
  const last = value.charCodeAt(length - 1)
  return value.slice(0, last >= 0xd800 && last <= 0xdbff ? length - 1 : length)
}

function count(value: bigint, what: string): number {
  if (value < 0n || value > 10_000_000n) throw new Failure(`${what} must be from 0 to 10000000`)
  return Number(value)
}

export const textFunctions = [
  define({
    name: 'trim',
    group: 'Text',
    parameters: [text],
    returns: 'string',
    doc: 'Without spaces, line ends and characters without width at both ends.',
    nullGivesNull: true,
    examples: [
      { expression: "trim('  Great gift ')", gives: 'Great gift' },
      { expression: 'trim(this.?title)', this: {}, gives: null },
    ],
    run: trimAll,
  }),
  define({
    name: 'collapse',
    group: 'Text',
    parameters: [text],
    returns: 'string',
    doc: 'Every run of whitespace as one space, trimmed.',
    nullGivesNull: true,
    examples: [{ expression: "collapse('a  b\\n\\nc ')", gives: 'a b c' }],
    run: (value: string) => trimAll(value.replace(/\s+/gu, ' ')),
  }),
  define({
    name: 'lower',
    group: 'Text',
    parameters: [text],
    returns: 'string',
    doc: 'In small letters, of all alphabets.',
    nullGivesNull: true,
    examples: [{ expression: "lower('ÄB')", gives: 'äb' }],
    run: (value: string) => value.toLowerCase(),
  }),
  define({
    name: 'upper',
    group: 'Text',
    parameters: [text],
    returns: 'string',
    doc: 'In capital letters, of all alphabets.',
    nullGivesNull: true,
    examples: [{ expression: "upper('b07fz8s74r')", gives: 'B07FZ8S74R' }],
    run: (value: string) => value.toUpperCase(),
  }),
  define({
    name: 'replace',
    group: 'Text',
    parameters: [text, { name: 'old', type: 'string' }, { name: 'new', type: 'string' }],
    returns: 'string',
    doc: 'Every occurrence of `old` replaced by `new`, both literal.',
    nullGivesNull: true,
    examples: [{ expression: "replace('a.b.c', '.', '-')", gives: 'a-b-c' }],
    run: (value: string, from: string, to: string) => replaceAll(value, from, to),
  }),
  define({
    name: 'truncate',
    group: 'Text',
    parameters: [text, { name: 'length', type: 'int' }],
    returns: 'string',
    doc: 'At most `length` characters.',
    nullGivesNull: true,
    examples: [{ expression: "truncate('Great gift', 5)", gives: 'Great' }],
    run: (value: string, length: bigint) => cut(value, count(length, 'a length')),
  }),
  define({
    name: 'part',
    group: 'Text',
    parameters: [text, { name: 'separator', type: 'string' }, { name: 'index', type: 'int' }],
    returns: 'string',
    doc: 'The part at `index`, from 0, of the text split at a separator; null when there is none. A negative index counts from the end.',
    nullGivesNull: true,
    examples: [
      { expression: "part('gift cards > toys', ' > ', 0)", gives: 'gift cards' },
      { expression: "part('a/b/c', '/', -1)", gives: 'c' },
      { expression: "part('a', '/', 3)", gives: null },
    ],
    run: (value: string, separator: string, index: bigint) => partOf(value, separator, index),
  }),
  define({
    name: 'strip_prefix',
    group: 'Text',
    parameters: [text, { name: 'prefix', type: 'string' }],
    returns: 'string',
    doc: 'Without `prefix`, once, when the text starts with it.',
    nullGivesNull: true,
    examples: [{ expression: "strip_prefix('asin:B07FZ8S74R', 'asin:')", gives: 'B07FZ8S74R' }],
    run: (value: string, prefix: string) => (value.startsWith(prefix) ? value.slice(prefix.length) : value),
  }),
  define({
    name: 'strip_suffix',
    group: 'Text',
    parameters: [text, { name: 'suffix', type: 'string' }],
    returns: 'string',
    doc: 'Without `suffix`, once, when the text ends with it.',
    nullGivesNull: true,
    examples: [{ expression: "strip_suffix('Nice. Read more', ' Read more')", gives: 'Nice.' }],
    run: (value: string, suffix: string) =>
      value.endsWith(suffix) ? value.slice(0, value.length - suffix.length) : value,
  }),
  define({
    name: 'html_unescape',
    group: 'Text',
    parameters: [text],
    returns: 'string',
    doc: 'HTML entities as the characters they stand for; unknown ones stay as they are.',
    nullGivesNull: true,
    examples: [{ expression: "html_unescape('Tom &amp; Jerry&#39;s &eacute;')", gives: "Tom & Jerry's é" }],
    run: unescapeHtml,
  }),
  define({
    name: 'strip_html',
    group: 'Text',
    parameters: [text],
    returns: 'string',
    doc: 'The text without tags, entities decoded; `<br>` and the ends of blocks become line feeds, scripts and styles go.',
    nullGivesNull: true,
    examples: [{ expression: "strip_html('Nice<br>and <b>cheap</b> &lt;3')", gives: 'Nice\nand cheap <3' }],
    run: stripHtml,
  }),
  define({
    name: 'clean_text',
    group: 'Text',
    parameters: [text],
    returns: 'string',
    doc: 'The text of a page as a reader sees it: `strip_html`, characters without width removed, runs of blanks as one, trimmed.',
    nullGivesNull: true,
    examples: [{ expression: "clean_text(' Nice &nbsp; <br/> and\\u200b cheap ')", gives: 'Nice\nand cheap' }],
    run: cleanText,
  }),
  define({
    name: 'well_formed',
    group: 'Text',
    parameters: [text],
    returns: 'string',
    doc: 'Half characters (lone surrogates), which no Avro string can hold, replaced by U+FFFD. Use it for sources that cut texts.',
    nullGivesNull: true,
    examples: [{ expression: 'well_formed(this.text)', this: { text: 'cut \ud83d' }, gives: 'cut \ufffd' }],
    run: (value: string) => value.toWellFormed(),
  }),
]

export function replaceAll(value: string, from: string, to: string): string {
  if (from === '') throw new Failure('replace cannot look for an empty text')
  spendSearch(value, from)
  let found = 0
  for (let at = value.indexOf(from); at !== -1; at = value.indexOf(from, at + from.length)) found++
  if (found === 0) return value
  spend(found >> 2)
  if (value.length + found * (to.length - from.length) > 4 * 1024 * 1024) bounded('x'.repeat(4 * 1024 * 1024 + 1))
  return value.split(from).join(to)
}

function partOf(value: string, separator: string, index: bigint): string | null {
  if (separator === '') throw new Failure('part needs a separator')
  spendSearch(value, separator)
  const parts = value.split(separator, 100_000)
  spend(parts.length >> 2)
  return parts.at(Number(BigInt.asIntN(32, index))) ?? null
}
