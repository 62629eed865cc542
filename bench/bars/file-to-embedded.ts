// file -> map -> Avro -> embedded broker, fsynced: at most 1.4 times the wall of a hand-written script, at most 160 MB.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { reviewsFile } from '../data.ts'
import { type Contender, compare } from '../harness/compare.ts'
import { type Measured, type MeasureOptions, measure } from '../harness/measure.ts'
import { showSpread } from '../harness/numbers.ts'
import { profiling } from '../harness/profile.ts'
import { type Bar, compareTable, profileLines, rssVerdicts } from '../harness/report.ts'
import {
  type Build,
  builds,
  cache,
  expectCount,
  freshFolder,
  mainOf,
  readBack,
  recordsIn,
  removeFolder,
  reviewMapping,
  reviewTopic,
  writePipeline,
} from '../harness/scene.ts'

const longestRatio = 1.4
const mostMb = 160

/** Runs the producer of a pipeline over the file into a new store in `folder`. */
export function produceFile(
  build: Build,
  folder: string,
  input: string,
  options: MeasureOptions = {},
): Promise<Measured> {
  const pipeline = writePipeline(folder, {
    pipeline: 'bench-file',
    source: { file: { paths: [input], root: cache, format: 'ndjson' } },
    map: reviewMapping,
    topic: reviewTopic,
  })
  const flags = ['--until', 'end', '--stage', 'producer']
  return measure([mainOf(build), 'run', pipeline, '--data', join(folder, 'store'), ...flags], options)
}

export const insertFile = (folder: string, input: string): Promise<Measured> =>
  measure([join(import.meta.dirname, '../by-hand/file-to-sqlite.ts'), input, join(folder, 'by-hand.db')])

/** Rows that a hand-written script left. */
export function rowsIn(path: string): number {
  using db = new DatabaseSync(path, { readOnly: true })
  return Number(db.prepare('SELECT count(*) AS n FROM record').get()!['n'])
}

/** Holds that a topic has every review once and its dead-letter topic nothing. */
export async function checkTopic(what: string, store: string, records: number, thorough: boolean): Promise<void> {
  expectCount(`${what}, records by offsets`, await recordsIn(store, 'reviews'), records)
  expectCount(`${what}, dead letters`, await recordsIn(store, 'reviews_dlq'), 0)
  if (!thorough) return
  const { lines, ids } = await readBack(store, 'reviews')
  expectCount(`${what}, records read back`, lines, records)
  expectCount(`${what}, different reviews read back`, ids, records)
}

export const fileToEmbedded: Bar = {
  name: 'file',
  async run({ records, rounds, profile, tell }) {
    const input = await reviewsFile(records)
    const byHand: Contender = {
      name: 'by hand',
      run: () => insertFile(freshFolder('file-by-hand'), input),
      async check() {
        const folder = join(cache, 'work', 'file-by-hand')
        expectCount('by hand, rows', rowsIn(join(folder, 'by-hand.db')), records)
        removeFolder(folder)
      },
    }
    const weir = builds.map((build): Contender => {
      const name = `file-${build}`
      return {
        name: `weir (${build})`,
        run: () => produceFile(build, freshFolder(name), input),
        async check(_, thorough) {
          const folder = join(cache, 'work', name)
          await checkTopic(`weir (${build})`, join(folder, 'store'), records, thorough)
          removeFolder(folder)
        },
      }
    })
    const lines = await compare([byHand, ...weir], { records, rounds, warmup: 1, tell })
    const verdicts = [
      ...lines.slice(1).map(({ name, ratio }) => ({
        bar: `${name}: wall ≤ ${longestRatio} × by hand`,
        found: showSpread(ratio),
        met: ratio.median <= longestRatio,
      })),
      ...rssVerdicts(lines.slice(1), mostMb),
    ]
    const profiles = []
    if (profile || verdicts.some(({ met }) => !met)) {
      const { options, top } = profiling('file')
      const folder = freshFolder('file-profile')
      await produceFile('src', folder, input, options)
      removeFolder(folder)
      profiles.push({ of: 'weir (src)', top: top(profileLines) })
    }
    return {
      title: `file -> map -> Avro -> embedded broker, ${records.toLocaleString('en')} reviews`,
      table: compareTable(lines),
      verdicts,
      notes: ['by hand: bench/by-hand/file-to-sqlite.ts, a row a record, 1,000 in a transaction, synced.'],
      profiles,
    }
  },
}
