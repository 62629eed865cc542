// Shapes of the answers that vendors are known to give: keys and kinds of values of JSON, hooks of pages. test/data/vendor-shapes.json has those of
// the samples; run as a program, this file writes it: node test/support/vendor-shapes.ts FOLDER, where FOLDER has MANIFEST.json and the sample bodies.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Shape {
  /** Kinds of the value seen: string, number, boolean, null, array, object. */
  readonly kinds: readonly string[]
  readonly items?: Shape
  readonly keys?: Readonly<Record<string, Shape>>
  /** Of `keys`, those that some had not. */
  readonly maybe?: readonly string[]
}

export interface Sample {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Of JSON. */
  readonly shape?: Shape
  /** Of bodies so short that they are as good as a code. */
  readonly body?: unknown
  /** Of pages. */
  readonly hooks?: readonly string[]
}

export function shapeOf(value: unknown): Shape {
  if (value === null) return { kinds: ['null'] }
  if (Array.isArray(value)) {
    const items = value.map(shapeOf).reduce<Shape | null>((all, each) => (all === null ? each : merge(all, each)), null)
    return { kinds: ['array'], ...(items === null ? {} : { items }) }
  }
  if (typeof value !== 'object') return { kinds: [typeof value] }
  return {
    kinds: ['object'],
    keys: Object.fromEntries(Object.entries(value!).map(([key, each]) => [key, shapeOf(each)])),
  }
}

export function merge(a: Shape, b: Shape): Shape {
  const items = a.items && b.items ? merge(a.items, b.items) : (a.items ?? b.items)
  const names = [...new Set([...Object.keys(a.keys ?? {}), ...Object.keys(b.keys ?? {})])]
  const keys = names.map(name => {
    const [left, right] = [a.keys?.[name], b.keys?.[name]]
    return [name, left && right ? merge(left, right) : (left ?? right)!] as const
  })
  const both = a.keys !== undefined && b.keys !== undefined
  const maybe = names.filter(
    name =>
      a.maybe?.includes(name) ||
      b.maybe?.includes(name) ||
      (both && (a.keys?.[name] === undefined || b.keys?.[name] === undefined)),
  )
  return {
    kinds: [...new Set([...a.kinds, ...b.kinds])].sort(),
    ...(items === undefined ? {} : { items }),
    ...(a.keys || b.keys ? { keys: Object.fromEntries(keys) } : {}),
    ...(maybe.length > 0 ? { maybe } : {}),
  }
}

/** One line a difference: a key that only one has, a kind of value that the sample does not show. */
export function misfits(sample: Shape, ours: Shape, path = ''): string[] {
  const kinds = ours.kinds.filter(kind => !sample.kinds.includes(kind)).map(kind => `${path} is ${kind}`)
  const items = sample.items && ours.items ? misfits(sample.items, ours.items, `${path}[]`) : []
  if (sample.keys === undefined || ours.keys === undefined) return [...kinds, ...items]
  const missing = Object.keys(sample.keys)
    .filter(key => !sample.maybe?.includes(key) && (ours.keys![key] === undefined || ours.maybe?.includes(key)))
    .map(key => `${path}.${key} is missing`)
  const extra = Object.keys(ours.keys)
    .filter(key => sample.keys![key] === undefined)
    .map(key => `${path}.${key} is extra`)
  const inside = Object.entries(ours.keys).flatMap(([key, shape]) =>
    sample.keys![key] === undefined ? [] : misfits(sample.keys![key], shape, `${path}.${key}`),
  )
  return [...kinds, ...items, ...missing, ...extra, ...inside]
}

/** Elements of a page that a reader holds on to: those with a data-hook, and lists with an id. */
export function hooksOf(page: string): string[] {
  const hooks = [...page.matchAll(/<(\w+)[^>]*?\bdata-hook="([\w-]+)"/g)].map(
    ([, tag, hook]) => `${tag}[data-hook=${hook}]`,
  )
  const ids = [...page.matchAll(/<(ul|div|form|input|span|button)[^>]*?\bid="([a-zA-Z_][\w-]*)"/g)]
    .map(([, tag, id]) => `${tag}#${id}`)
    .filter(each => !/\bR[A-Z0-9]{9,14}\b|R[0-9A-Z]{9,}/.test(each))
  return [...new Set([...hooks, ...ids])].sort()
}

/** The samples by file name. */
export const samples = (): Readonly<Record<string, Sample>> =>
  JSON.parse(readFileSync(join(import.meta.dirname, '../data/vendor-shapes.json'), 'utf8')) as Record<string, Sample>

/** The shape of some of the samples together: where one alone shows too little of what may be null or absent. */
export function shapeOfSamples(...files: readonly string[]): Shape {
  const known = samples()
  return files.map(file => known[file]!.shape!).reduce(merge)
}

const shortBody = 320

interface Listed {
  readonly file: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

function sampleOf(folder: string, { file, status, headers }: Listed): Sample {
  const text = readFileSync(join(folder, file), 'utf8')
  if (/\.html$/.test(file)) return { status, headers, hooks: hooksOf(text) }
  if (/\.txt$/.test(file)) return { status, headers, body: text.trimEnd() }
  const value: unknown = file.endsWith('.jsonl')
    ? text
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
    : JSON.parse(text)
  const short = JSON.stringify(value).length <= shortBody
  return { status, headers, ...(short ? { body: value } : {}), shape: shapeOf(value) }
}

if (import.meta.main) {
  const folder = process.argv[2]!
  const wanted = /^(brightdata|dataforseo|oxylabs|apify|rainforest|outscraper|scrapehero|paapi|creators|keepa|scrape)\//
  const listed = (JSON.parse(readFileSync(join(folder, 'MANIFEST.json'), 'utf8')) as Listed[]).filter(
    ({ file }) => wanted.test(file) && !/sigv4_vector|ajax_reviews_get/.test(file),
  )
  const rows = listed.map(each => `${JSON.stringify(each.file)}: ${JSON.stringify(sampleOf(folder, each))}`)
  writeFileSync(join(import.meta.dirname, '../data/vendor-shapes.json'), `{\n${rows.join(',\n')}\n}\n`)
}
