// Every sample answer of a vendor goes through the vendor's connector from a local server and gives exactly the expected records.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectedOfSample, expectRecords, haveSamples, samplesFolder } from '../../support/vendor-expectations.ts'
import { type Answer, runVendor, vendorServer } from '../../support/vendor-run.ts'

interface Case {
  readonly sample: string
  readonly vendor: string
  readonly config: Readonly<Record<string, unknown>>
  /** What is answered instead of the sample where the request asks for something else. */
  readonly answer?: Answer
  /** Items that become dead letters. */
  readonly refused?: number
}

const asins = ['B0WEIRTST1']
const key = { api_key: 'secret-of-the-test' }
const dataforseo = { login: 'me', password: 'secret-of-the-test', asins }
const oxylabs = { username: 'me', password: 'secret-of-the-test', asins }

const cases: readonly Case[] = [
  {
    sample: 'rainforest/reviews.json',
    vendor: 'rainforest',
    config: { mode: 'reviews', asins, ...key },
    answer: ({ query }) =>
      query.get('page') === '1' ? {} : { body: '{"request_info":{"success":true},"reviews":[]}' },
  },
  { sample: 'rainforest/product_top_reviews.json', vendor: 'rainforest', config: { asins, ...key } },
  { sample: 'dataforseo/asin_live_advanced.json', vendor: 'dataforseo_asin', config: dataforseo },
  { sample: 'oxylabs/product_realtime.json', vendor: 'oxylabs', config: oxylabs },
  { sample: 'outscraper/reviews_sync.json', vendor: 'outscraper', config: { mode: 'sync', asins, ...key } },
  { sample: 'scrapehero/product_reviews.json', vendor: 'scrapehero', config: { asins, ...key } },
  { sample: 'scrapehero/self_hosted_reviews.json', vendor: 'scrapehero', config: { mode: 'self_hosted', asins } },
]

/** Recorded answers and data sets, read from their files. */
const files: readonly Case[] = [
  ...['reviews_task_get_advanced', 'asin_task_get_advanced', 'asin_live_advanced', 'postback_body'].map(name => ({
    sample: `dataforseo/${name}.json`,
    vendor: 'dataforseo_asin',
    config: { mode: 'replay' },
  })),
  ...['reviews_realtime', 'reviews_realtime_nl', 'product_realtime', 'pushpull_results'].map(name => ({
    sample: `oxylabs/${name}.json`,
    vendor: 'oxylabs',
    config: { mode: 'replay' },
  })),
  { sample: 'datasets/mcauley_2018.jsonl', vendor: 'mcauley_2018', config: {} },
  { sample: 'datasets/mcauley_2023.jsonl', vendor: 'mcauley_2023', config: {} },
  { sample: 'datasets/aws_tsv.tsv', vendor: 'aws_tsv', config: {}, refused: 1 },
]

describe.skipIf(!haveSamples)(haveSamples ? 'samples' : 'samples (skipped: their folder is not there)', () => {
  test.each(cases)('$sample gives exactly its records through $vendor', async each => {
    const body = readFileSync(join(samplesFolder, each.sample))
    await using server = await vendorServer((request, url) => {
      const other = each.answer?.(request, url)
      return other && Object.keys(other).length > 0 ? other : { body }
    })
    const { vendor } = each
    const config = { ...each.config, base_url: server.url }
    const first = await runVendor({ vendor, config })
    expect(first.failure).toBeNull()
    expect(first.refused.length).toBe(each.refused ?? 0)
    expectRecords(first.records, expectedOfSample(each.sample))
    // The same answer again brings nothing new.
    const second = await runVendor({ vendor, config, cursors: first.cursors })
    expect({ failure: second.failure, records: second.records }).toEqual({ failure: null, records: [] })
  })

  test.each(files)('$sample gives exactly its records through $vendor, from its file', async each => {
    const { records, refused, failure } = await runVendor({
      vendor: each.vendor,
      config: { ...each.config, paths: [join(samplesFolder, each.sample)], root: samplesFolder },
    })
    expect(failure).toBeNull()
    expect(refused.length).toBe(each.refused ?? 0)
    expectRecords(records, expectedOfSample(each.sample))
  })
})
