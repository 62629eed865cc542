// Paginated HTTP -> map -> Avro -> embedded broker, fsynced, a cursor with each page: at least 20,000 records/s, at most 160 MB.
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { type Contender, compare } from '../harness/compare.ts'
import { type Measured, type MeasureOptions, measure, remember } from '../harness/measure.ts'
import { profiling } from '../harness/profile.ts'
import { type Bar, compareTable, profileLines, rssVerdicts } from '../harness/report.ts'
import {
  type Build,
  builds,
  cache,
  expectCount,
  freshFolder,
  httpIntake,
  mainOf,
  removeFolder,
  reviewMapping,
  reviewTopic,
  writePipeline,
} from '../harness/scene.ts'
import { checkTopic, rowsIn } from './file-to-embedded.ts'

const fewestPerSecond = 20_000
const mostMb = 160

function produceHttp(build: Build, folder: string, url: string, options: MeasureOptions = {}): Promise<Measured> {
  const pipeline = writePipeline(folder, {
    pipeline: 'bench-http',
    ...httpIntake(url),
    map: reviewMapping,
    topic: reviewTopic,
  })
  const flags = ['--until', 'end', '--stage', 'producer']
  return measure([mainOf(build), 'run', pipeline, '--data', join(folder, 'store'), ...flags], options)
}

const hasTaskset = () => cpus().length > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0

export const httpToEmbedded: Bar = {
  name: 'http',
  async run({ records, rounds, profile, tell }) {
    using vendor = remember(fork(join(import.meta.dirname, '../children/serve-pages.ts'), [String(records)]))
    const [port] = (await once(vendor, 'message')) as [number]
    const url = `http://127.0.0.1:${port}/reviews`
    const byHand: Contender = {
      name: 'by hand',
      run: () =>
        measure([
          join(import.meta.dirname, '../by-hand/http-to-sqlite.ts'),
          url,
          join(freshFolder('http-by-hand'), 'by-hand.db'),
        ]),
      async check() {
        const folder = join(cache, 'work', 'http-by-hand')
        expectCount('by hand, rows', rowsIn(join(folder, 'by-hand.db')), records)
        removeFolder(folder)
      },
    }
    const contender = (name: string, build: Build, options: MeasureOptions = {}): Contender => ({
      name,
      run: () => produceHttp(build, freshFolder('http-weir'), url, options),
      async check(_, thorough) {
        const folder = join(cache, 'work', 'http-weir')
        await checkTopic(name, join(folder, 'store'), records, thorough)
        removeFolder(folder)
      },
    })
    const weir = builds.map(build => contender(`weir (${build})`, build))
    if (hasTaskset()) weir.push(contender('weir (src), one processor', 'src', { processor: 0 }))
    const lines = await compare([byHand, ...weir], { records, rounds, warmup: 1, tell })
    const verdicts = [
      ...lines.slice(1).map(({ name, perSecond }) => ({
        bar: `${name}: ≥ ${fewestPerSecond.toLocaleString('en')} records/s`,
        found: `${Math.round(perSecond).toLocaleString('en')} records/s`,
        met: perSecond >= fewestPerSecond,
      })),
      ...rssVerdicts(lines.slice(1), mostMb),
    ]
    const profiles = []
    if (profile || verdicts.some(({ met }) => !met)) {
      const { options, top } = profiling('http')
      const folder = freshFolder('http-profile')
      await produceHttp('src', folder, url, options)
      removeFolder(folder)
      profiles.push({ of: 'weir (src)', top: top(profileLines) })
    }
    return {
      title: `paginated HTTP -> map -> Avro -> embedded broker, ${records.toLocaleString('en')} reviews, 1,000 a page`,
      table: compareTable(lines),
      verdicts,
      notes: [
        'by hand: bench/by-hand/http-to-sqlite.ts, a page a transaction, synced.',
        'records/s is over the whole process, its start included.',
        'weir knows the ids of the last hour before its mark (3,600 here) and stores them with each page.',
      ],
      profiles,
    }
  },
}
