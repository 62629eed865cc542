// weir lint of 50 pipelines, the whole command: at most 1 s.
import { join } from 'node:path'
import { measure } from '../harness/measure.ts'
import { showSpread, spreadOf } from '../harness/numbers.ts'
import { profiling } from '../harness/profile.ts'
import { type Bar, profileLines } from '../harness/report.ts'
import {
  builds,
  expectCount,
  freshFolder,
  mainOf,
  removeFolder,
  reviewMapping,
  reviewTopic,
  writePipeline,
} from '../harness/scene.ts'

const pipelines = 50
const mostMs = 1000

/** Half poll an API, half read files; each has its own topic, two consumers and a mapping of eight fields. */
function definition(number: number): object {
  const http = {
    for_each: { asin: ['B07FZ8S74R', 'B08N5WRWNW'] },
    request: { url: 'https://api.example.com/reviews', query: { asin: '{{ split.asin }}', number: String(number) } },
    records: 'body.reviews',
    paginate: { page: { param: 'page', first: 1, max: 50 } },
    cursor: { field: 'this.timestamp', order: 'desc', id: 'this.user_id', lookback: '1d' },
    errors: [{ when: 'status == 200 && body.code == 40202', do: 'wait' }],
  }
  return {
    pipeline: `bench-lint-${number}`,
    source: number % 2 === 0 ? { http, every: '5m' } : { file: { paths: [`data/${number}/*.jsonl.gz`] } },
    map: reviewMapping,
    topic: { ...reviewTopic, name: `reviews_${number}` },
    dead_letter: { stop_after: { records: 1000, per: '1h' } },
    consume: [
      { group: `low-${number}`, process: [{ filter: 'record.rating <= 2.0' }], sink: { log: {} } },
      { group: `export-${number}`, sink: { file: { path: `out/${number}.ndjson` } } },
    ],
  }
}

export const lint: Bar = {
  name: 'lint',
  async run({ rounds, profile }) {
    const folder = freshFolder('lint')
    for (let i = 0; i < pipelines; i++) writePipeline(folder, definition(i), `pipeline-${i}.yaml`)
    const run = (main: string, nodeFlags: readonly string[] = []) =>
      measure([main, 'lint', folder, '--json'], { nodeFlags })
    // Truth: with one more file that is wrong, exactly that one is found, so the others are really looked at and are right.
    writePipeline(folder, { ...definition(0), pipeline: 'bench-lint-wrong', map: { rating: 'this.' } }, 'wrong.yaml')
    const wrong = await run(mainOf('src')).catch(error => String(error))
    if (typeof wrong !== 'string' || !wrong.includes('wrong.yaml')) throw new Error('lint did not see the wrong file')
    removeFolder(join(folder, 'wrong.yaml'))
    expectCount('problems in 50 right pipelines', problemsIn((await run(mainOf('src'))).stdout), 0)

    const table = [['', 'runs', 'wall ms, median (min–max)', 'CPU ms', 'peak RSS MB']]
    const verdicts = []
    const profiles = []
    for (const build of builds) {
      await run(mainOf(build))
      const runs = []
      for (let i = 0; i < rounds; i++) runs.push(await run(mainOf(build)))
      const wall = spreadOf(runs.map(each => each.wallMs))
      const cpu = spreadOf(runs.map(each => each.cpuMs)).median
      const name = `weir (${build})`
      const rss = Math.max(...runs.map(each => each.rssMb))
      table.push([name, String(rounds), showSpread(wall, 0), cpu.toFixed(0), rss.toFixed(0)])
      const met = wall.median <= mostMs
      verdicts.push({ bar: `${name}: lint of 50 ≤ ${mostMs} ms`, found: `${showSpread(wall, 0)} ms`, met })
    }
    if (profile || verdicts.some(({ met }) => !met)) {
      const { options, top } = profiling('lint')
      await run(mainOf('src'), options.nodeFlags)
      profiles.push({ of: 'weir (src)', top: top(profileLines) })
    }
    removeFolder(folder)
    const notes = ['25 pipelines over http, 25 over files, each with a mapping of eight fields and two consumers.']
    return { title: 'weir lint of 50 pipelines', table, verdicts, notes, profiles }
  },
}

function problemsIn(json: string): number {
  return json.trim() === '' ? 0 : (JSON.parse(json) as { problems: readonly unknown[] }).problems.length
}
