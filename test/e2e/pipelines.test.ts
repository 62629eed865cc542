// Each pipeline we ship, run for real as its reader would: the whole process, its own files, counts audited against what the source gave.
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mainFile, runWeir } from '../support/cli.ts'

const project = fileURLToPath(new URL('../..', import.meta.url))
const cwd = mkdtempSync(join(tmpdir(), 'weir-pipelines-'))
beforeAll(() => {
  for (const folder of ['pipelines', 'schemas']) cpSync(join(project, folder), join(cwd, folder), { recursive: true })
})
afterAll(() => rmSync(cwd, { recursive: true, force: true }))

const pipelines = readdirSync(join(project, 'pipelines')).filter(name => /\.ya?ml$/.test(name))

interface Stored {
  readonly key: string | null
  readonly partition: number
  readonly offset: number
  readonly headers: Readonly<Record<string, string>>
  readonly value: Readonly<Record<string, unknown>>
}

async function stored(topic: string): Promise<readonly Stored[]> {
  const { code, out, err } = await runWeir(['topic', 'cat', topic, '--json'], { cwd })
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return ndjson(out)
}

async function run(pipeline: string, ...more: string[]): Promise<Readonly<Record<string, unknown>>> {
  const { code, out, err } = await runWeir(['run', `pipelines/${pipeline}`, ...more], { cwd, env, deadlineMs: 60_000 })
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return ndjson<Record<string, unknown>>(out).at(-1)!
}

const env: Record<string, string> = {}
const ndjson = <T>(text: string): T[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as T)

const journeys: Record<string, () => Promise<void>> = {
  'finefoods.yaml': async () => {
    const rows = parse(gunzipSync(readFileSync(join(project, 'pipelines/data/finefoods-first2000.csv.gz'))), {
      columns: true,
    }) as Record<string, string>[]
    expect(rows.length).toBe(2000)
    const summary = await run('finefoods.yaml', '--until', 'end')
    expect(summary).toMatchObject({
      event: 'summary',
      pipeline: 'finefoods',
      fetched: 2000,
      appended: 2000,
      dead: {},
      unaccounted: 0,
    })

    const records = await stored('finefoods_reviews')
    const seen = (r: { asin: unknown; text: unknown; rating: unknown; votes: unknown }) => JSON.stringify(r)
    expect(
      records
        .map(({ value: v }) =>
          seen({ asin: v['product_asin'], text: v['review_text'], rating: v['rating'], votes: v['helpfulness_votes'] }),
        )
        .sort(),
    ).toEqual(
      rows
        .map(row =>
          seen({
            asin: row['ProductId'],
            text: row['Text'],
            rating: Number(row['Score']),
            votes: Number(row['HelpfulnessNumerator']),
          }),
        )
        .sort(),
    )
    expect(new Set(records.map(({ headers }) => headers['weir-id'])).size).toBe(2000)
    expect(records.every(({ key, value }) => key === value['product_asin'])).toBe(true)
    expect(await stored('finefoods_reviews_dlq')).toEqual([])

    const lines = ndjson<Record<string, unknown>>(readFileSync(join(cwd, '.weir/out/finefoods.ndjson'), 'utf8'))
    expect(lines.map(line => JSON.stringify(line)).sort()).toEqual(
      records.map(({ value }) => JSON.stringify(value)).sort(),
    )

    // Once more: what is stored is not stored twice, and what was handed on is not handed on twice.
    expect(await run('finefoods.yaml', '--until', 'end')).toMatchObject({ fetched: 0, appended: 0, unaccounted: 0 })
    expect(ndjson(readFileSync(join(cwd, '.weir/out/finefoods.ndjson'), 'utf8'))).toHaveLength(2000)
  },

  'demo-reviews.yaml': async () => {
    await using vendor = await startVendor('reviews', '--initial', '300', '--malformed', '5%', '--faults', '15%')
    env['WEIR_DEMO_VENDOR'] = vendor.url
    const summary = await run('demo-reviews.yaml', '--until', 'idle', '--idle-for', '5s').finally(() => {
      delete env['WEIR_DEMO_VENDOR']
    })
    const journal = ndjson<{ asin: string; id: string; damage: string | null }>(
      await (await fetch(`${vendor.url}/_journal`)).text(),
    )
    const served = new Map(journal.map(each => [each.id, each]))
    const sound = [...served.values()].filter(each => each.damage === null)
    expect(sound.length).toBeGreaterThan(20)
    expect(sound.length).toBeLessThan(served.size)

    const records = await stored('demo_reviews')
    const letters = await stored('demo_reviews_dlq')
    expect(records.map(({ value }) => value['review_id']).sort()).toEqual(sound.map(({ id }) => id).sort())
    expect(letters).toHaveLength(served.size - sound.length)
    const asked = {
      fetched: journal.length,
      appended: records.length,
      unaccounted: 0,
    }
    expect(summary).toMatchObject(asked)
    const dead = Object.values(summary['dead'] as Record<string, number>)
    expect(dead.reduce((sum, count) => sum + count, 0)).toBe(letters.length)
  },

  'top-reviews.yaml': async () => {
    await using vendor = await startVendor('oxylabs', '--initial', '300')
    env['OXYLABS_URL'] = `${vendor.url}/realtime`
    const summary = await run('top-reviews.yaml', '--until', 'end')
    const records = await stored('raw_top_reviews')
    expect(records.length).toBeGreaterThan(5)
    expect(summary).toMatchObject({
      pipeline: 'top-reviews',
      fetched: records.length,
      appended: records.length,
      dead: {},
      unaccounted: 0,
    })
    expect(new Set(records.map(({ value }) => value['review_id'])).size).toBe(records.length)
    expect(records.every(({ key, value }) => key === value['product_asin'] && Number(value['rating']) >= 1)).toBe(true)
    // What is known is not stored again.
    expect(await run('top-reviews.yaml', '--until', 'end')).toMatchObject({ appended: 0, unaccounted: 0 })
    delete env['OXYLABS_URL']
  },
}

test.each(pipelines)('pipelines/%s runs and accounts for every item', { timeout: 120_000 }, async name => {
  expect(Object.keys(journeys), 'a pipeline without a journey here').toContain(name)
  await journeys[name]!()
})

async function startVendor(vendor: string, ...argv: string[]): Promise<AsyncDisposable & { readonly url: string }> {
  const child = spawn(process.execPath, [mainFile, 'simulate', vendor, '--port', '0', '--json', ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>(done => child.once('close', () => done()))
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', text => resolve(JSON.parse(String(text).split('\n')[0]!).url))
    child.once('close', code => reject(new Error(`the vendor ended with ${code}`)))
  })
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
