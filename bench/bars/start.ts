// From the start of the process to the first request of the source, as the server that gets it sees it: at most 400 ms.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { measure } from '../harness/measure.ts'
import { showSpread, spreadOf } from '../harness/numbers.ts'
import { profiling } from '../harness/profile.ts'
import { type Bar, profileLines } from '../harness/report.ts'
import {
  builds,
  cache,
  freshFolder,
  mainOf,
  removeFolder,
  reviewMapping,
  reviewTopic,
  writePipeline,
} from '../harness/scene.ts'

const mostMs = 400
const coldStarts = 3

/** Runs a program that makes a request, to its end. */
type Start = (folder: string) => Promise<unknown>

interface Kind {
  readonly name: string
  /** null: there is no bar on it. */
  readonly mostMs: number | null
  readonly run: Start
  /** True: the store of the warm-up is used again. */
  readonly keep: boolean
  readonly times: number[]
}

export const start: Bar = {
  name: 'start',
  async run({ starts, profile, tell }) {
    let arrivedMs = Number.NaN
    const server = createServer((_, response) => {
      if (Number.isNaN(arrivedMs)) arrivedMs = performance.now()
      response.setHeader('content-type', 'application/json').end('{"reviews":[]}')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/reviews`
    const time = async (run: Start, folder: string) => {
      arrivedMs = Number.NaN
      const startedMs = performance.now()
      await run(folder)
      if (Number.isNaN(arrivedMs)) throw new Error('no request arrived')
      return arrivedMs - startedMs
    }
    const weir = (main: string, env: Record<string, string> = {}, nodeFlags: readonly string[] = []): Start => {
      return folder => {
        const pipeline = writePipeline(folder, definition(url))
        return measure([main, 'run', pipeline, '--data', join(folder, 'store'), '--until', 'end'], { env, nodeFlags })
      }
    }
    const byHand: Start = folder =>
      measure([join(import.meta.dirname, '../by-hand/first-fetch.ts'), url, join(folder, 'by-hand.db')])

    const kinds: Kind[] = [
      { name: 'by hand, new store', mostMs: null, run: byHand, keep: false, times: [] },
      ...builds.flatMap(build => [
        { name: `weir (${build}), new store`, mostMs, run: weir(mainOf(build)), keep: false, times: [] },
        { name: `weir (${build}), store there`, mostMs, run: weir(mainOf(build)), keep: true, times: [] },
      ]),
    ]
    for (let round = 0; round <= starts; round++)
      for (const [i, { run, keep, times }] of kinds.entries()) {
        const folder = keep && round > 0 ? join(cache, 'work', `start-${i}`) : freshFolder(`start-${i}`)
        const ms = await time(run, folder)
        if (round > 0) times.push(ms)
      }
    tell(`${starts} starts of each done`)
    const cold: { name: string; times: number[] }[] = []
    for (const build of builds) {
      const times: number[] = []
      for (let i = 0; i < coldStarts; i++) {
        const folder = freshFolder('start-cold')
        times.push(await time(weir(mainOf(build), { XDG_CACHE_HOME: join(folder, 'cache') }), folder))
      }
      cold.push({ name: `weir (${build}), first start ever`, times })
    }
    const verdicts = kinds
      .filter(kind => kind.mostMs !== null)
      .map(({ name, times }) => {
        const spread = spreadOf(times)
        return {
          bar: `${name}: first fetch ≤ ${mostMs} ms`,
          found: `${showSpread(spread, 0)} ms`,
          met: spread.median <= mostMs,
        }
      })
    const profiles = []
    if (profile || verdicts.some(({ met }) => !met)) {
      const { options, top } = profiling('start')
      await time(weir(mainOf('src'), {}, options.nodeFlags), freshFolder('start-profile'))
      profiles.push({ of: 'weir (src), the whole short run', top: top(profileLines) })
    }
    server.close()
    for (let i = 0; i < kinds.length; i++) removeFolder(join(cache, 'work', `start-${i}`))
    return {
      title: 'start to first fetch',
      table: [
        ['', 'starts', 'ms, median (min–max)'],
        ...[...kinds, ...cold].map(({ name, times }) => [name, String(times.length), showSpread(spreadOf(times), 0)]),
      ],
      verdicts,
      notes: [
        'by hand: bench/by-hand/first-fetch.ts, what Node, SQLite, avsc and fetch cost without weir.',
        'first start ever: with an empty cache of compiled code; every later start of the same version finds it filled.',
      ],
      profiles,
    }
  },
}

const definition = (url: string) => ({
  pipeline: 'bench-start',
  source: {
    http: {
      request: { url },
      records: 'body.reviews',
      paginate: { page: { param: 'page', first: 1, max: 50 } },
      cursor: { field: 'this.timestamp', order: 'desc', id: 'this.user_id', lookback: '1d' },
    },
  },
  fetch: { allow_private: ['127.0.0.0/8'] },
  map: reviewMapping,
  topic: reviewTopic,
  dead_letter: { stop_after: { records: 1000, per: '1h' } },
  consume: [{ group: 'bench-log', process: [{ filter: 'record.rating <= 2.0' }], sink: { log: {} } }],
})
