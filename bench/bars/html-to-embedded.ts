// Product pages -> `amazon_page` -> Avro: at least twice the pages a second of a cheerio script of the same extraction, record for record. And
// the same into the embedded broker, where a page is a synced transaction on both sides.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import avsc from 'avsc'
import { asinOf } from '../data.ts'
import { type Contender, compare } from '../harness/compare.ts'
import { type Measured, type MeasureOptions, measure, remember } from '../harness/measure.ts'
import { atLeast } from '../harness/peers.ts'
import { profiling } from '../harness/profile.ts'
import { type Bar, compareTable, profileLines } from '../harness/report.ts'
import {
  type Build,
  builds,
  cache,
  expectCount,
  freshFolder,
  mainOf,
  recordsIn,
  removeFolder,
  reviewTopic,
  schemaPath,
  writePipeline,
} from '../harness/scene.ts'

const timesCheerio = 2
/** Of the two pages that are served in turn. */
const reviewsOnTwo = 12
/** So many reviews of the other bars for one page. */
const recordsForPage = 200

function writeHtml(folder: string, base: string, pages: number): string {
  return writePipeline(folder, {
    pipeline: 'bench-html',
    source: {
      amazon_page: {
        i_have_checked_the_terms: true,
        asins: Array.from({ length: pages }, (_, n) => asinOf(n)),
        agent: 'weir-bench (bench@example.com)',
        base_url: base,
      },
    },
    fetch: { rate_limit: { requests: 100_000, per: '1s' }, allow_private: ['127.0.0.0/8'] },
    topic: reviewTopic,
  })
}

function produceHtml(build: Build, folder: string, base: string, pages: number, options: MeasureOptions = {}) {
  const pipeline = writeHtml(folder, base, pages)
  const flags = ['--until', 'end', '--stage', 'producer']
  return measure([mainOf(build), 'run', pipeline, '--data', join(folder, 'store'), ...flags], options)
}

type Records = ReadonlyMap<string, string>

/** Records by the review's id, without the time at which they were made. */
function byId(records: Iterable<Readonly<Record<string, unknown>>>): Records {
  const found = new Map<string, string>()
  for (const record of records) {
    const { review_id, ingestion_timestamp: _, ...rest } = record
    found.set(String(review_id), JSON.stringify(Object.entries(rest).sort()))
  }
  return found
}

function byHandRecords(path: string): Records {
  const type = avsc.Type.forSchema(JSON.parse(readFileSync(schemaPath, 'utf8')))
  using db = new DatabaseSync(path, { readOnly: true })
  const values = db.prepare('SELECT value FROM record').all() as { value: Uint8Array }[]
  return byId(values.map(({ value }) => type.fromBuffer(Buffer.from(value).subarray(5)) as Record<string, unknown>))
}

async function weirRecords(store: string): Promise<Records> {
  const records: Record<string, unknown>[] = []
  await measure([mainOf('src'), '--data', store, '--json', 'topic', 'cat', 'reviews'], {
    onLine: line => records.push((JSON.parse(line) as { value: Record<string, unknown> }).value),
  })
  return byId(records)
}

/** @throws when a record is missing or another */
function expectSame(found: Records, expected: Records): void {
  expectCount('weir, different reviews', found.size, expected.size)
  for (const [id, record] of expected)
    if (found.get(id) !== record) throw new Error(`${id} is ${found.get(id)}, by hand ${record}`)
}

export const htmlToEmbedded: Bar = {
  name: 'html',
  async run({ records, rounds, profile, tell }) {
    const pages = Math.max(2, 2 * Math.round(records / recordsForPage / 2))
    const reviews = (pages / 2) * reviewsOnTwo
    using shop = remember(fork(join(import.meta.dirname, '../children/serve-product-pages.ts'), [String(pages)]))
    const [port] = (await once(shop, 'message')) as [number]
    const base = `http://127.0.0.1:${port}`
    const script = join(import.meta.dirname, '../by-hand/html-to-sqlite.ts')
    const extraction = (name: string, run: (folder: string) => Promise<Measured>): Contender => {
      let told = 0
      return {
        name,
        async run() {
          const folder = freshFolder('html-extraction')
          const measured = await run(folder)
          told = Number(measured.stdout)
          removeFolder(folder)
          return measured
        },
        check: async () => expectCount(`${name}, reviews`, told, reviews),
      }
    }
    const child = join(import.meta.dirname, '../children/extract-pages.ts')
    const extracting = await compare(
      [
        extraction('cheerio, extraction', () => measure([script, base, String(pages)])),
        extraction('weir (src), extraction', folder => measure([child, writeHtml(folder, base, pages)])),
      ],
      { records: pages, rounds, warmup: 1, tell },
    )
    let expected: Records = new Map()
    const byHand: Contender = {
      name: 'cheerio, stored',
      run: () => measure([script, base, String(pages), join(freshFolder('html-by-hand'), 'by-hand.db')]),
      async check() {
        const folder = join(cache, 'work', 'html-by-hand')
        expected = byHandRecords(join(folder, 'by-hand.db'))
        expectCount('by hand, different reviews', expected.size, reviews)
        removeFolder(folder)
      },
    }
    const weir = builds.map((build): Contender => {
      const name = `html-${build}`
      return {
        name: `weir (${build}), stored`,
        run: () => produceHtml(build, freshFolder(name), base, pages),
        async check(_, thorough) {
          const folder = join(cache, 'work', name)
          const store = join(folder, 'store')
          expectCount(`${name}, records by offsets`, await recordsIn(store, 'reviews'), reviews)
          if (thorough) expectSame(await weirRecords(store), expected)
          removeFolder(folder)
        },
      }
    })
    const storing = await compare([byHand, ...weir], { records: pages, rounds, warmup: 1, tell })
    const lines = [...extracting, ...storing]
    const verdicts = atLeast(timesCheerio, extracting[1]!, extracting[0])
    const profiles = []
    if (profile || verdicts.some(({ met }) => !met)) {
      const { options, top } = profiling('html')
      const folder = freshFolder('html-profile')
      await produceHtml('src', folder, base, pages, options)
      removeFolder(folder)
      profiles.push({ of: 'weir (src)', top: top(profileLines) })
    }
    const [title, ...rows] = compareTable(lines)
    const perPage = title!.map(head => head.replace('record', 'page'))
    return {
      title: `product pages -> amazon_page -> Avro, and on into the embedded broker, ${pages.toLocaleString('en')} pages with ${reviews.toLocaleString('en')} reviews`,
      table: [perPage, ...rows],
      verdicts,
      notes: [
        'cheerio: bench/by-hand/html-to-sqlite.ts, as it is by default (parse5), one page after the other.',
        'extraction: fetched, taken apart, mapped and encoded; stored: a transaction a page besides, synced. The bar is on the extraction.',
        ...lines.map(
          ({ name, perSecond }) =>
            `${name}: ${Math.round(perSecond * (reviews / pages)).toLocaleString('en')} reviews/s`,
        ),
        'The pages are the two of test/data in turn, 60 and 34 kB: title and lists of reviews of real product pages.',
      ],
      profiles,
    }
  },
}
