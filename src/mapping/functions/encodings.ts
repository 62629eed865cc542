// Hashes, JSON and URLs.
import { createHash } from 'node:crypto'
import { toJsonText } from '../../schema/json.ts'
import { bounded, Failure, spend } from '../budget.ts'
import { define, text } from './function.ts'

const maxJsonLength = 1024 * 1024
const maxJsonDepth = 64

export function sha256(value: string | Uint8Array): string {
  spend(8 + (value.length >> 6))
  return createHash('sha256').update(value).digest('hex')
}

function parseJson(value: string): unknown {
  if (value.length > maxJsonLength) throw new Failure(`a text of more than ${maxJsonLength} characters is not parsed`)
  spend(value.length >> 4)
  let parsed: unknown
  try {
    parsed = JSON.parse(value)
  } catch {
    throw new Failure('the text is not JSON')
  }
  const stack: [unknown, number][] = [[parsed, 0]]
  for (let entry = stack.pop(); entry; entry = stack.pop()) {
    if (typeof entry[0] !== 'object' || entry[0] === null) continue
    if (entry[1] >= maxJsonDepth) throw new Failure(`the JSON nests deeper than ${maxJsonDepth} levels`)
    for (const child of Object.values(entry[0])) stack.push([child, entry[1] + 1])
  }
  return parsed
}

function urlOf(value: string): URL {
  if (value.length > 8192 || !URL.canParse(value)) throw new Failure('the text is not a URL')
  return new URL(value)
}

export const encodingFunctions = [
  define({
    name: 'sha256',
    group: 'Hashes and encodings',
    parameters: [text],
    returns: 'string',
    doc: 'SHA-256 of the text (UTF-8), in hex.',
    nullGivesNull: true,
    examples: [
      { expression: "sha256('abc')", gives: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' },
    ],
    run: sha256,
  }),
  define({
    name: 'json_parse',
    group: 'Hashes and encodings',
    parameters: [text],
    returns: 'dyn',
    doc: 'The value of a JSON text of at most 1 MiB and 64 levels.',
    nullGivesNull: true,
    examples: [{ expression: 'json_parse(\'{"stars": 5}\').stars', gives: 5 }],
    run: parseJson,
  }),
  define({
    name: 'json',
    group: 'Hashes and encodings',
    parameters: [{ name: 'value', type: 'dyn' }],
    returns: 'string',
    doc: 'The value as JSON text on one line.',
    nullGivesNull: true,
    examples: [{ expression: 'json(this.images)', this: { images: ['a', 'b'] }, gives: '["a","b"]' }],
    run: (value: unknown) => {
      spend(64)
      const written = bounded(toJsonText(value))
      spend(written.length >> 4)
      return written
    },
  }),
  define({
    name: 'url_host',
    group: 'Hashes and encodings',
    parameters: [text],
    returns: 'string',
    doc: 'The host of a URL.',
    nullGivesNull: true,
    examples: [{ expression: "url_host('https://www.amazon.de/dp/B07FZ8S74R')", gives: 'www.amazon.de' }],
    run: (value: string) => urlOf(value).hostname,
  }),
  define({
    name: 'url_path',
    group: 'Hashes and encodings',
    parameters: [text],
    returns: 'string',
    doc: 'The path of a URL.',
    nullGivesNull: true,
    examples: [{ expression: "url_path('https://www.amazon.de/dp/B07FZ8S74R?th=1')", gives: '/dp/B07FZ8S74R' }],
    run: (value: string) => urlOf(value).pathname,
  }),
  define({
    name: 'url_query',
    group: 'Hashes and encodings',
    parameters: [text, { name: 'name', type: 'string' }],
    returns: 'string',
    doc: 'A parameter of the query of a URL, decoded; null when it has none.',
    nullGivesNull: true,
    examples: [{ expression: "url_query('https://example.com/r?asin=B07FZ8S74R', 'asin')", gives: 'B07FZ8S74R' }],
    run: (value: string, name: string) => urlOf(value).searchParams.get(name),
  }),
  define({
    name: 'url_encode',
    group: 'Hashes and encodings',
    parameters: [text],
    returns: 'string',
    doc: 'The text escaped for a part of a URL.',
    nullGivesNull: true,
    examples: [{ expression: "url_encode('a b&c')", gives: 'a%20b%26c' }],
    run: (value: string) => encodeURIComponent(value.toWellFormed()),
  }),
]
