// Embedded broker -> decode -> NDJSON file, exactly once: beside a hand-written script that reads its own rows; at most 160 MB.
import { join } from 'node:path'
import { reviewsFile } from '../data.ts'
import { type Contender, compare } from '../harness/compare.ts'
import { type Measured, type MeasureOptions, measure } from '../harness/measure.ts'
import { profiling } from '../harness/profile.ts'
import { type Bar, compareTable, profileLines, rssVerdicts } from '../harness/report.ts'
import {
  type Build,
  builds,
  cache,
  countFile,
  expectCount,
  freshFolder,
  mainOf,
  removeFolder,
  reviewMapping,
  reviewTopic,
  writePipeline,
} from '../harness/scene.ts'
import { checkTopic, insertFile, produceFile } from './file-to-embedded.ts'

const mostMb = 160

/** Runs a consumer of its own group over the whole topic of `store` into `out.ndjson` of `folder`. */
function consume(
  build: Build,
  folder: string,
  store: string,
  group: string,
  options: MeasureOptions = {},
): Promise<Measured> {
  const pipeline = writePipeline(folder, {
    pipeline: 'bench-file',
    source: { file: { paths: ['nothing.ndjson'] } },
    map: reviewMapping,
    topic: reviewTopic,
    consume: [{ group, sink: { file: { path: 'out.ndjson' } } }],
  })
  const flags = ['--until', 'end', '--stage', 'consumer']
  return measure([mainOf(build), 'run', pipeline, '--data', store, ...flags], options)
}

export const embeddedToFile: Bar = {
  name: 'consume',
  async run({ records, rounds, profile, tell }) {
    const input = await reviewsFile(records)
    const filled = freshFolder('consume-input')
    const store = join(filled, 'store')
    await insertFile(filled, input)
    await produceFile('src', filled, input)
    await checkTopic('the topic to consume', store, records, false)

    const check = async (name: string, folder: string) => {
      const { lines, ids } = await countFile(join(folder, 'out.ndjson'))
      expectCount(`${name}, lines`, lines, records)
      expectCount(`${name}, different reviews`, ids, records)
      removeFolder(folder)
    }
    const byHand: Contender = {
      name: 'by hand',
      run: () =>
        measure([
          join(import.meta.dirname, '../by-hand/sqlite-to-file.ts'),
          join(filled, 'by-hand.db'),
          join(freshFolder('consume-by-hand'), 'out.ndjson'),
        ]),
      check: () => check('by hand', join(cache, 'work', 'consume-by-hand')),
    }
    const weir = builds.map((build): Contender => {
      const name = `consume-${build}`
      return {
        name: `weir (${build})`,
        run: round => consume(build, freshFolder(name), store, `${name}-${round}`),
        check: () => check(`weir (${build})`, join(cache, 'work', name)),
      }
    })
    const lines = await compare([byHand, ...weir], { records, rounds, warmup: 1, tell })
    const verdicts = rssVerdicts(lines.slice(1), mostMb)
    const profiles = []
    if (profile || verdicts.some(({ met }) => !met)) {
      const { options, top } = profiling('consume')
      const folder = freshFolder('consume-profile')
      await consume('src', folder, store, 'profile', options)
      removeFolder(folder)
      profiles.push({ of: 'weir (src)', top: top(profileLines) })
    }
    removeFolder(filled)
    return {
      title: `embedded broker -> Avro -> file sink, ${records.toLocaleString('en')} reviews`,
      table: compareTable(lines),
      verdicts,
      notes: [
        'by hand: bench/by-hand/sqlite-to-file.ts over the rows of file-to-sqlite.ts, 1,000 lines a sync, at least once.',
        'weir: exactly once, batches of 500 records a partition (the default). There is no bar on its speed.',
      ],
      profiles,
    }
  },
}
