// Where a bench works: folders below .cache/bench and nowhere else, the two builds of weir, and the truth about a topic as the command
// line of weir tells it to anybody.
import { createReadStream, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { stringify } from 'yaml'
import { buildPackageInto } from '../../test/support/build-package.ts'
import { measure } from './measure.ts'

export const root = join(import.meta.dirname, '..', '..')
export const cache = join(root, '.cache', 'bench')
export const schemaPath = join(root, 'schemas', 'raw-review.avsc')
const packageFolder = join(cache, 'package')

/** src: what a checkout runs, types stripped at load. dist: what the package holds, bundled. */
export type Build = 'src' | 'dist'
export const builds: readonly Build[] = ['src', 'dist']

/** The entry point of a build. */
export function mainOf(build: Build): string {
  return build === 'src' ? join(root, 'src', 'main.ts') : join(packageFolder, 'dist', 'main.js')
}

/** Builds the package as `npm run build` does, but below .cache/bench. */
export function buildPackage(): void {
  rmSync(packageFolder, { recursive: true, force: true })
  mkdirSync(packageFolder, { recursive: true })
  buildPackageInto(packageFolder)
}

/** An empty folder below .cache/bench/work. */
export function freshFolder(name: string): string {
  const folder = join(cache, 'work', name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  return folder
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

/** Writes a definition into the folder, as YAML; gives its path. */
export function writePipeline(folder: string, definition: object, name = 'pipeline.yaml'): string {
  const path = join(folder, name)
  writeFileSync(path, stringify(definition))
  return path
}

/** The mapping from the shape of McAuley 2023 to RawReview, the same work as in by-hand/. */
export const reviewMapping = {
  review_id: 'this.user_id + "-" + string(this.timestamp)',
  product_asin: 'this.asin',
  reviewer_name: 'this.user_id',
  review_text: 'this.text',
  review_title: 'this.title',
  rating: 'double(this.rating)',
  review_date: 'string(this.timestamp)',
  helpfulness_votes: 'int(this.helpful_vote)',
}
/** Where reviews come from: these parts of a definition. */
export interface Intake {
  readonly source: object
  readonly fetch?: object
}

export function fileIntake(input: string): Intake {
  return { source: { file: { paths: [input], root: cache, format: 'ndjson' } } }
}

/** The pages of `children/serve-pages.ts`, newest first. */
export function httpIntake(url: string): Intake {
  return {
    source: {
      http: {
        request: { url },
        records: 'body.reviews',
        paginate: { page: { param: 'page', first: 1, max: 1_000_000 } },
        cursor: { field: 'this.timestamp', order: 'desc', id: 'this.user_id', lookback: '1h' },
      },
    },
    fetch: { rate_limit: { requests: 100_000, per: '1s' }, allow_private: ['127.0.0.0/8'] },
  }
}

export const reviewTopic = { name: 'reviews', key: 'record.product_asin', schema: schemaPath, partitions: 6 }

/** Records of a topic by its offsets: `weir topic describe --json` in a process of its own. */
export async function recordsIn(dataDir: string, topic: string): Promise<number> {
  const { stdout } = await measure([mainOf('src'), '--data', dataDir, '--json', 'topic', 'describe', topic])
  return Number((JSON.parse(stdout) as { records: number }).records)
}

/** Reads a topic whole with `weir topic cat --json` and counts lines and different review ids. */
export async function readBack(dataDir: string, topic: string): Promise<Counted> {
  const ids = new Set<string>()
  let lines = 0
  await measure([mainOf('src'), '--data', dataDir, '--json', 'topic', 'cat', topic], {
    onLine: line => {
      lines++
      ids.add((JSON.parse(line) as { value: { review_id: string } }).value.review_id)
    },
  })
  return { lines, ids: ids.size }
}

export interface Counted {
  readonly lines: number
  /** Different review ids. */
  readonly ids: number
}

/** Lines and different review ids of an NDJSON file. */
export async function countFile(path: string): Promise<Counted> {
  const ids = new Set<string>()
  let lines = 0
  for await (const line of createInterface({ input: createReadStream(path) })) {
    lines++
    ids.add((JSON.parse(line) as { review_id: string }).review_id)
  }
  return { lines, ids: ids.size }
}

/** Throws when a run did not do the work: a time of unfinished work means nothing. */
export function expectCount(what: string, found: number, expected: number): void {
  if (found !== expected) throw new Error(`${what}: expected ${expected}, found ${found}`)
}
